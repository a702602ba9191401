"""A recorded run as tables for further work: polars frames, and pandas ones where that is installed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.run.files import Manifest, read_manifest, verify
from analysis.run.results import Summary, read_summary
from mechanism.errors import InputError, shown
from mechanism.wording import html_table, number, percent

if TYPE_CHECKING:
    import pandas
    from polars import DataFrame

TABLES = ("rounds", "ledger", "summary")


@dataclass(frozen=True)
class RecordedRun:
    """The tables of a run folder, each read, and held against its digest, when it is first asked for.

    ``rounds``: a row for each method, seed, round and client; ``ledger``: one for each import; ``summary``: one for
    each method, its figures in columns. `RecordError` if a file is missing, damaged, or was changed.
    """

    folder: Path
    manifest: Manifest

    @cached_property
    def rounds(self) -> DataFrame:
        """Accuracy, loss, money and numbers of imports of every client in every round."""
        return self._parquet("rounds")

    @cached_property
    def ledger(self) -> DataFrame:
        """Every import: who bought whose model, for how much."""
        return self._parquet("ledger")

    @cached_property
    def summary(self) -> DataFrame:
        """The figures of every method (`analysis.run.ledger.figures`)."""
        import polars as pl

        rows = [{"method": name, **figures} for name, figures in self._summary.methods.items()]
        return pl.DataFrame(rows, infer_schema_length=None)

    def pandas(self, table: str) -> pandas.DataFrame:
        """Return one of the tables, "rounds", "ledger" or "summary", as a pandas frame; pyarrow is not needed."""
        if table not in TABLES:
            raise InputError(f"a run has no table {shown(table)}; expected {', '.join(TABLES)}")
        try:
            import pandas
        except ImportError:
            raise InputError("pandas is not installed: pip install pandas, or take the polars frame") from None
        frame: DataFrame = getattr(self, table)
        return pandas.DataFrame({name: frame[name].to_list() for name in frame.columns})

    @cached_property
    def _summary(self) -> Summary:
        return read_summary(verify(self.folder, "summary.json", self.manifest.digests))

    def _parquet(self, name: str) -> DataFrame:
        import polars as pl

        from analysis.run.files import RecordError

        path = verify(self.folder, f"{name}.parquet", self.manifest.digests)
        try:
            return pl.read_parquet(path)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise RecordError(f"{path}: is no table ({str(error)[:100]}); run again into a new folder") from None

    def _repr_html_(self) -> str:
        return summary_html(self._summary)


def load(run: Path | str) -> RecordedRun:
    """Return the tables of a run folder; `RecordError` if it is none, or its manifest is damaged."""
    return RecordedRun(Path(run), read_manifest(Path(run)))


COLUMNS = ("accuracy_best", "accuracy_final", "utility_mean", "welfare")


def summary_html(summary: Summary) -> str:
    """Return a run's figures by method as an HTML table, as a notebook shows it."""
    rows = [[name, *(_cell(column, told.get(column)) for column in COLUMNS)] for name, told in summary.methods.items()]
    said = f"{summary.task}, {'seed' if len(summary.seeds) == 1 else 'seeds'} {', '.join(map(str, summary.seeds))}"
    return html_table([["method", *(column.replace("_", " ") for column in COLUMNS)], *rows], said)


def _cell(column: str, value: float | None) -> str:
    if value is None:
        return "–"
    return percent(value) if column.startswith("accuracy") else number(value, 4)
