"""Who proposes: all of an arm's parameters together, most samplers from that arm's trials alone."""

import json
import math
import pickle
from types import SimpleNamespace

import numpy as np
import optuna
import pytest
from conftest import command_line as suite
from conftest import write_recipe
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState
from test_recipe import recipe, refusal

from suite.config.recipe import Recipe, Sampler
from suite.contracts.space import Choice, Fixed, Float, Int, Space
from suite.errors import RecipeError, StudyError
from suite.models.catalogue import load_catalogue
from suite.study import costing, registry, sampling, search
from suite.study.definition import StoredArm

RANGES = {
    "rate": {"low": 1e-4, "high": 1.0, "log": True},
    "share": {"low": 0.0, "high": 1.0},
    "depth": {"low": 1, "high": 9},
}
CHOICE = {"mode": ["left", "right"]}


def definition(name, *, startup=4, dimensions=RANGES, seed=0, arms="ab", per_second=False):
    model = load_catalogue()["tfidf"]
    made = [
        StoredArm(name=f"{arm}/toy", model=model, strategy="toy", dimensions=dimensions)
        for arm in arms
    ]
    sampler = {"name": name, "startup_trials": startup, "per_second": per_second}
    return SimpleNamespace(
        name="t", seed=seed, runnable=made,
        recipe=Recipe(name="r", arms=["a/toy"], sampler=sampler),
        arm=lambda wanted: next(arm for arm in made if arm.name == wanted),
    )  # fmt: skip


def score(arm, params):
    """Best at .01, .3 and 4; the second arm lies far below the first."""
    off = abs(math.log10(params["rate"]) + 2) / 2 + abs(params["share"] - 0.3)
    return (0.9 if arm == "a/toy" else 0.5) - 0.1 * (off + abs(params.get("depth", 4) - 4) / 8)


def another(study):
    """A study as another process opens it."""
    return optuna.load_study(study_name=study.study_name, storage=study._storage)


def searched(found, trials, study=None, judge=None, begin=0, only=None):
    """A study whose arms take turns, or of `only` one; (arm, parameters) of each trial, and how
    many of these were drawn together."""
    study = study or optuna.create_study(direction="maximize")
    points, together = [], []
    for number in range(begin, begin + trials):
        arm = only or found.runnable[number % len(found.runnable)].name
        study.enqueue_trial({"arm": arm})
        study.sampler = sampling.sampler(found, len(study.trials))
        trial = study.ask()
        chosen, params = search.suggest(trial, found)
        assert chosen.name == arm
        points.append((arm, params))
        together.append(sum(name.startswith(arm) for name in trial.relative_params))
        if judge is None:
            study.tell(trial, score(arm, params))
        else:
            judge(study, trial, arm, params)
    return study, points, together


@pytest.mark.parametrize(
    ("name", "joint"), [("tpe", 4), ("gp", 4), ("cmaes", 3), ("qmc", 4), ("random", 0)]
)
def test_all_parameters_of_an_arm_are_drawn_together_and_follow_the_seed(name, joint):
    """Also where another process goes on: the state of a sampler is not carried over."""
    dimensions = RANGES if name == "cmaes" else RANGES | CHOICE
    found = definition(name, dimensions=dimensions)
    _, whole, together = searched(found, 10)
    first = 0 if name == "qmc" else 4
    assert together == [0] * first + [joint] * (10 - first)
    assert len({json.dumps(one) for one in whole}) == 10
    for _, params in whole:
        assert 1e-4 <= params["rate"] <= 1 and 0 <= params["share"] <= 1
        assert params["depth"] in range(1, 10) and isinstance(params["depth"], int)
    begun, points, _ = searched(found, 7)
    _, rest, _ = searched(found, 3, another(begun), begin=7)
    assert points + rest == whole
    _, other, _ = searched(definition(name, dimensions=dimensions, seed=1), 5)
    assert all(one != two for one, two in zip(other, whole, strict=False))


@pytest.mark.parametrize("name", ["gp", "cmaes"])
def test_shown_the_whole_study_the_same_samplers_draw_nothing_together(name):
    """What the wrapper is for: the intersection of all trials' spaces is `arm`."""
    found = definition(name)
    study, _, _ = searched(found, 8)
    if name == "gp":
        study.sampler = optuna.samplers.GPSampler(
            seed=0, n_startup_trials=2, warn_independent_sampling=False
        )
    else:
        study.sampler = optuna.samplers.CmaEsSampler(seed=0, warn_independent_sampling=False)
    study.enqueue_trial({"arm": "a/toy"})
    trial = study.ask()
    assert set(trial.relative_search_space or study.sampler.infer_relative_search_space(
        study, trial._cached_frozen_trial)) <= {"arm"}  # fmt: skip


@pytest.mark.parametrize("name", ["gp", "cmaes"])
def test_a_model_of_one_arm_finds_its_best_also_of_an_arm_that_lies_below(name):
    trials = 12 if name == "gp" else 24

    def best(sampler, seed):
        found = definition(sampler, seed=seed, startup=6)
        study, _, _ = searched(found, 6)
        searched(found, trials, study, only="b/toy")
        return max(t.value for t in study.trials if t.params["arm"] == "b/toy")

    ours = [best(name, seed) for seed in range(3)]
    chance = [best("random", seed) for seed in range(3)]
    assert sum(ours) > sum(chance), (ours, chance)


def test_tpe_sees_the_whole_study_unless_it_reckons_in_seconds():
    whole = sampling.sampler(definition("tpe"), 0)
    assert isinstance(whole, optuna.samplers.TPESampler)
    apart = sampling.sampler(definition("tpe", per_second=True), 0)
    assert isinstance(apart, sampling.ArmSampler)
    assert isinstance(apart.inner, optuna.samplers.TPESampler)


def test_pruned_and_infeasible_trials_count_as_the_worst_that_was_reached():
    study = optuna.create_study(direction="maximize")
    space = {"arm": CategoricalDistribution(["a/toy"])}
    values = {"good": 0.8, "poor": 0.6, "slow": 0.9, "ended": 0.2}
    for what, value in values.items():
        study.enqueue_trial({"arm": "a/toy"}, user_attrs={"what": what})
        trial = study.ask(space)
        if what == "ended":
            trial.report(value, 20)
            study.tell(trial, state=TrialState.PRUNED)
            continue
        trial.set_constraint("seconds", 1.0 if what == "slow" else -1.0)
        study.tell(trial, value)
    study.enqueue_trial({"arm": "a/toy"})
    study.ask(space)
    found = sampling.scored(study.direction, study.trials)
    told = {trial.user_attrs["what"]: value for trial, value in found}
    assert told == {"good": 0.8, "poor": 0.6, "slow": 0.6, "ended": 0.6}
    assert sampling.scored(study.direction, study.trials[2:]) == []


@pytest.mark.parametrize("name", ["gp", "cmaes"])
def test_where_trials_were_pruned_is_not_come_back_to(name):
    def judge(study, trial, arm, params):
        if params["share"] > 0.5:
            trial.report(0.1, 20)
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, score(arm, params))

    _, points, _ = searched(definition(name, arms="a"), 24, judge=judge)
    late = [params["share"] for _, params in points[12:]]
    assert sum(share > 0.5 for share in late) <= 4, late


def test_cma_es_keeps_no_state_in_the_storage(monkeypatch):
    """Optuna's own loads a pickle from the storage, and a storage may be a stranger's."""

    def never(*_):
        raise AssertionError("a pickle was loaded")

    monkeypatch.setattr(pickle, "loads", never)
    study, _, together = searched(definition("cmaes", arms="a"), 30)
    assert together[-1] == 3
    assert not any("cma" in key for trial in study.trials for key in trial.system_attrs)


def test_cma_es_begins_at_the_best_of_the_first_trials():
    found = definition("cmaes", arms="a", startup=2)
    study = optuna.create_study(direction="maximize")
    for share, rate in ((0.9, 0.5), (0.3, 0.01)):
        study.enqueue_trial({"arm": "a/toy", "a/toy:share": share, "a/toy:rate": rate,
                             "a/toy:depth": 4})  # fmt: skip
        trial = study.ask()
        _, params = search.suggest(trial, found)
        study.tell(trial, score("a/toy", params))
    _, points, _ = searched(found, 24, study)
    near = sorted(abs(params["share"] - 0.3) for _, params in points)
    assert near[12] < 0.2


def test_one_range_alone_is_searched_by_cma_es_too():
    found = definition("cmaes", arms="a", dimensions={"rate": RANGES["rate"], "share": 0.3})
    _, points, together = searched(found, 20)
    assert together[-1] == 1 and len({p["rate"] for _, p in points}) == 20


def test_cma_es_leaves_choices_to_chance_where_every_point_was_tried():
    found = definition("cmaes", arms="a", startup=1, dimensions=CHOICE)
    _, points, together = searched(found, 6, judge=lambda study, trial, *_: study.tell(trial, 0.5))
    assert {params["mode"] for _, params in points} == {"left", "right"}
    assert together == [0] * 6


@pytest.mark.parametrize("name", ["tpe", "cmaes", "qmc"])
def test_samplers_know_their_arm_also_where_hyperband_deals_trials_to_brackets(name):
    study = optuna.create_study(
        direction="maximize", pruner=optuna.pruners.HyperbandPruner(20, 100)
    )
    _, _, together = searched(definition(name, startup=2), 16, study)
    assert max(together) == 3


# ---------------------------------------------------------------- the recipe


def test_a_sampler_is_one_line_of_a_recipe():
    assert recipe("sampler: gp\n").sampler == Sampler(name="gp")
    assert recipe("sampler: {name: qmc}\n").sampler.name == "qmc"
    told = refusal("sampler: gpp\n")
    assert "sampler.name" in told and "'gp'" in told and "line 4" in told
    assert "sampler: keys with values are expected, not 5" in refusal("sampler: 5\n")


def test_who_sees_one_arm_alone_can_not_choose_the_arm():
    told = refusal("sampler: gp\nallocation: adaptive\n")
    assert "gp is shown one arm alone; use allocation: equal" in told
    assert recipe("sampler: tpe\nallocation: adaptive\n").allocation == "adaptive"
    with pytest.raises(RecipeError, match="qmc is shown one arm alone"):
        recipe("allocation: adaptive\n").sampled_by("qmc")


def test_another_sampler_changes_nothing_else_of_a_recipe():
    made = recipe("trials: 7\nsampler: {startup_trials: 3}\nseed: 5\n".replace("trials: 7\n", ""))
    other = made.sampled_by("gp")
    assert other.sampler == Sampler(name="gp", startup_trials=3)
    assert made.sampled_by(None) is made and made.sampled_by("tpe") is made
    assert other.model_fields_set == made.model_fields_set
    left = {"sampler": None}
    assert other.model_dump() | left == made.model_dump() | left


def test_cma_es_refuses_choices_with_what_would_work():
    rate = Float(1e-4, 1.0, log=True)
    cmaes = Sampler(name="cmaes")
    told = cmaes.refuses(Space({"rate": rate, "mode": Choice((1, 2)), "way": Choice(("a", "b"))}))
    assert told is not None and "choices: mode, way;" in told and "tpe, gp or qmc" in told
    fine = Space({"rate": rate, "one": Choice((1,)), "fixed": Fixed(3), "depth": Int(1, 4)})
    assert cmaes.refuses(fine) is None
    # Each point of a finite space has its turn, and no sampler is asked.
    assert cmaes.refuses(Space({"mode": Choice((1, 2))})) is None
    assert Sampler(name="gp").refuses(Space({"rate": rate, "mode": Choice((1, 2))})) is None


# ---------------------------------------------------------------- the command


def shown(name):
    return json.loads(suite("study", "show", name, "--json").stdout)


NOISE = {"*/toy": {"noise": {"low": 0.05, "high": 0.4}, "seconds": {"low": 0.0, "high": 0.01}}}


def test_the_command_names_a_sampler_and_goes_on_with_it(folder, toy_task):
    path = write_recipe(folder, trials=1, spaces=NOISE, arms=["tfidf/toy"])
    create = ("study", "create", toy_task, "--recipe", path, "--name", "t")
    suite(*create, "--sampler", "qmc")
    suite(*create, "--trials", "2")  # says nothing of it, and goes on
    found = shown("t")
    assert found["sampler"] == "qmc, seed 0"
    assert len({t["params"]["noise"] for t in found["trials"]}) == 2
    told = suite(*create, "--sampler", "gp", code=2)
    assert "--sampler: stored qmc, now gp" in told.stderr


def test_cma_es_over_choices_alone_is_refused_before_anything_is_made(folder, toy_task):
    spaces = {"*/toy": {"noise": {"low": 0.05, "high": 0.4}, "behaviour": ["good", "oom"]}}
    path = write_recipe(folder, spaces=spaces, sampler="cmaes")
    told = suite("study", "create", toy_task, "--recipe", path, "--name", "t", code=2)
    assert "these are choices: behaviour" in told.stderr.replace("\n", " ")
    assert not (folder / "studies" / "suite.db").exists()


def test_two_workers_are_proposed_points_of_a_model(folder, toy_task):
    sampler = {"name": "gp", "startup_trials": 2}
    path = write_recipe(folder, trials=6, spaces=NOISE, sampler=sampler)
    suite("study", "create", toy_task, "--recipe", path, "--name", "t", "--workers", "2")
    found = shown("t")
    assert [t["state"] in ("COMPLETE", "PRUNED") for t in found["trials"]] == [True] * 6
    assert found["sampler"] == "gp, 2 random trials first, seed 0"


# ---------------------------------------------------------------- what points take


def finished(params, took, state=TrialState.COMPLETE, share=100):
    """A trial that ended after a share of its budget, and took so many seconds until then."""
    found = search.distributions(definition("tpe", dimensions=RANGES | CHOICE).runnable[0])
    space = {f"a/toy:{key}": dimension for key, dimension in found.items()}
    return optuna.trial.create_trial(
        state=state, value=0.5, params={f"a/toy:{k}": v for k, v in params.items()},
        distributions=space, user_attrs={"train_seconds": took}, intermediate_values={share: 0.5},
    )  # fmt: skip


def point(**changes):
    return {"rate": 0.01, "share": 0.5, "depth": 5, "mode": "left"} | changes


def test_seconds_of_a_pruned_trial_are_those_of_its_whole_budget():
    assert costing.seconds(finished(point(), 8.0)) == 8.0
    assert costing.seconds(finished(point(), 2.0, TrialState.PRUNED, 20)) == 10.0
    assert costing.seconds(finished(point(), 0.0)) is None
    failed = optuna.trial.create_trial(state=TrialState.FAIL, user_attrs={"train_seconds": 3.0})
    assert costing.seconds(failed) is None


def test_what_points_take_is_learnt_from_trials():
    found = definition("tpe", dimensions=RANGES | CHOICE)
    arm = found.runnable[0]
    space = {f"a/toy:{key}": one for key, one in search.distributions(arm).items()}
    # Twice as long in the other mode, and eight times from one end of depth to the other.
    trials = [
        finished(point(depth=depth, mode=mode, share=0.1 * depth),
                 2 ** ((depth - 1) * 3 / 8) * (2 if mode == "right" else 1))
        for depth in range(1, 10) for mode in ("left", "right") for _ in range(3)
    ]  # fmt: skip

    def cost(cost_of, **changes):
        params = {f"a/toy:{key}": value for key, value in point(**changes).items()}
        return float(cost_of({n: np.array([space[n].to_internal_repr(v)])
                              for n, v in params.items()})[0])  # fmt: skip

    learnt = costing.cost_of(arm, space, trials)
    apart = cost(learnt, mode="right") - cost(learnt, mode="left")
    assert apart == pytest.approx(math.log(2), abs=0.15)
    far = cost(learnt, depth=9, share=0.9) - cost(learnt, depth=1, share=0.1)
    assert far == pytest.approx(math.log(8), abs=0.3)
    few = costing.cost_of(arm, space, trials[:2])
    assert cost(few, mode="right") == cost(few, mode="left")


def test_of_equally_good_points_those_come_first_that_take_less():
    def mean_depth(per_second, seed):
        found = definition("tpe", seed=seed, arms="a", per_second=per_second)

        def judge(study, trial, arm, params):
            trial.set_user_attr("train_seconds", 4.0 ** params["depth"])
            study.tell(trial, score(arm, params | {"depth": 4}))  # depth is of no use

        _, points, _ = searched(found, 24, judge=judge)
        late = points[8:]
        return sum(params["depth"] for _, params in late) / len(late)

    cheap = [mean_depth(True, seed) for seed in range(4)]
    plain = [mean_depth(False, seed) for seed in range(4)]
    assert sum(cheap) / 4 < sum(plain) / 4 - 1, (cheap, plain)


def test_improvement_per_second_is_of_tpe_alone():
    assert recipe("sampler: {per_second: true}\n").sampler.per_second
    told = refusal("sampler: {name: gp, per_second: true}\n")
    assert "per_second weighs what tpe proposes" in told
    told = refusal("sampler: {per_second: true}\nallocation: adaptive\n")
    assert "per_second knows what points of one arm take" in told
    with pytest.raises(RecipeError, match="gp proposes otherwise"):
        recipe("sampler: {per_second: true}\n").sampled_by("gp")


# ---------------------------------------------------------------- OptunaHub's, from a local copy

HUB = "import optuna\n\n\nclass Mine(optuna.samplers.RandomSampler):\n    '''A sampler.'''\n"


@pytest.fixture
def copy(folder, monkeypatch):
    """Writes packages into a registry that the environment names."""

    def put(name, text):
        home = folder / "hub" / "package" / "samplers" / name
        home.mkdir(parents=True)
        (home / "__init__.py").write_text(text)

    monkeypatch.setenv("SUITE_OPTUNAHUB", str(folder / "hub"))
    return put


def test_a_sampler_of_optunahub_comes_from_the_named_copy_alone(
    folder, toy_task, copy, monkeypatch
):
    copy("mine", HUB)
    sampler = {"name": "optunahub", "package": "samplers/mine"}
    path = write_recipe(folder, trials=1, spaces=NOISE, sampler=sampler, arms=["tfidf/toy"])
    create = ("study", "create", toy_task, "--recipe", path, "--name")
    suite(*create, "t")
    found = shown("t")
    assert found["sampler"] == "samplers/mine, seed 0" and len(found["trials"]) == 1
    # Without one nothing is run, neither of a new study nor of one that is there.
    monkeypatch.delenv("SUITE_OPTUNAHUB")
    for words in ((*create, "u"), ("study", "run", "t", "--trials", "2")):
        told = suite(*words, code=2)
        assert "no copy of its registry is named" in told.stderr.replace("\n", " ")
    suite("study", "run", "t", "--trials", "1")  # where nothing is missing, nobody is asked


@pytest.mark.parametrize(
    ("package", "said"),
    [
        ("samplers/other", "no package samplers/other"),
        ("samplers/broken", "does not run here: ModuleNotFoundError: No module named 'nowhere'"),
        ("samplers/two", "which sampler of samplers/two"),
        ("samplers/two:Third", "Third of samplers/two"),
        ("samplers/none", "It has no sampler"),
    ],
)
def test_what_a_copy_does_not_have_is_one_message(copy, package, said):
    copy("broken", "import nowhere\n")
    copy("two", HUB + HUB.replace("Mine", "Other"))
    copy("none", "from optuna.samplers import RandomSampler\n")
    with pytest.raises(StudyError) as found:
        registry.load(package, 0)
    assert said in f"{found.value.what} {found.value.fix}"
    assert type(registry.load("samplers/two:Other", 7)).__name__ == "Other"


def test_no_package_lies_outside_the_copy(folder, copy):
    copy("mine", HUB)
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "__init__.py").write_text("raise SystemExit")
    (folder / "hub" / "package" / "samplers" / "link").symlink_to(folder / "elsewhere")
    with pytest.raises(StudyError, match="no package samplers/link"):
        registry.load("samplers/link", 0)
    for package in ("samplers/../../../elsewhere", "/elsewhere", "samplers/a/b", "samplers/a:b.c"):
        assert "package" in refusal(f"sampler: {{name: optunahub, package: {package!r}}}\n")


def test_a_package_is_named_for_optunahub_alone():
    assert "a package is named for optunahub" in refusal("sampler: optunahub\n")
    assert "a package is named" in refusal("sampler: {name: gp, package: samplers/x}\n")
    made = recipe("sampler: {name: optunahub, package: samplers/x}\n")
    assert made.sampled_by("gp").sampler == Sampler(name="gp")
