"""What the studies of a learning curve found together: points, laws, crossings, advice."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import optuna

from suite.contracts.growth import (
    Advice,
    ClassGain,
    Growth,
    GrowthArm,
    GrowthBand,
    GrowthCheck,
    GrowthChoice,
    GrowthCrossing,
    GrowthPoint,
)
from suite.contracts.results import Final, StudyResults
from suite.data import snapshot
from suite.errors import SuiteError
from suite.study import artifacts, growing, predictions_record, record, storage
from suite.study.database import Database
from suite.study.definition import Definition
from suite.study.growing import Asked
from suite.study.parting import SubsetOf
from suite.verdict import confusions, growth
from suite.verdict.confusions import Array
from suite.verdict.gains import Held, gains
from suite.verdict.growth import BEYOND, Laws, Size
from suite.verdict.metrics import METRICS, Metric

#: Places of a band between the smallest size and twice the largest.
_PLACES = 24
#: Numbers of rows of which the best and the cheapest arm are told, where they lie within twice the
#: largest size.
_SPOKEN_OF = (100, 1_000, 10_000, 100_000)


def with_growth(found: StudyResults, opened: Database, study: optuna.Study) -> StudyResults:
    """A study's results with its learning curve, where it is the largest size of one."""
    curve = growing.asked(study)
    if curve is None:
        return found
    definition = storage.load(opened, found.study)[1]
    held = artifacts.find(study, definition.data.fingerprint)
    counts: Counter[int] = Counter()
    if curve.advice is not None:
        try:
            labels = snapshot.read_split(held.data, "train").labels
            counts = growing.advised(found, curve.advice, labels)
        except SuiteError:
            pass  # the rows are on another machine: what they say is not told here
    parts: dict[SubsetOf, StudyResults | None] = {
        subset: _results(opened, subset) for subset in growing.plan(curve, definition, counts)
    }
    largest = found
    if found.predictions is None:
        largest = replace(found, predictions=predictions_record.stored(study, []))
    return replace(found, growth=together(largest, definition, curve, parts, counts))


def _results(opened: Database, subset: SubsetOf) -> StudyResults | None:
    """What a part found; None where it is not there, or can't be read."""
    if not storage.exists(opened, subset.name):
        return None
    try:
        study, definition = storage.load(opened, subset.name)
        if definition.subset != subset:
            return None
        return record.results(study, definition, predictions=True)
    except SuiteError:
        return None


def together(
    largest: StudyResults,
    definition: Definition,
    curve: Asked,
    parts: Mapping[SubsetOf, StudyResults | None],
    counts: Counter[int],
) -> Growth:
    """What a curve's parts say together.

    Args:
        parts: each with what it found; None where it is not there.
        counts: training rows of the classes that advice is about.
    """
    metric = METRICS[largest.objective]
    sized = {subset: one for subset, one in parts.items() if subset.rows in curve.sizes}
    points = [
        point
        for subset, one in [(None, largest), *sized.items()]
        if one is not None and (subset is None or subset.label is None)
        for point in _points(subset, one, curve)
    ]
    points.sort(key=lambda point: (point.arm, point.rows, point.draw))
    names = list(dict.fromkeys(final.arm for final in largest.finals if final.combined is None))
    names += sorted({point.arm for point in points} - set(names))
    sizes = {
        arm: [Size(p.rows, metric.merit(p.score)) for p in points if p.arm == arm] for arm in names
    }
    least, most = _ends(metric)
    laws = {arm: growth.fit(own, least=least, most=most) for arm, own in sizes.items()}
    known = {arm: law for arm, law in laws.items() if law is not None}
    return Growth(
        objective=metric.key,
        sizes=curve.sizes,
        draws=curve.draws,
        searched=curve.searched,
        missing=[subset.name for subset, one in parts.items() if not _whole(one)],
        validation_rows=largest.data.rows.validation,
        points=points,
        arms=[_arm(arm, laws[arm], sizes[arm], curve, metric) for arm in names],
        crossings=_crossings(known, curve, _pulls_by_rows(largest, sized, curve, metric)),
        choices=_choices(known, points, curve, largest.margin, metric),
        advice=_advice(curve, largest, parts, counts, known, metric),
    )


def _whole(found: StudyResults | None) -> bool:
    """Whether a part has all its trials, and finals that saw them."""
    if found is None or not found.finals or found.missing_trials:
        return False
    return not any(final.stale for final in found.finals)


def _pulls(found: StudyResults | None, arm: str, metric: Metric) -> Array | None:
    """How far each test row moves an arm's score, the mean over its trainings, [rows]; None where
    its answers were not kept, or tell nothing of the score."""
    kept = None if found is None else found.predictions
    if found is None or kept is None or metric.of_confusion is None or not kept.arms.get(arm):
        return None
    own = confusions.trained(kept.labels, kept.arms[arm], len(found.labels), metric.of_confusion)
    mean: Array = own.pulls.mean(axis=0)
    return mean


def _pulls_by_rows(
    largest: StudyResults,
    sized: Mapping[SubsetOf, StudyResults | None],
    curve: Asked,
    metric: Metric,
) -> dict[int, dict[str, Array]]:
    """Size -> arm -> pulls of the first draw's trainings."""
    first = {one: found for one, found in sized.items() if one.draw == 1 and one.label is None}
    studies = {one.rows: found for one, found in first.items()}
    studies[curve.sizes[-1]] = largest
    found = {}
    for rows, study in studies.items():
        arms = study.finals if study is not None else []
        pulls = {final.arm: _pulls(study, final.arm, metric) for final in arms}
        found[rows] = {arm: own for arm, own in pulls.items() if own is not None}
    return found


def _apart(one: Array | None, other: Array | None) -> float | None:
    """The standard error of the difference of two scores by other test rows."""
    if one is None or other is None or len(one) != len(other):
        return None
    return float(np.sqrt(np.sum((one - other) ** 2)))


def _points(subset: SubsetOf | None, found: StudyResults, curve: Asked) -> list[GrowthPoint]:
    return [
        GrowthPoint(
            arm=final.arm,
            rows=curve.sizes[-1] if subset is None else subset.rows,
            draw=1 if subset is None else subset.draw,
            score=final.test.score,
            interval=final.test.interval,
            train_seconds=final.train_seconds,
            per_second=_per_second(final),
            carried=None if subset is None else subset.carried,
            study=found.study,
        )
        for final in found.finals
        if final.combined is None and not final.stale
    ]


def _per_second(final: Final) -> float | None:
    return final.rps.offline_per_second if final.rps is not None and final.rps.valid else None


def _ends(metric: Metric) -> tuple[float, float]:
    """What a merit can be."""
    ends = sorted(metric.merit(bound) for bound in metric.bounds)
    return ends[0], ends[1]


def _arm(
    arm: str, laws: Laws | None, sizes: Sequence[Size], curve: Asked, metric: Metric
) -> GrowthArm:
    least, most = _ends(metric)
    held = growth.held_back(sizes, least=least, most=most)
    check = None
    if held is not None:
        value, low, high = _scored(metric, held.predicted)
        truth = metric.merit(held.truth)
        check = GrowthCheck(held.rows, held.known, value, low, high, truth)
    if laws is None:
        return GrowthArm(arm, None, [], check)
    low, middle, high = np.quantile(laws.exponent, [0.025, 0.5, 0.975])
    rows = np.geomspace(curve.sizes[0], curve.sizes[-1], _PLACES).round().astype(int).tolist()
    band = [
        GrowthBand(n, *_scored(metric, laws.band(n)))
        for n in [*dict.fromkeys(rows), 2 * curve.sizes[-1]]
    ]
    return GrowthArm(arm, (float(middle), float(low), float(high)), band, check)


def _scored(metric: Metric, band: growth.Band) -> tuple[float, float, float]:
    """A band of merits as scores: its value, its lower and its upper end."""
    low, high = sorted((metric.merit(band.low), metric.merit(band.high)))
    return metric.merit(band.value), low, high


def _crossings(
    laws: Mapping[str, Laws], curve: Asked, pulls: Mapping[int, Mapping[str, Array]]
) -> list[GrowthCrossing]:
    """Where one arm overtakes another, the earliest first."""
    ends = curve.sizes[0], curve.sizes[-1]
    found = []
    for one, other in combinations(laws, 2):
        # At the far end nobody overtakes any more: who is above there is above.
        far = BEYOND * ends[1]
        ahead = float(np.median(laws[one].at(far))) >= float(np.median(laws[other].at(far)))
        above, below = (one, other) if ahead else (other, one)
        apart = [
            (rows, error)
            for rows, own in pulls.items()
            if (error := _apart(own.get(above), own.get(below))) is not None
        ]
        crossed = growth.crossing(laws[above], laws[below], ends, apart)
        if crossed is not None:
            found.append(
                GrowthCrossing(above, below, crossed.rows, crossed.low, crossed.high, crossed.share)
            )
    return sorted(found, key=lambda crossing: crossing.rows)


def _choices(
    laws: Mapping[str, Laws],
    points: Sequence[GrowthPoint],
    curve: Asked,
    margin: float,
    metric: Metric,
) -> list[GrowthChoice]:
    """The best arm and the cheapest good one, at numbers of rows that are spoken of."""
    if not laws:
        return []
    spoken = [n for n in _SPOKEN_OF if 0.75 * curve.sizes[0] <= n <= 2 * curve.sizes[-1]]
    speeds = _speeds(points)
    found = []
    for rows in spoken or [curve.sizes[-1]]:
        best = max(laws, key=lambda arm: laws[arm].band(rows).value)
        good = [
            arm
            for arm, law in laws.items()
            if arm == best or growth.often_below(law, laws[best], rows, margin) < 0.5
        ]
        fast = {arm: _nearest(speeds[arm], rows) for arm in good if speeds[arm]}
        if len(fast) < len(good):
            fast = {}  # which is the cheapest nobody knows
        cheapest = max(fast, key=lambda arm: fast[arm]) if fast else best
        found.append(
            GrowthChoice(
                rows,
                best,
                cheapest,
                metric.merit(laws[cheapest].band(rows).value),
                fast.get(cheapest),
            )
        )
    return found


def _speeds(points: Sequence[GrowthPoint]) -> defaultdict[str, dict[int, float]]:
    """Arm -> size -> texts per second, where it was measured."""
    found: defaultdict[str, dict[int, float]] = defaultdict(dict)
    for point in points:
        if point.per_second is not None:
            found[point.arm][point.rows] = point.per_second
    return found


def _nearest(speeds: Mapping[int, float], rows: int) -> float:
    return speeds[min(speeds, key=lambda size: abs(np.log(size / rows)))]


def _advice(
    curve: Asked,
    largest: StudyResults,
    parts: Mapping[SubsetOf, StudyResults | None],
    counts: Counter[int],
    laws: Mapping[str, Laws],
    metric: Metric,
) -> Advice | None:
    """What more rows of each class would bring the arm that advice is asked of."""
    arm = curve.advice
    if arm is None:
        return None
    whole = _merit(largest, arm, metric)
    pull = _pulls(largest, arm, metric)
    held: dict[int | None, list[float]] = defaultdict(list)
    pulls: dict[int | None, list[Array]] = defaultdict(list)
    missing = []
    rows = curve.sizes[-1]
    fewer = growing.control(curve, counts) if counts else rows
    for subset, found in parts.items():
        if subset.label is None and subset.rows != fewer:
            continue
        score = _merit(found, arm, metric)
        if score is None:
            missing.append(subset.name)
        else:
            held[subset.label].append(score)
            moved = _pulls(found, arm, metric)
            pulls[subset.label] += [moved] if moved is not None else []
    law = laws.get(arm)
    if whole is None or not held or law is None:
        return Advice(arm, curve.more, [], None, missing)
    asked = [
        Held(label, rows if label is None else counts[label],
             rows - fewer if label is None else counts[label] // 2, scores,
             _apart(pull, _mean(pulls[label])) or 0.0)
        for label, scores in held.items()
    ]  # fmt: skip
    found_gains = gains(whole, asked, curve.more, law.exponent, law.shifts(rows))
    told = [
        ClassGain(
            one.label,
            one.rows,
            one.left_out,
            lost,
            len(one.scores),
            gain,
            reach,
        )
        for one, (lost, gain, reach) in zip(asked, found_gains, strict=True)
    ]
    own = sorted((g for g in told if g.label is not None), key=lambda g: -g.gain)
    control = next((g for g in told if g.label is None), None)
    return Advice(arm, curve.more, own, control, missing)


def _mean(pulls: Sequence[Array]) -> Array | None:
    return np.mean(pulls, axis=0) if pulls else None


def _merit(found: StudyResults | None, arm: str, metric: Metric) -> float | None:
    """An arm's merit on test; None where it has no finals."""
    finals = found.finals if found is not None else []
    final = next((one for one in finals if one.arm == arm), None)
    return None if final is None else metric.merit(final.test.score)
