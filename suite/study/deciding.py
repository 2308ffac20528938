"""When each arm's model answers alone, of a study: found on what it answered to rows that it had
not seen, kept in the storage, and given to whoever uses the model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import optuna

from suite import shell
from suite.config.recipe import Recipe
from suite.contracts.combination import ARMS
from suite.contracts.deciding import Asked, Decision
from suite.contracts.task import Task
from suite.errors import DataError, StudyError, nearest
from suite.study import (
    artifacts,
    decisions_record,
    finals_record,
    kept_record,
    record,
    storage,
)
from suite.study.artifacts import Artifacts
from suite.study.definition import Definition
from suite.study.ledger import Ledger
from suite.study.probabilities import Answers, ArmAnswers, Reader
from suite.verdict import deciding, metrics
from suite.verdict.deciding import Judged, Model
from suite.verdict.metrics import Metric
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
    if not recipe.decides:
        return None
    if recipe.decide is None:
        return Asked(value=recipe.value)
    decide = recipe.decide
    return Asked(
        decide.limit if decide.max_wrong is None else None,
        recipe.value,
        decide.coverage,
        decide.offsets,
        decide.max_wrong,
    )


def worth_of(definition: Definition) -> Worth | None:
    """What answers are worth in a study; None where its recipe does not say it."""
    value = definition.recipe.value
    return None if value is None else Worth.of(value, definition.task.label_names)


def objective_of(definition: Definition) -> Metric:
    """The metric that a study goes by."""
    return metrics.objective_of(definition.recipe.objective, worth_of(definition))


def decide(
    name: str,
    wanted: Asked,
    *,
    arm: str | None = None,
    url: str | Path | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> list[Decision]:
    """When each arm's model answers alone; the study keeps it.

    Args:
        name: the study's.
        wanted: of every arm.
        arm: the only one that is asked; all that keep a model where None, combinations among them.
        url: the database's; None for the default.
        say: told of arms that are left out, and why.

    Raises:
        StudyError: no such study or arm, or none whose answers are kept here.
        RecipeError: the value of an answer is told of classes that are none.
        DataError: what is kept are no probabilities of these rows.
    """
    study, definition = storage.load(storage.open_storage(url), name)
    kept = kept_arms(study, definition)
    if arm is not None and arm not in kept:
        raise StudyError(f"'{name}' keeps no model of '{arm}'", fix=nearest(arm, kept))
    lies = artifacts.find(study, definition.data.fingerprint)
    arms = kept if arm is None else [arm]
    found, left_out = of_arms(study, definition, lies, wanted, arms, url)
    if not found and left_out:
        raise next(iter(left_out.values()))
    if not found:
        again = shell.command("study", "run", name, storage=None if url is None else str(url))
        raise StudyError(f"'{name}' has no kept model yet", fix=f"Go on with `{again}`.")
    for other, error in left_out.items():
        say(undecided(other, error))
    return found


def undecided(arm: str, error: StudyError | DataError) -> str:
    """That nothing is said of an arm, and why."""
    return f"{arm}: nothing is said of when it answers alone: {error.what}"


def kept_arms(study: optuna.Study, definition: Definition) -> list[str]:
    """The arms of a study that keep a model, its combinations last."""
    there = kept_record.of_arms(study.user_attrs)
    own = [one.name for one in definition.runnable if one.name in there]
    return [*own, *kept_record.combinations(study.user_attrs)]


def the_rest(ledger: Ledger, say: Callable[[str], None]) -> None:
    """When arms of finals answer alone of which the recipe asks it and nothing says: a command that
    was killed after test was asked left them so."""
    if not ledger.definition.recipe.decides or finals_record.missing_or_stale(ledger.study):
        return
    decided = {one["arm"] for one in decisions_record.standing(ledger.study.user_attrs)}
    arms = [final.arm for final in ledger.results().finals]
    of_finals(ledger, [arm for arm in arms if arm not in decided], say)


def of_finals(ledger: Ledger, arms: Sequence[str], say: Callable[[str], None]) -> None:
    """When these arms' models answer alone, where the recipe asks for it."""
    wanted = asked(ledger.definition)
    if wanted is None or not arms:
        return
    _, left_out = of_arms(ledger.study, ledger.definition, ledger.artifacts, wanted, arms)
    for arm, error in left_out.items():
        say(undecided(arm, error))


def of_arms(
    study: optuna.Study,
    definition: Definition,
    lies: Artifacts,
    wanted: Asked,
    arms: Sequence[str],
    url: str | Path | None = None,
) -> tuple[list[Decision], dict[str, StudyError | DataError]]:
    """When these arms' models answer alone, which the study keeps; and of which that can't be said,
    with the reason.

    Raises:
        RecipeError: the value of an answer is told of classes that are none.
    """
    reader = Reader(study, definition, lies, url)
    attributes = study.user_attrs
    found: list[Decision] = []
    left_out: dict[str, StudyError | DataError] = {}
    for arm in arms:
        shipped = decisions_record.model_of(attributes, arm)
        if shipped is None:
            continue
        trial, refit, mark, temperature = shipped
        try:
            unseen, aside, test = _answers(study, definition, reader, arm)
            model = Model(arm, trial, refit, definition.task.label_names, mark, temperature)
            found.append(deciding.found(model, wanted, unseen, aside, test))
        except (StudyError, DataError) as error:
            left_out[arm] = error
    decisions_record.store(study, found)
    return found, left_out


def _answers(
    study: optuna.Study, definition: Definition, reader: Reader, arm: str
) -> tuple[Judged, Judged | None, Judged | None]:
    """What an arm's models answered unseen, and its shipped one to the rows set aside and to test.

    Raises:
        StudyError: that is not kept here, or not of the model that is shipped.
    """
    if arm in ARMS.values():
        finals = record.results(study, definition, importance=False, predictions=False).finals
        made = next((one.combined for one in finals if one.arm == arm), None)
        answers = ArmAnswers(None) if made is None else reader.combined(made)
    else:
        answers = reader.left(arm)
        aside = definition.data.rows.calibration > 0
        # Of a model that was asked of them: never told as if there were none.
        if answers.trainings and aside and not answers.calibration:
            raise reader.missing(arm)
    if answers.unseen is None:
        raise reader.missing(arm)
    return (
        _judged(answers.unseen),
        _judged(answers.calibration[0]) if answers.calibration else None,
        _judged(answers.test[0]) if answers.test else None,
    )


def _judged(answers: Answers) -> Judged:
    return Judged(answers.calibrated, answers.rows.labels)
