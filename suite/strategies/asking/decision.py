"""Asking a decision model: the task as typed questions, in the ways in which they can be put."""

from __future__ import annotations

from suite.contracts.model import Model
from suite.contracts.space import Choice, Fixed, Params, Space
from suite.contracts.strategy import Predictor, Run
from suite.contracts.task import Task
from suite.strategies.asking.decision_question import (
    BOTH,
    DRAFTED,
    INSTRUCTION,
    NO_WORDS,
    OF_EXAMPLES,
    OF_TASK,
    OF_WORDS,
    ONE_CHOICE,
    QUESTION,
    YES_NO,
    Knobs,
    of_task,
)

FAMILY = "decision"

#: Questions of yes or no are one for each label: of more, a text costs too much by default.
_MOST_YES_NO = 20


def space(task: Task) -> Space:
    """Form, wording, descriptions, order, and whether none of them is an option.

    Plain points come first: the labels by themselves or as the task describes them, then as
    training rows do.
    """
    described = any(label.description for label in task.labels)
    said = (NO_WORDS, OF_TASK, *DRAFTED) if described else (NO_WORDS, *DRAFTED)
    dimensions = Knobs.dimensions(
        form=Choice((ONE_CHOICE, YES_NO))
        if len(task.labels) <= _MOST_YES_NO
        else Fixed(ONE_CHOICE),
        wording=Choice((QUESTION, INSTRUCTION, BOTH)),
        descriptions=Choice(said),
        order=Choice(("given", "reversed", "shuffled")),
        none_of_these=Choice((False, True)),
    )
    plain: Params = {
        "form": ONE_CHOICE,
        "wording": QUESTION,
        "descriptions": OF_TASK if described else NO_WORDS,
        "order": "given",
        "none_of_these": False,
    }
    points = (plain, {**plain, "descriptions": OF_WORDS}, {**plain, "descriptions": OF_EXAMPLES})
    return Space(dimensions, points)


def lacks(model: Model, space: Space) -> str | None:
    """Why a variant of another family's is none of a decision model's; None where there is none."""
    if set(space.dimensions) <= set(Knobs.hyperparameters()):
        return None
    return (
        f"{model.name} answers typed questions, and neither thinks nor is shown examples; use "
        f"{model.name}/zero_shot"
    )


def fit(run: Run) -> Predictor:
    """Puts the questions; one checkpoint, at 1.0.

    Raises:
        RecipeError: a hyperparameter is out of bounds.
        Pruned: `run.checkpoint` ended the trial.
        EndpointError: the server can't be asked.
    """
    from suite.strategies.asking.decision_predictor import DecisionPredictor

    knobs = Knobs.of(run.params)
    asked = of_task(run.task, knobs, run.train, run.seed)
    run.note(
        form=knobs.form,
        wording=knobs.wording,
        descriptions=knobs.descriptions,
        described=sum(label.about is not None for label in asked.labels),
        none_of_these=asked.none is not None,
    )
    predictor = DecisionPredictor.of_run(run, asked, knobs.cutting)
    run.progress(0.5)
    run.checkpoint(predictor, 1.0)
    return predictor
