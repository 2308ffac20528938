"""Who proposes an arm's next point: Optuna's samplers, most of them shown one arm's trials alone.

A study's space is conditional: each arm has its own hyperparameters. Samplers that model the
intersection of all trials' spaces (GP, CMA-ES) would find nothing in it but `arm`, and draw the
rest at random without a word. So they are asked in the arm's own space, and see its trials as if
they were all. TPE, the default, has groups for such spaces and sees the whole study; by the second
it is shown one arm alone, as what points take is known of one arm's.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from suite.contracts.limits import MOST_SEED
from suite.errors import counted
from suite.study import costing, internals, registry
from suite.study.definition import Definition, StoredArm
from suite.study.search import ARM, FINISHED, arm_of, at, distributions, good, share

#: Standard deviation of the first steps of CMA-ES, as a share of a dimension's range.
_STEP = 0.2

Space = Mapping[str, BaseDistribution]


def sampler(definition: Definition, done: int) -> BaseSampler:
    """A study's sampler.

    The seed moves on with the trials done, else a resumed study would draw the same points again;
    that of QMC stays, since its points are those of one sequence, whose place stands in the
    storage. Studies of several workers are not reproducible from one seed.

    Args:
        done: trials so far; workers of one command count on from numbers that lie apart.
    """
    settings = definition.recipe.sampler
    seed = definition.seed
    drawn = (seed + done) % (MOST_SEED + 1)
    if settings.name == "random":
        return optuna.samplers.RandomSampler(seed=drawn)
    if settings.name == "tpe" and not settings.per_second:
        return _of_the_study(settings.startup_trials, drawn)
    # The arms take turns, so each has its part of the trials that come first.
    startup = math.ceil(settings.startup_trials / max(1, len(definition.runnable)))
    inner: BaseSampler
    match settings.name:
        case "tpe":
            inner = internals.CostAwareTPE(n_startup_trials=startup, multivariate=True, seed=drawn)
        case "gp":
            inner = optuna.samplers.GPSampler(
                n_startup_trials=startup, seed=drawn, warn_independent_sampling=False
            )
        case "cmaes":
            inner = Evolution(startup, drawn)
        case "qmc":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                inner = optuna.samplers.QMCSampler(
                    scramble=True, seed=seed, warn_independent_sampling=False
                )
        case "optunahub":
            assert settings.package is not None  # else the recipe was refused
            inner = registry.load(settings.package, drawn)
    return alone(definition, inner, ranked=settings.name == "gp")


def alone(definition: Definition, inner: BaseSampler, *, ranked: bool = False) -> ArmSampler:
    """A sampler that is shown one arm of a study at a time; `ranked` as `ArmSampler` has it."""
    spaces = {
        arm.name: {
            f"{arm.name}:{key}": found
            for key, found in distributions(arm).items()
            if not found.single()
        }
        for arm in definition.runnable
    }
    arms = {arm.name: arm for arm in definition.runnable}
    return ArmSampler(inner, spaces, arms, ranked=ranked)


def told(definition: Definition) -> str:
    """A study's sampler, as results have it."""
    settings, seed = definition.recipe.sampler, f"seed {definition.seed}"
    if settings.name in ("random", "qmc", "optunahub"):
        return f"{settings.package or settings.name}, {seed}"
    name = f"{settings.name} by improvement per second" if settings.per_second else settings.name
    return f"{name}, {counted(settings.startup_trials, 'random trial')} first, {seed}"


def _of_the_study(startup: int, seed: int) -> BaseSampler:
    """TPE that sees the whole study, and may choose the arm too: `group` and `multivariate` are
    needed for an arm's conditional parameters to be modelled jointly."""
    with warnings.catch_warnings():
        # `group` is marked experimental; that arms are modelled jointly is tested here.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.TPESampler(
            n_startup_trials=startup, multivariate=True, group=True, seed=seed
        )


class ArmSampler(BaseSampler):
    """Shows an inner sampler one arm: its space, and its trials.

    Args:
        inner: who proposes.
        spaces: arm -> its parameters, those with one value left out.
        arms: arms by name.
        ranked: whether trials that were pruned, or break a bound, are shown as complete ones with
            the worst score that was reached within the bounds: to samplers that look at complete
            trials alone and would come back to where others were ended.
    """

    def __init__(
        self,
        inner: BaseSampler,
        spaces: Mapping[str, Space],
        arms: Mapping[str, StoredArm],
        *,
        ranked: bool = False,
    ) -> None:
        self.inner = inner
        self._spaces = spaces
        self._arms = arms
        self._ranked = ranked

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """The parameters of the trial's arm, as the study's definition has them."""
        return dict(self._spaces.get(str(arm_of(trial)), {}))

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """A point of the arm's space; nothing while the inner sampler leaves it to chance."""
        if not search_space:
            return {}
        view = self._view(study, trial)
        if isinstance(self.inner, internals.CostAwareTPE):
            arm = self._arms[str(arm_of(trial))]
            self.inner.cost = costing.cost_of(arm, search_space, view.get_trials())
        return self.inner.sample_relative(view, trial, search_space)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """One parameter on its own."""
        view = self._view(study, trial)
        return self.inner.sample_independent(view, trial, param_name, param_distribution)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """As the inner sampler has it."""
        self.inner.before_trial(study, trial)

    def after_trial(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """As the inner sampler has it."""
        self.inner.after_trial(study, trial, state, values)

    def reseed_rng(self) -> None:
        """As the inner sampler has it."""
        self.inner.reseed_rng()

    def _view(self, study: optuna.Study, trial: FrozenTrial) -> Any:
        return internals.View(study, partial(self._seen, study, arm_of(trial)))

    def _seen(self, study: optuna.Study, arm: str | None) -> list[FrozenTrial]:
        trials = [t for t in study.get_trials(deepcopy=False) if t.params.get(ARM) == arm]
        if not self._ranked:
            return trials
        running = [t for t in trials if t.state == TrialState.RUNNING]
        return [
            create_trial(
                state=TrialState.COMPLETE,
                value=value,
                params=trial.params,
                distributions=trial.distributions,
            )
            for trial, value in scored(study.direction, trials)
        ] + running


def scored(
    direction: StudyDirection, trials: Sequence[FrozenTrial]
) -> list[tuple[FrozenTrial, float]]:
    """An arm's finished trials, each with a score by which it can be compared with the others.

    One that was pruned, or breaks a bound, counts as the worst that was reached within the bounds:
    it was ended for being behind, and the score it was ended at is one of less training.
    """
    values = {t.number: t.value for t in trials if good(t) and t.value is not None}
    if not values:
        return []
    worst = (min if direction == StudyDirection.MAXIMIZE else max)(values.values())
    return [(t, values.get(t.number, worst)) for t in trials if t.state in FINISHED]


class Evolution(BaseSampler):
    """CMA-ES over the ranges of one arm, by `cmaes` (Hansen, 2016, arXiv:1604.00772).

    Optuna's own sampler keeps its state pickled in the storage and loads whatever lies there, and
    a storage may be a stranger's. Here the state is made anew from the trials each time, which are
    all that it depends on: it begins at the best of an arm's first trials, known-good points among
    them, and is told the later ones in the order of their numbers, a population at a time.

    Args:
        startup: finished trials of an arm before it begins.
        seed: of the point that is drawn next.
    """

    def __init__(self, startup: int, seed: int) -> None:
        self._startup = max(1, startup)
        self._seed = seed
        self._random = optuna.samplers.RandomSampler(seed=seed)

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """None of its own: it is told the arm's."""
        return {}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The next point, all ranges together."""
        from cmaes import CMA

        # Choices are there where a space is finite, and every point of it was tried.
        ranges = {
            name: one
            for name, one in search_space.items()
            if not isinstance(one, CategoricalDistribution)
        }
        sign = -1 if study.direction == StudyDirection.MAXIMIZE else 1
        told = [
            (_unit(found.params, ranges), sign * value)
            for found, value in scored(study.direction, study.get_trials(deepcopy=False))
            if ranges.keys() <= found.params.keys()
        ]
        if not ranges or len(told) < self._startup:
            return {}
        first, later = told[: self._startup], told[self._startup :]
        dimensions = len(ranges)
        state = CMA(
            mean=min(first, key=lambda one: one[1])[0],
            sigma=_STEP,
            bounds=np.tile([0.0, 1.0], (dimensions, 1)),
            n_max_resampling=10 * dimensions,
            seed=self._seed,
        )
        size = state.population_size
        for begin in range(0, len(later) - size + 1, size):
            state.tell(later[begin : begin + size])
        drawn = zip(state.ask().tolist(), ranges.items(), strict=True)
        return {name: at(part, one) for part, (name, one) in drawn}

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """At random, before it begins."""
        return self._random.sample_independent(study, trial, param_name, param_distribution)


def _unit(params: Mapping[str, Any], space: Space) -> np.ndarray:
    """A point within the unit cube; float64 [dimensions]."""
    return np.array([share(params[name], dimension) for name, dimension in space.items()])
