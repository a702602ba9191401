"""The privacy of a run: the secret keys of its noise, and what it says of what was spent and what is not covered."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

from analysis.run.market import MarketRecord
from analysis.run.results import Privacy, Spent, Stop, Together
from marketproof.running.config import RunConfig
from marketproof.running.recorder import Unit
from mechanism.wording import number, plural


class Keyring:
    """The keys of one run, drawn or read when they are first asked for; ``run`` is their identifier, "" for none yet.

    ``seeded`` keys follow from the seed of the run: they give no privacy, and are for tests of what comes out.
    ``announce`` is told the identifier before any key is written, and must record it where a resumed run finds it: no
    kill then leaves keys that no run knows. ``unused`` says that nothing was trained with keys of ``run`` yet: if there
    are none, the run was killed between the two, and they are drawn now.
    """

    def __init__(
        self,
        config: RunConfig,
        run: str,
        *,
        seeded: bool,
        announce: Callable[[str], None] | None = None,
        unused: bool = False,
    ) -> None:
        self.run, self.seeded = run, seeded
        self._config, self._announce, self._unused = config, announce, unused
        self._keys: list[bytes] = []

    def keys(self, unit: str) -> list[bytes]:
        """Return one key per client for a unit of the run.

        Every method under every seed has keys of its own: two trainings with the same noise and unlike gradients would
        give away the difference of the gradients. `LearningError` if the run's keys are lost or damaged.
        """
        return [hashlib.blake2b(unit.encode(), digest_size=32, key=key).digest() for key in self._of_the_run()]

    def _of_the_run(self) -> list[bytes]:
        if self._keys:
            return self._keys
        from learning.privacy.keys import create_keys, keys_folder, load_keys, new_run, seeded_keys

        clients = self._config.data.clients
        if self.seeded:
            self._keys = seeded_keys(self._config.seed, clients)
        elif self.run and not (self._unused and not keys_folder(self.run).exists()):
            self._keys = load_keys(self.run, clients)
        else:
            self.run = self.run or new_run()
            if self._announce is not None:
                self._announce(self.run)
            self._keys = create_keys(self.run, clients)
        return self._keys

    def destroy(self) -> None:
        """Delete the keys: nothing is left that needs them."""
        if self.run:
            from learning.privacy.keys import destroy_keys

            destroy_keys(self.run)


LEFT_OUT = (
    "clients' sizes and label shares, losses in the record, and all that is measured on held-out samples, such as "
    "effective data with the imports and prices that follow; manifest.json lists it"
)
"""The gist of `learning.privacy.NOT_COVERED`."""


def delta_of(config: RunConfig, records: Iterable[MarketRecord]) -> float:
    """Return the largest δ at which ε was counted: the one given, else that of the clients' sizes under each seed."""
    from learning.privacy.accounting import default_delta

    return config.privacy.delta or max(
        (default_delta(record.types.size[0].tolist()) for record in records), default=0.0
    )


def privacy_statement(
    config: RunConfig, records: Sequence[tuple[Unit, MarketRecord]], notices: Sequence[str]
) -> Privacy:
    """Return what a private run says of its privacy, from one round of each unit at least."""
    from learning.privacy import NOT_COVERED, UNIT
    from learning.privacy.accounting import default_delta
    from learning.privacy.guard import large_delta, stops

    delta = delta_of(config, (record for _, record in records))
    usual = min(default_delta(record.types.size[0].tolist()) for _, record in records)
    stopped = stops(notices)
    methods: dict[str, Spent] = {}
    for name in dict.fromkeys(unit.method.name for unit, _ in records):
        mine = [(unit, record) for unit, record in records if unit.method.name == name]
        methods[name] = Spent(
            epsilon=[
                min(float(record.epsilon.min()) for _, record in mine),
                max(float(record.epsilon.max()) for _, record in mine),
            ],
            stopped=[
                Stop(seed=unit.seed, client=client, before_round=number)
                for unit, _ in mine
                for where, client, number in stopped
                if where == f"{name}, seed {unit.seed}"
            ],
        )
    return Privacy(
        protects=f"{UNIT}, in the models of one method under one seed",
        budget=config.privacy.epsilon,
        delta=delta,
        usual_delta=usual,
        warning=large_delta(delta, usual) if config.privacy.delta else "",
        rounds=config.rounds,
        clients=config.data.clients,
        methods=methods,
        together=Together(
            epsilon=float(sum(record.epsilon.max() for _, record in records)),
            delta=min(1.0, delta * len(records)),
            trainings=len(records),
        ),
        not_covered=list(NOT_COVERED),
    )


def noise_of(keys: str) -> str:
    """Return what a manifest says of the noise of a private run; ``keys`` names its secret ones, "" for none."""
    from learning.privacy.keys import SECRET, SEEDED

    return SECRET if keys else SEEDED


def privacy_lines(privacy: Privacy) -> list[str]:
    """Return what a run says of its privacy at its end: two lines, and a third where δ is too large."""
    spent = [one.epsilon for one in privacy.methods.values()]
    lines = [
        f"Privacy: epsilon {_range(min(low for low, _ in spent), max(high for _, high in spent))} of the budget of "
        f"{number(privacy.budget)} (over clients) at delta {number(privacy.delta, 3)} after "
        f"{plural(privacy.rounds, 'round')}, of {privacy.protects}; {_stopped(privacy.methods)}.",
        f"Not covered: {LEFT_OUT}.{_together(privacy.together)}",
    ]
    return [*lines, f"Warning: {privacy.warning}."] if privacy.warning else lines


def _range(least: float, most: float) -> str:
    low, high = number(least, 4), number(most, 4)
    return low if low == high else f"{low} to {high}"


def _stopped(methods: Mapping[str, Spent]) -> str:
    """Say who stopped early; names where they are few."""
    every = [(name, stop) for name, spent in methods.items() for stop in spent.stopped]
    if not every:
        return "nobody stopped before the end"
    if len(every) > 4:
        clients = len({(stop.seed, stop.client) for _, stop in every})
        first = min(stop.before_round for _, stop in every)
        return f"{clients} clients stopped early, the first before round {first} (names: notices in manifest.json)"
    alone, seeds = len(methods) == 1, len({stop.seed for _, stop in every}) > 1
    named = [
        f"client {stop.client}"
        + ("" if alone else f" of {name}")
        + (f", seed {stop.seed}," if seeds else "")
        + f" before round {stop.before_round}"
        for name, stop in every
    ]
    return f"stopped early: {', '.join(named)}"


def _together(together: Together) -> str:
    if together.trainings == 1:
        return ""
    return (
        f" The {together.trainings} trainings (methods and seeds) use the same samples: who sees the models of all "
        f"adds up to epsilon {number(together.epsilon, 4)} at delta {number(together.delta, 3)}."
    )
