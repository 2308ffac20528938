"""When a model answers alone: from what it answered to rows that it had not seen to a rule, and
what comes of it.

The thresholds to test are learnt on the rows that an arm's trials were scored on. On rows that were
set aside one is certified. Without such rows it is estimated, on the first: the search has seen
those, and the model that answered them is not the one that is shipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from suite.contracts.deciding import Asked, Decision, Ground, Limit, Moved, Sets, Tried
from suite.errors import RecipeError
from suite.verdict import certifying, conformal, offsets
from suite.verdict.answering import Answered, Classes, Truth, answered, of
from suite.verdict.worth import Worth


@dataclass(frozen=True)
class Judged:
    """What a model answered to labelled rows.

    Args:
        probabilities: [rows, classes]; a row of zeros is no answer.
        labels: the class index of each row.
    """

    probabilities: NDArray[np.floating]
    labels: Sequence[int]

    def answered(self, offsets: Sequence[float] = ()) -> Answered:
        """How sure it is, and whether it is right.

        Args:
            offsets: of each class, as `answering.of` takes them.

        Raises:
            DataError: these are no probabilities of these rows.
        """
        return answered(self.probabilities, self.labels, offsets)


@dataclass(frozen=True)
class Model:
    """Whose answers these are.

    Args:
        arm: model/strategy.
        trial: whose hyperparameters it has.
        refit: whether it was trained on validation, too.
        labels: the classes' names, by index.
        mark: which training it is, where it bears one.
        temperature: that it answers at.
    """

    arm: str
    trial: int
    refit: bool
    labels: Sequence[str]
    mark: str | None = None
    temperature: float | None = None


def found(
    model: Model,
    asked: Asked,
    unseen: Judged,
    aside: Judged | None = None,
    test: Judged | None = None,
) -> Decision:
    """When a model answers alone.

    Args:
        unseen: rows that no model saw which answers them, and that its trials were scored on.
        aside: rows that nothing has seen, answered by the model that is shipped.
        test: what comes of it is told of these rows; it chooses nothing.

    Raises:
        DataError: what is given are no probabilities of these rows.
        RecipeError: nothing is asked, or the value of classes that are none.
    """
    by = unseen if aside is None else aside
    # What an answer is worth chooses the class itself.
    moved = _moved(unseen, test) if asked.offsets and asked.limited else None
    own = moved.offsets if moved is not None and moved.kept else []
    ground: Ground = "estimated" if aside is None else "certified"
    if asked.limit is not None:
        made = _by_limit(model, asked.limit, unseen.answered(own), by.answered(own), ground)
    elif asked.max_wrong is not None:
        made = _by_share(model, asked.max_wrong, by.answered(own), ground)
    elif asked.value is not None:
        at = None if asked.value.pairs else asked.value.break_even
        made = Decision(
            model.arm, model.trial, model.refit, "worth", at, Tried(0, 0, 0), value=asked.value
        )
        made = replace(made, found=_tried(made, by, model.labels))
    else:
        raise RecipeError("neither how often answers may be wrong nor what they are worth is said")
    sets = None if asked.coverage is None else _sets(asked.coverage, by, test)
    made = replace(
        made,
        value=asked.value,
        sets=sets,
        moved=moved,
        mark=model.mark,
        temperature=model.temperature,
    )
    if test is None:
        return made
    saved = None
    if asked.value is not None:
        classes, decided = applied(made, test.probabilities, model.labels)
        saved = Worth.of(asked.value, model.labels).saved(classes, decided, test.labels)
    return replace(made, test=_tried(made, test, model.labels), saved=saved)


def applied(
    decision: Decision, probabilities: NDArray[np.floating], labels: Sequence[str]
) -> tuple[Classes, Truth]:
    """The class of each row, `NO_ANSWER` for no answer, and whether the model answers it alone.

    Args:
        probabilities: [rows, classes]; a row of zeros is no answer.
        labels: the classes' names, by index.
    """
    if decision.ground == "worth" and decision.value is not None:
        return Worth.of(decision.value, labels).decide(probabilities)
    classes, sure = of(probabilities, decision.offsets)
    if decision.threshold is None:
        return classes, np.zeros(len(classes), np.bool_)
    return classes, np.asarray((sure >= decision.threshold) & (classes >= 0))


def _by_limit(
    model: Model, limit: Limit, learning: Answered, rows: Answered, ground: Ground
) -> Decision:
    path = certifying.path(learning, limit, len(rows))
    certified = certifying.certify(rows, path, limit)
    known = Decision(
        model.arm,
        model.trial,
        model.refit,
        ground,
        None,
        Tried(len(rows), 0, 0),
        max_error=limit.max_error,
        confidence=limit.confidence,
    )
    if certified is None:
        return replace(known, enough_rows=_enough(learning, path[0], limit))
    on = certified.on
    bound = certifying.upper_bound(on.answered, on.wrong, limit.confidence)
    return replace(known, threshold=certified.threshold, found=on, bound=bound)


def _by_share(model: Model, max_wrong: float, rows: Answered, ground: Ground) -> Decision:
    threshold = conformal.threshold_of_risk(rows, max_wrong)
    needed = conformal.rows_needed(max_wrong)
    answers = (0, 0) if threshold is None else rows.at(threshold)
    return Decision(
        model.arm,
        model.trial,
        model.refit,
        ground,
        threshold,
        Tried(len(rows), *answers),
        max_wrong=max_wrong,
        enough_rows=needed if threshold is None and len(rows) < needed else None,
    )


def _moved(unseen: Judged, test: Judged | None) -> Moved:
    found = offsets.fit(unseen.probabilities, unseen.labels)
    if test is None:
        return found
    before, after = (
        offsets.scored(test.probabilities, test.labels, own) for own in ((), found.offsets)
    )
    return replace(found, test_before=before, test_after=after)


def _sets(coverage: float, by: Judged, test: Judged | None) -> Sets:
    threshold = conformal.threshold_of_sets(by.probabilities, by.labels, coverage)
    if test is None:
        return Sets(coverage, threshold)
    own = conformal.sets(test.probabilities, threshold)
    holds = own[np.arange(len(own)), np.asarray(test.labels)]
    return Sets(coverage, threshold, float(holds.mean()), float(own.sum(axis=1).mean()))


def _enough(learning: Answered, threshold: float, limit: Limit) -> int | None:
    """How many rows would do, did the model go on erring where it is surest as it does here."""
    answers, wrong = learning.at(threshold)
    if not answers:
        return None
    needed = certifying.rows_needed(limit, wrong / answers)
    return None if needed is None else ceil(needed * len(learning) / answers)


def _tried(decision: Decision, judged: Judged, labels: Sequence[str]) -> Tried:
    classes, decided = applied(decision, judged.probabilities, labels)
    wrong = decided & (classes != np.asarray(judged.labels))
    return Tried(len(classes), int(decided.sum()), int(wrong.sum()))
