"""Sentences about money: who pays whom, what the centre keeps, and what imports are worth and cost."""

from __future__ import annotations

import numpy as np

from analysis import metrics
from analysis.decomposition import WelfareParts
from analysis.money import MoneyFlow
from analysis.run.records import Run
from mechanism.wording import typeset


def through_centre(flow: MoneyFlow) -> str:
    """Return what clients pay the centre and are paid by it, and what it keeps or adds; nothing if no money passes."""
    if not flow.centred:
        return ""
    said = f"clients pay the centre {typeset(flow.collected)} money and are paid {typeset(flow.handed_out)} by it"
    return f"{said}, which {kept_or_added(flow.kept)}"


def kept_or_added(kept: float) -> str:
    """Return what the centre does with money that is left or missing, in words."""
    if kept == 0.0:
        return "keeps nothing"
    return f"keeps {typeset(kept)}" if kept > 0 else f"adds {typeset(-kept)} from outside"


def money(run: Run) -> str:
    """Answer: how much money moves under each market, what the centre keeps, and who ends with most and least."""
    if not run.markets:
        return "Nobody pays anybody: no method of this run has a market."
    parts = []
    where = f" in seed {run.seeds[0]}" if len(run.seeds) > 1 else ""
    for name in run.markets:
        flow = metrics.money_flow(run, name)
        moves = [f"clients pay one another {typeset(flow.turnover)} money"] if flow.turnover else []
        moves += [through_centre(flow)] if flow.centred else []
        if not moves:
            parts.append(f"Under {name} no money changes hands{where}.")
            continue
        earned = flow.earned[: run.clients]
        top, low = int(np.argmax(earned)), int(np.argmin(earned))
        ends = [
            f"client {k} ends with {typeset(abs(float(earned[k])))} {'more' if earned[k] > 0 else 'less'}"
            for k in dict.fromkeys((top, low))
            if earned[k]
        ]
        parts.append(
            f"Under {name} {' and '.join(moves)}{where}" + "; ".join(["", ", ".join(ends)] if ends else []) + "."
        )
    return " ".join(parts)


def welfare_parts(parts: WelfareParts) -> str:
    """Answer: what each method's imports are worth, what they cost, and how much money moves."""
    said = []
    every = zip(parts.methods, parts.gain, parts.cost, parts.moved, parts.centre, strict=True)
    for name, *values in every:
        gain, cost, moved, centre = (float(v.mean()) for v in values)
        if gain == cost == 0.0:
            said.append(f"Under {name} nobody imports anything.")
            continue
        pays = f"; {typeset(moved)} money changes hands between clients" if moved else ""
        if centre:
            keeps = f"the centre {kept_or_added(centre)}"
            pays += f"; {keeps}, so that the clients have {typeset(gain - cost - centre)} of {typeset(gain - cost)}"
        said.append(f"Under {name} imports are worth {typeset(gain)} and cost {typeset(cost)}{pays}.")
    return " ".join(said)
