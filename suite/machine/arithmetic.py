"""Which numbers a machine multiplies fastest: measured, since its flags do not tell.

A CPU with `avx512_bf16` and no matrix unit may take twice as long for a bfloat16 product as for a
float32 one; one with AMX takes a third. The answer decides what trials compute in, so it is found
once for each kind of machine and kept: every trial on it computes in the same numbers, whatever
else ran while it was measured.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from functools import cache
from statistics import median
from typing import Literal

import torch

from suite import paths
from suite.machine import facts, scratch

Numbers = Literal["float32", "bfloat16", "float16"]

#: How much quicker bfloat16 must be before its 8 bits are worth it.
_WORTH = 1.2
_ROWS, _WIDTH, _TIMES = 1024, 768, 5


@cache
def bfloat16_pays() -> bool:
    """Whether bfloat16 products are clearly quicker than float32 ones on this CPU."""
    able = torch.cpu.get_capabilities()
    if not (able.get("amx_bf16") or able.get("avx512_bf16")):
        return False  # Emulated, where it works at all.
    file = paths.cache() / "arithmetic.json"
    known: dict[str, float] = {}
    with contextlib.suppress(OSError, ValueError):
        read = json.loads(file.read_text(encoding="utf-8"))
        known = read if isinstance(read, dict) else {}
    units = "amx" if able.get("amx_bf16") else "avx512"
    key = f"{facts.cpu_model()}, {units}, torch {torch.__version__}"
    if isinstance(known.get(key), int | float):
        return known[key] >= _WORTH
    ratio = operations_per_second("bfloat16") / operations_per_second("float32")
    with contextlib.suppress(OSError), scratch.folder(file.parent) as aside:
        draft = aside / file.name
        draft.write_text(json.dumps({**known, key: round(ratio, 3)}), encoding="utf-8")
        os.replace(draft, file)
    return ratio >= _WORTH


def operations_per_second(
    numbers: Numbers, *, rows: int = _ROWS, width: int = _WIDTH, where: str = "cpu"
) -> float:
    """Additions and multiplications a second of a feed-forward layer's product, the median.

    Args:
        rows: tokens at once.
        width: the model's; the product is [rows, width] × [width, 4 × width].
    """
    kind: torch.dtype = getattr(torch, numbers)
    left = torch.randn(rows, width, device=where).to(kind)
    right = torch.randn(4 * width, width, device=where).to(kind)
    spent: list[float] = []
    with torch.inference_mode():
        for _ in range(_TIMES + 1):
            before = time.perf_counter()
            torch.nn.functional.linear(left, right)
            if where != "cpu":
                torch.cuda.synchronize()
            spent.append(time.perf_counter() - before)
    return 2 * rows * width * 4 * width / median(spent[1:])
