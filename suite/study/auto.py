"""Recipe `auto` at work: what machine, data and Hub tell of each arm, and the study's recipe of it.

The choice is made once, when the study is made, and stored as a recipe with its arms: whoever goes
on with the study, here or elsewhere, finds them chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from suite.config.recipe import Choose, Finals, Recipe
from suite.contracts.limits import Preset
from suite.contracts.rowfacts import DataFacts
from suite.contracts.space import every_point
from suite.contracts.task import Task
from suite.data import near
from suite.errors import StudyError
from suite.models import hub
from suite.study import choosing, thumb
from suite.study.arms import PlannedArm
from suite.study.definition import Definition
from suite.study.turns import reckoned

#: Training rows beyond which `auto` takes a stratified part: as many as are compared with test for
#: near repeats. More make every arm slower, and few of them better.
MOST_ROWS = near.MOST_ROWS


@dataclass(frozen=True)
class Chosen:
    """The recipe with the arms that were chosen, and all arms: those first, then those left out,
    which are refused with why."""

    recipe: Recipe
    arms: list[PlannedArm]


def choose(
    recipe: Recipe,
    planned: Sequence[PlannedArm],
    task: Task,
    data: DataFacts,
    *,
    named: bool,
    most_fetched: float | None = None,
) -> Chosen:
    """A recipe that leaves the choice of arms open, closed.

    Args:
        recipe: with `choose`.
        planned: its arms.
        task, data: what is studied.
        named: whether the user named the arms: then none is left out.
        most_fetched: bytes that may be downloaded for one model; 500 MB where None.
    """
    settings = recipe.choose or Choose()
    texts = thumb.Texts.of(data, task.language, len(task.labels))
    here = thumb.Machine.here()
    candidates = [
        choosing.Candidate(
            name=arm.name,
            kind=_kind(arm),
            thumb=reckoned(arm, recipe, task, texts, here, arm.folds),
            brought=arm.model.path is not None or arm.model.endpoint is not None,
            fetched=0.0 if arm.refused else hub.to_fetch(arm.model),
            refused=arm.refused,
        )
        for arm in planned
    ]
    plan = choosing.PLANS[settings.preset]
    if named:
        taken = [arm.name for arm in planned if arm.refused is None]
        left_out: dict[str, str] = {}
    else:
        found = choosing.choose(
            candidates,
            preset=settings.preset,
            seconds=settings.seconds,
            test_rows=data.rows.test,
            most_fetched=choosing.UNASKED_BYTES if most_fetched is None else most_fetched,
        )
        taken, left_out = list(found.taken), found.left_out
    by_name = {arm.name: arm for arm in planned}
    arms = [by_name[name] for name in taken]
    arms += [
        arm if arm.refused is not None else replace(arm, refused=left_out[arm.name])
        for arm in planned
        if arm.name not in taken
    ]
    changes = {
        "arms": taken or recipe.arms,
        "trials": max(1, sum(_points(by_name[name], plan.rounds) for name in taken)),
        "finals": _finals(recipe.finals, plan),
    }
    return Chosen(recipe.model_copy(update=changes), arms)


def _finals(said: Finals, plan: choosing.Plan) -> Finals:
    """A recipe's finals, with the preset's seeds where it says none."""
    named = "seeds" in said.model_fields_set
    return said if named else said.model_copy(update={"seeds": plan.seeds})


def _kind(arm: PlannedArm) -> str:
    """What of it is compared with others of its kind first."""
    family = arm.model.family
    return arm.model.name if family == "classic" else f"{family}/{arm.strategy}"


def _points(arm: PlannedArm, rounds: int) -> int:
    """Trials that an arm can have in so many rounds: of a finite space each point once."""
    points = every_point(arm.space)
    return rounds if points is None else min(rounds, len(points))


def same_preset(there: Definition, asked: Preset | None) -> Choose | None:
    """How a study's arms were chosen.

    Raises:
        StudyError: they are asked for otherwise now.
    """
    chosen = there.recipe.choose
    if chosen is not None and asked not in (None, chosen.preset):
        raise StudyError(
            f"the arms of '{there.name}' were chosen by --preset {chosen.preset}, and not {asked}",
            fix="Give another --name, or leave --preset out to go on.",
        )
    return chosen
