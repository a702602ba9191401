"""What can go wrong in training that a user can mend."""

from mechanism.errors import MarketProofError


class LearningError(MarketProofError, ValueError):
    """A plan, network or training run that cannot be: wrong names, numbers outside their domain, divergence."""


class NobodyTrainedError(LearningError):
    """No client did its work of a round: nothing has changed, and the round can be begun again."""


class DataError(MarketProofError, ValueError):
    """A data set that is missing, damaged, or too small for the split asked of it."""


class CheckpointError(MarketProofError, ValueError):
    """A saved state that is damaged, hostile, or belongs to another run."""


class WorkerError(MarketProofError, RuntimeError):
    """A worker process that died or failed while it held a share of a round."""


def said(error: BaseException, most: int = 120) -> str:
    """Return what an error of another library says, as one line of at most so many characters."""
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= most else words[: most - 1] + "…"
