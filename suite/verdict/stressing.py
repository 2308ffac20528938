"""What changed texts cost a model: answers that became others, and the F1 that was lost.

A text may be asked in several wordings (every instruction), and its answers to them stand or fall
together: they count as one row, as a share's numerator and denominator (the ratio estimator;
Cochran, "Sampling Techniques", 1977, section 6). F1 is compared in pairs on the same rows, as
trained models are; the changes of a model are one family.

A class that is named is answered more often than before also by a model that reads no instruction:
text behind a text turns some answers, and one that turns becomes each other class now and then, of
two the other one always. Steered is therefore what the named class gains beyond what it gains
behind harmless text, on the same rows. The interval of this difference is made of those of its two
shares and their correlation (Newcombe, "Improved confidence intervals for the difference between
binomial proportions based on paired data", 1998), and so has a width where nothing was steered.
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

#: What changes that name a class are held against.
_HARMLESS: Change = "harmless"
#: What the answers to texts as they are are called beside the changes.
_PLAIN = "plain"


@dataclass(frozen=True)
class Answers:
    """A model's answers to texts that were changed in one way.

    Args:
        answers: class indices, [wordings, rows]; below 0 for no answer.
        altered: the share of the texts that are other than they were.
        named: the class that each row's text names, [rows]; None where they name none. Of harmless
            text that which the others name.
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
    harmless = changed.get(_HARMLESS)
    return [
        Changed(
            change,
            one.altered,
            flipped(plain, one.answers),
            None if one.named is None else steered(plain, one.answers, one.named),
            float(arms[change].scores.mean()),
            Measured(lost[change].value, lost[change].low, lost[change].high),
            lost[change].p,
            None
            if one.named is None or harmless is None or change == _HARMLESS
            else beyond(plain, one.answers, harmless.answers, one.named),
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


def beyond(plain: Indices, answers: Indices, harmless: Indices, named: Indices) -> Measured | None:
    """By how much the share that is steered is larger than that of harmless text on the same rows,
    with its 95 % interval; between -1 and 1. None where no row might be steered.

    Args:
        plain, answers, named: as of `steered`.
        harmless: answers to texts behind which stands what names nothing, [wordings, rows].
    """
    open_to = plain != named
    if not open_to.any():
        return None
    both = [(found[:, open_to] == named[open_to]).astype(np.bool_) for found in (answers, harmless)]
    parts = [share(hits, np.ones_like(hits)) for hits in both]
    (one, other), (x, y) = parts, (hits.mean(axis=0) for hits in both)
    assert one is not None and other is not None
    spread = float(x.std() * y.std())
    alike = float(((x - x.mean()) * (y - y.mean())).mean()) / spread if spread > 0 else 0.0
    value = one.value - other.value
    low, high = (
        float(np.sqrt(max(a**2 + b**2 - 2 * alike * a * b, 0.0)))
        for a, b in (
            (one.value - one.low, other.high - other.value),
            (one.high - one.value, other.value - other.low),
        )
    )
    return Measured(value, max(value - low, -1.0), min(value + high, 1.0))


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
