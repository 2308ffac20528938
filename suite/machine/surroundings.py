"""The environment of a process that uses the suite as a library: afterwards as it was before."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: What the rooms below set for this process and its children.
_SWITCHES = (
    "GOMP_SPINCOUNT",
    "HF_HUB_OFFLINE",
    "HF_DATASETS_OFFLINE",
    "TRANSFORMERS_OFFLINE",
    "TOKENIZERS_PARALLELISM",
)
_lock = threading.RLock()
_inside = 0
_before: dict[str, str | None] = {}
#: What they had set when the last call ended: the Hub is asked once per process, so its answer
#: has to hold for the next call too.
_kept: dict[str, str] = {}


@contextmanager
def restored() -> Iterator[None]:
    """Within: the environment as the rooms below want it; afterwards as it was.

    Calls of several threads share it; the last to leave restores it.
    """
    global _inside
    with _lock:
        if _inside == 0:
            _before.update({name: os.environ.get(name) for name in _SWITCHES})
            for switch, ours in _kept.items():
                os.environ.setdefault(switch, ours)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                for name, value in _before.items():
                    now = os.environ.get(name)
                    if now == value:
                        continue
                    if now is not None:
                        _kept[name] = now
                    if value is None:
                        os.environ.pop(name, None)
                    else:
                        os.environ[name] = value
