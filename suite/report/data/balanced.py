"""What making up for rare classes did: each way's best trial beside that of none, arm by arm."""

from __future__ import annotations

from suite.contracts.balancing import NAME, NONE
from suite.contracts.objective import DEFAULT_OBJECTIVE
from suite.contracts.results import Scores, StudyResults
from suite.report import formats
from suite.report.words import Words
from suite.verdict.metrics import METRICS
from suite.verdict.unpaired import apart

#: Arms that are told of.
TOLD = 4


def balanced_told(results: StudyResults, words: Words) -> list[str]:
    """A sentence for each arm whose trials tried several ways, the arm to take first; and what
    moving classes after training does, where that was asked."""
    words = words.about(results.objective)
    taken = results.verdict.recommended if results.verdict else None
    found = {arm.arm: own for arm in results.arms if len(own := best_by_way(results, arm.arm)) > 1}
    order = sorted(found, key=lambda arm: arm != taken)[:TOLD]
    return [_said(arm, found[arm], results, words) for arm in order]


def best_by_way(results: StudyResults, arm: str) -> dict[str, tuple[Scores, int]]:
    """The best scores of the arm's complete trials by what made up for rare classes, and how many
    they are; the best way first."""
    merit = METRICS[results.objective].merit
    found: dict[str, list[Scores]] = {}
    for trial in results.trials:
        way = trial.params.get(NAME)
        if trial.arm == arm and trial.state == "COMPLETE" and trial.validation is not None and way:
            found.setdefault(str(way), []).append(trial.validation)
    best = {
        way: (max(scores, key=lambda one: merit(one.score)), len(scores))
        for way, scores in found.items()
    }
    return dict(sorted(best.items(), key=lambda item: -merit(item[1][0].score)))


def _said(
    arm: str, ways: dict[str, tuple[Scores, int]], results: StudyResults, words: Words
) -> str:
    listed = words.join(
        [
            words("balanced_way", way=way, score=formats.score(scores.score), n=trials)
            for way, (scores, trials) in ways.items()
        ]
    )
    first = next(iter(ways))
    key = "balanced_none" if first == NONE else "balanced_best"
    said = [words(key, arm=formats.name(arm), way=first, ways=listed)]
    if first != NONE and NONE in ways and results.objective == DEFAULT_OBJECTIVE:
        one, none = (_counts(ways[way][0]) for way in (first, NONE))
        if not apart(one, none):
            said.append(words("balanced_chance"))
    moved = next((one.moved for one in results.decisions if one.arm == arm), None)
    if moved is not None:
        said.append(
            words(
                "balanced_moved",
                before=formats.score(moved.macro_f1),
                after=formats.score(moved.crossed),
            )
        )
    return words.sentences(said)


def _counts(scores: Scores) -> list[list[int]]:
    """Its confusion matrix, with the rows that were not answered."""
    unanswered = scores.unanswered or [0] * len(scores.confusion)
    return [[*row, more] for row, more in zip(scores.confusion, unanswered, strict=True)]
