"""On what this process and those it starts compute: a device, and how many threads.

Libraries read both from the environment as they are imported, so they are set before, once: what
torch sees of CUDA, and what OpenMP, BLAS and tokenizers take. Children inherit it.
"""

from __future__ import annotations

import os
import platform

from suite.config import settings
from suite.errors import SettingsError, counted
from suite.machine import facts

_VISIBLE = "CUDA_VISIBLE_DEVICES"
#: What was visible before, as a process finds it that one of ours started.
_BEFORE = "SUITE_VISIBLE_BEFORE"
_UNSET = "-"
_DEVICE = "SUITE_DEVICE_TAKEN"
_POOLS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "RAYON_NUM_THREADS",
)

#: Variable -> what was there before `settle` set it, and what it set.
_set: dict[str, tuple[str | None, str]] = {}


def settle() -> None:
    """Makes the settings `device` and `threads` hold here and in children, in place of what an
    earlier call made hold.

    To be called before anything imports torch.

    Raises:
        SettingsError: there is no such device; or as `settings.settings`.
    """
    undo()
    found = settings.settings()
    threads, device = found["threads"].value, found["device"]
    if threads is not None:
        for name in (*_POOLS, facts.THREADS):
            _put(name, str(threads))
    if device.value is not None:
        before = os.environ.get(_BEFORE, os.environ.get(_VISIBLE, _UNSET))
        shown = _shown(str(device.value), before, device.origin)
        if shown != _UNSET:
            _put(_VISIBLE, shown)
        _put(_BEFORE, before)
        _put(_DEVICE, str(device.value))


def undo() -> None:
    """Puts the environment back as it was before `settle`, but for what others set since."""
    for name, (before, ours) in _set.items():
        if os.environ.get(name) != ours:
            continue
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
    _set.clear()


def settled() -> bool:
    """Whether anything was made to hold here."""
    return bool(_set)


def on_cpu() -> bool:
    """Whether the CPU was asked for, whatever else there is."""
    return os.environ.get(_DEVICE) == "cpu"


def _put(name: str, value: str) -> None:
    _set[name] = (os.environ.get(name), value)
    os.environ[name] = value


def _shown(device: str, before: str, origin: str) -> str:
    """What CUDA may see so that the device is the one it takes."""
    kind, _, number = device.partition(":")
    if kind == "mps" and platform.system() != "Darwin":
        raise SettingsError("no mps here: it is Apple's", where=origin, fix="Name cpu or cuda.")
    if kind != "cuda":
        return ""
    visible = [one.strip() for one in before.split(",")] if before != _UNSET else []
    if visible in ([""], ["-1"]) or not facts.gpu_files():
        raise SettingsError(
            f"no {device} here: this machine shows no GPU",
            where=origin,
            fix="Name cpu, or leave it away.",
        )
    if not number:
        return before
    count = len(visible) or len(facts.gpus())
    # Where nothing tells how many there are, CUDA will.
    if count and int(number) >= count:
        raise SettingsError(
            f"no {device} here: {counted(count, 'GPU')}, counted from cuda:0",
            where=origin,
            fix=f"Name {'cuda:0' if count == 1 else f'cuda:0 to cuda:{count - 1}'}, or cpu.",
        )
    return visible[int(number)] if visible else number
