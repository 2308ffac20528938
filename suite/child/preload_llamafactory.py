"""LLaMA-Factory for the forkserver of a study that trains by it: 13 to 17 s once, not per trial.

Whatever is wrong with it is no business of the forkserver, which would die of it and take the
study along: the trial that needs it fails with the reason. Where there is a GPU it is left to
the trials: its import asks the GPU what it can do, and a forked child of a process that did so
could not use it.
"""

from __future__ import annotations

import contextlib
import io

from suite.machine import facts

if not facts.has_gpu():
    with (
        contextlib.suppress(Exception),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        import llamafactory.train.tuner  # noqa: F401
