"""What a search without finds proves: exact confidence bounds on a share."""

from mechanism.errors import MarketProofError


class SampleError(MarketProofError, ValueError):
    """Counts or confidence levels that are no sample."""


def _checked(found: int, samples: int, confidence: float) -> None:
    if not 0 <= found <= samples or samples < 1:
        raise SampleError(f"{found} found in {samples} samples; expected 0 <= found <= samples and samples >= 1")
    if not 0.0 < confidence < 1.0:
        raise SampleError(f"confidence is {confidence}; expected a number between 0 and 1, such as 0.95")


def upper_share(samples: int, confidence: float = 0.99, *, found: int = 0) -> float:
    """Return η: with this confidence at most η of the sampled distribution has what ``found`` of ``samples`` had.

    Clopper and Pearson's one-sided bound, the largest share under which so few would be found with probability at
    least 1 - confidence. For found = 0 it is 1 - (1 - confidence)^(1/samples). Samples must be independent.

    >>> round(upper_share(10_000, 0.99), 6)
    0.00046

    `SampleError` if the counts are no counts or the confidence is not inside (0, 1).
    """
    import math

    _checked(found, samples, confidence)
    if found == samples:
        return 1.0
    if found == 0:
        return -math.expm1(math.log1p(-confidence) / samples)
    from scipy.stats import beta

    return float(beta.ppf(confidence, found + 1, samples - found))


def share_interval(found: int, samples: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the two-sided Clopper-Pearson interval for a share of which ``found`` of ``samples`` were seen.

    Each end errs with probability at most (1 - confidence)/2.

    >>> low, high = share_interval(2, 10)
    >>> round(low, 4), round(high, 4)
    (0.0252, 0.5561)

    `SampleError` if the counts are no counts or the confidence is not inside (0, 1).
    """
    from scipy.stats import beta

    _checked(found, samples, confidence)
    tail = 0.5 * (1.0 - confidence)
    low = 0.0 if found == 0 else float(beta.ppf(tail, found, samples - found + 1))
    high = 1.0 if found == samples else float(beta.ppf(1.0 - tail, found + 1, samples - found))
    return low, high


def bound_words(confidence: float, share: float, drawn: int) -> str:
    """Return what a search without finds says of the uniform prior; ``share`` as of `upper_share`."""
    return (
        f"with confidence {confidence}, at most {share:.2g} of the profiles (uniform on the declared bounds) hold a "
        f"violation above 1e-9 of the amounts that these probes would have found; {drawn} drawn"
    )
