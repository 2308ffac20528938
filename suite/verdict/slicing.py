"""Where an arm is worse than elsewhere by more than chance: parts of the test rows, corrected for
how many there are.

A part may be worse because its classes are harder. So it is not held against all other rows but,
class by class, against other rows of the same class: whether right answers are spread over a class'
rows as if the part were drawn from them (Mantel and Haenszel, "Statistical aspects of the analysis
of data from retrospective studies of disease", 1959). What such draws without replacement come to
is told by their variance and their skewness, as Pearson's third curve: where nearly all is right,
two wrong answers among ten rows are no rarity, though a normal curve would have them for one. Of
several trainings a row is as right as they are on average. Classes of a size have no other rows of
their own, and are held against the other classes. p of all parts of an arm are corrected together
(Holm, "A simple sequentially rejective multiple test procedure", 1979): with twenty parts one would
be the worst by chance. In simulation (`tests/test_slices.py`) a part is called worse in at most 5 %
of studies of which none is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from suite.contracts.slices import FEWEST_ROWS, Slice, SliceScore
from suite.verdict import confusions, variance
from suite.verdict.comparison import intervals
from suite.verdict.confusions import Array, Margins, OfMargins, ratio
from suite.verdict.interval import Interval
from suite.verdict.metrics import MACRO_F1
from suite.verdict.unjudged import Answers, of_metrics

#: Skewness that is none: a gamma distribution of so little is a normal one.
_UPRIGHT = 1e-4


@dataclass(frozen=True)
class Group:
    """Rows that have something in common: those whose `by` is `value`.

    Args:
        rows: their positions, in order.
        classes: where they are all rows of some classes, these.
        column: whether `by` is a column of the source, whatever it is called.
    """

    by: str
    value: str
    rows: Sequence[int]
    classes: tuple[int, ...] | None = None
    column: bool = False


def judged(
    labels: Sequence[int],
    answers: Answers,
    groups: Sequence[Group],
    classes: int,
    deterministic: Collection[str] = (),
) -> list[Slice]:
    """Each group with what every arm scores there.

    Args:
        labels: class indices, [rows].
        answers: arm -> trainings -> rows; below 0 for no answer.
        classes: how many there are.
        deterministic: arms whose training repeats itself.
    """
    truth = np.asarray(labels, dtype=np.int64)
    enough = [group for group in groups if len(group.rows) >= FEWEST_ROWS]
    found: dict[str, list[SliceScore]] = {}
    for arm, own in answers.items():
        given = np.asarray(own, dtype=np.int64)
        right = (given == truth).mean(axis=0)
        fixed = {arm} & set(deterministic)
        scored = [
            _of_classes(arm, truth, given, right, group, classes, fixed)
            if group.classes is not None
            else _of_rows(arm, truth, given, right, group, classes, fixed)
            for group in enough
        ]
        corrected = holm([one.p for one in scored])
        found[arm] = [replace(one, p=p) for one, p in zip(scored, corrected, strict=True)]
    place = {id(group): at for at, group in enumerate(enough)}
    return [
        Slice(
            group.by,
            group.value,
            len(group.rows),
            [scores[place[id(group)]] for scores in found.values()] if id(group) in place else [],
            group.column,
        )
        for group in groups
    ]


def holm(chances: Sequence[float | None]) -> list[float | None]:
    """p corrected for how many there are; None stays, and counts for nothing.

    >>> holm([0.01, 0.04, None, 0.03])
    [0.03, 0.06, None, 0.06]
    """
    known = sorted((p, at) for at, p in enumerate(chances) if p is not None)
    found: list[float | None] = [None] * len(chances)
    most = 0.0
    for done, (p, at) in enumerate(known):
        most = max(most, min(1.0, (len(known) - done) * p))
        found[at] = round(most, 12)
    return found


def within_classes(
    right: Array, truth: NDArray[np.int64], inside: NDArray[np.bool_]
) -> tuple[float | None, float | None]:
    """(How right other rows of the same classes are, p); None where no class has other rows.

    Args:
        right: how right each row is answered, 0 to 1.
        truth: class of each row.
        inside: whether it is in the part.
    """
    apart = spread = lean = 0.0
    expected = counted = 0.0
    for label in np.unique(truth[inside]):
        own = truth == label
        rows, drawn = int(own.sum()), int((own & inside).sum())
        if drawn == rows:
            continue
        values = right[own]
        off = values - values.mean()
        apart += float(off[inside[own]].sum())
        # The moments of a sum of rows that are drawn without replacement.
        ways = drawn * (rows - drawn) / (rows - 1)
        spread += ways * float((off**2).mean())
        if rows > 2:
            lean += ways * (rows - 2 * drawn) / (rows - 2) * float((off**3).mean())
        expected += drawn * float(right[own & ~inside].mean())
        counted += drawn
    if not counted:
        return None, None
    # Half a row nearer: right answers come by whole rows.
    far = abs(apart) - 0.5
    if spread <= 0 or far <= 0:
        return expected / counted, 1.0
    skewness = float(np.sign(apart)) * lean / spread**1.5
    return expected / counted, min(1.0, 2 * beyond(far / sqrt(spread), skewness))


def beyond(z: float, skewness: float) -> float:
    """How often what has this skewness lies more than z standard deviations above its mean, by a
    gamma distribution (Pearson's third curve); by a normal one where it has none.

    >>> round(beyond(1.96, 0.0), 3), round(beyond(1.96, 2.0), 3)
    (0.025, 0.052)
    """
    from scipy.special import gammainc, gammaincc, ndtr

    if abs(skewness) < _UPRIGHT:
        return float(ndtr(-z))
    shape = 4 / skewness**2
    if skewness > 0:
        return float(gammaincc(shape, shape + z * sqrt(shape)))
    return float(gammainc(shape, max(0.0, shape - z * sqrt(shape))))


def _of_rows(
    arm: str,
    truth: NDArray[np.int64],
    given: NDArray[np.int64],
    right: Array,
    group: Group,
    classes: int,
    fixed: Collection[str],
) -> SliceScore:
    rows = np.asarray(group.rows, dtype=np.int64)
    inside = np.zeros(len(truth), dtype=bool)
    inside[rows] = True
    scored = of_metrics(truth[rows].tolist(), {arm: given[:, rows].tolist()}, classes, [MACRO_F1],
                        fixed)[MACRO_F1.key][arm]  # fmt: skip
    expected, p = within_classes(right, truth, inside)
    return _score(arm, scored, float(right[rows].mean()), expected, p)


def _of_classes(
    arm: str,
    truth: NDArray[np.int64],
    given: NDArray[np.int64],
    right: Array,
    group: Group,
    classes: int,
    fixed: Collection[str],
) -> SliceScore:
    assert group.classes is not None
    own = list(group.classes)
    others = [label for label in range(classes) if label not in group.classes]
    inside = np.isin(truth, own)
    worth, per_class = _worth(truth[inside])
    trained = confusions.trained(truth, given, classes, _mean_f1(own))
    scored = intervals({arm: replace(trained, worth=worth, per_class=per_class)}, fixed)[arm]
    if not others or inside.all():
        return _score(arm, scored, float(right[inside].mean()), None, None)
    elsewhere = float(confusions.trained(truth, given, classes, _mean_f1(others)).scores.mean())
    apart = confusions.trained(truth, given, classes, _apart(own, others))
    spread = variance.of_scores(variance.components([apart], [arm in fixed or apart.count == 1]))
    # Ten rows that are all wrong do not tell of themselves that they vary: as a share of so many
    # rows they do, were their classes as the others are.
    total = max(float(spread.total[0]), elsewhere * (1 - elsewhere) / worth)
    difference = float(apart.scores.mean())
    p = _two_sided(difference, total, float(spread.df[0]))
    expected = float(right[~inside].mean())
    return _score(arm, scored, float(right[inside].mean()), expected, p, elsewhere)


def _worth(labels: NDArray[np.int64]) -> tuple[float, float]:
    """The rows that a mean over the classes of these labels is worth (all of them where classes are
    equal, fewer where some are small), and those of each class, their harmonic mean."""
    counts = np.bincount(labels)
    counts = counts[counts > 0]
    per_class = float(len(counts) / (1 / counts).sum())
    return per_class * len(counts), per_class


def _two_sided(difference: float, spread: float, df: float) -> float:
    """p of a difference of this variance, by Student's t."""
    from scipy.special import stdtr

    if spread <= 0:
        return float(difference == 0)
    return float(2 * stdtr(df, -abs(difference) / sqrt(spread)))


def _score(
    arm: str,
    scored: Interval,
    right: float,
    expected: float | None,
    p: float | None,
    elsewhere: float | None = None,
) -> SliceScore:
    ends = (scored.low, scored.high)
    return SliceScore(arm, scored.value, ends, right, expected, p, elsewhere, scored.narrow)


def _mean_f1(chosen: Sequence[int]) -> OfMargins:
    """The mean F1 of those of some classes that occur as label or answer."""

    def of(margins: Margins) -> Array:
        f1 = ratio(2 * margins.hits, margins.true + margins.predicted)[..., list(chosen)]
        occur = margins.occurs[..., list(chosen)].sum(axis=-1)
        return np.asarray(f1.sum(axis=-1) / np.maximum(occur, 1))

    return OfMargins(of)


def _apart(own: Sequence[int], others: Sequence[int]) -> OfMargins:
    """The mean F1 of some classes less that of others."""
    one, other = _mean_f1(own), _mean_f1(others)
    return OfMargins(lambda margins: np.asarray(one.of(margins) - other.of(margins)))


def worst(slices: Sequence[Slice], arm: str, level: float) -> tuple[Slice, SliceScore] | None:
    """The part where an arm falls furthest below what is expected there, of those where that is no
    chance; None where there is none."""
    found = [
        (short, place, one, score)
        for place, one in enumerate(slices)
        for score in one.scores
        if score.arm == arm and score.p is not None and score.p < level
        if (short := _short(score)) < 0
    ]
    if not found:
        return None
    _, _, one, score = min(found, key=lambda worse: worse[:2])
    return one, score


def _short(score: SliceScore) -> float:
    """By how much a part lies below (above: more than 0) what its p holds it against."""
    if score.elsewhere is not None:
        return score.macro_f1 - score.elsewhere
    return 0.0 if score.expected is None else score.right - score.expected


def auroc(scores: Array, positive: NDArray[np.bool_]) -> tuple[float, float]:
    """The area under the ROC curve, and its variance (DeLong, DeLong and Clarke-Pearson, "Comparing
    the areas under two or more correlated receiver operating characteristic curves", 1988).

    Args:
        scores: of each row, at least two of either kind; the higher, the more it is one.
        positive: whether it is.
    """
    ones, others = np.sort(scores[positive]), np.sort(scores[~positive])

    def above(values: Array, sorted_: Array) -> Array:
        """The share of `sorted_` that each value exceeds, a tie being half."""
        low = np.searchsorted(sorted_, values, side="left")
        high = np.searchsorted(sorted_, values, side="right")
        return np.asarray((low + high) / (2 * len(sorted_)))

    first, second = above(ones, others), 1 - above(others, ones)
    spread = first.var(ddof=1) / len(ones) + second.var(ddof=1) / len(others)
    return float(first.mean()), float(spread)
