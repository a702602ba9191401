"""Two 5×5 convolutions, each with 2×2 pooling and rectifier, as machine code: forward, and the gradient of weights.

Images lie with their channels last. Forward, a vector holds the output channels of one place, and pooling never leaves
the registers. Backward, a pooled value passes its gradient to one place of four, and to none where the rectifier is
shut: only these patches are touched, which is about an eighth of what a dense convolution computes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from learning.kernels.assembler import INDEX, INT, Assembler, Value, Variable

K = 5
"""Side of the convolutions' kernels."""
FIRST, SECOND = 6, 16
"""Output channels of the first and of the second convolution."""
PADDED = 8
"""Channels of the image between them in memory: the last two are 0."""


@dataclass(frozen=True)
class Geometry:
    """Images of ``side`` × ``side`` pixels with ``channels`` numbers each."""

    side: int
    channels: int

    @staticmethod
    def fits(height: int, width: int, channels: int) -> bool:
        """Say whether there are kernels for such images: square, an even side once pooled, narrow patches."""
        return height == width >= 16 and (height - K + 1) % 4 == 0 and channels <= 16 // K

    @property
    def middle(self) -> int:
        """Side of the image after the first pooling."""
        return (self.side - K + 1) // 2

    @property
    def last(self) -> int:
        """Side of the image after the second pooling."""
        return (self.middle - K + 1) // 2

    @property
    def row(self) -> tuple[int, int]:
        """Numbers in a row of a patch of the image, and the lanes of the vector that takes them."""
        used = K * self.channels
        return used, 8 if used <= 8 else 16


def _convolve(
    asm: Assembler,
    image: Value,
    shape: tuple[int, int, int],
    weights: Value,
    bias: Value,
    lanes: int,
    put: Callable[[Value, Value, Value], None],
) -> None:
    """Write a convolution of one image with pooling and rectifier.

    ``shape``: side, numbers from a pixel to the next, channels in use. ``weights`` [K, K, channels, lanes], ``bias``
    [lanes]. ``put`` gets the number of the pooled place, its values, and where in the image the patches begin whose
    values were the largest. A tie goes to the first, as with torch; what is not a number stays so.
    """
    side, step, channels = shape
    half = (side - K + 1) // 2
    block = 2 if lanes == PADDED and half % 2 == 0 else 1  # pooled places at once: enough sums to hide their latency
    with asm.loop(half) as y, asm.loop(half // block) as x:
        corner = asm.index((y, 2 * side * step), (x, 2 * block * step))
        sums = [[Variable(asm, asm.zeros(lanes)) for _ in range(2 * block)] for _ in range(2)]
        with asm.loop(K) as ky:
            top = asm.at(image, asm.builder.add(corner, asm.index((ky, side * step))))
            kernel = asm.at(weights, asm.index((ky, K * channels * lanes)))
            for kx in range(K):
                for c in range(channels):
                    w = asm.load(asm.at(kernel, asm.index((kx * channels + c) * lanes)), lanes)
                    for r in range(2):
                        for q in range(2 * block):
                            pixel = asm.load(asm.at(top, asm.index((r * side + q + kx) * step + c)))
                            sums[r][q].value = asm.multiply_add(asm.splat(pixel, lanes), w, sums[r][q].value)
        for b in range(block):
            four = [sums[r][2 * b + q].value for r in range(2) for q in range(2)]
            best, place = four[0], asm.integers(2 * b * step, lanes)
            for k, value in enumerate(four[1:], start=1):
                larger = asm.builder.fcmp_ordered(">", value, best)
                better = asm.builder.or_(larger, asm.builder.fcmp_unordered("uno", value, value))
                best = asm.builder.select(better, value, best)
                offset = asm.integers((k // 2 * side + 2 * b + k % 2) * step, lanes)
                place = asm.builder.select(better, offset, place)
            summed = asm.builder.fadd(best, asm.load(bias, lanes))
            shut = asm.builder.fcmp_ordered("<", summed, asm.zeros(lanes))
            start = asm.splat_integer(asm.builder.trunc(corner, INT), lanes)
            put(
                asm.index((y, half), (x, block), b),
                asm.builder.select(shut, asm.zeros(lanes), summed),
                asm.builder.add(place, start),
            )


@cache
def forward(geometry: Geometry, places: bool) -> Callable[..., None]:
    """Return the kernel (n, image, w1, b1, w2, b2, between, features[, places1, places2]).

    ``image`` [n, side, side, channels]; ``w1`` [K, K, channels, 8], ``b1`` [8], ``w2`` [K, K, 6, 16], ``b2`` [16];
    ``features`` [n, 16, last, last]. With ``places``: ``between`` [n, middle, middle, 8], and where each value came
    from, int32 [n, middle·middle, 8] and [n, last·last, 16]; without, ``between`` is room for one image.
    """
    asm = Assembler(f"forward_{geometry.side}_{geometry.channels}_{places:d}", 9 if places else 7)
    count, image, w1, b1, w2, b2, between, features, *found = asm.function.args
    middle, last = geometry.middle, geometry.last
    with asm.loop(count) as n:
        pixels = asm.at(image, asm.index((n, geometry.side**2 * geometry.channels)))
        between = asm.at(between, asm.index((n, middle**2 * PADDED))) if places else between
        out = asm.at(features, asm.index((n, last**2 * SECOND)))

        def keep(at: Value, values: Value, origin: Value) -> None:
            asm.store(values, asm.at(between, asm.index((at, PADDED))))
            if places:
                asm.store(origin, asm.at(found[0], asm.index((n, middle**2 * PADDED), (at, PADDED))))

        def spread(at: Value, values: Value, origin: Value) -> None:
            for lane in range(SECOND):
                asm.store(asm.lane(values, lane), asm.at(out, asm.index((at, 1), lane * last**2)))
            if places:
                asm.store(origin, asm.at(found[1], asm.index((n, last**2 * SECOND), (at, SECOND))))

        _convolve(asm, pixels, (geometry.side, geometry.channels, geometry.channels), w1, b1, PADDED, keep)
        _convolve(asm, between, (middle, PADDED, FIRST), w2, b2, SECOND, spread)
    return asm.compiled()


@cache
def backward(geometry: Geometry) -> Callable[..., None]:
    """Return the kernel (n, image, w2, between, features, places1, places2, gradient, room, dw1, db1, dw2, db2).

    ``gradient`` [n, 16, last, last] is that of the features; ``w2`` [16, K, K, 8]; the others are what `forward` took
    and made. Adds to ``dw1`` [6, K, lanes of `Geometry.row`], ``db1`` [8], ``dw2`` [16, K, K, 8], ``db2`` [16];
    ``room`` holds one image [middle, middle, 8].
    """
    asm = Assembler(f"backward_{geometry.side}_{geometry.channels}", 12)
    count, image, w2, between, features, places1, places2, gradient, room, dw1, db1, dw2, db2 = asm.function.args
    middle, last = geometry.middle, geometry.last
    with asm.loop(count) as n:
        own = [asm.at(p, asm.index((n, middle**2 * PADDED))) for p in (between, places1)]
        deep = [asm.at(p, asm.index((n, last**2 * SECOND))) for p in (features, gradient, places2)]
        with asm.loop(middle**2) as at:
            asm.store(asm.zeros(PADDED), asm.at(room, asm.index((at, PADDED))))
        _second(asm, geometry, w2, own[0], (deep[0], deep[1], deep[2]), room, dw2, db2)
        bias = Variable(asm, asm.load(db1, PADDED))
        with asm.loop(middle**2) as at:  # what the rectifier lets through
            opened = asm.builder.fcmp_unordered(
                ">", asm.load(asm.at(own[0], asm.index((at, PADDED))), PADDED), asm.zeros(PADDED)
            )
            cell = asm.at(room, asm.index((at, PADDED)))
            passed = asm.builder.select(opened, asm.load(cell, PADDED), asm.zeros(PADDED))
            asm.store(passed, cell)
            bias.value = asm.builder.fadd(bias.value, passed)
        asm.store(bias.value, db1)
        pixels = asm.at(image, asm.index((n, geometry.side**2 * geometry.channels)))
        _first(asm, geometry, pixels, own[1], room, dw1)
    return asm.compiled()


def _second(
    asm: Assembler,
    geometry: Geometry,
    w2: Value,
    between: Value,
    deep: tuple[Value, Value, Value],
    room: Value,
    dw2: Value,
    db2: Value,
) -> None:
    """Write one sample's gradient of the second convolution, and into ``room`` that of the image before it."""
    features, gradient, places = deep
    last, row, taps = geometry.last, geometry.middle * PADDED, [(ky, kx) for ky in range(K) for kx in range(K)]
    with asm.loop(SECOND) as o:
        kernel, sums_at = asm.at(w2, asm.index((o, K * K * PADDED))), asm.at(dw2, asm.index((o, K * K * PADDED)))
        sums = [Variable(asm, asm.load(asm.at(sums_at, asm.index(t * PADDED)), PADDED)) for t in range(len(taps))]
        bias_at = asm.at(db2, asm.index((o, 1)))
        bias = Variable(asm, asm.load(bias_at))
        with asm.loop(last**2) as at:
            here = asm.index((o, last**2), (at, 1))
            value = asm.load(asm.at(features, here))
            zero = value.type(0.0)
            with asm.builder.if_then(asm.builder.fcmp_unordered(">", value, zero)):
                slope = asm.load(asm.at(gradient, here))
                bias.value = asm.builder.fadd(bias.value, slope)
                wide = asm.splat(slope, PADDED)
                place = asm.load(asm.at(places, asm.index((at, SECOND), (o, 1))), kind=INT)
                place = asm.builder.zext(place, INDEX)
                for t, (ky, kx) in enumerate(taps):
                    offset = asm.builder.add(place, asm.index(ky * row + kx * PADDED))
                    sums[t].value = asm.multiply_add(wide, asm.load(asm.at(between, offset), PADDED), sums[t].value)
                    cell = asm.at(room, offset)
                    w = asm.load(asm.at(kernel, asm.index(t * PADDED)), PADDED)
                    asm.store(asm.multiply_add(wide, w, asm.load(cell, PADDED)), cell)
        for t, total in enumerate(sums):
            asm.store(total.value, asm.at(sums_at, asm.index(t * PADDED)))
        asm.store(bias.value, bias_at)


def _first(asm: Assembler, geometry: Geometry, pixels: Value, places: Value, slopes: Value, dw1: Value) -> None:
    """Write one sample's gradient of the first convolution; two sums for each number hide their latency."""
    (used, lanes), step = geometry.row, geometry.side * geometry.channels
    with asm.loop(FIRST) as o:
        sums_at = asm.at(dw1, asm.index((o, K * lanes)))
        sums = [[Variable(asm, asm.zeros(lanes)) for _ in range(K)] for _ in range(2)]
        with asm.loop(geometry.middle**2 // 2) as pair:
            for half in range(2):
                here = asm.index((pair, 2 * PADDED), half * PADDED, (o, 1))
                wide = asm.splat(asm.load(asm.at(slopes, here)), lanes)
                place = asm.builder.zext(asm.load(asm.at(places, here), kind=INT), INDEX)
                for ky in range(K):
                    patch = asm.load_first(asm.at(pixels, asm.builder.add(place, asm.index(ky * step))), used, lanes)
                    sums[half][ky].value = asm.multiply_add(wide, patch, sums[half][ky].value)
        for ky in range(K):
            cell = asm.at(sums_at, asm.index(ky * lanes))
            both = asm.builder.fadd(sums[0][ky].value, sums[1][ky].value)
            asm.store(asm.builder.fadd(asm.load(cell, lanes), both), cell)
