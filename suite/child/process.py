"""A child as a process: it ends with its parent, keeps a log, and stays within its threads."""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
from multiprocessing import connection as mp_connection
from multiprocessing import parent_process
from pathlib import Path

from suite.redaction import clean, over


def describe(error: Exception) -> str:
    """An exception as one line: its type where the text alone would not tell, and its text."""
    text = clean(" ".join(str(error).split()))
    if "out of memory" in text.lower():
        return f"memory ran out ({text[:160]}); a smaller batch, fewer tokens or LoRA needs less"
    shown = text if len(text) <= 300 else text[:297] + "..."
    return f"{type(error).__name__}: {shown}" if shown else type(error).__name__


def peak_memory() -> int:
    """Bytes at the peak: of the accelerator where one was used, else resident memory."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return int(torch.cuda.max_memory_allocated())
    # Linux counts ru_maxrss in kilobytes, macOS in bytes.
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale


def set_threads(threads: int) -> None:
    """Bounds the threads of torch, tokenizers and the linear-algebra libraries in this child."""
    from threadpoolctl import threadpool_limits

    # Off in the forkserver, which must not fork with threads; a child forks no more.
    os.environ["TOKENIZERS_PARALLELISM"] = "true" if threads > 1 else "false"
    os.environ["RAYON_NUM_THREADS"] = str(max(1, threads))
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(max(1, threads))
    else:  # One that is imported later asks these.
        for pool in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ[pool] = str(max(1, threads))
    threadpool_limits(max(1, threads))


def live_only_with_parent() -> None:
    """Ignores Ctrl-C (the parent decides) and ends this process when its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        mp_connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()


def log_to(path: Path) -> None:
    """Sends everything the child prints, also from C code, to its own log; what Python prints,
    without secrets."""
    sys.stdout.flush()
    sys.stderr.flush()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
    sys.stdout, sys.stderr = over(sys.stdout), over(sys.stderr)
