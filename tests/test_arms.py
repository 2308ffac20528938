"""Globs over models and strategies, and what a recipe's spaces do to an arm."""

import json
from types import SimpleNamespace

import pytest

from suite import paths, strategies
from suite.config.recipe import Recipe, find_recipe
from suite.config.task import find_task
from suite.contracts import teaching
from suite.contracts.model import Model
from suite.contracts.space import Choice, Fixed, Float, Space
from suite.errors import ModelError, RecipeError, SuiteError
from suite.models.catalogue import load_catalogue
from suite.study import arms
from suite.study.definition import StoredArm
from suite.study.estimates import extrapolate
from suite.study.preflight import estimate

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


def test_what_is_imported_once_for_all_trials_goes_by_strategy_and_model():
    def modules(arm):
        model, strategy = arm.split("/")
        return {name.partition(".")[0] for name in strategies.preload(strategy, CATALOGUE[model])}

    assert modules("tfidf/toy") == modules("fasttext/classic") == set()
    assert modules("tfidf/classic") == {"sklearn"}
    assert modules("textcnn/classic") == {"torch"}
    assert strategies.preload("linear_head", CATALOGUE["tiny-bert"]) == (strategies.NETWORKS,)


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
    # Of a model that the recipe has arms of, it says which.
    recipe = Recipe(name="r", arms=["tfidf/classic", "mine/probe"])
    assert names(added=["mine"]) == ["tfidf/classic", "mine/probe"]


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


# --- what a recipe may say of hyperparameters -----------------------------------------------------


def planned(folder, *lines, arms_="[tfidf/classic, tiny-bert/linear_head, tiny-bert/probe]"):
    """The arms of a recipe file with these lines under `spaces`, its first line being 4."""
    file = folder / "mine.yaml"
    file.write_text("\n".join(["name: mine", f"arms: {arms_}", "spaces:", *lines]) + "\n")
    recipe, path = find_recipe(str(file))
    return arms.plan(recipe, AGNEWS, CATALOGUE, unavailable=lambda m: None, recipe_file=path)


@pytest.mark.parametrize(
    ("lines", "line", "said"),
    [
        (
            ['  "*/*":', "    learning_rat: 1e-4"],
            5,
            ["'*/*'", "unknown hyperparameter 'learning_rat'", "Did you mean 'learning_rate'?"],
        ),
        (['  "tiny-*/*": {bacth: 16}'], 4, ["'bacth'", "Did you mean 'batch'?"]),
        (
            ["  tiny-bert/probe:", "    batch: 16"],
            5,
            [
                "'batch'",
                "Available: C, balance, chunks, cutting, distilled, pooling, relative, scaling",
            ],
        ),
        # A model, and an arm, that the study has not: a mistake is one all the same.
        (['  "qwen3-*/sft+*": {lerning_rate: 1e-4}'], 4, ["Did you mean 'learning_rate'?"]),
        (
            ['  "*/linear_head":', "    batch: 16", "    learning_rate: '1e-4'"],
            6,
            ["learning_rate", "tiny-bert/linear_head", "must be a number above 0, not '1e-4'"],
        ),
        (['  "*/*": {batch: [16, 2.5]}'], 4, ["batch", "a whole number of at least 1, not 2.5"]),
        (['  "*/*": {batch: {low: 1.0, high: 8.0}}'], 4, ["a whole number", "from 1.0 to 8.0"]),
        (['  "*/*": {warmup: {low: 0, high: 1}}'], 4, ["of at least 0 and below 1, not 1"]),
        (['  "*/*": {learning_rate: {low: 0.0, high: 1e-3}}'], 4, ["above 0, not 0.0"]),
        (['  "*/*": {learning_rate: true}'], 4, ["a number above 0, not True"]),
        (['  "*/*": {weight_decay: .inf}'], 4, ["weight_decay", "not inf"]),
        (['  "*/*": {weight_decay: null}'], 4, ["weight_decay", "not None"]),
        (['  "*/*": {schedule: wavy}'], 4, ["one of linear, cosine, constant, not 'wavy'"]),
        (['  "*/classic": {C: 0}'], 4, ["C of tfidf/classic", "of at least 1e-06"]),
        (['  "*/classic": {ngrams: word-2-1}'], 4, ["ngrams", "word-1-2", "not 'word-2-1'"]),
        (['  "*/classic": {sublinear: 1}'], 4, ["true or false, not 1"]),
        (["  a/b:", "    x: {low: 1}"], 5, ["spaces.a/b.x: a range has low, high"]),
    ],
)
def test_a_hyperparameter_that_can_not_be_is_refused_at_creation_with_its_line(
    folder, lines, line, said
):
    with pytest.raises(SuiteError) as caught:
        planned(folder, *lines)
    message = str(caught.value)
    assert message.startswith(f"{folder / 'mine.yaml'}, line {line}: "), message
    for part in said:
        assert part in message, message


def test_a_name_under_a_glob_is_for_the_arms_that_have_it(folder):
    found = planned(folder, '  "*/*": {C: 2, batch: 16, cutoff: 64}', '  "tiny-*/*": {warmup: 0}')
    spaces = {arm.name: arm.space.dimensions for arm in found}
    assert spaces["tfidf/classic"]["C"] == spaces["tiny-bert/probe"]["C"] == Fixed(2)
    assert spaces["tiny-bert/linear_head"]["batch"] == Fixed(16)
    assert spaces["tiny-bert/linear_head"]["warmup"] == Fixed(0)
    assert "batch" not in spaces["tiny-bert/probe"]


def test_a_strategy_that_declares_nothing_is_held_to_the_names_of_its_space(folder):
    arms_ = "[tfidf/toy]"
    [arm] = planned(folder, "  tfidf/toy: {noise: 0.5, seconds: a few}", arms_=arms_)
    assert arm.space.dimensions["seconds"] == Fixed("a few")
    for glob in ("tfidf/toy", '"*/toy"', '"*/*"'):
        with pytest.raises(RecipeError, match=r"line 4: .*unknown hyperparameter 'nois'"):
            planned(folder, f"  {glob}: {{nois: 0.5}}", arms_=arms_)


@pytest.mark.parametrize("name", ["classic", "linear_head", "probe", "sft", "zero_shot"])
def test_what_is_declared_is_what_the_space_has_and_may_be(name):
    strategy = strategies.get(name)
    for model in (m for m in CATALOGUE.values() if strategies.fits(m, name)):
        declared = strategy.hyperparameters(model)
        for task in (AGNEWS, find_task("tnews")[0]):
            space = strategy.space(model, task)
            # Who learns from a teacher is a variant, and in no space that nobody asked for.
            own = [key for key in declared if key != teaching.NAME]
            whole = strategies.for_long_texts(name, model, space)
            assert own == list(strategies.for_rare_classes(name, model, whole, task).dimensions)
            for key, dimension in space.dimensions.items():
                declared[key].admit(dimension)
        for hyperparameter in declared.values():
            assert hyperparameter.read(hyperparameter.default) == hyperparameter.default
            assert hyperparameter.about


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


@pytest.mark.parametrize(
    ("arm", "stops"),
    [
        ("tfidf/classic", 1),
        ("fasttext/classic", 1),
        ("textcnn/classic", 5),
        ("tiny-bert/linear_head", 5),
        ("tiny-bert/probe", 1),
        ("tiny-qwen3/sft+lora", 5),
        ("tiny-qwen3/zero_shot", 1),
        ("tfidf/toy", 5),  # A strategy that says nothing of it.
    ],
)
def test_a_preflight_counts_every_scoring_of_a_trial(tmp_path, arm, stops):
    recipe = Recipe(name="r", arms=[arm], budget={"checkpoints": 5, "evaluation": "full"})
    [planned] = arms.plan(recipe, AGNEWS, CATALOGUE, unavailable=lambda model: None)
    # 32 rows are trained on in no time, and each of 64 texts is scored in 0.1 s.
    took = SimpleNamespace(
        train_seconds=0.0,
        evaluation_seconds=7.0,
        evaluated=64,
        evaluated_seconds=6.4,
        again_seconds=0.0,
    )
    rows = SimpleNamespace(train=32, validation=100)
    definition = SimpleNamespace(recipe=recipe, data=SimpleNamespace(rows=rows))
    work = SimpleNamespace(
        ledger=SimpleNamespace(definition=definition),
        jobs=SimpleNamespace(job=lambda *asked, **more: None, pace=lambda arm, params: None),
        runner=SimpleNamespace(train=lambda job, max_seconds: took),
        keeping=SimpleNamespace(scratch=tmp_path),
    )
    found = estimate(work, StoredArm.of(planned))
    assert found.seconds == pytest.approx(stops * 10, abs=0.5)


def thinking(folder, template):
    """Reasons why the arms of a model with this chat template are refused, by arm."""
    where = folder / "model"
    where.mkdir(parents=True, exist_ok=True)
    if template is not None:
        (where / "tokenizer_config.json").write_text(json.dumps({"chat_template": template}))
    own = Model(name="own", family="decoder", path=str(where))
    asked = ["own/zero_shot", "own/zero_shot+think", "own/sft+full", "own/sft+lora"]
    spaces = {"own/sft+full": {"think": ["prompt", "distilled"]}}
    planned = arms.plan(
        Recipe(name="r", arms=asked, spaces=spaces),
        AGNEWS,
        {"own": own},
        unavailable=lambda model: None,
    )
    return {arm.name: arm.refused for arm in planned}


def test_an_arm_that_is_to_think_and_cant_is_refused_when_it_is_planned(folder, monkeypatch):
    monkeypatch.setattr(arms, "_unfit", lambda model, strategy: None)  # it has no weights
    for template, why in (("{{ messages }}", "no think block stands in it"), (None, "no chat")):
        found = thinking(folder / why, template)
        assert found["own/zero_shot"] is None and found["own/sft+lora"] is None
        assert (
            why in found["own/zero_shot+think"] and "mode: no_think" in found["own/zero_shot+think"]
        )
        assert why in found["own/sft+full"] and "think: prompt" in found["own/sft+full"]


def test_thoughts_that_nobody_distilled_are_missed_when_an_arm_is_planned(folder, monkeypatch):
    monkeypatch.setattr(arms, "_unfit", lambda model, strategy: None)
    template = "{{ messages }}{% if enable_thinking %}<think>{% endif %}"
    found = thinking(folder, template)
    assert found["own/zero_shot+think"] is None
    assert "run `suite distil agnews` first, or use think: prompt" in found["own/sft+full"]
    file = paths.distilled("agnews")
    file.parent.mkdir(parents=True)
    file.write_text("")
    assert thinking(folder, template)["own/sft+full"] is None
