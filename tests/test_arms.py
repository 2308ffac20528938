"""Globs over models and strategies, and what a recipe's spaces do to an arm."""

import pytest

from suite import strategies
from suite.config.recipe import Recipe
from suite.config.task import find_task
from suite.contracts.model import Model
from suite.contracts.space import Choice, Fixed, Float, Space
from suite.errors import ModelError, RecipeError
from suite.models.catalogue import load_catalogue
from suite.study import arms
from suite.study.preflight import extrapolate

CATALOGUE = load_catalogue()
AGNEWS = find_task("agnews")[0]


def own(pattern):
    """Without what the tests' own plug-in adds."""
    return [arm for arm in arms.expand(pattern, CATALOGUE) if not arm.endswith("/toy")]


def test_a_glob_pairs_models_with_strategies_that_fit_their_family():
    assert own("tfidf/*") == ["tfidf/classic"]
    assert own("tiny-*/linear_head") == ["tiny-bert/linear_head", "tiny-qwen3/linear_head"]
    assert "tfidf/linear_head" not in own("*/*")


def test_an_arm_written_out_may_be_any_pair_and_says_why_it_is_refused():
    recipe = Recipe(
        name="r", arms=["tfidf/linear_head", "bert-base-cased/sft", "bert-base-chinese/probe"]
    )
    planned = arms.plan(recipe, AGNEWS, CATALOGUE, unavailable=lambda model: None)
    reasons = {arm.name: arm.refused for arm in planned}
    assert "classic model" in reasons["tfidf/linear_head"]
    assert "decoder" in reasons["bert-base-cased/sft"]
    assert "Chinese" in reasons["bert-base-chinese/probe"]


def test_globs_take_the_place_of_the_recipes_arms_and_added_models_join_them():
    recipe = Recipe(name="r", arms=["tfidf/classic"])
    mine = Model(name="mine", family="encoder", path="/models/mine")
    catalogue = CATALOGUE | {"mine": mine}

    def names(**options):
        planned = arms.plan(recipe, AGNEWS, catalogue, unavailable=lambda m: None, **options)
        return [a.name for a in planned if not a.name.endswith("/toy")]

    assert names(globs=["fasttext/classic"]) == ["fasttext/classic"]
    assert names(added=["mine"]) == ["tfidf/classic", "mine/linear_head", "mine/probe"]
    assert names(globs=["mine/probe"], added=["mine"]) == ["mine/probe"]


def test_weights_that_cannot_be_had_are_a_refusal_with_the_reason():
    recipe = Recipe(name="r", arms=["bert-base-cased/linear_head", "tfidf/classic"])
    planned = arms.plan(
        recipe, AGNEWS, CATALOGUE,
        unavailable=lambda model: "out of reach" if model.hub else None,
    )  # fmt: skip
    assert [arm.refused for arm in planned] == ["out of reach", None]


@pytest.mark.parametrize(
    ("pattern", "error", "said"),
    [
        ("bertt-base-cased/probe", ModelError, "bert-base-cased"),
        ("tfidf/clasic", RecipeError, "classic"),
        ("nothing*/probe", RecipeError, "no arm matches"),
        ("tfidf", RecipeError, "model/strategy"),
    ],
)
def test_a_wrong_arm_names_the_nearest(pattern, error, said):
    with pytest.raises(error, match=said):
        arms.expand(pattern, CATALOGUE)


DEFAULT = Space(
    {"rate": Float(1e-5, 1e-3, log=True), "batch": Choice((16, 32))},
    ({"rate": 1e-4, "batch": 32}, {"rate": 5e-4, "batch": 16}),
)


def test_a_recipe_overrides_a_dimension_and_points_keep_what_still_fits():
    recipe = Recipe(name="r", arms=["a/b"], spaces={"a/*": {"rate": 0.0005}})
    space = recipe.space_for("a/b", DEFAULT)
    assert space.dimensions["rate"] == Fixed(0.0005)
    assert space.known_good == ({"batch": 32}, {"rate": 5e-4, "batch": 16})


def test_later_globs_win_and_a_name_nobody_has_is_refused():
    recipe = Recipe(
        name="r", arms=["a/b"], spaces={"*/*": {"batch": 16, "other": 3}, "a/b": {"batch": [32]}}
    )
    assert recipe.space_for("a/b", DEFAULT).dimensions["batch"] == Choice((32,))
    wrong = Recipe(name="r", arms=["a/b"], spaces={"a/b": {"bacth": 16}})
    with pytest.raises(RecipeError, match="bacth") as caught:
        wrong.space_for("a/b", DEFAULT)
    assert "Did you mean 'batch'?" in str(caught.value)


def test_a_variant_pins_what_it_names_and_drops_the_points_of_others():
    recipe = Recipe(name="r", arms=["tiny-qwen3/sft+lora"], spaces={"*/sft": {"batch": [8]}})
    [arm] = arms.plan(recipe, AGNEWS, CATALOGUE, unavailable=lambda model: None)
    assert arm.name == "tiny-qwen3/sft+lora" and arm.strategy == "sft"
    assert arm.space.dimensions["tuning"] == Fixed("lora")
    assert arm.space.dimensions["batch"] == Choice((8,))  # a space of the arm also means variants
    space = Space(
        {"rate": Float(1e-5, 1e-3), "tuning": Choice(("full", "lora"))},
        ({"rate": 1e-5, "tuning": "full"}, {"rate": 1e-4, "tuning": "lora"}),
    )
    pinned = arms.pinned(space, {"tuning": "lora"}, where="a")
    assert pinned.known_good == ({"rate": 1e-4, "tuning": "lora"},)


def test_a_recipe_may_narrow_what_a_variant_pins_but_not_undo_it():
    recipe = Recipe(
        name="r",
        arms=["tiny-qwen3/zero_shot+few_shot", "tiny-qwen3/sft+lora"],
        spaces={
            "tiny-qwen3/zero_shot+few_shot": {"shots": [1]},
            "*/sft": {"tuning": ["full", "lora"]},
        },
    )
    few, lora = arms.plan(recipe, AGNEWS, CATALOGUE, unavailable=lambda model: None)
    assert few.space.dimensions["shots"] == Choice((1,))
    assert lora.space.dimensions["tuning"] == Fixed("lora")


def test_variants_are_named_by_a_plus_and_wrong_ones_get_the_nearest():
    assert own("tiny-qwen3/zero_shot+*") == [
        f"tiny-qwen3/zero_shot+{name}" for name in strategies.variants("zero_shot")
    ]
    assert not any("+" in arm for arm in own("tiny-qwen3/*"))
    with pytest.raises(RecipeError, match="no variant 'thonk'") as caught:
        arms.expand("tiny-qwen3/zero_shot+thonk", CATALOGUE)
    assert "Did you mean 'think'?" in str(caught.value)


def test_a_served_model_can_only_be_asked():
    served = Model(name="s", family="decoder", endpoint="http://127.0.0.1:9/v1", endpoint_model="m")
    names = [a for a in arms.expand("s/*", CATALOGUE | {"s": served}) if not a.endswith("/toy")]
    assert names == ["s/zero_shot"]


def test_a_preflight_tells_what_an_arm_costs_once_from_what_a_row_costs():
    assert extrapolate([(10, 2.0), (110, 3.0)], 1010) == pytest.approx(12.0)
    assert extrapolate([(50, 5.0)], 1000) == pytest.approx(100.0)
    # Noise may make the larger training the faster one; nothing is ever negative.
    assert extrapolate([(10, 2.0), (110, 1.0)], 1010) == pytest.approx(1.0)
