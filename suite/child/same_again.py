"""Whether what was kept answers, loaded again, as it did when it was scored."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from suite.child.process import describe
from suite.contracts.strategy import Probabilities
from suite.errors import ModelError, counted
from suite.machine import memory

#: How far its answers may be from those that were scored: half the sum of the differences of a
#: text's probabilities, on average. In 16 bits another order of texts alone makes a difference.
_FLOAT32_APART, _SHORT_APART = 0.01, 0.1


def check(folder: Path, strategy: str, texts: Sequence[str], answers: Probabilities) -> str | None:
    """Loads a kept predictor and asks it again.

    Args:
        folder: of the predictor.
        strategy: that saved it.
        texts, answers: what it was asked, and what it answered.

    Returns:
        Why it could not be asked, where memory does not do for a second one; else None.

    Raises:
        ModelError: it answers otherwise: its `save` loses something.
    """
    from suite.strategies import load_predictor

    gc.collect()  # Of what was trained nothing is needed any more.
    try:
        loaded = load_predictor(folder)
        again = loaded.predict_proba(texts)
    except Exception as error:
        if not memory.ran_out(error):
            raise
        return describe(error)
    apart = float(np.abs(again - answers).sum(axis=1).mean()) / 2
    bound = _FLOAT32_APART if loaded.precision == "float32" else _SHORT_APART
    if not apart <= bound:
        raise ModelError(
            f"the predictor that '{strategy}' saved answers otherwise when it is loaded than when "
            f"it was scored: by {apart:.2f} on average over "
            f"{counted(len(texts), 'validation text')}",
            fix="Its `save` or `load` loses something: an array that is not C-contiguous, a "
            "setting, a vocabulary.",
        )
    return None
