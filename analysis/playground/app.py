"""The playground as a marimo app: `marimo run app.py`, or `marketproof play`. It wires; `view` computes."""

import marimo

app = marimo.App(width="medium", app_title="marketproof: playground")


with app.setup:
    from dataclasses import replace
    from typing import Any

    import marimo as mo

    from analysis.playground import html, recorded, state, view
    from mechanism import MarketProofError

    view.warm()


@app.cell
def _() -> Any:
    mo.md(
        """
        # A market of models

        Each client holds data and a model. Others may import the model: that costs its owner something, and is worth
        something to those who have little data. **Drag what one client says of its cost** and watch what it is left
        with; then switch the rule, or let the machine look for a lie that pays.
        """
    )
    return


@app.cell
def _() -> Any:
    def opened(query: dict[str, Any]) -> tuple[Any, str]:
        try:
            return state.from_query(query), ""
        except state.PlayError as error:
            return state.PlayState(), f"The link could not be read: {error}."

    begun, complaint = opened(mo.query_params().to_dict())
    folder = str(mo.cli_args().get("run") or "")  # marketproof play --run DIR
    run = None
    if folder and not mo.query_params().to_dict().get("clients"):
        try:
            run = recorded.open_run(folder)
            begun = recorded.state_of(run, recorded.first_place(run))
        except MarketProofError as error:
            run, complaint = None, f"{error}."
    get_start, set_start = mo.state(begun)
    # The cell that offers another round of the run shows where it stands as well: it has to follow itself.
    get_run, set_run = mo.state((run, recorded.first_place(run)) if run is not None else None, allow_self_loops=True)
    get_complaint, set_complaint = mo.state(complaint)
    get_found, set_found = mo.state(None)
    # What was said last, outside the reactive graph: a slider that is made anew (another rule) starts from it.
    said = {"client": begun.client, "report": begun.report}
    return folder, get_complaint, get_found, get_run, get_start, said, set_complaint, set_found, set_run, set_start


@app.cell
def _(said: Any, set_complaint: Any, set_found: Any, set_run: Any, set_start: Any) -> Any:
    def begin(loaded: Any, opened: Any = None) -> None:
        said.update(client=loaded.client, report=loaded.report)
        said.pop("of", None)
        set_complaint("")
        set_found(None)
        set_run(opened)
        set_start(loaded)

    def load(files: Any) -> None:
        if not files:
            return
        try:
            text = files[0].contents.decode("utf-8")
            if files[0].name.lower().endswith(".json"):
                loaded = state.from_json(text)
            else:
                loaded = state.PlayState(clients=state.read_clients(text)).reporting(0, 0.0)
                loaded = loaded.reporting(0, loaded.truth)
        except UnicodeDecodeError:
            set_complaint(f"{files[0].name} is no text; load a CSV table or a file saved from here.")
            return
        except state.PlayError as error:
            set_complaint(f"{files[0].name}: {error}.")
            return
        begin(loaded)

    upload = mo.ui.file(  # the browser refuses a larger one before it reads it, and says so
        filetypes=[".csv", ".json"], max_size=1_000_000, label="Load a CSV or a saved state (up to 1 MB)",
        on_change=load,
    )  # fmt: skip
    return begin, upload


@app.cell
def _(begin: Any, folder: Any, set_complaint: Any) -> Any:
    def open_folder(text: str) -> None:
        if not text.strip():
            return
        try:
            run = recorded.open_run(text)
            place = recorded.first_place(run)
            begin(recorded.state_of(run, place), (run, place))
        except (MarketProofError, OSError) as error:
            set_complaint(f"{error}.")

    run_folder = mo.ui.text(
        value=folder, placeholder="runs/…", label="Or a run's folder", on_change=open_folder, full_width=True
    )
    return (run_folder,)


@app.cell
def _(begin: Any, get_run: Any, set_complaint: Any) -> Any:
    def choice(run: Any, place: Any) -> Any:
        def moved(**part: Any) -> None:
            there = replace(place, **part)
            try:
                begin(recorded.state_of(run, there), (run, there))
            except MarketProofError as error:
                set_complaint(f"{error}.")

        def chosen(label: str, options: list[str], value: object, change: Any) -> Any:
            return mo.ui.dropdown(options, value=str(value), allow_select_none=False, label=label, on_change=change)

        return [
            chosen("Method", list(run.methods), place.method, lambda method: moved(method=method)),
            chosen("Seed", [str(s) for s in run.seeds], place.seed, lambda seed: moved(seed=int(seed))),
            chosen(
                "Round", [str(k + 1) for k in range(run.rounds)], place.round, lambda number: moved(round=int(number))
            ),
        ]

    shown = get_run()
    choices = choice(*shown) if shown is not None else []  # kept: what nobody keeps is not heard
    provenance = html.sentence("recorded", recorded.words(*shown)) if shown is not None else ""
    where = [mo.hstack(choices, justify="start", wrap=True), mo.Html(provenance)] if shown is not None else []
    return choices, where


@app.cell
def _(get_start: Any) -> Any:
    table = mo.ui.text_area(
        value=state.clients_text(get_start()), rows=8, debounce=600, label="Clients, one a line", full_width=True
    )
    rule = mo.ui.dropdown(list(state.MARKET_ENTRIES), value=get_start().mechanism, label="Rule")
    lam = mo.ui.slider(
        steps=view.weights(get_start().lam), value=get_start().lam, show_value=True,
        label="λ, weight of the difference between models",
    )  # fmt: skip
    return lam, rule, table


@app.cell
def _(get_start: Any, table: Any) -> Any:
    def known(clients: Any) -> tuple[Any, str]:
        """The recorded differences, while the table has as many clients as they are of."""
        matrix = get_start().differences
        if matrix is None or len(matrix) == len(clients):
            return matrix, ""
        return None, f"The recorded differences are between {len(matrix)} clients; now the angles count."

    def typed(text: str) -> tuple[Any, str]:
        try:
            return state.read_clients(text), ""
        except state.PlayError as error:
            return get_start().clients, f"{error}. Until then the last table counts."

    clients, misprint = typed(table.value)
    differences, forgotten = known(clients)
    misprint = misprint or forgotten
    law, effective = get_start().law, None if forgotten else get_start().effective
    return clients, differences, effective, law, misprint


@app.cell
def _(clients: Any, get_found: Any, said: Any) -> Any:
    get_found()  # a lie that was found chooses its client
    names = [client.name for client in clients]
    said["client"] = min(said["client"], len(names) - 1)
    who = mo.ui.dropdown(names, value=names[said["client"]], allow_select_none=False, label="Who reports")
    return names, who


@app.cell
def _(clients: Any, differences: Any, effective: Any, lam: Any, law: Any, names: Any, rule: Any, who: Any) -> Any:
    index = names.index(who.value)
    setup = state.PlayState(clients, rule.value, lam.value, index, clients[index].cost, differences, law, effective)
    return (setup,)


@app.cell
def _(get_found: Any, said: Any, setup: Any) -> Any:
    get_found()
    _costs = tuple((client.name, client.cost) for client in setup.clients)
    if said["client"] != setup.client or said.setdefault("of", _costs) != _costs:  # another client, or another table
        said.update(client=setup.client, report=setup.truth)
    said["of"] = _costs

    def remember(value: Any) -> None:
        said["report"] = value

    steps = view.steps(setup.reporting(setup.client, said["report"]))  # a lie that was found is a stop as well
    report = mo.ui.slider(
        steps=steps, value=min(steps, key=lambda x: abs(x - said["report"])), show_value=True, full_width=True,
        label="Cost that it reports", on_change=remember,
    )  # fmt: skip
    return (report,)


@app.cell
def _(said: Any, set_found: Any, setup: Any) -> Any:
    def search(_: Any) -> None:
        lie = view.find_lie(setup)
        if lie.client is not None:
            said.update(client=lie.client, report=lie.report)
        set_found((view.key(setup), lie))

    look_for_lie = mo.ui.button(label="Look for a lie", kind="success", on_change=search)
    return (look_for_lie,)


@app.cell
def _(get_complaint: Any, lam: Any, look_for_lie: Any, misprint: Any, report: Any, rule: Any,
      run_folder: Any, table: Any, upload: Any, where: Any, who: Any) -> Any:  # fmt: skip
    mo.vstack(
        [
            mo.hstack(
                # Beside one another where there is room, below one another on a telephone.
                [
                    mo.vstack(part).style(width="min(24rem, 86vw)")
                    for part in ([table, upload, run_folder], [rule, lam, who, look_for_lie])
                ],
                justify="start",
                gap=2,
                wrap=True,
            ),
            *where,
            mo.Html(html.sentence("complaint", misprint or get_complaint(), warning=True)),
            report,
        ]
    )
    return


@app.cell
def _(setup: Any) -> Any:
    curve, at_zero = view.curve(setup), view.at_zero(setup)
    return at_zero, curve


@app.cell
def _(at_zero: Any, curve: Any, get_found: Any, report: Any, said: Any, setup: Any) -> Any:
    now = setup.reporting(setup.client, view.told(setup, report.value, said["report"]))
    seen = view.look(now)
    line = curve if now.report <= curve.reports[-1] else view.curve(now)  # a link may say any number
    found = get_found()
    told = found[1].sentence if found is not None and found[0] == view.key(setup) else ""
    mo.vstack(
        [
            mo.Html(html.sentence("words", view.words(now, seen))),
            mo.Html(html.sentence("lie", told, warning=bool(told) and found[1].client is not None)),
            mo.Html(html.drawing("curve", view.report_curve(line, now.report, seen), view.alt(line, now.report, seen))),
            *([mo.Html(html.sentence("at-zero", at_zero))] if at_zero else []),
            mo.hstack(
                [mo.Html(view.trades_table(seen)), mo.Html(view.accounts_table(seen))],
                justify="start",
                align="start",
                gap=3,
                wrap=True,
            ),
            mo.hstack(
                [
                    mo.Html(html.link("permalink", state.to_query(now), "Link to this state")),
                    mo.download(state.to_json(now).encode(), "playground.json", "application/json", label="Save it"),
                ],
                justify="start",
                gap=2,
                wrap=True,
            ),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
