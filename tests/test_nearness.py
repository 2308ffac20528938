"""Examples nearest to a text by another model's embeddings: the arm's companion, from the recipe to
the folder that is taken away."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import command_line, kept_of, write_recipe
from tiny_decoders import ToyRun, build, rows, task

from suite import strategies
from suite.config.recipe import Recipe
from suite.contracts.model import Companion, Model
from suite.contracts.strategy import Pool, Refused, Unreachable
from suite.errors import ModelError, RecipeError
from suite.handover.export import export
from suite.models import companions
from suite.models.catalogue import load_catalogue, local_model
from suite.strategies.network import tiny
from suite.study import arms, winner
from suite.study.definition import StoredArm

TEXTS = rows(12, seed=7).texts
WITHOUT_POOLING = '{"max_tokens": 9, "precision": "float32"}'
ASKED = {"shots": 1, "selection": "nearest", "near": "embeds"}

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def decoder(tmp_path_factory):
    return local_model(f"toy={build(tmp_path_factory.mktemp('decoder'))}")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """The folder of a small encoder of random weights."""
    folder = tmp_path_factory.mktemp("encoder")
    tiny._build_bert(rows(200).texts, folder)
    return folder


@pytest.fixture
def embeds(encoder, tmp_path):
    """The same, as a model in a folder of the test's own."""
    return local_model(f"embeds={shutil.copytree(encoder, tmp_path / 'embeds')}")


@pytest.fixture
def strategy():
    return strategies.get("zero_shot")


def asking(folder, decoder, embeds, params=ASKED, **changes):
    beside = {"embeds": companions.pinned(embeds)}
    return ToyRun(folder, decoder, params, companions=beside, **changes)


def other_weights(model):
    """Writes other weights of the same form into a model's folder."""
    from safetensors.numpy import load_file, save_file

    file = f"{model.path}/model.safetensors"
    arrays = {name: -array for name, array in load_file(file).items()}
    save_file(arrays, file, {"format": "pt"})


# --- what is chosen -----------------------------------------------------------------------------


def by_hand(folder, texts):
    """Embeddings of length 1 by transformers alone: the mean over a text's tokens."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    found = []
    with torch.no_grad():
        for text in texts:
            hidden = model.eval()(**tokenizer(text, return_tensors="pt")).last_hidden_state
            mean = hidden[0].mean(dim=0)
            found.append((mean / mean.norm()).numpy())
    return np.stack(found)


def test_the_rows_shown_are_those_nearest_by_the_companions_embeddings(
    strategy, decoder, embeds, folder
):
    run = asking(folder, decoder, embeds)
    predictor = strategy.fit(run)
    chooser = predictor.prompter.own.chooser
    chosen = chooser.choose(TEXTS)
    near = by_hand(embeds.path, TEXTS) @ by_hand(embeds.path, run.train.texts).T
    for scores, examples in zip(near, chosen, strict=True):
        best = sorted(scores)[-4:]
        shown = [scores[run.train.texts.index(text)] for text, _ in examples]
        np.testing.assert_allclose(shown, best, atol=1e-5)
    by_words = strategy.fit(ToyRun(folder, decoder, ASKED | {"near": "tfidf"}))
    assert by_words.prompter.own.chooser.choose(TEXTS) != chosen
    # No choice hangs on who is asked beside a text.
    assert [chooser.choose([text])[0] for text in TEXTS] == chosen
    assert run.notes["near"]["fingerprint"] == companions.fingerprint(Path(embeds.path))
    assert by_words.serving_shape != predictor.serving_shape


def test_what_says_what_is_near_is_kept_with_the_predictor(strategy, decoder, embeds, folder):
    predictor = strategy.fit(asking(folder, decoder, embeds))
    expected = predictor.predict_proba(TEXTS)
    strategies.save_predictor(predictor, "zero_shot", folder / "kept")
    shutil.rmtree(embeds.path)
    kept = strategies.load_predictor(folder / "kept")
    np.testing.assert_allclose(kept.predict_proba(TEXTS), expected, atol=1e-5)
    assert kept.prompter.own.chooser.choose(TEXTS) == predictor.prompter.own.chooser.choose(TEXTS)
    strategies.save_predictor(kept, "zero_shot", folder / "again")
    again = strategies.load_predictor(folder / "again")
    np.testing.assert_allclose(again.predict_proba(TEXTS), expected, atol=1e-5)
    assert kept.serving_shape == predictor.serving_shape


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda kept: shutil.rmtree(kept / "near"), "near"),
        (lambda kept: (kept / "near/model.safetensors").unlink(), "model.safetensors"),
        (lambda kept: shutil.copy(kept / "near/model.safetensors", kept / "examples.safetensors"),
         "none of its own"),
        (lambda kept: (kept / "examples.safetensors").unlink(), "missing"),
        (lambda kept: (kept / "near/settings.json").write_text(WITHOUT_POOLING), "pooling"),
    ],
)  # fmt: skip
def test_a_damaged_companion_is_told(strategy, decoder, embeds, folder, damage, told):
    predictor = strategy.fit(asking(folder, decoder, embeds))
    strategies.save_predictor(predictor, "zero_shot", folder / "kept")
    damage(folder / "kept")
    with pytest.raises(ModelError) as error:
        strategies.load_predictor(folder / "kept")
    assert told in str(error.value)


def test_trainings_over_folds_have_it_too(strategy, decoder, embeds, folder):
    whole = rows(48)
    pool = Pool(whole, tuple(range(32)), "pool", {})
    run = asking(folder, decoder, embeds, train=whole.take(range(32)), pool=pool)
    predictor = strategy.fit(run)
    alone = strategy.fit(asking(folder, decoder, embeds, train=whole.take(range(32))))
    np.testing.assert_allclose(
        predictor.predict_proba(TEXTS), alone.predict_proba(TEXTS), atol=1e-5
    )


def test_rows_are_embedded_once_for_all_trials(strategy, decoder, embeds, folder, monkeypatch):
    from suite.strategies.heads.embedder import Embedder

    embed, asked = Embedder.embed, []

    def counted(self, rows, ways, run=None):
        asked.append(len(rows))
        return embed(self, rows, ways, run)

    monkeypatch.setattr(Embedder, "embed", counted)
    first = strategy.fit(run := asking(folder, decoder, embeds))
    assert asked.count(48) == 1 and run.notes["near_rows"] == "made"
    seconds = run.notes["near_seconds"]
    again = strategy.fit(run := asking(folder, decoder, embeds, ASKED | {"order": "reversed"}))
    assert asked.count(48) == 1 and run.notes["near_rows"] == "cached"
    assert 0 < run.notes["near_seconds"] == seconds
    choosers = [one.prompter.own.chooser for one in (first, again)]
    assert choosers[0].choose(TEXTS) == choosers[1].choose(TEXTS)
    strategy.fit(run := asking(folder, decoder, embeds, train=rows(40)))
    assert run.notes["near_rows"] == "made"
    other_weights(embeds)
    strategy.fit(run := asking(folder, decoder, embeds))
    assert run.notes["near_rows"] == "made"


def test_weights_that_are_no_longer_those_are_refused(strategy, decoder, embeds, folder):
    run = asking(folder, decoder, embeds)
    other_weights(embeds)
    with pytest.raises(Refused, match="not what it was when the study was made"):
        strategy.fit(run)
    shutil.rmtree(embeds.path)
    with pytest.raises(Unreachable, match="is gone"):
        strategy.fit(run)
    with pytest.raises(Refused, match="no model that this study has"):
        strategy.fit(ToyRun(folder, decoder, ASKED))


def test_embeddings_that_are_no_numbers_are_refused(strategy, decoder, embeds, folder):
    from suite.strategies.heads.embedder import Embedder

    run = asking(folder, decoder, embeds)
    embed = Embedder.embed

    def spoilt(self, rows, ways, run=None):
        return {way: found * np.nan for way, found in embed(self, rows, ways, run).items()}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Embedder, "embed", spoilt)
        with pytest.raises(Refused, match="numbers that are none"):
            strategy.fit(run)


def test_the_fingerprint_is_of_what_is_read(encoder, tmp_path):
    first = shutil.copytree(encoder, tmp_path / "first")
    found = companions.fingerprint(first)
    (first / "README.md").write_text("of no weight")
    assert companions.fingerprint(first) == found
    config = json.loads((first / "config.json").read_text())
    (first / "config.json").write_text(json.dumps(config | {"hidden_act": "relu"}))
    assert companions.fingerprint(first) != found


# --- when a study is made -----------------------------------------------------------------------


def planned(decoder, near, models=(), unavailable=lambda model: None, of_task=None, arm="toy"):
    recipe = Recipe(
        name="r",
        arms=[f"{arm}/zero_shot"],
        spaces={"*/zero_shot": {"shots": 1, "selection": "nearest", "near": near}},
    )
    catalogue = load_catalogue() | {model.name: model for model in (decoder, *models)}
    return arms.plan(recipe, of_task or task(), catalogue, unavailable=unavailable)[0]


def test_a_study_pins_the_models_that_its_arms_name(decoder, embeds):
    found = planned(decoder, ["tfidf", "embeds"], [embeds])
    assert found.refused is None
    pinned = found.companions["embeds"]
    assert pinned == Companion(model=embeds, fingerprint=companions.fingerprint(Path(embeds.path)))
    stored = StoredArm.model_validate_json(StoredArm.of(found).model_dump_json())
    assert stored.companions == {"embeds": pinned}
    assert planned(decoder, "tfidf").companions == {}


def test_what_cannot_be_named_is_told(decoder, embeds):
    served = Model(name="s", family="decoder", endpoint="http://127.0.0.1:9/v1", endpoint_model="m")
    for near, told in (
        ("embed", "unknown model 'embed'"),
        ("fasttext", "made from the training texts"),
        ("tiny-bert", "made from the training texts"),
        ("s", "behind a server"),
    ):
        with pytest.raises(RecipeError) as error:
            planned(decoder, ["tfidf", near], [embeds, served])
        assert told in str(error.value) and "near of toy/zero_shot" in str(error.value)
    with pytest.raises(RecipeError, match="near of toy/zero_shot must be tfidf, or the name of"):
        planned(decoder, 3)


def test_an_arm_whose_companion_cannot_be_had_is_refused_with_the_reason(decoder, embeds):
    away = planned(decoder, "embeds", [embeds], lambda m: "is away" if m is embeds else None)
    assert "near: embeds: is away" in away.refused and "near: tfidf" in away.refused
    assert not away.away
    english = embeds.model_copy(update={"languages": ["en"]})
    said = planned(decoder, "embeds", [english], of_task=task(language="zh")).refused
    assert "near: embeds" in said and "Chinese" in said
    shutil.rmtree(embeds.path)
    said = planned(decoder, "embeds", [embeds]).refused
    assert "near: embeds" in said


def test_a_served_arm_under_the_same_glob_names_none(decoder, embeds):
    served = Model(name="s", family="decoder", endpoint="http://127.0.0.1:9/v1", endpoint_model="m")
    assert "near" not in strategies.hyperparameters("zero_shot", served)
    recipe = Recipe(name="r", arms=["s/zero_shot"], spaces={"*/zero_shot": {"near": "embeds"}})
    catalogue = load_catalogue() | {"s": served, "toy": decoder, "embeds": embeds}
    (found,) = arms.plan(recipe, task(), catalogue, unavailable=lambda model: None)
    assert found.refused is None and found.companions == {}


# --- a study, whole -----------------------------------------------------------------------------


def test_a_study_from_recipe_to_what_is_taken_away(toy_task, folder, encoder, decoder):
    place = shutil.copytree(encoder, folder / "encoder")
    recipe = write_recipe(
        folder, "near", arms=["toy/zero_shot"], trials=1,
        spaces={"toy/zero_shot": {
            "shots": 1, "selection": "nearest", "near": "embeds", "mode": "no_think",
            "examples": "prompt", "score": "code", "calibration": "none",
        }},
    )  # fmt: skip
    create = (
        "study", "create", toy_task, "--recipe", recipe, "--name", "n", "--arms", "toy/zero_shot",
        "--model", f"toy={decoder.path}", "--model", f"embeds={place}", "--quiet",
    )  # fmt: skip
    command_line(*create)
    (trial,) = json.loads(command_line("study", "show", "n", "--json").stdout)["trials"]
    assert trial["state"] == "COMPLETE" and trial["params"]["near"] == "embeds"
    assert (kept_of("n", "toy/zero_shot") / "near/model.safetensors").is_file()
    target = folder / "taken"
    export(winner.winner("n"), target)
    card = (target / "README.md").read_text()
    assert "called embeds in the study" in card and "`near/`" in card
    before = json.loads(command_line("predict", target, *TEXTS[:3], "--json").stdout)
    # It goes on where it stood, and not with other weights.
    command_line(*create)
    other_weights(local_model(f"embeds={place}"))
    said = command_line(*create, code=2).output
    assert "embeds, beside toy/zero_shot" in said and "differs" in said
    shutil.rmtree(place)
    after = json.loads(command_line("predict", target, *TEXTS[:3], "--json").stdout)
    assert after["predictions"] == before["predictions"]


def test_older_studies_name_no_companions():
    old = StoredArm.of(planned_classic()).model_dump()
    del old["companions"]
    assert StoredArm.model_validate(old).companions == {}


def planned_classic():
    recipe = Recipe(name="r", arms=["tfidf/classic"])
    return arms.plan(recipe, task(), load_catalogue(), unavailable=lambda model: None)[0]
