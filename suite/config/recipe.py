"""The schema of a recipe: how a study searches. One closed YAML in `studies/`.

name: quick
arms: ["tfidf/*", bert-base-cased/linear_head]
trials: 12
budget: {epochs: 2}
spaces:
  "*/linear_head":
    learning_rate: {low: 1e-5, high: 1e-4, log: true}
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from suite import paths
from suite.config import yamlfile
from suite.config.sampler import Sampler as Sampler
from suite.config.sampler import by_name
from suite.contracts.deciding import Decide, Value
from suite.contracts.difficulty import TrainSubset
from suite.contracts.hyperparameters import Hyperparameter
from suite.contracts.limits import MOST_TRIALS, Preset, SamplerName
from suite.contracts.objective import DEFAULT_OBJECTIVE, ObjectiveName
from suite.contracts.results import MARGIN
from suite.contracts.space import Dimension, Space, parse_dimension
from suite.contracts.task import NAME, Calibration, Closed, Seed, Task, Text
from suite.errors import RecipeError, YamlError, nearest


class Pruner(Closed):
    """Who ends trials early, on checkpoint scores."""

    name: Literal["median", "percentile", "successive_halving", "hyperband", "none"] = "median"
    scope: Literal["arm", "study"] = Field("arm", description="With whom a trial is compared.")
    startup_trials: int = Field(2, ge=0, description="Finished trials needed before pruning.")
    percentile: float = Field(50, gt=0, lt=100, description="For percentile: the best part kept.")

    @model_validator(mode="after")
    def _hyperband_needs_the_study(self) -> Pruner:
        if self.name == "hyperband" and self.scope == "arm":
            raise ValueError(
                "hyperband deals trials to brackets by their number in the whole study, so it "
                "cannot be shown one arm alone; use scope: study, or successive_halving"
            )
        return self


#: Optimiser steps that a training of a network gets at least. SmolLM2-135M, taught to answer its
#: question, begins to near step 35; a third more lets it show what it learns.
LEAST_STEPS = 48


class Budget(Closed):
    """How much training one trial may do: passes over the training rows."""

    epochs: float = Field(2, gt=0, le=1000)
    least_steps: int = Field(
        LEAST_STEPS,
        ge=0,
        le=100_000,
        description="Optimiser steps that a training of linear_head or sft gets at least: where "
        "its batch on these rows makes fewer, the batch is 16 or 8, and where that is not enough "
        "there are more passes. 0: as epochs and batch have it.",
    )
    checkpoints: int = Field(5, ge=1, le=100, description="Scored points, at equal fractions.")
    evaluation: Literal["auto", "full"] = Field(
        "auto",
        description="auto: early checkpoints are scored on a fixed part of validation (at least "
        "500 rows) where all of it would cost more than a tenth of their training; what counts "
        "is scored on all. full: every checkpoint on all rows.",
    )
    overrides: dict[str, float] = Field(
        default_factory=dict, description="Epochs of arms by glob, where a source fixes its own."
    )

    @field_validator("overrides")
    @classmethod
    def _positive(cls, value: dict[str, float]) -> dict[str, float]:
        for glob, epochs in value.items():
            if not 0 < epochs <= 1000:
                raise ValueError(f"'{glob}': epochs must lie above 0 and at most at 1000")
        return value


class Bounds(Closed):
    """What an answer must also satisfy; recorded as constraints."""

    min_rps: float | None = Field(None, gt=0, description="Offline texts per second.")
    max_train_seconds: float | None = Field(None, gt=0)
    max_flips: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="Share of answers that injected instructions may turn into the class that they "
        "name, as `suite stress` finds it after the finals; the search does not know of it.",
    )


class Stop(Closed):
    """What ends the search before it has its trials."""

    target_f1: float | None = Field(
        None, gt=0, le=1, description="A trial within the bounds has this macro-F1 on validation."
    )
    patience: int | None = Field(
        None,
        ge=1,
        le=MOST_TRIALS,
        description="So many finished trials in a row found nothing better. They are counted once "
        "each arm has had a trial.",
    )

    def after(self, said: Mapping[str, Any]) -> Stop:
        """This with what commands said of it since; 0 takes back what stands.

        >>> Stop(patience=5).after({"target_f1": 0.9, "patience": 0})
        Stop(target_f1=0.9, patience=None)
        """
        known = {key: said[key] or None for key in type(self).model_fields if key in said}
        return self.model_copy(update=known)


class Finals(Closed):
    """The best trial of each arm, trained again and scored on test."""

    seeds: int = Field(
        3,
        ge=1,
        le=20,
        description="Trainings of each arm whose training is random; with 1 and refit: false the "
        "search's own checkpoint is scored.",
    )
    share: float | None = Field(
        1.0,
        gt=0,
        le=100,
        description="What the trainings may take, as a share of the search's time, which counts "
        "as a minute at least; null: as long as they take. Every arm gets its first.",
    )
    refit: bool = Field(
        True,
        description="Train on train and validation together, as far as the best checkpoint was.",
    )
    combine: bool = Field(
        False,
        description="Also rank the best cascade and the best ensemble of the trained models, where "
        "there is one: no training is added, but two arms are ranked and their speed is measured.",
    )


class Choose(Closed):
    """Arms by what machine, data and time allow: chosen once, among those that `arms` names, when
    the study is made."""

    preset: Preset = "balanced"
    seconds: float = Field(
        1800, gt=0, description="What a command may take where no --timeout is given."
    )


class Measure(Closed):
    """How serving speed is measured in a trial, by MLPerf LoadGen."""

    seconds: float = Field(3, ge=0, le=600, description="A scenario's length; 0 measures nothing.")
    texts: int = Field(1024, ge=1, description="Validation texts the load is drawn from.")
    endpoints: bool = Field(
        False, description="Also load servers that arms ask: every request may cost money."
    )


def _dimension(raw: Any) -> Any:
    """The YAML form of a dimension, as it stands."""
    try:
        parse_dimension(raw)
    except RecipeError as error:
        raise ValueError(str(error)) from None
    return raw


class Recipe(Closed):
    """Arms, search spaces, sampler, pruner, budget, finals."""

    name: str
    title: str | None = None
    description: str | None = None
    arms: list[Text] = Field(min_length=1, description="model/strategy, globs allowed.")
    trials: int = Field(
        40, ge=1, le=MOST_TRIALS, description="Finished trials the study is to have."
    )
    choose: Choose | None = Field(
        None, description="Choose among the arms those that can finish in time."
    )
    allocation: Literal["equal", "adaptive"] = "equal"
    budget: Budget = Budget()
    spaces: dict[str, dict[str, Annotated[Any, AfterValidator(_dimension)]]] = Field(
        default_factory=dict, description="Arm glob -> hyperparameter -> range, choice or value."
    )
    sampler: Annotated[
        Sampler, BeforeValidator(by_name, json_schema_input_type=SamplerName | Sampler)
    ] = Sampler()
    pruner: Pruner = Pruner()
    bounds: Bounds = Bounds()
    margin: float = Field(
        MARGIN,
        ge=0,
        lt=1,
        description="How far below the best score an arm that is cheaper to serve may lie and "
        "still be recommended.",
    )
    objective: ObjectiveName = Field(
        DEFAULT_OBJECTIVE,
        description="The metric that the search goes by on validation, and arms are ranked by on "
        "test. Of log_loss and brier less is better; value is what `value` says that answers are "
        "worth. Arms that answer a class and no probabilities are refused by these three.",
    )
    validation: Literal["auto", "holdout", "folds"] = Field(
        "auto",
        description="What a trial is scored on. holdout: validation. folds: all rows of train and "
        "validation, each by a training that did not see it; validation is the first of equal "
        "folds. auto: folds where a trial is cheap and validation is small, else holdout.",
    )
    calibration: Calibration | None = Field(
        None,
        description="Sets rows of train aside before the search, on which is certified what the "
        "model answers alone; in place of the task's own. With `decide` or `value` by its defaults "
        "where nothing is said.",
    )
    train_subset: TrainSubset | None = Field(
        None,
        description="Train on a part of the rows that `suite data difficulty` has judged.",
    )
    decide: Decide | None = Field(
        None,
        description="After the finals: from which probability on the model answers alone, so that "
        "its answers are wrong at most so often.",
    )
    value: Value | None = Field(
        None,
        description="After the finals: what answers are worth, from which comes where answering "
        "pays, and the work that is saved.",
    )
    stop: Stop = Stop()
    finals: Finals = Finals()
    measure: Measure = Measure()
    preflight: bool = Field(True, description="Time a few steps of each arm before starting.")
    max_trial_seconds: float | None = Field(None, gt=0)
    max_silent_seconds: float = Field(
        1800.0,
        gt=0,
        description="End a training that for so long says nothing and computes nothing; it is "
        "tried once more.",
    )
    shrink_batch: bool = Field(
        True, description="When memory runs out: halve the batch, double the accumulation."
    )
    seed: Seed = 0

    @model_validator(mode="after")
    def _lets_who_can_choose_the_arm(self) -> Recipe:
        if self.allocation == "adaptive" and self.sampler.name not in ("tpe", "random"):
            raise ValueError(
                f"allocation: adaptive lets the sampler choose the arm, and {self.sampler.name} "
                "is shown one arm alone; use allocation: equal, or sampler: tpe"
            )
        if self.allocation == "adaptive" and self.sampler.per_second:
            raise ValueError(
                "allocation: adaptive lets the sampler choose the arm, and per_second knows what "
                "points of one arm take; use allocation: equal"
            )
        return self

    @model_validator(mode="after")
    def _says_what_it_goes_by(self) -> Recipe:
        if self.objective == "value" and self.value is None:
            raise ValueError(
                "objective: value, and nothing says what answers are worth: add it, for example "
                "value: {right: 1, wrong: -5}"
            )
        return self

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not NAME.fullmatch(value):
            raise ValueError(
                f"{value!r} is no name: small letters, digits, '-', '_' and '.', at most 64"
            )
        return value

    @field_validator("arms")
    @classmethod
    def _arms(cls, value: list[str]) -> list[str]:
        for arm in value:
            if arm.count("/") != 1:
                raise ValueError(f"an arm is model/strategy, not {arm!r}")
        return value

    @property
    def decides(self) -> bool:
        """Whether it asks when arms answer alone."""
        return self.decide is not None or self.value is not None

    def sampled_by(self, name: SamplerName | None) -> Recipe:
        """This recipe with another sampler; its own where none is named.

        Raises:
            RecipeError: it can't be had with it.
        """
        if name is None or name == self.sampler.name:
            return self
        said = {key: getattr(self, key) for key in self.model_fields_set}
        said_of = self.sampler.model_dump(exclude_unset=True, exclude={"package"})
        named = said_of | {"name": name}
        try:
            return Recipe.model_validate(said | {"sampler": named})
        except ValidationError as error:
            raise RecipeError(
                error.errors()[0]["msg"].removeprefix("Value error, "), where="--sampler"
            ) from None

    def calibration_of(self, task: Task) -> Calibration | None:
        """How rows are set aside on which something is certified; None where nothing asks for
        them."""
        return self.calibration or task.calibration or (Calibration() if self.decides else None)

    def space_for(
        self,
        arm: str,
        default: Space,
        declared: Mapping[str, Hyperparameter] | None = None,
        file: Path | None = None,
    ) -> Space:
        """A strategy's space with this recipe's overrides for the arm; later globs win.

        A name under a glob with wildcards is skipped for arms that lack it.

        Args:
            declared: what the strategy says of its hyperparameters.
            file: the recipe's own, for errors.

        Raises:
            RecipeError: a hyperparameter that the strategy does not have, or can't be so.
        """
        changes: dict[str, Dimension] = {}
        for glob, dimensions in self.spaces.items():
            for name, raw in dimensions.items() if matches(arm, glob) else ():
                # What a strategy has and this space leaves at its default may be asked for, too.
                if name in default.dimensions or name in (declared or ()):
                    changes[name] = parse_dimension(raw)
                    limits = declared.get(name) if declared else None
                    if limits is not None:
                        try:
                            limits.admit(changes[name])
                        except ValueError as error:
                            raise RecipeError(
                                f"{name} of {arm} {error}",
                                where=self._place(glob, name, file),
                                fix=f"{name}: {limits.about}.",
                            ) from None
                elif not any(wildcard in glob for wildcard in "*?["):
                    raise self.unknown(glob, name, default.dimensions, file)
        return default.override(changes)

    def unknown(
        self, glob: str, name: str, known: Iterable[str], file: Path | None = None
    ) -> RecipeError:
        """The error of a hyperparameter that no arm under a glob has."""
        return RecipeError(
            f"'{glob}': unknown hyperparameter '{name}'",
            where=self._place(glob, name, file),
            fix=nearest(name, known),
        )

    def _place(self, glob: str, name: str, file: Path | None) -> str:
        if file is not None:
            return yamlfile.place(file, "spaces", glob, name)
        return f"recipe {self.name}, spaces.{glob}.{name}"

    def epochs_for(self, arm: str) -> float:
        """Passes over the training rows that a trial of this arm may make."""
        epochs = self.budget.epochs
        for glob, own in self.budget.overrides.items():
            if matches(arm, glob):
                epochs = own
        return epochs


def matches(arm: str, glob: str) -> bool:
    """Whether a glob names an arm; one that names `model/strategy` also means its variants."""
    return any(fnmatch.fnmatchcase(name, glob) for name in (arm, arm.partition("+")[0]))


def find_recipe(name: str) -> tuple[Recipe, Path]:
    """A shipped or own recipe by name, or any recipe by its file's path.

    Raises:
        RecipeError: no recipe of that name (the nearest is named).
        YamlError: the file is not a recipe.
    """
    if yamlfile.is_path(name):
        return yamlfile.load(Path(name), Recipe), Path(name)
    files = paths.yaml_files("studies")
    if name not in files:
        raise RecipeError(
            f"unknown recipe '{name}'",
            fix=f"{nearest(name, files)} A recipe file's path works too.",
        )
    recipe = yamlfile.load(files[name], Recipe)
    if recipe.name != name:
        raise YamlError(
            f"name: '{recipe.name}' in a file called {name}.yaml",
            where=str(files[name]),
            fix="A recipe's name and its file's name must agree.",
        )
    return recipe, files[name]
