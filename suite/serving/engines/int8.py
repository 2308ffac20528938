"""8-bit products for linear layers on a CPU, by the kernels that PyTorch brings.

Weights are quantised once, per output, symmetrically; what comes in at each call, to the range it
has there. Products of 8-bit numbers are several times as quick as float32 ones where the CPU has
VNNI or AMX. (`torch.ao.quantization` calls the same kernels, but is deprecated, and its layers hide
their weights from whoever asks for a layer's dtype.)
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from suite.contracts.strategy import Refused

#: Preferred first; each with its name in `torch.backends.quantized`.
_KERNELS = ("onednn", "x86", "fbgemm", "qnnpack")
#: Narrower layers cost more to quantise for than their products save.
_NARROWEST = 64


class Int8Linear(nn.Module):
    """A linear layer in 8 bits, float32 in and out.

    `weight` is an empty stand-in, for those that look at a layer's dtype.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        weight = linear.weight.detach().float()
        scales = (weight.abs().amax(dim=1) / 127).clamp(min=1e-12).double()
        zeros = torch.zeros(len(scales), dtype=torch.int64)
        quantised = torch.quantize_per_channel(weight, scales, zeros, 0, torch.qint8)
        bias = None if linear.bias is None else linear.bias.detach().float()
        self.packed = torch.ops.quantized.linear_prepack(quantised, bias)
        self.weight = nn.Parameter(torch.empty(0), requires_grad=False)
        self.half_range = not _has_vnni()

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Values float32 [..., in] to [..., out]."""
        found: torch.Tensor = torch.ops.quantized.linear_dynamic(
            values, self.packed, self.half_range
        )
        return found


def quantise(network: Any) -> int:
    """Puts 8-bit layers in the place of a network's wide linear layers, and says how many.

    Raises:
        Refused: this PyTorch brings no such kernels for this CPU.
    """
    known = torch.backends.quantized.supported_engines
    kernels = next((name for name in _KERNELS if name in known), None)
    if kernels is None:
        raise Refused("this PyTorch has no 8-bit kernels for this CPU")
    torch.backends.quantized.engine = kernels
    places = [
        (parent, name, child)
        for parent in network.modules()
        for name, child in parent.named_children()
        if type(child) is nn.Linear and min(child.in_features, child.out_features) >= _NARROWEST
    ]
    for parent, name, child in places:
        setattr(parent, name, Int8Linear(child))
    return len(places)


def _has_vnni() -> bool:
    """Whether sums of 8-bit products can't overflow; else values get 7 bits."""
    able = torch.cpu.get_capabilities()
    return any(able.get(name) for name in ("avx512_vnni", "avx_vnni", "amx_int8")) or (
        able.get("architecture") not in ("x86_64", None)
    )
