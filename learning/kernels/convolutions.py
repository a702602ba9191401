"""Two 5×5 convolutions, each with 2×2 pooling and rectifier, as machine code: forward, and the gradient of weights.

Images lie with their channels last. Forward, a vector holds the output channels of one place, and pooling never leaves
the registers. Backward, a pooled value passes its gradient to one place of four, and to none where the rectifier is
shut: only these patches are touched, which is about an eighth of what a dense convolution computes.

Why not numba: the same sums as its loops took 6 times as long forward (measured, without pooling), and these two
operations are two thirds of a training step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from learning.kernels.builder import INDEX, INT, KernelBuilder, Value, Variable

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
    code: KernelBuilder,
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
    with code.loop(half) as y, code.loop(half // block) as x:
        corner = code.index((y, 2 * side * step), (x, 2 * block * step))
        sums = [[Variable(code, code.zeros(lanes)) for _ in range(2 * block)] for _ in range(2)]
        with code.loop(K) as ky:
            top = code.at(image, code.builder.add(corner, code.index((ky, side * step))))
            kernel = code.at(weights, code.index((ky, K * channels * lanes)))
            for kx in range(K):
                for c in range(channels):
                    w = code.load(code.at(kernel, code.index((kx * channels + c) * lanes)), lanes)
                    for r in range(2):
                        for q in range(2 * block):
                            pixel = code.load(code.at(top, code.index((r * side + q + kx) * step + c)))
                            sums[r][q].value = code.multiply_add(code.splat(pixel, lanes), w, sums[r][q].value)
        for b in range(block):
            four = [sums[r][2 * b + q].value for r in range(2) for q in range(2)]
            best, place = four[0], code.integers(2 * b * step, lanes)
            for k, value in enumerate(four[1:], start=1):
                larger = code.builder.fcmp_ordered(">", value, best)
                better = code.builder.or_(larger, code.builder.fcmp_unordered("uno", value, value))
                best = code.builder.select(better, value, best)
                offset = code.integers((k // 2 * side + 2 * b + k % 2) * step, lanes)
                place = code.builder.select(better, offset, place)
            summed = code.builder.fadd(best, code.load(bias, lanes))
            shut = code.builder.fcmp_ordered("<", summed, code.zeros(lanes))
            start = code.splat_integer(code.builder.trunc(corner, INT), lanes)
            put(
                code.index((y, half), (x, block), b),
                code.builder.select(shut, code.zeros(lanes), summed),
                code.builder.add(place, start),
            )


@cache
def forward(geometry: Geometry, places: bool) -> Callable[..., None]:
    """Return the kernel (n, image, w1, b1, w2, b2, between, features[, places1, places2]).

    ``image`` [n, side, side, channels]; ``w1`` [K, K, channels, 8], ``b1`` [8], ``w2`` [K, K, 6, 16], ``b2`` [16];
    ``features`` [n, 16, last, last]. With ``places``: ``between`` [n, middle, middle, 8], and where each value came
    from, int32 [n, middle·middle, 8] and [n, last·last, 16]; without, ``between`` is room for one image.
    """
    code = KernelBuilder(f"forward_{geometry.side}_{geometry.channels}_{places:d}", 9 if places else 7)
    count, image, w1, b1, w2, b2, between, features, *found = code.function.args
    middle, last = geometry.middle, geometry.last
    with code.loop(count) as n:
        pixels = code.at(image, code.index((n, geometry.side**2 * geometry.channels)))
        between = code.at(between, code.index((n, middle**2 * PADDED))) if places else between
        out = code.at(features, code.index((n, last**2 * SECOND)))

        def keep(at: Value, values: Value, origin: Value) -> None:
            code.store(values, code.at(between, code.index((at, PADDED))))
            if places:
                code.store(origin, code.at(found[0], code.index((n, middle**2 * PADDED), (at, PADDED))))

        def spread(at: Value, values: Value, origin: Value) -> None:
            for lane in range(SECOND):
                code.store(code.lane(values, lane), code.at(out, code.index((at, 1), lane * last**2)))
            if places:
                code.store(origin, code.at(found[1], code.index((n, last**2 * SECOND), (at, SECOND))))

        _convolve(code, pixels, (geometry.side, geometry.channels, geometry.channels), w1, b1, PADDED, keep)
        _convolve(code, between, (middle, PADDED, FIRST), w2, b2, SECOND, spread)
    return code.compiled()


@cache
def backward(geometry: Geometry) -> Callable[..., None]:
    """Return the kernel (n, image, w2, between, features, places1, places2, gradient, room, dw1, db1, dw2, db2).

    ``gradient`` [n, 16, last, last] is that of the features; ``w2`` [16, K, K, 8]; the others are what `forward` took
    and made. Adds to ``dw1`` [6, K, lanes of `Geometry.row`], ``db1`` [8], ``dw2`` [16, K, K, 8], ``db2`` [16];
    ``room`` holds one image [middle, middle, 8].
    """
    code = KernelBuilder(f"backward_{geometry.side}_{geometry.channels}", 12)
    count, image, w2, between, features, places1, places2, gradient, room, dw1, db1, dw2, db2 = code.function.args
    middle, last = geometry.middle, geometry.last
    with code.loop(count) as n:
        own = [code.at(p, code.index((n, middle**2 * PADDED))) for p in (between, places1)]
        deep = [code.at(p, code.index((n, last**2 * SECOND))) for p in (features, gradient, places2)]
        with code.loop(middle**2) as at:
            code.store(code.zeros(PADDED), code.at(room, code.index((at, PADDED))))
        _second(code, geometry, w2, own[0], (deep[0], deep[1], deep[2]), room, dw2, db2)
        bias = Variable(code, code.load(db1, PADDED))
        with code.loop(middle**2) as at:  # what the rectifier lets through
            opened = code.builder.fcmp_unordered(
                ">", code.load(code.at(own[0], code.index((at, PADDED))), PADDED), code.zeros(PADDED)
            )
            cell = code.at(room, code.index((at, PADDED)))
            passed = code.builder.select(opened, code.load(cell, PADDED), code.zeros(PADDED))
            code.store(passed, cell)
            bias.value = code.builder.fadd(bias.value, passed)
        code.store(bias.value, db1)
        pixels = code.at(image, code.index((n, geometry.side**2 * geometry.channels)))
        _first(code, geometry, pixels, own[1], room, dw1)
    return code.compiled()


def _second(
    code: KernelBuilder,
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
    with code.loop(SECOND) as o:
        kernel, sums_at = code.at(w2, code.index((o, K * K * PADDED))), code.at(dw2, code.index((o, K * K * PADDED)))
        sums = [Variable(code, code.load(code.at(sums_at, code.index(t * PADDED)), PADDED)) for t in range(len(taps))]
        bias_at = code.at(db2, code.index((o, 1)))
        bias = Variable(code, code.load(bias_at))
        with code.loop(last**2) as at:
            here = code.index((o, last**2), (at, 1))
            value = code.load(code.at(features, here))
            zero = value.type(0.0)
            with code.builder.if_then(code.builder.fcmp_unordered(">", value, zero)):
                slope = code.load(code.at(gradient, here))
                bias.value = code.builder.fadd(bias.value, slope)
                wide = code.splat(slope, PADDED)
                place = code.load(code.at(places, code.index((at, SECOND), (o, 1))), kind=INT)
                place = code.builder.zext(place, INDEX)
                for t, (ky, kx) in enumerate(taps):
                    offset = code.builder.add(place, code.index(ky * row + kx * PADDED))
                    sums[t].value = code.multiply_add(wide, code.load(code.at(between, offset), PADDED), sums[t].value)
                    cell = code.at(room, offset)
                    w = code.load(code.at(kernel, code.index(t * PADDED)), PADDED)
                    code.store(code.multiply_add(wide, w, code.load(cell, PADDED)), cell)
        for t, total in enumerate(sums):
            code.store(total.value, code.at(sums_at, code.index(t * PADDED)))
        code.store(bias.value, bias_at)


def _first(code: KernelBuilder, geometry: Geometry, pixels: Value, places: Value, slopes: Value, dw1: Value) -> None:
    """Write one sample's gradient of the first convolution; two sums for each number hide their latency."""
    (used, lanes), step = geometry.row, geometry.side * geometry.channels
    with code.loop(FIRST) as o:
        sums_at = code.at(dw1, code.index((o, K * lanes)))
        sums = [[Variable(code, code.zeros(lanes)) for _ in range(K)] for _ in range(2)]
        with code.loop(geometry.middle**2 // 2) as pair:
            for half in range(2):
                here = code.index((pair, 2 * PADDED), half * PADDED, (o, 1))
                wide = code.splat(code.load(code.at(slopes, here)), lanes)
                place = code.builder.zext(code.load(code.at(places, here), kind=INT), INDEX)
                for ky in range(K):
                    patch = code.load_first(
                        code.at(pixels, code.builder.add(place, code.index(ky * step))), used, lanes
                    )
                    sums[half][ky].value = code.multiply_add(wide, patch, sums[half][ky].value)
        for ky in range(K):
            cell = code.at(sums_at, code.index(ky * lanes))
            both = code.builder.fadd(sums[0][ky].value, sums[1][ky].value)
            code.store(code.builder.fadd(code.load(cell, lanes), both), cell)
