"""The one place that turns numbers, amounts of money, agents and lists into text.

`number`, `percent` and `ratio` write plain text (terminals, messages, sentences of verdicts); `typeset` and
`typeset_percent` write the same for pages and figures, in a fixed number of digits that align in a column.
"""

import math
from collections.abc import Iterable, Sequence

__all__ = [
    "agent_words", "apart", "count", "letters", "listed", "near", "number", "percent", "plural", "ratio", "typeset",
    "typeset_percent",
]  # fmt: skip

DIGITS = 6
"""Significant digits of money in sentences."""

_ROUNDING, _BESIDE = 1e-12, 2e-9
"""Relative distances: below the first two numbers are one, written in binary; below the second no six digits of an
ordinary number come to lie by chance."""

_SMALLEST = 1e-300
_THIN = "\N{NARROW NO-BREAK SPACE}"


def number(value: float | None, digits: int = DIGITS) -> str:
    """Return a number in ``digits`` significant digits, whole digits in full below 1e9, never a negative zero.

    None, which is how a record writes an infinite number, is "unbounded".

    >>> number(2.50), number(-0.0), number(48105.7, 4), number(1.23456e12, 4), number(None)
    ('2.5', '0', '48106', '1.235e+12', 'unbounded')
    """
    if value is None or value == math.inf:
        return "unbounded"
    value = float(f"{value:.{digits}g}") + 0.0 if abs(value) < 10.0**digits else float(value)
    return f"{value:.0f}" if 10.0**digits <= abs(value) < 1e9 else f"{value:.{digits}g}"


def apart(a: float, b: float) -> tuple[str, str]:
    """Return two numbers in as few digits, six at least, as tell them apart.

    >>> apart(1.0, 1.0000001)
    ('1', '1.0000001')
    """
    for digits in range(DIGITS, 17):
        if (first := number(a, digits)) != (second := number(b, digits)):
            return first, second
    return repr(a), repr(b)


def near(amount: float, digits: str) -> str:
    """Return the digits, and "just under" or "just over" before them where they would be read as another amount.

    That is where the amount is none of these few digits but lies as close to them as a report does that was put beside
    a break point: 0.8999999991 is not the 0.9 that somebody else says.

    >>> near(0.8999999991, "0.9"), near(0.9, "0.9")
    ('just under 0.9', '0.9')
    """
    off = (amount - float(digits)) / max(abs(amount), _SMALLEST)
    few = len(digits.partition("e")[0].replace(".", "").lstrip("-0").rstrip("0")) < DIGITS
    if abs(off) <= _ROUNDING or not (few or abs(off) <= _BESIDE):
        return digits
    return f"just {'under' if off < 0 else 'over'} {digits}"


def ratio(value: float | None) -> str:
    """Return a ratio with so many digits that two of what it is above 1 are seen.

    >>> ratio(1.00034), ratio(1.5), ratio(1.0), ratio(None)
    ('1.00034', '1.500', '1', 'unbounded')
    """
    off = math.inf if value is None else abs(value - 1.0)
    if off < 1e-9:
        return "1"
    return number(value, 4) if off >= 10.0 else f"{value:.{max(3, 1 - math.floor(math.log10(off)))}f}"


def percent(share: float, decimals: int = 1) -> str:
    """Return a share as a percentage, without decimals above ten times the whole.

    What falls short of the whole by more than rounding never reads as 100 %, unless no decimals are wanted.

    >>> percent(0.25), percent(0.98449, 2), percent(0.99999, 2), percent(-66.8252, 2), percent(0.996, 0)
    ('25.0%', '98.45%', '99.999%', '-6683%', '100%')
    """
    return f"{_hundredths(share, decimals)}%"


def count(value: int) -> str:
    """Return a whole number, thousands apart by a narrow space, from a million on in millions, from 1e9 on as a power.

    >>> count(1_234).replace("\N{NARROW NO-BREAK SPACE}", " "), count(12_345_678)
    ('1 234', '12.3 million')
    """
    if value >= 1e9:
        return f"{value:.3g}"
    return f"{value / 1e6:.3g} million" if value >= 1e6 else f"{value:,}".replace(",", _THIN)


def typeset(value: float, digits: int = 3) -> str:
    """Return a number for a page: fixed ``digits`` significant ones, thousands apart, a true minus, few exponents.

    >>> typeset(0.5), typeset(-3.0), typeset(2.5e9), typeset(float("nan"))
    ('0.500', '−3.00', '2.50·10^9', 'undefined')
    """
    value = float(value)
    if not math.isfinite(value):
        return "undefined" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 1e7 or size < 1e-4:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa}·10^{int(exponent)}".replace("-", "−")
    decimals = max(0, min(6, digits - 1 - math.floor(math.log10(size))))
    return f"{value:,.{decimals}f}".replace("-", "−").replace(",", _THIN)


def typeset_percent(share: float) -> str:
    """Return a share for a page; what falls short of the whole by more than rounding never reads as 100 %.

    >>> typeset_percent(0.5), typeset_percent(0.9996), typeset_percent(1.0)
    ('50.0 %', '99.96 %', '100 %')
    """
    share = float(share)
    if math.isnan(share):
        return "undefined"
    if share > 1.0 + 1e-9:
        return f"{typeset(100 * share, 4)} %"
    shown = "0" if share == 0.0 else "100" if share >= 1.0 - 1e-9 else _hundredths(share, 1)
    return f"{shown} %".replace("-", "−")


def letters(index: int) -> str:
    """Return the name of an agent without one: a letter, from the 27th agent on two.

    >>> letters(0), letters(25), letters(26), letters(702)
    ('a', 'z', 'aa', 'aaa')
    """
    name = ""
    while index >= 0:
        index, rest = index // 26 - 1, index % 26
        name = chr(ord("a") + rest) + name
    return name


def agent_words(index: int, called: Sequence[str], people: Sequence[str] = ()) -> str:
    """Return what an agent is called in a sentence: what it is, and its name, or its letter if it has none.

    ``called``: of each agent what it is, "" if nothing is said; one that is the only one of its kind needs no letter.

    >>> agent_words(1, ["bidder"] * 3), agent_words(1, ["buyer", "seller"]), agent_words(0, [""], ["ann"])
    ('bidder b', 'the seller', 'ann')
    """
    if called[index] and not people and list(called).count(called[index]) == 1:
        return f"the {called[index]}"
    return f"{called[index]} {people[index] if people else letters(index)}".strip()


def listed(items: Iterable[str]) -> str:
    """Return items as a sentence lists them.

    >>> listed("a"), listed("ab"), listed("abc")
    ('a', 'a and b', 'a, b and c')
    """
    words = list(items)
    return " and ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} and {words[-1]}"


def plural(amount: int, word: str, many: str | None = None) -> str:
    """Return a number of things, or of things with their verb.

    >>> plural(1, "round"), plural(3, "round"), plural(2, "game goes", "games go")
    ('1 round', '3 rounds', '2 games go')
    """
    return f"{amount} {word if amount == 1 else many or f'{word}s'}"


def _hundredths(share: float, decimals: int) -> str:
    """Return the digits of a percentage; more decimals where fewer would read as the whole."""
    hundredths = 100.0 * float(share)
    if abs(share) >= 10.0 or not decimals:
        return f"{hundredths:.0f}"
    while share < 1.0 - 1e-9 and round(hundredths, decimals) == 100.0:
        decimals += 1
    return f"{round(hundredths, decimals) + 0.0:.{decimals}f}"


def html_table(rows: Sequence[Sequence[str]], caption: str = "") -> str:
    """Return rows of cells, the head first, as an HTML table, for notebooks; cells are taken literally.

    >>> html_table([["a"], ["<1"]])
    '<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>&lt;1</td></tr></tbody></table>'
    """
    from html import escape

    def row(cells: Sequence[str], tag: str) -> str:
        return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"

    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    body = "".join(row(cells, "td") for cells in rows[1:])
    return f"<table>{said}<thead>{row(rows[0], 'th')}</thead><tbody>{body}</tbody></table>"
