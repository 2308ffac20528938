"""Recipe files and search spaces: the schema, globs, overrides, hostile bounds."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suite import paths
from suite.config import yamlfile
from suite.config.recipe import Recipe, find_recipe
from suite.contracts.space import (
    Choice,
    Fixed,
    Float,
    Int,
    Space,
    contains,
    dump_dimension,
    parse_dimension,
)
from suite.errors import RecipeError, YamlError

GOOD = """\
name: mine
arms: ["tfidf/*", tiny-bert/linear_head]
trials: 12
"""


def recipe(extra="", **replaced):
    text = GOOD
    for key, value in replaced.items():
        text = "\n".join(
            f"{key}: {value}" if line.startswith(f"{key}:") else line for line in text.splitlines()
        )
    return yamlfile.validate(f"{text.rstrip()}\n{extra}", Recipe, "mine.yaml")


def refusal(extra="", **replaced):
    with pytest.raises(YamlError) as caught:
        recipe(extra, **replaced)
    return str(caught.value)


DEFAULT = Space(
    {
        "learning_rate": Float(1e-5, 1e-3, log=True),
        "batch": Choice((16, 32, 64)),
        "layers": Int(1, 8),
        "warmup": Fixed(0.1),
    },
    (
        {"learning_rate": 2e-5, "batch": 32, "layers": 2},
        {"learning_rate": 1e-4, "batch": 16, "layers": 8},
    ),
)


# --- recipes --------------------------------------------------------------------------------


def test_a_recipe_with_its_defaults():
    made = recipe()
    assert (made.trials, made.allocation, made.seed) == (12, "equal", 0)
    assert (made.budget.epochs, made.budget.checkpoints) == (2, 5)
    assert (made.pruner.name, made.pruner.scope, made.pruner.startup_trials) == ("median", "arm", 2)
    assert (made.sampler.name, made.finals.seeds, made.measure.seconds) == ("tpe", 3, 3)
    assert made.preflight is True


@pytest.mark.parametrize(
    ("extra", "replaced", "expected"),
    [
        ("", {"arms": "[]"}, "line 2: arms: list should have at least 1 item"),
        ("", {"arms": "[tfidf]"}, "an arm is model/strategy, not 'tfidf'"),
        ("", {"arms": "[a/b/c]"}, "an arm is model/strategy, not 'a/b/c'"),
        ("", {"arms": "tfidf/*"}, "line 2: arms"),
        ("", {"trials": "0"}, "line 3: trials: input should be greater than or equal to 1, not 0"),
        ("", {"trials": "a few"}, "line 3: trials"),
        ("", {"name": "Mine!"}, "line 1: name: 'Mine!' is no name"),
        ("trails: 3\n", {}, "unknown key 'trails'\nDid you mean 'trials'?"),
        ("budget: {epoch: 3}\n", {}, "unknown key 'epoch'\nDid you mean 'epochs'?"),
        ("budget: {epochs: 0}\n", {}, "budget.epochs"),
        ("budget: {epochs: .inf}\n", {}, "budget.epochs"),
        ("budget: {overrides: {'a/*': 0}}\n", {}, "'a/*': epochs must lie above 0"),
        ("pruner: {name: hyperband}\n", {}, "cannot be shown one arm alone; use scope: study"),
        ("pruner: {percentile: 100}\n", {}, "pruner.percentile"),
        ("bounds: {min_rps: -1}\n", {}, "bounds.min_rps"),
        ("bounds: {min_rps: .inf}\n", {}, "finite"),
        ("finals: {seeds: 0}\n", {}, "finals.seeds"),
        ("allocation: fair\n", {}, "allocation: input should be 'equal' or 'adaptive', not 'fair'"),
        ("spaces: {'a/b': {x: {low: 1}}}\n", {}, "a range has low, high"),
        ("spaces: {'a/b': {x: []}}\n", {}, "a choice needs at least one plain value"),
        ("spaces: {'a/b': {x: {low: '1e-5', high: 1}}}\n", {}, "must be a number, not '1e-5'"),
        ("spaces: {'a/b': 3}\n", {}, "spaces.a/b"),
        ("spaces: [a]\n", {}, "line 4: spaces"),
    ],
)
def test_a_bad_recipe_names_key_and_line(extra, replaced, expected):
    message = refusal(extra, **replaced)
    assert expected in message
    assert message.startswith("mine.yaml, line ")


@pytest.mark.parametrize("spelled", ["1e-5", "1E-5", "1.e-5", "+1e-5", "1.0e-5", ".1e-4"])
def test_a_number_with_an_exponent_is_a_number(spelled):
    made = recipe(
        f"max_trial_seconds: {spelled}\n"
        "spaces:\n"
        "  'a/b':\n"
        f"    x: {spelled}\n"
        f"    y: {{low: {spelled}, high: 1e2}}\n"
        f"    z: [{spelled}, '{spelled}']\n"
    )
    assert made.max_trial_seconds == 1e-5
    assert made.spaces["a/b"] == {
        "x": 1e-5,
        "y": {"low": 1e-5, "high": 100.0},
        "z": [1e-5, spelled],
    }
    assert recipe("seed: 1e2\n").seed == 100
    assert recipe("description: 1e2\n").description == "1e2"


def test_hyperband_with_the_whole_study_is_taken():
    assert recipe("pruner: {name: hyperband, scope: study}\n").pruner.name == "hyperband"


def test_epochs_of_arms_later_globs_win():
    made = recipe("budget: {epochs: 2, overrides: {'tiny-*/*': 4, '*/linear_head': 3}}\n")
    assert made.epochs_for("tfidf/classic") == 2
    assert made.epochs_for("tiny-bert/probe") == 4
    assert made.epochs_for("tiny-bert/linear_head") == 3


def test_spaces_override_by_glob():
    made = recipe(
        "spaces:\n"
        "  '*/linear_head': {learning_rate: {low: 1.0e-5, high: 5.0e-5, log: true}, batch: 32}\n"
        "  'tiny-bert/linear_head': {layers: [2, 4]}\n"
    )
    space = made.space_for("tiny-bert/linear_head", DEFAULT)
    assert space.dimensions == {
        "learning_rate": Float(1e-5, 5e-5, log=True),
        "batch": Fixed(32),
        "layers": Choice((2, 4)),
        "warmup": Fixed(0.1),
    }
    # A known-good point keeps the values that still lie inside, and no more.
    assert space.known_good == ({"learning_rate": 2e-5, "batch": 32, "layers": 2}, {})
    assert made.space_for("tfidf/classic", DEFAULT) == DEFAULT


def test_an_unknown_hyperparameter_names_the_nearest():
    made = recipe("spaces: {'tiny-bert/linear_head': {learning_rat: 1}}\n")
    with pytest.raises(RecipeError) as caught:
        made.space_for("tiny-bert/linear_head", DEFAULT)
    assert "unknown hyperparameter 'learning_rat'" in str(caught.value)
    assert "Did you mean 'learning_rate'?" in str(caught.value)
    # Under a glob over everything, a name that this strategy lacks is another's.
    assert recipe("spaces: {'*/*': {learning_rat: 1}}\n").space_for("a/b", DEFAULT) == DEFAULT


def test_recipes_are_found_by_name_and_by_path(folder):
    (folder / "mine.yaml").write_text(GOOD)
    assert find_recipe("./mine.yaml")[0].trials == 12
    (folder / "studies").mkdir()
    (folder / "studies" / "other.yaml").write_text(GOOD)
    with pytest.raises(YamlError, match="'mine' in a file called other"):
        find_recipe("other")
    with pytest.raises(RecipeError, match="unknown recipe 'othr'") as caught:
        find_recipe("othr")
    assert "Did you mean 'other'?" in str(caught.value)


@pytest.mark.parametrize("name", sorted(paths.yaml_files("studies")) or ["none"])
def test_shipped_recipes_are_whole(name):
    if name == "none":
        pytest.skip("no recipe is shipped yet")
    made, file = find_recipe(name)
    assert made.name == file.stem
    first = file.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../suite/config/schemas/recipe.schema.json"


# --- spaces ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"low": 0.1, "high": 1}, Float(0.1, 1.0)),
        ({"low": 1, "high": 8}, Int(1, 8)),
        ({"low": 1, "high": 9, "step": 2}, Int(1, 9, 2)),
        ({"low": 1, "high": 64, "log": True}, Int(1, 64, log=True)),
        ([16, 32], Choice((16, 32))),
        ([True, 1, "1", None], Choice((True, 1, "1", None))),
        ("adamw", Fixed("adamw")),
        (None, Fixed(None)),
    ],
)
def test_dimensions_from_their_yaml(raw, expected):
    assert parse_dimension(raw, where="x") == expected
    assert parse_dimension(dump_dimension(expected), where="x") == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"low": 2, "high": 1}, "low 2 is above high 1"),
        ({"low": 0, "high": 1, "log": True}, "a log scale needs low above 0"),
        ({"low": 0.0, "high": 1.0, "step": 0.1}, "a float range has no step"),
        ({"low": 1, "high": 4, "step": 0}, "step must be a whole number of at least 1"),
        ({"low": 1, "high": 4, "step": 2, "log": True}, "a log scale has no step"),
        ({"low": True, "high": 4}, "a bound must be a number, not True"),
        ({"low": "1e-5", "high": 1}, "a bound must be a number, not '1e-5'"),
        ({"low": 1, "high": 2, "log": "yes"}, "log must be true or false"),
        ({"low": 1, "hi": 2}, "a range has low, high"),
        ({"low": 1.0, "high": math.inf}, "a bound must lie within"),
        ({"low": math.nan, "high": 1.0}, "a bound must lie within"),
        ({"low": 1, "high": 10**400}, "a bound must lie within"),
        ([], "at least one plain value"),
        ([[1]], "at least one plain value"),
        ([1, 1], "names a value twice"),
        ([math.nan], "no infinities and no NaN"),
    ],
)
def test_dimensions_that_are_none(raw, expected):
    with pytest.raises(RecipeError) as caught:
        parse_dimension(raw, where="here")
    assert expected in str(caught.value)
    assert str(caught.value).startswith("here: ")
    assert len(str(caught.value)) < 300


def test_what_lies_inside():
    assert contains(Int(1, 9, 2), 5)
    assert not contains(Int(1, 9, 2), 4)
    assert contains(Float(0.1, 0.2), 0.1)
    assert not contains(Float(0.1, 0.2), "0.1")
    assert contains(Choice(("a", None)), None)
    assert not contains(Fixed(1), 2)


@settings(max_examples=100, deadline=None)
@given(
    st.one_of(
        st.builds(
            lambda a, b: Int(min(a, b), max(a, b)), st.integers(-99, 99), st.integers(-99, 99)
        ),
        st.builds(
            lambda a, b: Float(min(a, b), max(a, b)),
            st.floats(-9, 9, allow_nan=False).filter(lambda x: x != int(x)),
            st.floats(-9, 9, allow_nan=False).filter(lambda x: x != int(x)),
        ),
        st.lists(st.one_of(st.text(), st.integers(-5, 5)), min_size=1, unique=True).map(
            lambda options: Choice(tuple(options))
        ),
    )
)
def test_every_dimension_comes_back(dimension):
    assert parse_dimension(dump_dimension(dimension), where="x") == dimension
