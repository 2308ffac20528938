"""Static models: made of an encoder, judged, probed, tuned, kept and served without a network."""

import json
import subprocess
import sys

import numpy as np
import pytest
from remembering_run import RememberingRun
from test_weights import SIZES, tokenizer, toy_task
from typer.testing import CliRunner

from suite import strategies
from suite.cli import app
from suite.config.recipe import Recipe
from suite.contracts.strategy import Pool, Rows
from suite.errors import ModelError, WeightsError
from suite.models import folder as folders
from suite.models import needs
from suite.models.catalogue import load_catalogue, local_model
from suite.serving import engines
from suite.serving.engines import kept
from suite.study import thumb
from suite.study.arms import plan

pytestmark = pytest.mark.usefixtures("one_thread")

CLASSES = ("goal match player", "bank stock market", "chip phone network")
WORDS = [word for words in CLASSES for word in words.split()]
MARKS = ["[UNK]"]


def write(place, arrays=None, *, words=(*MARKS, *WORDS), **facts):
    """A static folder whose words point to their class, and a little to themselves."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models, pre_tokenizers

    place.mkdir(exist_ok=True)
    made = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.save(str(place / "tokenizer.json"))
    draws = np.random.default_rng(0)
    vectors = 0.3 * draws.normal(size=(len(MARKS) + len(WORDS), 6)).astype(np.float32)
    for position in range(len(WORDS)):
        vectors[len(MARKS) + position, position // 3] += 1
    save_file({"embeddings": vectors} if arrays is None else arrays, place / "model.safetensors")
    said = {"model_type": "model2vec", "architectures": ["StaticModel"], "normalize": True}
    (place / "config.json").write_text(json.dumps(said | facts))
    return place


def rows(count=30):
    draws = np.random.default_rng(1)
    labels = [index % 3 for index in range(count)]
    return Rows(
        tuple(" ".join(draws.choice(CLASSES[label].split(), 3)) for label in labels), tuple(labels)
    )


@pytest.fixture(scope="module")
def static(tmp_path_factory):
    return write(tmp_path_factory.mktemp("static") / "mine", languages=["en", "de"])


def fitted(strategy, static, place, params=None, **changes):
    place.mkdir(exist_ok=True)
    model = local_model(f"mine={static}")
    run = RememberingRun(place, model, toy_task(), rows(), params, **changes)
    return strategies.get(strategy).fit(run), run


TEXTS = ["goal match", "", "stock unheard market", "a phone of [UNK]", "player bank chip"]


def test_a_folder_of_model2vecs_is_a_model_with_two_arms(static):
    model = local_model(f"mine={static}")
    assert (model.family, model.languages, model.max_tokens) == ("static", ["en", "de"], None)
    assert needs.parameters(model) == 60
    recipe = Recipe.model_validate({"name": "r", "arms": ["mine/*"]})
    arms = plan(recipe, toy_task(), {"mine": model}, unavailable=lambda model: None)
    own = [arm for arm in arms if arm.strategy != "toy"]
    assert [(arm.name, arm.refused) for arm in own] == [
        ("mine/linear_head", None), ("mine/probe", None)
    ]  # fmt: skip
    task = toy_task().model_copy(update={"language": "zh"})
    assert "reads English and German" in str(strategies.get("probe").refuses(model, task))
    assert all("decoder" in str(strategies.get(name).refuses(model, task)) for name in
               ("sft", "zero_shot"))  # fmt: skip


def test_catalogue_entries_are_pinned():
    static = [model for model in load_catalogue().values() if model.family == "static"]
    assert len(static) == 3
    assert all(model.revision != "main" and model.revision_from for model in static)


@pytest.mark.parametrize("strategy", ["probe", "linear_head"])
def test_it_learns_and_is_kept_as_it_answers(strategy, static, tmp_path):
    from model2vec import StaticModel

    predictor, run = fitted(strategy, static, tmp_path)
    assert run.fractions == ([1.0] if strategy == "probe" else [0.5, 1.0])
    answers = predictor.predict_proba(TEXTS)
    assert answers.argmax(1)[[0, 2, 3]].tolist() == [0, 1, 2]
    np.testing.assert_allclose(answers.sum(1), 1, atol=1e-6)
    assert predictor.predict_proba([]).shape == (0, 3)
    home = tmp_path / "kept"
    strategies.save_predictor(predictor, strategy, home)
    again = strategies.load_predictor(home, classes=3)
    np.testing.assert_array_equal(again.predict_proba(TEXTS), answers)
    assert again.serving_shape == predictor.serving_shape
    # Whoever has model2vec alone reads the vectors.
    theirs = StaticModel.from_pretrained(home).encode(TEXTS)
    np.testing.assert_allclose(theirs, again.model.encode(TEXTS), atol=1e-6)
    assert not list(home.rglob("*.pkl")) and not list(home.rglob("*.bin"))


def test_it_is_served_as_it_is_and_no_engine_of_networks_takes_it(static, tmp_path):
    strategies.save_predictor(fitted("probe", static, tmp_path)[0], "probe", tmp_path / "kept")
    assert kept.look(tmp_path / "kept").kind == "python"
    assert [c.engine for c in engines.candidates(tmp_path / "kept")] == ["python"]
    opened = engines.open_engine(
        tmp_path / "kept", "python", "float32", texts=TEXTS, scratch=tmp_path
    )
    assert opened.device == "cpu" and opened.predict_proba(TEXTS).shape == (5, 3)


def test_it_predicts_without_torch_or_transformers(static, tmp_path):
    home = tmp_path / "kept"
    strategies.save_predictor(fitted("linear_head", static, tmp_path)[0], "linear_head", home)
    code = (
        "import sys; from pathlib import Path; from suite import strategies; "
        "strategies.load_predictor(Path(sys.argv[1])).predict_proba(['goal']); "
        "print(sorted({'torch', 'transformers', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(home)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_training_starts_at_the_probe_and_moves_only_vectors_it_met(static, tmp_path):
    start, _ = fitted("probe", static, tmp_path / "a", {"C": 0.3, "relative": True})
    still, _ = fitted("linear_head", static, tmp_path / "b", {"learning_rate": 1e-12})
    np.testing.assert_allclose(still.predict_proba(TEXTS), start.predict_proba(TEXTS), atol=1e-5)
    moved, run = fitted("linear_head", static, tmp_path / "c", {"learning_rate": 1e-2})
    change = np.abs(moved.model.embedding - start.model.embedding).max(axis=1)
    assert change[0] == 0 and (change[1:] > 1e-3).all()  # No row has the unknown word.
    assert run.notes["train_loss"] < 0.5
    again, _ = fitted("linear_head", static, tmp_path / "d", {"learning_rate": 1e-2})
    np.testing.assert_array_equal(again.model.embedding, moved.model.embedding)


def test_halving_the_rows_at_once_changes_nothing(static, tmp_path):
    params = {"learning_rate": 1e-2, "batch": 8, "dropout": 0.4}
    whole, _ = fitted("linear_head", static, tmp_path / "a", params)
    halved, run = fitted("linear_head", static, tmp_path / "b", params, halvings=2)
    assert (run.notes["batch"], run.notes["rows_at_once"]) == (8, 2)
    np.testing.assert_allclose(halved.predict_proba(TEXTS), whole.predict_proba(TEXTS), atol=1e-5)


def test_texts_of_a_pool_are_embedded_once(static, tmp_path):
    shared, given = {}, rows()
    pool = Pool(given, tuple(range(0, 30, 2)), "pool", shared)
    changes = {"pool": pool, "train": given.take(pool.positions)}
    model = local_model(f"mine={static}")
    run = RememberingRun(tmp_path, model, toy_task(), changes["train"], pool=pool)
    predictor = strategies.get("probe").fit(run)
    assert run.saved_seconds < 0  # What was done for rows that are not train's.
    others = list(range(1, 30, 2))
    np.testing.assert_allclose(
        predictor.recall(others),
        predictor.predict_proba([given.texts[i] for i in others]),
        atol=1e-6,
    )
    assert shared


@pytest.mark.parametrize("kind", ["float16", "int8", "mapping", "weights", "both"])
def test_every_way_of_keeping_it_is_read_as_model2vec_reads_it(kind, tmp_path):
    from model2vec import StaticModel

    from suite.strategies.heads import static_model

    draws = np.random.default_rng(2)
    vectors = draws.normal(size=(10, 6)).astype(np.float32)
    weights = draws.uniform(0.1, 1, 10).astype(np.float32)
    mapping = draws.integers(0, 4, 10).astype(np.int32)
    arrays = {
        "float16": {"embeddings": vectors.astype(np.float16)},
        "int8": {"embeddings": (40 * vectors).astype(np.int8)},
        "mapping": {"embeddings": vectors[:4], "mapping": mapping},
        "weights": {"embeddings": vectors, "weights": weights},
        "both": {"embeddings": vectors[:4], "mapping": mapping, "weights": weights},
    }[kind]
    place = write(tmp_path / "mine", arrays)
    assert folders.refuses(place, "body") is None
    found = static_model.embed(static_model.read(place), TEXTS)
    theirs = StaticModel.from_pretrained(place).encode(TEXTS)
    np.testing.assert_allclose(found, theirs.astype(np.float32), atol=2e-3)


VECTORS = np.ones((10, 6), np.float32)
#: What is wrong, the arrays, and what is said of it.
ASTRAY = {
    "other names": ({"embedding.weight": VECTORS}, "no array of a model2vec model"),
    "no table": ({"weights": VECTORS[:, 0]}, "has no table"),
    "a row": ({"embeddings": VECTORS[0]}, "has no table"),
    "whole numbers": ({"embeddings": VECTORS.astype(np.int32)}, "'embeddings' are I32"),
    "few weights": ({"embeddings": VECTORS, "weights": VECTORS[:4, 0]}, "'weights' are no"),
    "fewer vectors": ({"embeddings": VECTORS[:8]}, "has 10 tokens and the model's embedding 8"),
    "more vectors": ({"embeddings": np.ones((12, 6), np.float32)}, "10 tokens and the model 12"),
}


@pytest.mark.parametrize("what", ASTRAY)
def test_a_folder_that_is_none_is_refused_before_it_is_read(what, tmp_path):
    from suite.strategies.heads import static_model

    arrays, said = ASTRAY[what]
    place = write(tmp_path / "mine", arrays)
    assert said in str(folders.refuses(place, "body"))
    with pytest.raises(WeightsError, match=r"tokens|embeddings|weights|array"):
        static_model.read(place)


def test_numbers_and_tokenizers_that_are_none_are_refused_as_they_are_read(tmp_path):
    from suite.strategies.heads import static_model

    bad = VECTORS.copy()
    bad[3, 2] = np.nan
    with pytest.raises(WeightsError, match="NaN"):
        static_model.read(write(tmp_path / "nan", {"embeddings": bad}))
    away = {"embeddings": VECTORS[:4], "mapping": np.full(10, 4, np.int32)}
    with pytest.raises(WeightsError, match="vectors that are not there"):
        static_model.read(write(tmp_path / "away", away))
    place = write(tmp_path / "torn")
    (place / "tokenizer.json").write_text("{}")
    with pytest.raises(WeightsError, match="tokenizer can't be read"):
        static_model.read(place)
    (place / "tokenizer.json").rename(place / "vocab.txt")
    assert "no tokenizer.json" in str(folders.refuses(place, "body"))


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    home = tmp_path_factory.mktemp("encoder") / "small"
    BertModel(BertConfig(**SIZES)).save_pretrained(home)
    tokenizer().save_pretrained(home)
    return home


def test_a_static_model_is_what_its_encoder_says_of_each_piece(encoder, tmp_path):
    """Against transformers by hand: products of vectors, for components turn as they like."""
    import torch
    from model2vec import StaticModel
    from transformers import AutoModel

    from suite.strategies.teaching.distil_static import distil

    made = distil(local_model(f"small={encoder}"), tmp_path / "made")
    assert (made.pieces, made.dimensions) == (9, 8)
    body = AutoModel.from_pretrained(encoder).eval()
    with torch.no_grad():
        read = [body(torch.tensor([[2, piece, 3]])).last_hidden_state.mean(1) for piece in
                range(5, 14)]  # fmt: skip
    found = torch.cat(read).numpy()
    shares = 1 / np.arange(2, 11)
    found = (found - found.mean(0)) * (1e-4 / (1e-4 + shares / shares.sum()))[:, None]
    static = StaticModel.from_pretrained(tmp_path / "made")
    table = static.embedding.astype(np.float32)
    assert not table[:5].any()  # Marks have none.
    np.testing.assert_allclose(table[5:] @ table[5:].T, found @ found.T, rtol=0.02, atol=1e-9)
    # A text that spells a mark is read as text, and vectors have length 1.
    spelt, plain = static.encode(["goal [SEP] match", "goal match"]).astype(np.float32)
    np.testing.assert_array_equal(spelt, plain)
    assert abs(np.linalg.norm(plain) - 1) < 1e-2


def test_the_command_makes_one_that_a_study_takes(encoder, tmp_path):
    target = tmp_path / "static-small"
    run = CliRunner().invoke(
        app, ["model", "distil-static", str(encoder), str(target), "--dimensions", "8"]
    )
    assert run.exit_code == 0, run.output
    assert "small reads 9 word pieces" in run.output and "9 word pieces read" in run.output
    assert f"--model static-small={target}" in run.output.replace("\n", "")
    said = json.loads((target / "config.json").read_text())
    assert said["made_from"] == "folder:small" and said["languages"] == ["multilingual"]
    checked = CliRunner().invoke(app, ["model", "check", str(target), "--json"])
    assert checked.exit_code == 0, checked.output
    found = json.loads(checked.output)
    assert found["model"]["family"] == "static"
    refused = {one["strategy"]: one["refused"] for one in found["strategies"]}
    assert refused["linear_head"] is None and refused["probe"] is None and found["runs"]
    again = CliRunner().invoke(app, ["model", "distil-static", str(encoder), str(target)])
    assert again.exit_code == 2 and "exists" in again.output
    assert not list(tmp_path.glob(".suite-work-*"))


@pytest.mark.parametrize("name", ["tfidf", "tiny-bert"])
def test_what_has_no_network_of_its_own_is_not_distilled(name, tmp_path):
    from suite.strategies.teaching.distil_static import distil

    with pytest.raises(ModelError, match=r"classic model|no weights before it is trained"):
        distil(load_catalogue()[name], tmp_path / "made")


def test_by_rule_of_thumb_it_is_as_cheap_as_it_is():
    catalogue = load_catalogue()
    texts = thumb.Texts(train=2000, validation=500, test=1000, characters=250, language="en",
                        classes=4)  # fmt: skip
    two = thumb.Machine(2.0)

    def trial(name, strategy):
        found = thumb.reckon(
            strategy, catalogue[name], texts, two, epochs=2, checkpoints=5, max_tokens=256
        )
        return found.trial

    assert trial("potion-base-8m", "probe") < 5 < trial("minilm", "probe")
    assert trial("potion-base-8m", "linear_head") < trial("minilm", "linear_head") / 4
