"""``python -m marketproof``, safe from a folder of the user's that happens to bear one of our names.

Python puts the current folder first on the module path for ``-m``, so a user's own ``mechanism/`` or ``typer.py``
would be imported instead of ours. The path is cleaned before anything else is imported.
"""

import os
import sys


def _leave_current_folder() -> None:
    """Take the current folder off the module path, unless this package itself lies in it (a checkout)."""
    try:
        here = os.path.realpath(os.getcwd())
    except OSError:  # the folder was deleted under us: nothing can be imported from it
        return
    if here == os.path.realpath(os.path.join(os.path.dirname(__file__), os.pardir)):
        return
    sys.path[:] = [entry for entry in sys.path if entry and os.path.realpath(entry) != here]


if __name__ == "__main__":
    _leave_current_folder()
    from marketproof.cli import main

    main()
