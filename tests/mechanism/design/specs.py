"""Specifications with known answers."""


def spec_text(outcomes, agents, **words):
    """TOML of a specification; ``agents``: name -> {type: values per outcome}, or (that, prior)."""
    words = {"objective": "revenue", "incentive": "bic", "rationality": "interim", **words}
    lines = [f'{key} = "{value}"' for key, value in words.items()] + [f"outcomes = {list(outcomes)}"]
    for name, table in agents.items():
        types, prior = table if isinstance(table, tuple) else (table, None)
        lines += ["[[agents]]", f'name = "{name}"', f"types = {list(types)}"]
        lines += [f"prior = {[str(p) for p in prior]}"] if prior else []
        lines += [f"values = {[[str(v) for v in row] for row in types.values()]}"]
    return "\n".join(lines)


def types_text(*agents, joint=()):
    """TOML of lists of types; ``agents``: (types, prior) or types; ``joint``: profile and chance of each."""
    lines = []
    for types, *prior in (a if isinstance(a, tuple) else (a,) for a in agents):
        lines += ["[[agents]]", f"types = {types}", *(f"prior = {p}" for p in prior)]
    for profile, chance in joint:
        lines += ["[[joint]]", f"types = {list(profile)}", f'chance = "{chance}"']
    return "\n".join(lines)


def auction(bidders, values, prior=None, **words):
    """One item; every bidder's value from the same list."""
    agents = {
        f"bidder {i}": ({f"v{v}": [0] + [v * (j == i) for j in range(bidders)] for v in values}, prior)
        for i in range(bidders)
    }
    return spec_text(["kept", *(f"to {i}" for i in range(bidders))], agents, **words)


def trade(values, costs, outcomes=("keep", "trade"), **words):
    """A buyer and a seller of one good; the seller's value of trading is minus its cost."""
    traded = [int(name == "trade") for name in outcomes]
    agents = {
        "buyer": {f"v{v}": [v * t for t in traded] for v in values},
        "seller": {f"c{c}": [-c * t for t in traded] for c in costs},
    }
    return spec_text(outcomes, agents, **{"objective": "welfare", "budget": "weak", "budget_when": "ex-ante", **words})
