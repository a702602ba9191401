"""The one look: label placement, numbers for people, text that is safe to draw, colours that can be told apart."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.page import theme
from mechanism.wording import typeset, typeset_percent

positions = st.lists(st.floats(-100, 100), min_size=1, max_size=20)


@given(positions, st.floats(0.01, 5))
def test_labels_are_apart_in_order_and_moved_only_where_needed(wanted: list[float], gap: float) -> None:
    placed = theme.apart(wanted, gap)
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(placed[order]) >= gap - 1e-9).all()
    if len(wanted) == 1 or np.diff(np.sort(wanted)).min() >= gap:
        np.testing.assert_allclose(placed, wanted, atol=1e-9)


def test_labels_that_share_a_place_spread_evenly_around_it() -> None:
    np.testing.assert_allclose(theme.apart([5, 5, 5], 1), [4, 5, 6])
    np.testing.assert_allclose(theme.apart([5, 5, 5], 1, low=5), [5, 6, 7])
    np.testing.assert_allclose(theme.apart([5, 5, 5], 1, high=5), [3, 4, 5])


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"), (12.345, "12.3"), (0.98765, "0.988"), (1234567.0, "1 234 567"), (-3.0, "−3.00"),
        (9.999, "10.00"), (2.5e9, "2.50·10^9"), (3e-7, "3.00·10^−7"),
        (float("nan"), "undefined"), (float("-inf"), "−∞"),
    ],
)  # fmt: skip
def test_numbers_for_people(value: float, shown: str) -> None:
    assert typeset(value).replace("\N{NARROW NO-BREAK SPACE}", " ") == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (1.0, "100 %"),
        (0.9996, "99.96 %"),
        (0.99999999, "99.999999 %"),
        (0.5, "50.0 %"),
        (0.0, "0 %"),
        (-0.25, "−25.0 %"),
    ],
)
def test_less_than_the_whole_never_reads_as_the_whole(share: float, shown: str) -> None:
    assert typeset_percent(share) == shown


def test_drawn_text_is_never_markup() -> None:
    assert theme.plain("$\\frac{1}{2}$") == "\\$\\frac{1}{2}\\$"
    assert theme.plain("a\nb\x00") == "a\ufffdb\ufffd"
    assert theme.plain("x" * 99, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(("count", "most"), [(1, 12), (10, 12), (13, 12), (50, 12), (1000, 12), (100_000, 7)])
def test_ticks_thin_out(count: int, most: int) -> None:
    shown = theme.thinned(count, most)
    assert shown[0] == 0
    assert 1 <= len(shown) <= most
    assert shown[-1] < count
    assert len(set(np.diff(shown))) <= 1


def _luminance(tone: str) -> float:
    parts = np.array([int(tone[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_text_has_contrast_and_colours_are_distinct() -> None:
    """WCAG AA asks 4.5 of text; the palette must be visible and no two colours of it near each other."""
    for tone in (theme.INK, theme.SOFT, theme.LOSS_TEXT):
        assert 1.05 / (_luminance(tone) + 0.05) >= 4.5
    rgb = {t: np.array([int(t[k : k + 2], 16) for k in (1, 3, 5)]) for t in theme.PALETTE}
    assert all(1.05 / (_luminance(t) + 0.05) > 2.0 for t in rgb)
    assert all(np.linalg.norm(rgb[a] - rgb[b]) > 45 for a, b in itertools.combinations(rgb, 2))


def test_ticks_write_thousands_apart() -> None:
    assert [theme.grouped(text) for text in ("−60000", "999", "1234567", "1000.5", "0.12345", "10^6")] == [
        "−60\N{NARROW NO-BREAK SPACE}000", "999", "1\N{NARROW NO-BREAK SPACE}234\N{NARROW NO-BREAK SPACE}567",
        "1\N{NARROW NO-BREAK SPACE}000.5", "0.12345", "10^6",
    ]  # fmt: skip
    ax = theme.style(theme.axes(None))
    ax.plot([0, 1], [0, 60000])
    theme.figure_of(ax).draw_without_rendering()
    assert "20\N{NARROW NO-BREAK SPACE}000" in [tick.get_text() for tick in ax.get_yticklabels()]


def test_a_key_stays_on_the_picture() -> None:
    for words in ("short", "a rather long name of what the line shows", "w" * 36):
        ax = theme.style(theme.axes(None, 6.0, 3.2), y="money")
        for k in range(3):
            ax.plot([0, 1], [0, k], label=f"{words} {k}")
        legend = theme.legend_above(ax, 3)
        theme.figure_of(ax).draw_without_rendering()
        assert legend.get_window_extent().x1 <= theme.figure_of(ax).bbox.x1
        assert ax.get_window_extent().width > 0.75 * theme.figure_of(ax).bbox.width


def test_figures_leave_no_global_state() -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    theme.style(theme.axes(None), grid="both", title="t", x="x", y="y")
    assert dict(mpl.rcParams) == before


MACHADO = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
"""What the colour-blind see of linear sRGB (Machado, Oliveira and Fernandes 2009, severity 1)."""

XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def _lab(tone: str, sight: np.ndarray) -> np.ndarray:
    """The colour as seen, in CIE L*a*b* (D65)."""
    parts = np.array([int(tone[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    x = XYZ @ np.clip(sight @ linear, 0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("kind", MACHADO)
def test_the_colour_blind_can_tell_the_colours_apart(kind: str) -> None:
    seen = {tone: _lab(tone, np.array(MACHADO[kind])) for tone in theme.PALETTE}
    apart = {pair: np.linalg.norm(seen[pair[0]] - seen[pair[1]]) for pair in itertools.combinations(seen, 2)}
    assert min(apart.values()) >= 10.0, min(apart, key=lambda pair: apart[pair])
