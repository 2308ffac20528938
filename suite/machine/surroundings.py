"""The environment of the suite's processes: what libraries must not do there, that a process that
uses the suite as a library has it afterwards as it was before, and that a child has its parent's.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

#: What keeps libraries from telling their makers, or anybody, that and how they are used. Each
#: reads its own as it is imported or begins. (OpenVINO's only switch is `CI`, which means too much
#: to too many: `suite.serving.engines.served.unreported` sets it where OpenVINO is imported.)
SILENT = {
    "DO_NOT_TRACK": "1",
    "DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",  # huggingface_hub, and through it transformers and datasets
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime, in native code
    "NNCF_CI": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",  # which llamafactory depends on
    "WANDB_MODE": "disabled",  # which transformers reports to where it is installed
}

#: What the rooms below set for this process and its children.
_SWITCHES = (
    *SILENT,
    "GOMP_SPINCOUNT",
    "GLIBC_TUNABLES",
    "HF_HUB_OFFLINE",
    "HF_DATASETS_OFFLINE",
    "TRANSFORMERS_OFFLINE",
    "TOKENIZERS_PARALLELISM",
)
#: Whether this process runs one command and ends.
_one_command = False
_lock = threading.RLock()
_inside = 0
_settled_here = False
_before: dict[str, str | None] = {}
#: What they had set when the last call ended: the Hub is asked once per process, so its answer
#: has to hold for the next call too.
_kept: dict[str, str] = {}
#: Every variable that a child of this process was ever told of.
_told: set[str] = set()


def silence() -> None:
    """From here on no library of this process, nor of one that it starts, tells of its use.

    To be called before they are imported.
    """
    os.environ.update(SILENT)


def variables() -> dict[str, str | None]:
    """This process's variables, for a child; None: it has one no more that it had.

    A child comes from a forkserver, which has them as they were when this process ran its first
    study: of a notebook that is hours ago, and a key or a folder was named since.
    """
    with _lock:
        _told.update(os.environ)
        return {name: os.environ.get(name) for name in _told}


def take(theirs: Mapping[str, str | None]) -> None:
    """In a child: has its parent's variables, beside those that the forkserver set itself."""
    for name, value in theirs.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    silence()


def runs_one_command() -> None:
    """Says that this process runs one command and ends: it works for one study's arms alone."""
    global _one_command
    _one_command = True


def is_one_command() -> bool:
    """Whether that was said."""
    return _one_command


@contextmanager
def restored() -> Iterator[None]:
    """Within: the environment as the rooms below want it; afterwards as it was.

    Calls of several threads share it; the last to leave restores it.
    """
    from suite.machine import computing  # pydantic, which `suite --help` needs not

    global _inside, _settled_here
    with _lock:
        if _inside == 0:
            _before.update({name: os.environ.get(name) for name in _SWITCHES})
            for switch, ours in _kept.items():
                os.environ.setdefault(switch, ours)
            silence()
            # The command line has settled before, with what its options say.
            _settled_here = not computing.settled()
            if _settled_here:
                computing.settle()
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                if _settled_here:
                    computing.undo()
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
