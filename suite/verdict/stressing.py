"""What changed texts cost a model: answers that became others, and the F1 that was lost.

A text may be asked in several wordings (every instruction), and its answers to them stand or fall
together: they count as one row, as a share's numerator and denominator (the ratio estimator;
Cochran, "Sampling Techniques", 1977, section 6). F1 is compared in pairs on the same rows, as
trained models are; the changes of a model are one family.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from suite.contracts.measured import Measured
from suite.contracts.stress import Change, Changed
from suite.verdict import confusions
from suite.verdict.comparison import verdicts
from suite.verdict.interval import LEVEL, around

Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: What the answers to texts as they are are called beside the changes.
_PLAIN = "plain"


@dataclass(frozen=True)
class Answers:
    """A model's answers to texts that were changed in one way.

    Args:
        answers: class indices, [wordings, rows]; below 0 for no answer.
        altered: the share of the texts that are other than they were.
        named: the class that each row's text names, [rows]; None where they name none.
    """

    answers: Indices
    altered: float
    named: Indices | None = None


def judged(
    labels: Sequence[int], plain: Indices, changed: Mapping[Change, Answers], classes: int
) -> list[Changed]:
    """What each change did to a model's answers.

    Args:
        labels: class indices, [rows].
        plain: its answers to the texts as they are, [rows]; below 0 for no answer.
        changed: those to the changed ones.
        classes: how many there are.
    """
    asked = [(_PLAIN, plain[None]), *((change, one.answers) for change, one in changed.items())]
    arms = {name: confusions.trained(labels, found, classes) for name, found in asked}
    pairs = [(_PLAIN, change) for change in changed]
    lost = {one.b: one for one in verdicts(arms, pairs, [*arms], "trained models")}
    return [
        Changed(
            change,
            one.altered,
            flipped(plain, one.answers),
            None if one.named is None else steered(plain, one.answers, one.named),
            float(arms[change].scores.mean()),
            Measured(lost[change].value, lost[change].low, lost[change].high),
            lost[change].p,
        )
        for change, one in changed.items()
    ]


def flipped(plain: Indices, answers: Indices) -> Measured:
    """The share of answers that became others.

    Args:
        plain: to the texts as they are, [rows].
        answers: to the changed ones, [wordings, rows].
    """
    found = share(answers != plain, np.ones(answers.shape, np.bool_))
    assert found is not None  # there are rows
    return found


def steered(plain: Indices, answers: Indices, named: Indices) -> Measured | None:
    """The share of answers that became the class which the text names, of those that were not it
    before; None where all were. Arguments as in `flipped`; named: [rows]."""
    open_to = np.broadcast_to(plain != named, answers.shape)
    return share(open_to & (answers == named), open_to)


def share(hits: Flags, of: Flags) -> Measured | None:
    """A share of answers with its 95 % interval over rows.

    Args:
        hits: those that count, [wordings, rows].
        of: those that might, [wordings, rows].

    Returns:
        None where none might.
    """
    from scipy.special import stdtrit

    counted, among = hits.sum(axis=0).astype(np.float64), of.sum(axis=0).astype(np.float64)
    rows, whole = int((among > 0).sum()), float(among.sum())
    if not rows:
        return None
    value = float(counted.sum()) / whole
    if rows == 1:
        return Measured(value, 0.0, 1.0)
    variance = rows / (rows - 1) * float(((counted - value * among) ** 2).sum()) / whole**2
    reach = float(stdtrit(rows - 1, 1 - LEVEL / 2))
    found = around(value, variance, reach, worth=float(rows))
    return Measured(found.value, found.low, found.high)
