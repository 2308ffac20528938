"""What the forkserver imports once, so that a trial's child starts in hundredths of a second.

Imported by name in the forkserver process only. Neither it nor what follows it there may touch
CUDA: a forked child of a process that did could not use the GPU.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import signal

from suite.machine.surroundings import silence

# Ctrl-C reaches every process of a terminal; what becomes of children is the parent's decision.
signal.signal(signal.SIGINT, signal.SIG_IGN)

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
silence()

with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    # What a child's start names.
    import suite.child.entry
    import suite.child.runner
    import suite.serving.load.measure
    import suite.verdict.scoring  # noqa: F401

logging.getLogger("datasets").setLevel(logging.ERROR)
