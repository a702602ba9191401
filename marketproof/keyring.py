"""The secret noise keys of a private run: made with it, found again when it is resumed, destroyed when it is over."""

from __future__ import annotations

from marketproof.config import RunConfig


class Keyring:
    """The keys of one run, drawn or read when they are first asked for; ``run`` is their identifier, "" for none yet.

    ``seeded`` keys follow from the seed of the run: they give no privacy, and are for tests of what comes out.
    """

    def __init__(self, config: RunConfig, run: str, *, seeded: bool) -> None:
        self.run, self.seeded = run, seeded
        self._config = config
        self._keys: list[bytes] = []

    def keys(self) -> list[bytes]:
        """Return one key per client, none for a run without privacy; `LearningError` if they are lost or damaged."""
        if not self._config.privacy.epsilon or self._keys:
            return self._keys
        from learning.privacy.keys import create_keys, load_keys, new_run, seeded_keys

        clients = self._config.data.clients
        if self.seeded:
            self._keys = seeded_keys(self._config.seed, clients)
        elif self.run:
            self._keys = load_keys(self.run, clients)
        else:
            run = new_run()
            self._keys = create_keys(run, clients)
            self.run = run
        return self._keys

    def destroy(self) -> None:
        """Delete the keys: nothing is left that needs them."""
        if self.run:
            from learning.privacy.keys import destroy_keys

            destroy_keys(self.run)
