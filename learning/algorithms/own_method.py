"""A method of one's own: an `Algorithm` in a file, used under the name ``FILE.py:NAME``, or in a plugin."""

from dataclasses import replace

import numpy as np

from learning.algorithms import OWN
from learning.algorithms.algorithm import Aggregation, Algorithm, Uploads
from learning.errors import LearningError
from mechanism.errors import shown
from mechanism.own_code import explaining, find


def use_method(text: str) -> Algorithm:
    """Execute the file of ``FILE.py:NAME`` (or import the plugin) and let `method_named` know the method by that text.

    `MarketProofError` in one line if the file does not run or NAME is no `Algorithm`; also later, when its step fails.
    """
    file, found = find(text, lambda value: isinstance(value, Algorithm), "method")
    if not isinstance(found, Algorithm):
        raise LearningError(f"{text} is {shown(type(found).__name__)}; expected a learning.algorithms.Algorithm")

    def aggregate(uploads: Uploads) -> Aggregation | None:
        with explaining(text, file, "does not aggregate"):
            made = found.aggregate(uploads)
            clients = len(uploads.sizes)
            if made is not None and (np.shape(made.matrix) != (clients,) * 2 or not np.isfinite(made.matrix).all()):
                raise ValueError(f"its matrix is no finite [{clients}, {clients}]")
            if made is not None and made.trim is not None and not 0 <= 2 * made.trim < clients:
                raise ValueError(f"its trim is {made.trim}; expected to leave some of {clients} values")
        return made

    OWN[text] = replace(found, name=text, aggregate=aggregate)
    return OWN[text]
