"""Types from a file, as the grid that a mechanism is verified on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mechanism.errors import InputError, one_line

if TYPE_CHECKING:
    from mechanism.direct import Space
    from proofs_checks.search.grids import Grid


def read_grid(path: Path, space: Space) -> Grid:
    """Return the types of a file (`mechanism.design.type_lists`) and their chances, for a mechanism's agents.

    `InputError` if the file cannot be read or its types are not those of such agents.
    """
    import numpy as np

    from mechanism.design.type_lists import read_types
    from proofs_checks.search.grids import Grid, GridError

    lists, chances = read_types(path).for_agents(space.agents)
    for i, types in enumerate(lists):
        if len(types[0]) != space.k:
            known = f"{space.k} numbers each ({', '.join(space.names[:8])})" if space.k > 1 else "one number each"
            raise InputError(f"{one_line(path)}: the types of agent {i} have {len(types[0])} numbers; expected {known}")
    try:
        grid = Grid(tuple(np.array(types, dtype=np.float64) for types in lists), np.array(chances, dtype=np.float64))
        grid.check(space)
    except GridError as error:
        raise InputError(f"{one_line(path)}: {error}") from None
    return grid
