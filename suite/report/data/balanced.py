"""What making up for rare classes did: each way's best trial beside that of none, arm by arm."""

from __future__ import annotations

from suite.contracts.balancing import NAME, NONE
from suite.contracts.results import StudyResults
from suite.report import formats
from suite.report.words import Words
from suite.verdict.metrics import METRICS

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


def best_by_way(results: StudyResults, arm: str) -> dict[str, tuple[float, int]]:
    """The best score of the arm's complete trials by what made up for rare classes, and how many
    they are; the best way first."""
    merit = METRICS[results.objective].merit
    found: dict[str, list[float]] = {}
    for trial in results.trials:
        way = trial.params.get(NAME)
        if trial.arm == arm and trial.state == "COMPLETE" and trial.score is not None and way:
            found.setdefault(str(way), []).append(trial.score)
    best = {way: (max(scores, key=merit), len(scores)) for way, scores in found.items()}
    return dict(sorted(best.items(), key=lambda item: -merit(item[1][0])))


def _said(arm: str, ways: dict[str, tuple[float, int]], results: StudyResults, words: Words) -> str:
    listed = words.join(
        [
            words("balanced_way", way=way, score=formats.score(score), n=trials)
            for way, (score, trials) in ways.items()
        ]
    )
    first = next(iter(ways))
    key = "balanced_none" if first == NONE else "balanced_best"
    said = [words(key, arm=formats.name(arm), way=first, ways=listed)]
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
