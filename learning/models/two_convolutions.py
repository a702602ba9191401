"""The convolutional half of SimpleCNN as one operation, by our own machine code on a CPU and by torch elsewhere."""

import logging
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F

from learning.kernels.convolutions import FIRST, PADDED, SECOND, Geometry, K, backward, forward
from mechanism.market.allocation.jit import executable

Tensor = torch.Tensor

_log = logging.getLogger(__name__)


def two_convolutions(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
    """Return relu(pool(conv(relu(pool(conv(x, w1, b1))), w2, b2))), pooling 2×2 by the maximum, one row per image.

    ``x`` float32 [n, side, side, c] gets no gradient; ``w1`` [6, c, 5, 5], ``w2`` [16, 6, 5, 5]; the result is
    [n, 16·s·s]. Machine code does it on a CPU; on other devices, for images of other shapes, and inside `torch.func`
    transformations, such as those that give the gradient of each sample apart, torch computes the formula as it stands;
    so it does where no machine code can be made.
    """
    native = x.device.type == "cpu" and x.dtype == torch.float32 and Geometry.fits(*x.shape[1:])
    if not native or torch._C._are_functorch_transforms_active() or not compiles(Geometry(x.shape[1], x.shape[3])):
        h = F.max_pool2d(F.conv2d(x.movedim(-1, 1), w1, b1), 2).relu()
        return F.max_pool2d(F.conv2d(h, w2, b2), 2).relu().flatten(1)
    if torch.is_grad_enabled():
        return _TwoConvolutions.apply(x, w1, b1, w2, b2)
    return _run(x, w1, b1, w2, b2)[0]


@cache
def compiles(geometry: Geometry) -> bool:
    """Make the kernels for such images and return True, or False, with a line of log, if this process cannot."""
    reason = "memory cannot be made executable here"
    if not executable():
        torch.backends.mkldnn.set_flags(False)  # it makes code too, and fails where it cannot
    else:
        try:
            forward(geometry, True), forward(geometry, False), backward(geometry)
        except (RuntimeError, OSError) as error:
            reason = " ".join(str(error).split())
        else:
            return True
    _log.warning("no machine code for SimpleCNN (%s): torch computes it, several times slower", reason)
    return False


class _TwoConvolutions(torch.autograd.Function):
    """Gradient by hand: each pooled value passes its gradient to the first place that attained it, as torch does."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
        features, *made = _run(x, w1, b1, w2, b2, places=True)
        ctx.save_for_backward(features, w2, *made)
        return features

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor, Tensor, Tensor, Tensor]:
        features, w2, x, between, places1, places2 = ctx.saved_tensors
        geometry = Geometry(x.shape[1], x.shape[3])
        gradient = grads[0].contiguous()
        kernel = F.pad(w2.permute(0, 2, 3, 1), (0, PADDED - FIRST)).contiguous()
        room = torch.empty(between.shape[1:])
        used, lanes = geometry.row
        dw1, db1 = torch.zeros(FIRST, K, lanes), torch.zeros(PADDED)
        dw2, db2 = torch.zeros(SECOND, K, K, PADDED), torch.zeros(SECOND)
        if len(x):
            tensors = (x, kernel, between, features, places1, places2, gradient, room, dw1, db1, dw2, db2)
            backward(geometry)(len(x), *(tensor.data_ptr() for tensor in tensors))
        first = dw1[..., :used].view(FIRST, K, K, geometry.channels).permute(0, 3, 1, 2)
        return None, first, db1[:FIRST], dw2[..., :FIRST].permute(0, 3, 1, 2), db2


def _run(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor, places: bool = False) -> tuple[Tensor, ...]:
    """Return the features and, with ``places``, what the gradient needs: the images, what is between, both places."""
    geometry, n, x = Geometry(x.shape[1], x.shape[3]), len(x), x.contiguous()
    middle, last = geometry.middle, geometry.last
    room = (0, PADDED - FIRST)
    kernels = (F.pad(w1.permute(2, 3, 1, 0), room).contiguous(), F.pad(b1, room))
    deeper = (w2.permute(2, 3, 1, 0).contiguous(), b2.contiguous())
    features = torch.empty(n, SECOND * last**2)
    between = torch.empty(n if places else 1, middle, middle, PADDED)
    found: tuple[Tensor, ...] = ()
    if places:
        found = (
            torch.empty(n, middle**2, PADDED, dtype=torch.int32),
            torch.empty(n, last**2, SECOND, dtype=torch.int32),
        )
    if n:
        tensors = (x, *kernels, *deeper, between, features, *found)
        forward(geometry, places)(n, *(tensor.data_ptr() for tensor in tensors))
    return (features, x, between, *found) if places else (features,)
