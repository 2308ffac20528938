"""No bound on a speed that is not measured."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import command_line, write_recipe

from suite.config.recipe import find_recipe
from suite.contracts.model import Model
from suite.contracts.space import Space
from suite.errors import RecipeError
from suite.study.arms import PlannedArm
from suite.study.measurable import check_bounds, is_measured

ASKED = Model(name="far", family="decoder", endpoint="http://127.0.0.1:9/v1", endpoint_model="m")
HERE = Model(name="near", family="encoder", path="/near")


def planned(model: Model, refused: str | None = None) -> PlannedArm:
    return PlannedArm(
        name=f"{model.name}/s", model=model, strategy="s", space=Space({}), refused=refused
    )


def checked(folder: Path, arms: list[PlannedArm], **changes: object) -> None:
    recipe, file = find_recipe(write_recipe(folder, **changes))
    check_bounds(recipe, file, arms)


def test_a_bound_on_speed_needs_a_speed_that_is_measured(tmp_path):
    bound = {"bounds": {"min_rps": 5}}
    with pytest.raises(RecipeError, match=r"min_rps: 5 bounds a serving speed") as caught:
        checked(tmp_path, [planned(HERE)], **bound)
    assert caught.value.where == f"{tmp_path / 'toys.yaml'}, line 1"
    assert "measure.seconds" in caught.value.fix
    checked(tmp_path, [planned(HERE)], **bound, measure={"seconds": 1})
    checked(tmp_path, [planned(HERE)], bounds={"max_train_seconds": 5})
    checked(tmp_path, [planned(HERE, "no weights")], **bound)


def test_a_server_that_is_not_loaded_can_keep_no_bound_on_speed(tmp_path):
    bound = {"bounds": {"min_rps": 5}, "measure": {"seconds": 1}}
    with pytest.raises(RecipeError, match=r"of arms that ask a server: far/s") as caught:
        checked(tmp_path, [planned(HERE), planned(ASKED)], **bound)
    assert "endpoints: true" in caught.value.fix
    loaded = bound | {"measure": {"seconds": 1, "endpoints": True}}
    checked(tmp_path, [planned(HERE), planned(ASKED)], **loaded)
    recipe, _ = find_recipe(write_recipe(tmp_path, **bound))
    assert is_measured(recipe, HERE) and not is_measured(recipe, ASKED)


def test_it_is_refused_as_the_study_is_made_and_one_that_is_there_goes_on(folder, toy_task):
    recipe = write_recipe(folder, trials=1, arms=["tfidf/toy"])
    command_line("study", "create", toy_task, "--recipe", recipe, "--name", "t", "--no-run")
    recipe = write_recipe(folder, trials=1, arms=["tfidf/toy"], bounds={"min_rps": 5})
    words = ("study", "create", toy_task, "--recipe", recipe, "--no-run", "--name")
    said = " ".join(command_line(*words, "new", code=2).stderr.split())
    assert "measure: {seconds: 0} leaves unmeasured" in said and "toys.yaml, line 1" in said
    # Of a study that stands, what differs is told as ever.
    assert "leaves unmeasured" not in command_line(*words, "t", code=2).stderr
