"""Decoding many small images without trusting them: right size, right format, or one line that says which is not."""

import contextlib
import hashlib
import io
import math
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.data.files.archive import WHOLE, Member, fingerprint, header, read_npz
from learning.errors import DataError, said
from mechanism.errors import shown
from mechanism.reading import read_bytes

MOST_IMAGES = 1_000_000
LARGEST_SIDE = 4096
"""Pixels of a side of somebody's own image."""

ENDINGS = (".png", ".jpg", ".jpeg")

_MOST_BYTES = 1 << 20  # of one encoded image; the largest here have some 50 kB
_MOST_OWN = 1 << 25  # of somebody's own
_FORMATS = ("JPEG", "PNG")
_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK")


def decode(
    blob: Callable[[int], bytes],
    count: int,
    size: int,
    channels: int,
    path: Path,
    sizes: Sequence[int] | None = (),
    files: Sequence[Path] = (),
) -> NDArray[np.uint8]:
    """Return ``count`` images uint8 [count, channels, size, size], the k-th decoded from ``blob(k)``.

    ``channels`` is 1 (grey) or 3 (red, green, blue). An image has to be a JPEG or PNG of exactly size x size, or of
    s x s for an s of ``sizes``, which is scaled down (bilinear over the area that a new pixel covers); None: of any
    size and shape up to `LARGEST_SIDE`. `DataError` names the file ``path`` and the number of the first image that is
    anything else, or its own of ``files``; its pixels are not unpacked.
    """
    from PIL import Image

    accepted = {(size, size), *((s, s) for s in sizes or ())}
    mode = "L" if channels == 1 else "RGB"
    if not 0 < count <= MOST_IMAGES:
        raise DataError(f"{path} holds {count} images; expected 1 to {MOST_IMAGES}; fetch the file again")
    out = np.empty((count, channels, size, size), dtype=np.uint8)

    def one(k: int) -> None:
        name, remedy = (shown(files[k]), "take it out") if files else (f"{path}: image {k}", "fetch the file again")
        data = blob(k)
        with _opened(data, name, remedy, _MOST_OWN if files else _MOST_BYTES) as image:
            fits = max(image.size) <= LARGEST_SIDE if sizes is None else image.size in accepted
            if not fits:
                wanted = " or ".join(f"{w}x{h}" for w, h in sorted(accepted))
                wanted = f"at most {LARGEST_SIDE}x{LARGEST_SIDE}" if sizes is None else wanted
                found = f"{image.size[0]}x{image.size[1]}"
                raise DataError(f"{name} is {found} pixels; expected {wanted}; {remedy}")
            if image.mode not in _MODES:
                raise DataError(f"{name} has pixels {image.mode!r}; expected 8 bits; {remedy}")
            pixels: Any = image if image.mode == mode else image.convert(mode)
            if pixels.size != (size, size):
                pixels = pixels.resize((size, size), Image.Resampling.BILINEAR)
            array = np.frombuffer(pixels.tobytes(), dtype=np.uint8).reshape(size, size, channels)
        out[k] = array.transpose(2, 0, 1)

    def some(ks: NDArray[np.int64]) -> None:
        for k in ks.tolist():
            one(k)

    threads = min(4, os.cpu_count() or 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with ThreadPoolExecutor(threads) as pool:
            # in order: the first wrong image is named, however the threads run; what follows it is not begun
            for _ in pool.map(some, np.array_split(np.arange(count), min(count, 16 * threads))):
                pass
    return out


@contextlib.contextmanager
def _opened(data: bytes, name: str, remedy: str, most: int) -> Iterator[Any]:
    """Open an encoded image; whatever is wrong with it, there or in the block, is a `DataError` of one line."""
    from PIL import Image

    if not 0 < len(data) <= most:
        raise DataError(f"{name} has {len(data)} bytes; expected 1 to {most}; {remedy}")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            yield image
    except DataError:
        raise
    except Exception as error:  # damaged streams raise errors of many kinds in Pillow
        why = "not an image" if str(error).startswith("cannot identify") else said(error, 80)
        raise DataError(f"{name} cannot be decoded ({why}); {remedy}") from None


def grey(path: Path) -> bool:
    """Say whether an image's header declares it grey; `DataError` if it is no image, or too large."""
    data = read_bytes(path, _MOST_OWN, "an image", error=DataError)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with _opened(data, shown(path), "take it out", _MOST_OWN) as image:
            return image.mode in ("1", "L", "LA")


def kept(
    name: str,
    paths: tuple[Path, ...],
    shape: tuple[int, int, int, int],
    encoded: Callable[[], Callable[[int], bytes]],
    sizes: Sequence[int] = (),
) -> NDArray[np.uint8]:
    """Return the images uint8 ``shape`` [N, channels, size, size] that files ``paths`` hold, from the cache or decoded.

    ``encoded()`` returns what gives the k-th image's bytes; it is called only where the cache does not hold what was
    decoded from files of the same bytes. ``sizes`` as in `decode`; ``name`` begins the name of the cached file.
    """
    count, channels, size, _ = shape
    where = paths[0] if len(paths) == 1 else paths[0].parent
    return cached(name, fingerprint(paths), shape, lambda: decode(encoded(), count, size, channels, where, sizes))


def npz_images(path: Path, count: int) -> Callable[[int], bytes]:
    """Return what gives the k-th of ``count`` encoded images of an .npz file: ``jpeg`` cut at the offsets ``off``."""
    arrays = read_npz(path, {"jpeg": Member(("uint8",), (None,)), "off": Member(WHOLE, (None,))})
    return pieces(arrays["jpeg"], arrays["off"], count, path)


def pieces(jpeg: NDArray[np.uint8], offsets: NDArray[Any], count: int, path: Path) -> Callable[[int], bytes]:
    """Return what gives the k-th image's bytes: those from offset k to offset k + 1 of one stream.

    ``offsets`` [count + 1] have to rise from 0 to the stream's length; `DataError` names ``path`` otherwise.
    """
    if len(offsets) != count + 1:
        raise DataError(f"{path} holds {len(offsets)} offsets for {count} images; expected {count + 1}; fetch it again")
    steps = offsets[1:] > offsets[:-1]  # compared, not subtracted: a difference of hostile numbers can overflow
    if not steps.all():
        k = int(np.argmin(steps))
        raise DataError(f"{path}: offset {k + 1} does not lie behind offset {k}; fetch the file again")
    if int(offsets[0]) != 0 or int(offsets[-1]) != len(jpeg):
        raise DataError(
            f"{path}: offsets run from {offsets[0]} to {offsets[-1]}; expected 0 to {len(jpeg)}; fetch the file again"
        )
    data, cuts = jpeg.tobytes(), offsets.tolist()
    return lambda k: data[cuts[k] : cuts[k + 1]]


VARIABLE = "MARKETPROOF_CACHE"
"""The environment variable that names the cache folder."""

_DIGEST = 16  # bytes behind the array
_VERSION = "1"  # a new one whenever the same file would be decoded otherwise


def folder() -> Path | None:
    """Return the cache folder: MARKETPROOF_CACHE, else ``marketproof`` in XDG_CACHE_HOME or ~/.cache; None: no home."""
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"]) / "marketproof"
    try:
        return Path.home() / ".cache" / "marketproof"
    except RuntimeError:
        return None


def cached(name: str, source: str, shape: tuple[int, ...], make: Callable[[], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return ``make()``, an array uint8 of ``shape``, from the cache if it lies there.

    ``source`` is a digest of all that the array is made of. The file is a .npy (never pickled objects) followed by a
    digest of its values: one that has another shape, dtype or digest is made anew. It is written beside its place and
    then renamed, so that no reader sees half of it. A cache that cannot be read or written only costs time.
    """
    place = folder()
    if place is None:
        return make()
    path = place / f"{name}-{_VERSION}-{source}.npy"
    with contextlib.suppress(OSError, ValueError, EOFError):
        return _read(path, shape)
    array = make()
    with contextlib.suppress(OSError):
        _write(path, array)
    return array


def _read(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    size = math.prod(shape)
    with path.open("rb") as file:
        found, columns_first, dtype = header(file)
        if found != shape or columns_first or dtype != np.uint8:
            raise ValueError("another array")
        if os.fstat(file.fileno()).st_size != file.tell() + size + _DIGEST:
            raise ValueError("another length")
        array = np.fromfile(file, dtype=np.uint8, count=size).reshape(shape)
        if hashlib.blake2b(array.data, digest_size=_DIGEST).digest() != file.read():
            raise ValueError("other values")
    return array


def _write(path: Path, array: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.ascontiguousarray(array)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.lib.format.write_array(file, array, allow_pickle=False)
            file.write(hashlib.blake2b(array.data, digest_size=_DIGEST).digest())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
