"""``marketproof run``: train, clear, account, audit, record, report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from marketproof.commands.options import Json, Quiet, argument, flag, option
from marketproof.terminal.console import stderr, stdout
from mechanism.errors import InputError, MarketProofError, shown
from mechanism.writing import write_json

if TYPE_CHECKING:
    from marketproof.running.config import RunConfig
    from marketproof.running.execution import Place


HELP = """Train clients on a task, let a market decide who imports whose model at what price, and audit every promise.

Writes a run folder: what each client gained, paid and received in every round, the audit, the models, and report.html.
An interrupted run goes on with --resume --out DIR."""

EPILOG = """Example: "marketproof run --scale smoke" takes seconds and only shows that everything runs; without --scale
it trains enough for accuracies to mean something. It compares training alone (local), plain averaging (fedavg), the
paper's market (ipfl/ipfl), the repaired one (ipfl/ipfl-exact) and the one on measured data (ipfl-effective/clock-price)
on handwritten digits, where each client sees half of the classes and two of ten upload junk: look at the last column,
the most that a client could gain by lying about its cost, and at the line below the table: who was paid for what.

"marketproof run fashion-niid --methods ipfl --mechanism exact-marginal --seeds 3" runs one method under three seeds."""


def run(
    task: Annotated[str | None, argument("[TASK]", "Name from 'marketproof list tasks', or a .toml file.")] = None,
    data: Annotated[
        Path | None, option("FILE|DIR|FILE.py:NAME", "Data of your own instead of a task; see the guide own-data.")
    ] = None,
    owner: Annotated[str | None, option("COLUMN", "Of a table: whose a row is.")] = None,
    target: Annotated[str | None, option("COLUMN", "Of a table: the class to be predicted.")] = None,
    ignore: Annotated[str | None, option("A,B", "Of a table: columns to leave out.")] = None,
    split: Annotated[
        str | None,
        option(
            "owners|niid|cluster|skew|FILE",
            "Of --data: each owner a client (default), a rule, or a table with a column owner, a row a sample. Of "
            "a task's data: a table or .npz of row and client.",
        ),
    ] = None,
    test: Annotated[Path | None, option("FILE|DIR", "Of --data: what is tested on; else a fifth is held out.")] = None,
    least: Annotated[
        int | None, option("N", "Of --data: leave owners with fewer samples out; default 1.", min=1)
    ] = None,
    costs: Annotated[
        Path | None, option("FILE", "Table client,cost,gain,lam: of each client, instead of drawn.")
    ] = None,
    join_ratio: Annotated[
        float | None, option("Q", "Share of the clients who take part in a round; default 1.")
    ] = None,
    methods: Annotated[
        str | None, option("A,B/ID,…", "Methods, a market's mechanism after a slash.", show_default=False)
    ] = None,
    mechanism: Annotated[str | None, option("ID", "Mechanism of methods that name none; default ipfl-exact.")] = None,
    rounds: Annotated[int | None, option("R", "Rounds, instead of the scale's.", min=1)] = None,
    steps: Annotated[int | None, option("S", "Local steps a round, likewise.", min=1)] = None,
    epochs: Annotated[int | None, option("E", "Passes over each client's samples a round, not steps.", min=1)] = None,
    clients: Annotated[int | None, option("M", "Clients, instead of the task's.", min=2)] = None,
    scale: Annotated[
        str | None,
        option("smoke|reduced|paper", "How long to train; default reduced. At smoke accuracies mean nothing."),
    ] = None,
    population: Annotated[
        str | None,
        option(
            "P",
            "Who takes part: see 'marketproof list populations'. inclusive also changes the task: clients, "
            "split.beta, market.lam, market.eta and market.gain (× 100).",
        ),
    ] = None,
    valuation: Annotated[str | None, option("size|measured|fitted", "What models are worth; default size.")] = None,
    dp_epsilon: Annotated[
        float | None, option("E", "Train each client with differential privacy, at most E.", min=0)
    ] = None,
    dp_noise: Annotated[float | None, option("Z", "Noise multiplier, instead of the one that fits E.", min=0)] = None,
    dp_report: Annotated[
        bool, flag("Run at epsilon 1, 2, 4, 8 and without privacy, and compare.", "--dp-report")
    ] = False,
    base_model: Annotated[str | None, option("NAME|DIR", "Language model: tiny, smollm2, or a folder.")] = None,
    lora_targets: Annotated[
        str | None, option("A,B", "Its modules that adapters change; default q_proj,v_proj.")
    ] = None,
    backend: Annotated[
        str,
        option(
            "auto|rows|pool|stacked|federated",
            "Where local work runs; stacked gives other last bits, the others the same numbers. federated: "
            "clients hold their own samples and talk to the server in messages, here in one process.",
        ),
    ] = "auto",
    device: Annotated[str, option("auto|cpu|cuda|cuda:N", "What it runs on.")] = "auto",
    data_dir: Annotated[Path | None, option("DIR", "Folder with data sets; else MARKETPROOF_DATA.")] = None,
    seed: Annotated[int | None, option("S", "First seed; default 0.", min=0)] = None,
    seeds: Annotated[int | None, option("N", "Seeds S … S+N-1; default 1.", min=1)] = None,
    out: Annotated[Path | None, option("DIR", "Run folder, new or empty; default runs/TASK-TIME.")] = None,
    resume: Annotated[bool, flag("Go on with the run in --out DIR.", "--resume")] = False,
    go_on: Annotated[
        Path | None, option("RUN", "Give a finished run more --rounds, --methods or --seeds.", "--continue")
    ] = None,
    start_from: Annotated[
        Path | None, option("RUN", "Let clients begin with the models that they have in a run.")
    ] = None,
    no_audit: Annotated[
        bool, flag("Search no lies and certify nothing when all rounds are done.", "--no-audit")
    ] = False,
    log: Annotated[str | None, option("csv|tensorboard|mlflow", "Log rounds there, too; several by commas.")] = None,
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Resolve the settings, run, write, show."""
    from marketproof.records.continued import discard_unless_begun
    from marketproof.records.logs import refuse_unknown
    from marketproof.running.config import split_names
    from marketproof.running.execution import Place
    from marketproof.running.execution import run as run_all
    from marketproof.running.own_data import own_data
    from marketproof.terminal.run_view import show_run
    from mechanism.writing import refuse_unwritable_file

    options: dict[str, Any] = {
        "methods": methods, "mechanism": mechanism, "rounds": rounds, "steps": steps, "clients": clients,
        "scale": scale, "seed": seed, "seeds": seeds, "population": population, "valuation": valuation,
        "dp_epsilon": dp_epsilon, "dp_noise": dp_noise, "base_model": base_model, "join_ratio": join_ratio,
        "epochs": epochs,
        "costs": None if costs is None else str(costs),
        "lora_targets": None if lora_targets is None else split_names(lora_targets),
    }  # fmt: skip
    own = {"owner": owner, "target": target, "ignored": split_names(ignore or ""), "least": least, "test_file": test}
    if data is not None or split is not None or any(own.values()):
        told = own_data(task, data, split, **own | {"test_file": None if test is None else str(test)})
        options |= {"split_file": split} if told is None else {"data": told}
    options |= {"start_from": None if start_from is None else str(start_from)}
    for name, value in {**options, **options.get("data", {}).get("data", {}), "task": task}.items():
        if isinstance(value, str) and re.search("[\ud800-\udfff]", value):  # settings are written as UTF-8
            raise InputError(f"{name} {shown(value)} is no name in UTF-8 and cannot be recorded; rename the file")
    refuse_unwritable_file(json)
    logs = split_names(log or "")
    if logs:
        refuse_unknown(logs)
    if go_on is None:
        config, resuming = settings(task, options, out, resume=resume)
        folder = default_folder(config.task) if out is None else out
    else:
        config, folder, resuming = *_continued(go_on, task, options, out, resume=resume or dp_report), True
    for owner_and_why in config.data.left_out:
        stderr(quiet=quiet).print(f"note: left out {owner_and_why}", markup=False)
    place = Place(backend, device, data_dir, audited=not no_audit, paged=not (no_audit and dp_report), log=tuple(logs))
    if dp_report:
        _compare_budgets(config, folder, place, json, quiet)
        return
    try:
        done = run_all(config, folder, place, resume=resuming, quiet=quiet)
    except MarketProofError:
        if go_on is not None:
            discard_unless_begun(go_on, folder)
        raise
    for owner_and_why in done.left_out:
        stderr(quiet=quiet).print(f"note: left out {owner_and_why}", markup=False)
    write_json(json, {"folder": str(done.folder), **done.summary.as_json(), "audit": done.audit.as_json()})
    show_run(done.summary, done.audit, done.folder, done.report, stdout(quiet=quiet), scale=config.scale)


def _continued(
    run: Path, task: str | None, options: Mapping[str, Any], out: Path | None, *, resume: bool
) -> tuple[RunConfig, Path]:
    """Return the settings of a run that goes on and its new folder, in which all that was recorded lies already."""
    from marketproof.records.continued import carry_over, continued
    from marketproof.running.config import split_names

    if resume or task is not None or options.get("data") is not None or options["start_from"]:
        raise InputError("--continue RUN takes a run as it is; leave task, data, --resume and --start-from away")
    given = {key: value for key, value in options.items() if value is not None and key not in ("data", "start_from")}
    if "methods" in given:
        given["methods"] = split_names(given["methods"])
    config = continued(run, given)
    folder = default_folder(config.task) if out is None else out
    carry_over([run], folder, config)
    return config, folder


def _compare_budgets(config: RunConfig, folder: Path, place: Place, json: Path | None, quiet: bool) -> None:
    """Run at several privacy budgets and show what each costs; the same command with the same --out goes on."""
    from marketproof.studies.privacy import price_of_privacy

    price = price_of_privacy(config, folder, place, f"the same command with --out {folder}", quiet=quiet)
    write_json(json, price.told)
    price.show(stdout(quiet=quiet))


DEFAULT_TASK, DEFAULT_POPULATION = "digits-skew", "free-riders-ones"
"""What runs where no task is named: one in which trade helps, and two of ten clients upload junk."""


def settings(task: str | None, options: Mapping[str, Any], out: Path | None, *, resume: bool) -> tuple[RunConfig, bool]:
    """Return the configuration and whether a recorded run is gone on with.

    With ``resume``, what is not given comes from the record. If nothing is recorded yet and the task is named, the run
    starts afresh: the same command can be given until it succeeds. `InputError` if an option is wrong, or ``resume``
    has nothing to go on with.
    """
    from marketproof.running.config import overridden, split_names
    from marketproof.running.recorder import CONFIG, recorded_config

    given = dict(options)
    table = given.pop("data", None)
    named = task is not None or table is not None
    if given.get("methods") is not None:
        given["methods"] = split_names(given["methods"])
    if resume and out is None:
        raise InputError("--resume needs --out DIR: the folder of the run to go on with")
    if resume and out is not None and (not named or (out / CONFIG).is_file()):
        recorded = recorded_config(out)
        if not named:
            return overridden(recorded.model_dump(), given), True
        return _fresh(task, table, given), True
    if not named and given.get("population") is None:
        given["population"] = DEFAULT_POPULATION
    return _fresh(task, table, given), False


def _fresh(task: str | None, table: Mapping[str, Any] | None, given: Mapping[str, Any]) -> RunConfig:
    from marketproof.running.config import DEFAULT_MECHANISM, DEFAULT_METHODS, load_task, resolve, split_names
    from marketproof.running.own_data import own_task

    defaults = {"seed": 0, "seeds": 1, "methods": split_names(DEFAULT_METHODS), "mechanism": DEFAULT_MECHANISM}
    told = {key: value for key, value in given.items() if value is not None}
    name = task or DEFAULT_TASK
    name, loaded = (name, load_task(name)) if table is None else own_task(table)
    return resolve(name, loaded, {**defaults, **told})


def default_folder(task: str) -> Path:
    """Return ``runs/TASK-TIME``; a counter is added where two runs start in one second."""
    stem = f"{Path(task).stem}-{datetime.now():%Y%m%d-%H%M%S}"
    folder = Path("runs") / stem
    count = 2
    while folder.exists():
        folder = Path("runs") / f"{stem}-{count}"
        count += 1
    return folder
