"""How tests are shared over processes: those that share a costly fixture stay together. Examples have no deadline."""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("here", settings(), deadline=None)  # machines are busy: time is no property
settings.load_profile("here")

_CLAIMS = Path(__file__).parent / "proofs_checks" / "claims"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group, for ``--dist loadgroup``, tests of one file that use a fixture of its module, and those of all claims."""
    for item in items:
        known = getattr(item, "_fixtureinfo", None)
        scopes = {} if known is None else {name: found[-1].scope for name, found in known.name2fixturedefs.items()}
        if item.path.parent == _CLAIMS and "results" in scopes:
            item.add_marker(pytest.mark.xdist_group("claims"))
        elif "module" in scopes.values():
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
