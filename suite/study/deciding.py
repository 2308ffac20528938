"""When each arm's model answers alone, of a study: found on what it answered to rows that it had
not seen, kept in the storage, and given to whoever uses the model.
"""

from __future__ import annotations

from pathlib import Path

import optuna

from suite import shell
from suite.config.recipe import Recipe
from suite.contracts.combination import ARMS
from suite.contracts.deciding import Asked, Decision
from suite.contracts.task import Task
from suite.errors import StudyError, nearest
from suite.study import artifacts, decisions_record, kept_record, storage
from suite.study.artifacts import Artifacts
from suite.study.definition import Definition
from suite.study.probabilities import Answers, Reader
from suite.verdict import deciding
from suite.verdict.deciding import Judged, Model
from suite.verdict.worth import Worth


def check(recipe: Recipe, task: Task) -> None:
    """Refuses a recipe that tells the value of classes which the task does not have.

    Raises:
        RecipeError: naming the class.
    """
    if recipe.value is not None:
        Worth.of(recipe.value, task.label_names)


def asked(definition: Definition) -> Asked | None:
    """What a recipe asks of its arms; None where it asks nothing."""
    recipe = definition.recipe
    if recipe.decide is None and recipe.value is None:
        return None
    if recipe.decide is None:
        return Asked(value=recipe.value)
    return Asked(recipe.decide.limit, recipe.value, recipe.decide.coverage, recipe.decide.offsets)


def decide(
    name: str, wanted: Asked, *, arm: str | None = None, url: str | Path | None = None
) -> list[Decision]:
    """When each arm's model answers alone; the study keeps it.

    Args:
        name: the study's.
        wanted: of every arm.
        arm: the only one that is asked; all that keep a model where None.
        url: the database's; None for the default.

    Raises:
        StudyError: no such study or arm, or none whose answers are kept here.
        RecipeError: the value of an answer is told of classes that are none.
        DataError: what is kept are no probabilities of these rows.
    """
    study, definition = storage.load(storage.open_storage(url), name)
    there = kept_record.of_arms(study.user_attrs)
    kept = [one.name for one in definition.runnable if one.name in there]
    if arm in ARMS.values():
        raise StudyError(
            f"when '{arm}' may answer alone is not found: its members were chosen on the rows that "
            "would say so",
            fix="Name one of its members.",
        )
    if arm is not None and arm not in kept:
        raise StudyError(f"'{name}' keeps no model of '{arm}'", fix=nearest(arm, kept))
    lies = artifacts.find(study, definition.data.fingerprint)
    found = of_arms(study, definition, lies, wanted, kept if arm is None else [arm])
    if not found:
        again = shell.command("finals", name, storage=None if url is None else str(url))
        raise StudyError(
            f"what the models of '{name}' answered to rows that they had not seen is not kept here",
            fix=f"Run `{again}` on the machine that trained them.",
        )
    return found


def of_arms(
    study: optuna.Study,
    definition: Definition,
    lies: Artifacts,
    wanted: Asked,
    arms: list[str],
) -> list[Decision]:
    """When these arms' models answer alone; the study keeps it. Without arms whose answers are not
    kept here. Errors as in `decide`."""
    reader = Reader(study, definition, lies)
    found = []
    for arm in arms:
        version, answers = kept_record.version(study.user_attrs, arm), reader.left(arm)
        if version is None or answers.unseen is None:
            continue
        decision = deciding.found(
            Model(arm, *version, definition.task.label_names),
            wanted,
            _judged(answers.unseen),
            _judged(answers.calibration[0]) if answers.calibration else None,
            _judged(answers.test[0]) if answers.test else None,
        )
        found.append(decision)
    decisions_record.store(study, found)
    return found


def _judged(answers: Answers) -> Judged:
    return Judged(answers.calibrated, answers.rows.labels)
