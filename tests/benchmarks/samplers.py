"""How far each sampler comes within an arm: on simulated searches whose truth is known.

Arms have three ranges, a point known to be good first, cliffs, noise. Told is how far the truth at
an arm's best trial lies below the arm's top, the mean over arms, after so many trials of each;
beside the suite's TPE, which sees the whole study in groups, one that is shown one arm alone. Then
the same after so many seconds, where a trial takes up to eight times as long by one hyperparameter,
with and without improvement per second.

    python -m tests.benchmarks samplers

Sized by SUITE_BENCH_STUDIES.
"""

import json
import math
import os
import time
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import optuna

from suite.config.recipe import Recipe
from suite.machine import facts
from suite.models.catalogue import load_catalogue
from suite.study import sampling, search
from suite.study.definition import StoredArm
from tests.benchmarks.common import RESULTS

STUDIES = int(os.environ.get("SUITE_BENCH_STUDIES", "20"))
ARMS = 4
ROUNDS = (4, 8, 16)
ALONE = "tpe of one arm"
PER_SECOND = {"name": "tpe", "per_second": True}
KINDS = {"random": "random", "qmc": "qmc", "tpe": "tpe", ALONE: "tpe", "gp": "gp",
         "cmaes": "cmaes", "tpe per second": PER_SECOND}  # fmt: skip
#: What a point's depth makes it take, in the mean: of 8 ** u, u from 0 to 1.
MEAN_SECONDS = 7 / float(np.log(8))
#: Sampler, and whether its rounds are counted in seconds.
ROWS = [*((name, False) for name in KINDS if name != "tpe per second"),
        ("random", True), ("tpe", True), ("tpe per second", True)]  # fmt: skip

DIMENSIONS = {
    "rate": {"low": 1e-5, "high": 1e-3, "log": True},
    "share": {"low": 0.0, "high": 1.0},
    "depth": {"low": 1, "high": 9},
}


@dataclass
class Arm:
    """An arm whose truth is known."""

    name: str
    top: float
    at: np.ndarray
    steep: float
    cliff: float
    noise: float
    seconds: float

    def truth(self, point):
        """What it scores at a point of the unit cube, but for noise."""
        if point[0] > self.cliff:
            return 0.25
        return max(0.25, self.top - self.steep * float(((point - self.at) ** 2).sum()))


def drawn(random, arms, gap):
    """Arms: half of them much alike in how they answer to hyperparameters, half of them not."""
    return [
        Arm(
            name=f"{chr(97 + i)}/toy",
            top=0.9 - abs(random.normal(0, gap)),
            at=random.uniform(0.2, 0.8, 3),
            steep=float(np.exp(random.normal(math.log(0.08), 1.0))),
            cliff=random.choice([1.1, random.uniform(0.85, 1.0)]),
            noise=float(random.choice([0.0, 0.003, 0.008])),
            seconds=float(np.exp(random.normal(0, 1.5))),
        )
        for i in range(arms)
    ]


def unit(params):
    """A point as one of the unit cube."""
    return np.array(
        [math.log(params["rate"] / 1e-5) / math.log(100), params["share"],
         (params["depth"] - 1) / 8]
    )  # fmt: skip


def regrets(name, seed, *, by_seconds=False):
    """[rounds][arms]: how far below its top each arm's best trial truly is.

    Args:
        by_seconds: a trial takes up to eight times as long by its depth, and rounds are counted in
            the seconds that they take in the mean.
    """
    random = np.random.default_rng(seed)
    arms = drawn(random, ARMS, 0.03)
    model = load_catalogue()["tfidf"]
    stored = []
    for arm in arms:
        near = np.clip(arm.at + random.normal(0, 0.2, 3), 0, 1)
        good = {"rate": 1e-5 * 100 ** float(near[0]), "share": float(near[1]),
                "depth": 1 + round(8 * float(near[2]))}  # fmt: skip
        stored.append(StoredArm(name=arm.name, model=model, strategy="probe",
                                dimensions=DIMENSIONS, known_good=[good]))  # fmt: skip
    named = Recipe(name="r", arms=["a/b"], sampler=KINDS[name])
    definition = SimpleNamespace(
        name="t", seed=seed, runnable=stored, recipe=named,
        arm=lambda wanted: next(arm for arm in stored if arm.name == wanted),
    )  # fmt: skip
    study = optuna.create_study(direction="maximize")
    best, found, spent, step = {arm.name: (-1.0, 0.0) for arm in arms}, [], 0.0, 0
    while len(found) < len(ROUNDS):
        arm = arms[step % ARMS]
        fixed, attributes = search.next_point(
            definition, study.get_trials(deepcopy=False), [arm.name]
        )
        study.enqueue_trial(fixed, user_attrs=attributes)
        study.sampler = sampling.sampler(definition, step)
        if name == ALONE:
            inner = optuna.samplers.TPESampler(
                n_startup_trials=math.ceil(10 / ARMS), multivariate=True, seed=seed + step
            )
            study.sampler = sampling.alone(definition, inner)
        trial = study.ask()
        _, params = search.suggest(trial, definition)
        truth = arm.truth(unit(params))
        score = truth + random.normal(0, 0.004) + random.normal(0, arm.noise)
        seconds = 8.0 ** float(unit(params)[2])
        trial.set_user_attr("train_seconds", seconds * float(np.exp(random.normal(0, 0.1))))
        study.tell(trial, score)
        best[arm.name] = max(best[arm.name], (score, truth))
        step, spent = step + 1, spent + (seconds if by_seconds else MEAN_SECONDS)
        while len(found) < len(ROUNDS) and spent >= ROUNDS[len(found)] * ARMS * MEAN_SECONDS - 1e-6:
            found.append([one.top - best[one.name][1] for one in arms])
    return found


def main():
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    shown = []
    for name, by_seconds in ROWS:
        begun = time.perf_counter()
        every = np.array([regrets(name, seed, by_seconds=by_seconds) for seed in range(STUDIES)])
        took = time.perf_counter() - begun
        means = every.mean(axis=(0, 2))
        errors = every.mean(axis=2).std(axis=0, ddof=1) / STUDIES**0.5
        shown.append(
            {
                "sampler": name,
                "by_seconds": by_seconds,
                "studies": STUDIES,
                "below_top": dict(zip(map(str, ROUNDS), means.round(5).tolist())),
                "standard_error": dict(zip(map(str, ROUNDS), errors.round(5).tolist())),
                "seconds_a_proposal": took / (STUDIES * ARMS * max(ROUNDS)),
            }
        )
        told = ", ".join(f"{n}: {m:.4f} ± {e:.4f}" for n, m, e in zip(ROUNDS, means, errors))
        print(f"{name + ', by seconds' * by_seconds:24} below the top after {told}; "
              f"{shown[-1]['seconds_a_proposal']:.3f} s a proposal", flush=True)  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "samplers.json").write_text(
        json.dumps(
            {
                "benchmark": "samplers",
                "date": time.strftime("%Y-%m-%d"),
                "rows": shown,
                "environment": facts.environment(),
            },
            indent=1,
        )
    )
