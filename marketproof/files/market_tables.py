"""The tables that `clear` reads: clients with their numbers, and what stands between each two of them."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from marketproof.files.csv_input import Table, WrongCells, client_name, number, pointed, read_table
from mechanism.errors import InputError, did_you_mean, shown
from mechanism.market.clients import DIFFERENCE_SLACK, LARGEST, SMALLEST_SIZE
from mechanism.market.mechanisms import market_mechanism
from mechanism.market.rules.pooled_price import PooledPrice
from mechanism.market.rules.posted_price import PostedPrice
from mechanism.market.rules.rule import Clearing
from mechanism.spreadsheets import WORKBOOKS

COLUMNS = ("client", "size", "cost", "gain")

PARQUET = (".parquet", ".pq")
"""How the names of Parquet files end."""

RANGES = {
    "size": (SMALLEST_SIZE, LARGEST, f"above 0 (samples, at least {SMALLEST_SIZE:g}, at most {LARGEST:g})"),
    "cost": (0.0, LARGEST, f"from 0 to {LARGEST:g} (money per exported model)"),
    "gain": (0.0, LARGEST, f"from 0 to {LARGEST:g} (the gain parameter K; 0 wants no model)"),
}
"""What each number of a client may be: least, most, and that in words."""


@dataclass(frozen=True, eq=False)
class ClientTable:
    """Clients in the order of their file: names, and size (samples), cost (money) and gain parameter, float64 [m].

    ``extra``: the texts of the other columns by their heads; nothing is computed from them.
    """

    names: tuple[str, ...]
    size: NDArray[np.float64]
    cost: NDArray[np.float64]
    gain: NDArray[np.float64]
    extra: dict[str, list[str]] = field(default_factory=dict)


def _columns(table: Table) -> tuple[dict[str, int], dict[str, int]]:
    """Return where each of `COLUMNS` stands, in capitals or not, and where the others; none may stand twice."""
    place = table.place(table.header_line)
    remedy = f"expected the header {','.join(COLUMNS)} in any order"
    positions: dict[str, int] = {}
    for k, told in enumerate(table.columns):
        column = told.lower() if told.lower() in COLUMNS else told
        if column in positions:
            raise InputError(f"{place}: column {shown(told)} stands twice; {remedy}")
        if column or any(row.cells[k] for row in table.rows):  # spreadsheets leave empty columns behind
            positions[client_name(column, f"{place}, column {k + 1}", what="column")] = k
    for column in COLUMNS:
        if column not in positions:
            near = did_you_mean(column, table.columns)
            raise InputError(f"{place}: column {shown(column)} is missing{near}; {remedy}")
    return {column: positions.pop(column) for column in COLUMNS}, positions


def read_clients(path: Path) -> ClientTable:
    """Read ``CLIENTS.csv``: header ``client,size,cost,gain`` in any order, in capitals or not, one row per client.

    Further columns are kept as texts.
    `InputError` for anything else; the message names file, row, column, value and remedy.
    """
    table = read_table(path, long=True)
    at, others = _columns(table)
    pointed(table, [at[column] for column in RANGES])
    if not table.rows:
        raise InputError(f"{table.file} holds no client; write one row per client under its header")
    first_line: dict[str, int] = {}
    numbers: dict[str, list[float]] = {column: [] for column in RANGES}
    wrong = WrongCells()
    for row in table.rows:
        place = table.place(row.line, "client")
        with wrong.keep():
            name = client_name(row.cells[at["client"]], place)
            _name_once(name, first_line, place, "name each client once")
            first_line[name] = row.line
        for column, (low, high, expected) in RANGES.items():
            place = table.place(row.line, column)
            with wrong.keep():
                numbers[column].append(number(row.cells[at[column]], place, low=low, high=high, expected=expected))
    wrong.complain()
    size, cost, gain = (np.array(numbers[column], dtype=np.float64) for column in ("size", "cost", "gain"))
    extra = {column: [row.cells[k] for row in table.rows] for column, k in others.items()}
    return ClientTable(tuple(first_line), size, cost, gain, extra)


def read_differences(path: Path, names: tuple[str, ...]) -> NDArray[np.float64]:
    """Read ``D.csv``: model differences float64 [m, m] in [0, 2] (rounding of 1e-9 is clipped), diagonal 0.

    `InputError` as `read_matrix`.
    """
    matrix = read_matrix(
        path,
        names,
        low=-DIFFERENCE_SLACK,
        high=2.0 + DIFFERENCE_SLACK,
        expected="from 0 to 2 (1 - cosine)",
        diagonal=DIFFERENCE_SLACK,
    )
    return np.clip(matrix, 0.0, 2.0)


def read_amounts(path: Path, names: tuple[str, ...], unit: str) -> NDArray[np.float64]:
    """Read amounts of a ``unit``, float64 [m, m], row = importer, column = exporter, the diagonal unused.

    So are ``E.csv``, effective sizes in samples, and a table of posted prices in money. `InputError` as `read_matrix`.
    """
    return read_matrix(path, names, low=0.0, high=LARGEST, expected=f"from 0 to {LARGEST:g} ({unit})", diagonal=None)


def table_of_prices(price: str | None) -> Path | None:
    """Return the file that ``--price`` names; None where it is a number or not given."""
    table = price is not None and price.lower().endswith((".csv", *WORKBOOKS))
    return Path(price) if price is not None and table else None


def priced_rule(mechanism: str, price: str | None, pool: int | None, names: tuple[str, ...]) -> Clearing:
    """Return a mechanism between these clients: of posted prices with that price or table, with that pool, or as it is.

    `InputError` if ``price`` is neither a number nor a readable table, or there are too few clients for the pool.
    """
    if (prices := table_of_prices(price)) is not None:
        return PostedPrice(read_amounts(prices, names, "money"))
    if price is not None:
        expected = f"from 0 to {LARGEST:g}, or name a .csv or .xlsx file"
        return PostedPrice(number(price.strip(), "--price", low=0.0, high=LARGEST, expected=expected))
    if pool is not None and pool + 2 > len(names):
        raise InputError(f"--pool {shown(pool)} needs at least {pool + 2} clients; the table has {len(names)}")
    return market_mechanism(mechanism) if pool is None else PooledPrice(pool)


def read_matrix(
    path: Path, names: tuple[str, ...], *, low: float, high: float, expected: str, diagonal: float | None
) -> NDArray[np.float64]:
    """Read a table of everyone against everyone into float64 [m, m], in the order of ``names``, its diagonal 0.

    Header ``client,ID1,ID2,…``; one row per client, rows and columns in any order; numbers in [low, high], which
    ``expected`` words; on the diagonal at most ``diagonal`` away from 0 (None: anything, it is not used). `InputError`
    for anything else; the message names file, row, column, value and remedy.
    """
    table = read_table(path)
    header = table.place(table.header_line)
    index = {name: k for k, name in enumerate(names)}
    if table.columns[0].lower() != "client":
        found = shown(table.columns[0])
        raise InputError(
            f"{header}: the first column is {found}; expected client, then one column per client (pairs, "
            "importer,exporter,NUMBER: as .csv or .parquet)"
        )
    pointed(table, range(1, len(table.columns)))
    exporters = [known_client(name, index, header) for name in table.columns[1:]]
    _each_once(exporters, names, header, "column")
    matrix = np.zeros((len(names), len(names)))
    seen: dict[str, int] = {}
    wrong = WrongCells()
    for row in table.rows:
        place = table.place(row.line, "client")
        with wrong.keep():
            importer = known_client(row.cells[0], index, place)
            _name_once(row.cells[0], seen, place, "write one row per client")
            seen[row.cells[0]] = row.line
        if seen.get(row.cells[0]) != row.line:  # no client, or one that had its row
            continue
        for exporter, text, column in zip(exporters, row.cells[1:], table.columns[1:], strict=True):
            cell = table.place(row.line, column)
            with wrong.keep():
                value = number(text, cell, low=low, high=high, expected=expected)
                if importer == exporter and diagonal is not None and abs(value) > diagonal:
                    remedy = "write 0: a client does not differ from itself"
                    raise InputError(f"{cell}: {shown(text)} on the diagonal; {remedy}")
                matrix[importer, exporter] = value
    wrong.complain()
    _each_once([index[name] for name in seen], names, table.file, "row")
    np.fill_diagonal(matrix, 0.0)
    return matrix


def _name_once(name: str, seen: dict[str, int], place: str, remedy: str) -> None:
    if name in seen:
        raise InputError(f"{place}: {shown(name)} stands already in row {seen[name]}; {remedy}")


def known_client(name: str, index: dict[str, int], place: str) -> int:
    """Return a client's number by its name; `InputError` if it has none."""
    if name not in index:
        raise InputError(f"{place}: {shown(name)} is no client of the client table; use the names written there")
    return index[name]


def _each_once(found: list[int], names: tuple[str, ...], place: str, kind: str) -> None:
    present: set[int] = set()
    for k in found:
        if k in present:
            raise InputError(f"{place}: {shown(names[k])} has two {kind}s; expected one {kind} per client")
        present.add(k)
    missing = set(range(len(names))) - present
    if missing:
        raise InputError(f"{place}: no {kind} for {shown(names[min(missing)])}; expected one {kind} per client")
