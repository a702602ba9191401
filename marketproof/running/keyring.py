"""The secret noise keys of a private run: made with it, found again when it is resumed, destroyed when it is over."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from marketproof.running.config import RunConfig


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
        """Return one key per client for a unit of the run, none for a run without privacy.

        Every method under every seed has keys of its own: two trainings with the same noise and unlike gradients would
        give away the difference of the gradients. `LearningError` if the run's keys are lost or damaged.
        """
        return [hashlib.blake2b(unit.encode(), digest_size=32, key=key).digest() for key in self._of_the_run()]

    def _of_the_run(self) -> list[bytes]:
        if not self._config.privacy.epsilon or self._keys:
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
