"""Whether an engine still answers as the trained model does.

Converting, narrowing and quantising change answers. An engine that changes more than these bounds
allow serves another model, and its speed is that model's: it is reported, and ranks nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from suite.contracts.strategy import Probabilities

#: Least share of equal predictions: in 8 bits, and in any other precision.
SHARE_INT8, SHARE = 0.99, 0.995
#: Most that macro-F1 may differ, up or down.
MACRO_F1 = 0.003

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Agreement:
    """How an engine's predictions compare with the trained model's on validation.

    Args:
        share: of rows with the same predicted class.
        macro_f1, reference_macro_f1: the engine's, and the trained model's.
        agrees: whether it may be ranked.
        reason: why not, or None.
    """

    share: float
    macro_f1: float
    reference_macro_f1: float
    agrees: bool
    reason: str | None


def agreement(
    reference: Probabilities,
    candidate: Probabilities,
    labels: Sequence[int],
    classes: int,
    precision: str,
) -> Agreement:
    """Compares probabilities float32 [rows, classes] of the same rows.

    Args:
        reference: the trained model's.
        candidate: the engine's.
        labels: class indices, one per row.
        precision: of the engine; 8 bits are allowed more.

    Raises:
        ModelError: probabilities that are not finite.
        ValueError: shapes that do not fit each other.
    """
    # Brings evaluate, which takes seconds to import.
    from suite.verdict import scoring

    if reference.shape != candidate.shape:
        raise ValueError(f"probabilities {candidate.shape} against {reference.shape}")
    same = scoring.decide(reference) == scoring.decide(candidate)
    share = float(np.mean(same))
    ours = scoring.score(candidate, labels, classes).macro_f1
    theirs = scoring.score(reference, labels, classes).macro_f1
    least = SHARE_INT8 if precision == "int8" else SHARE
    reasons = []
    if share < least - _ROUNDING:
        reasons.append(
            f"{share:.2%} of its predictions are the trained model's, and {precision} needs "
            f"{least:.1%}"
        )
    if abs(ours - theirs) > MACRO_F1 + _ROUNDING:
        reasons.append(
            f"its macro-F1 is {ours:.4f} where the trained model's is {theirs:.4f}, and "
            f"{MACRO_F1} is the most they may differ"
        )
    return Agreement(share, ours, theirs, not reasons, "; ".join(reasons) or None)
