"""Texts longer than a model may read: head, tail, both, or chunks that become one."""

import json
import random

import numpy as np
import pytest
from remembering_run import RememberingRun
from test_strategies_neural import BERT, QWEN, SHARED, WORDS, task

from suite import strategies
from suite.contracts import cutting
from suite.contracts.cutting import Cutting
from suite.contracts.space import Choice, Fixed, Space
from suite.contracts.strategy import Rows
from suite.errors import ModelError, RecipeError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from suite.serving import engines  # noqa: E402
from suite.serving.engines import graph  # noqa: E402
from suite.serving.engines.served import GraphAnswers  # noqa: E402
from suite.strategies.network import chunk_pooling, chunks, token_cache  # noqa: E402
from suite.strategies.network.chunk_pooling import ChunkPooling  # noqa: E402
from suite.strategies.network.chunks import Chunks  # noqa: E402
from suite.strategies.network.feeding import Classifier  # noqa: E402
from suite.strategies.network.shrinking import half_the_tokens  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")


def long_rows(count, seed=0):
    """Texts of 20 words that every class has, and at their end four of their own."""
    generator = random.Random(seed)
    texts, labels = [], []
    for index in range(count):
        words = generator.choices(SHARED, k=20) + generator.choices(WORDS[index % 3], k=4)
        texts.append(" ".join(words))
        labels.append(index % 3)
    return Rows(tuple(texts), tuple(labels))


class LongRun(RememberingRun):
    def __init__(self, folder, model, params, **changes):
        super().__init__(folder, model, task(max_tokens=16), long_rows(96), params, **changes)


def share_right(predictor):
    unseen = long_rows(60, seed=1)
    return (predictor.predict_proba(unseen.texts).argmax(axis=1) == unseen.labels).mean()


# --- what is read, without torch -----------------------------------------------------------------


def read(way, length, room, **more):
    return [
        [place for part in row for place in range(length)[part]]
        for row in Cutting(way, **more).rows(length, room)
    ]


def test_one_row_is_of_the_head_the_tail_or_both():
    assert read("head", 10, 4) == [[0, 1, 2, 3]]
    assert read("tail", 10, 4) == [[6, 7, 8, 9]]
    assert read("head_tail", 10, 4) == [[0, 7, 8, 9]]


@pytest.mark.parametrize("length", [5, 8, 9, 16, 17, 100])
def test_chunks_hold_the_whole_text_while_they_are_enough(length):
    found = read("chunks_mean", length, 4, chunks=4)
    assert len(found) == min(4, -(-length // 4))
    assert all(len(row) <= 4 for row in found)
    assert found[0][0] == 0 and found[-1][-1] == length - 1
    if length <= 16:
        assert [place for row in found for place in row] == list(range(length))
        assert max(map(len, found)) - min(map(len, found)) <= 1


def test_what_is_nowhere_said_is_the_head():
    assert Cutting.of({}) == Cutting("head") == Cutting.of_kept(None, None)
    assert Cutting.of({}).kept == {}
    assert Cutting("chunks_max", 2).kept == {"cutting": "chunks_max", "chunks": 2}
    assert Cutting("tail").kept == {"cutting": "tail"}


@pytest.mark.parametrize("params", [{"chunks": 0}, {"chunks": 17}, {"cutting": "middle"}])
def test_what_can_be_no_cutting_is_refused(params):
    with pytest.raises(RecipeError, match=next(iter(params))):
        Cutting.of({"cutting": "chunks_mean", **params})


def test_texts_are_long_from_one_in_twenty():
    assert cutting.are_long([10] * 19 + [300], 256)
    assert not cutting.are_long([10] * 20 + [300], 256)
    assert not cutting.are_long([256] * 20, 256)
    assert not cutting.are_long([], 256)


def test_known_good_points_come_first_and_with_the_head():
    plain = Space({"C": Fixed(1.0)}, ({"C": 1.0}, {"C": 2.0}))
    found = cutting.searched(plain, Cutting)
    assert found.dimensions["cutting"] == Choice((*cutting.PLAIN, *cutting.CHUNKED))
    assert found.dimensions["chunks"] == Fixed(4)
    assert list(found.known_good) == [
        {"C": 1.0, "cutting": "head"},
        {"C": 1.0, "cutting": "head_tail"},
        {"C": 1.0, "cutting": "chunks_mean"},
        {"C": 2.0, "cutting": "head"},
    ]


def test_chunks_multiply_what_is_read():
    searched = cutting.searched(Space({}), Cutting).dimensions
    assert cutting.times_read({}, [1000], 100) == 1
    assert cutting.times_read(searched, [50, 80], 100) == 1
    assert cutting.times_read(searched, [1000], 100) == pytest.approx((3 + 3 * 4) / 6)
    only = {**searched, "cutting": Fixed("chunks_mean")}
    assert cutting.times_read(only, [250], 100) == pytest.approx(2.5)


# --- token ids -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Folders of both tiny models, built once."""
    from suite.strategies.network import tiny

    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("built")
        patch.setenv("SUITE_CACHE", str(home))
        return {model.name: tiny.folder(LongRun(home, model, {})) for model in (BERT, QWEN)}


def codec(folder, how, limit=16):
    from suite.strategies.network import transformer
    from suite.strategies.network.sources import Source

    source = Source(str(folder))
    return transformer.load_codec(source, transformer.load_config(source), limit, cutting=how)


@pytest.mark.parametrize("name", ["tiny-bert", "tiny-qwen3"])
def test_every_row_has_the_marks_of_the_tokenizer(built, name):
    text = " ".join(long_rows(1).texts)
    whole = codec(built[name], Cutting(), 1000).encode([text]).ids[0]
    before, after = (1, 1) if name == "tiny-bert" else (0, 0)
    inside = whole[before : len(whole) - after]
    room = 16 - before - after
    head, tail, both = (codec(built[name], Cutting(way)).encode([text]) for way in cutting.PLAIN)
    opening, closing = whole[:before], whole[len(whole) - after :]
    assert head.ids == [[*opening, *inside[:room], *closing]]
    assert tail.ids == [[*opening, *inside[-room:], *closing]]
    first = room // 4
    assert both.ids == [[*opening, *inside[:first], *inside[first - room :], *closing]]
    assert head.cut == tail.cut == both.cut == 1
    found = codec(built[name], Cutting("chunks_mean", 16)).encode([text, "lunch friend"])
    assert found.cut == 0
    assert isinstance(found.ids[0], Chunks) and not isinstance(found.ids[1], Chunks)
    parts = found.ids[0].parts
    assert [t for part in parts for t in part[before : len(part) - after]] == inside
    assert all(list(part[:before]) == list(opening) for part in parts)
    assert max(map(len, parts)) <= 16
    longer = " ".join(long_rows(3).texts)
    assert codec(built[name], Cutting("chunks_mean", 2)).encode([longer]).cut == 1


def test_a_tail_is_what_transformers_cuts_at_the_left(built):
    """As a model's card says to those who load it by transformers alone."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(built["tiny-bert"])
    tokenizer.truncation_side = "left"
    texts = long_rows(4).texts
    told = tokenizer(list(texts), truncation=True, max_length=16, split_special_tokens=True)
    assert codec(built["tiny-bert"], Cutting("tail")).encode(texts).ids == told["input_ids"]


def test_a_text_weighs_as_much_as_all_its_chunks():
    classifier = Classifier(model_of("Bert"), 0, CPU, limit=64)
    assert [part.tolist() for part in classifier.parts(TEXTS, 9)] == [[2], [0, 1]]
    assert half_the_tokens([len(text) for text in TEXTS], 4096, 3) == 9
    assert half_the_tokens([len(text) for text in TEXTS], 9, 3) is None


def test_chunks_come_back_from_the_cache(built, tmp_path, monkeypatch):
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path))
    from suite.strategies.network.sources import Source

    source = Source(str(built["tiny-bert"]))
    run = LongRun(tmp_path, BERT, {})
    ways = [Cutting("chunks_mean"), Cutting("tail"), Cutting()]
    made = [token_cache.encoded(run, codec(source.where, way), source) for way in ways]
    assert run.notes["tokens"] == "made"
    again = token_cache.encoded(run, codec(source.where, ways[0]), source)
    assert run.notes["tokens"] == "cached"
    assert [row.lengths for row in again.ids] == [row.lengths for row in made[0].ids]
    for way, before in zip(ways, made, strict=True):
        kept = token_cache.encoded(run, codec(source.where, way), source)
        assert [list(row) for row in kept.ids] == [list(row) for row in before.ids]
    # What joins them changes no id.
    token_cache.encoded(run, codec(source.where, Cutting("chunks_max")), source)
    assert run.notes["tokens"] == "cached"


# --- vectors -------------------------------------------------------------------------------------


def by_hand(way, values, counts, vector):
    found, begin = [], 0
    for count in counts:
        own = values[begin : begin + count]
        begin += count
        if way == "max":
            found.append(own.max(axis=0))
            continue
        scores = own @ vector if way == "attention" else np.zeros(count)
        weights = np.exp(scores - scores.max())
        found.append((own * (weights / weights.sum())[:, None]).sum(axis=0))
    return np.stack(found)


@pytest.mark.parametrize("way", cutting.POOLINGS)
def test_chunks_become_one_text_by_text(way):
    random_numbers = np.random.default_rng(0)
    values = random_numbers.normal(size=(7, 5)).astype(np.float32)
    vector = 30 * random_numbers.normal(size=5).astype(np.float32)  # far apart: none may overflow
    pooling = ChunkPooling(way, 5)
    if pooling.vector is not None:
        pooling.vector.data = torch.from_numpy(vector)
    found = pooling.of_arrays(values, (3, 1, 2, 1))
    np.testing.assert_allclose(
        found, by_hand(way, values, (3, 1, 2, 1), vector), rtol=1e-5, atol=1e-6
    )
    alone = pooling.of_arrays(values[4:6], (2,))
    np.testing.assert_array_equal(alone[0], found[2])


SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "vocab_size": 50,
    "max_position_embeddings": 64,
    "num_labels": 3,
    "pad_token_id": 0,
}
DISTIL = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32, "vocab_size": 50}
TEXTS = [
    Chunks([5, 6, 7, 8, 9, 10, 11], (4, 3)),
    [12, 13],
    Chunks([14, 15, 16, 17, 18, 19, 20, 21, 22], (3, 3, 3)),
]


def model_of(name):
    torch.manual_seed(3)
    given = {**DISTIL, "num_labels": 3} if name == "DistilBert" else SMALL
    if name in ("Qwen3", "Gemma"):
        given = {**given, "num_key_value_heads": 2, "head_dim": 8}
    config = getattr(transformers, f"{name}Config")(**given)
    return getattr(transformers, f"{name}ForSequenceClassification")(config).eval()


@pytest.mark.parametrize("name", ["Bert", "Roberta", "Qwen3", "Gemma", "DistilBert"])
def test_logits_of_chunks_packed_or_padded(name, monkeypatch):
    model = model_of(name)
    width = chunk_pooling.last_layer(model).in_features

    def logits(way, plain=False):
        pooling = ChunkPooling(way, width)
        if pooling.vector is not None:
            pooling.vector.data = torch.linspace(-3, 3, width)
        with monkeypatch.context() as patch:
            if plain:
                patch.setattr("suite.strategies.network.feeding.PACKED_ON", ())
            classifier = Classifier(model, 0, CPU, limit=64, pooling=pooling)
        return classifier(classifier.batch(TEXTS)), classifier, pooling

    alone = Classifier(model, 0, CPU, limit=64)
    rows, counts = chunks.apart(TEXTS)
    each = alone(alone.batch(rows))
    found, classifier, _ = logits("mean")
    assert classifier.feeding == ("padded" if name in ("Gemma", "DistilBert") else "packed")
    # The last layer is linear: of means it makes means.
    wanted = torch.stack([part.mean(dim=0) for part in each.split(counts)])
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)
    for way in ("max", "attention"):
        found, _, pooling = logits(way)
        padded = logits(way, plain=True)[0]
        torch.testing.assert_close(found, padded, atol=1e-5, rtol=1e-4)
        assert not torch.allclose(found, wanted, atol=1e-6, rtol=1e-3)
        found.square().sum().backward()
        if pooling.vector is not None:
            assert pooling.vector.grad.abs().sum() > 0
    assert all(p.grad is not None for n, p in model.named_parameters() if "layer.0" in n)


# --- training, keeping, serving ------------------------------------------------------------------


QUICK = {"learning_rate": 2e-3, "batch": 16}


def as_a_graph(predictor, texts):
    """Whatever is read of a text, the graph that engines convert answers as the predictor does."""
    made = graph.graph_of(predictor)
    assert not isinstance(made, str), made

    def run(ids, mask):
        assert ids.shape[1] <= made.max_tokens
        with torch.inference_mode():
            return made.module(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()

    answers = GraphAnswers(made, run, tokens=64)
    known = predictor.predict_proba(texts)
    np.testing.assert_allclose(answers.predict_proba(texts), known, atol=1e-5)
    np.testing.assert_allclose(predictor.predict_proba(texts), known, atol=1e-7)  # left as it was
    assert answers.predict_proba([]).shape == (0, 3)


def served_by(engine, folder, texts, scratch):
    """What an engine answers; skips where this machine has it not."""
    reasons = {c.engine: c.refused for c in engines.candidates(folder) if c.precision == "float32"}
    if reasons[engine]:
        pytest.skip(reasons[engine])
    found = engines.open_engine(folder, engine, "float32", texts=texts, scratch=scratch)
    return found.predict_proba(texts)


def trained(name, model, built, tmp_path, params):
    from suite.contracts.model import Model

    here = Model.model_validate(
        {**model.model_dump(exclude={"builder"}), "builder": None, "path": str(built[model.name])}
    )
    run = LongRun(tmp_path, here, params, epochs=1.0 if params["cutting"] == "head" else 5.0)
    return strategies.get(name).fit(run), run


@pytest.mark.parametrize(
    ("model", "way", "right"),
    [
        (BERT, "head", False),
        (BERT, "head_tail", True),
        (BERT, "chunks_attention", True),
        (QWEN, "chunks_max", True),
    ],
)
def test_a_head_learns_what_stands_at_the_end(built, tmp_path, monkeypatch, model, way, right):
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path))
    params = {**QUICK, "cutting": way, "chunks": 2}
    predictor, run = trained("linear_head", model, built, tmp_path, params)
    assert (share_right(predictor) > 0.8) == right
    folder = tmp_path / "kept"
    strategies.save_predictor(predictor, "linear_head", folder)
    loaded = strategies.load_predictor(folder, classes=3)
    texts = [*long_rows(5).texts, "lunch friend", ""]
    np.testing.assert_allclose(
        loaded.predict_proba(texts), predictor.predict_proba(texts), atol=1e-5
    )
    assert loaded.serving_shape == predictor.serving_shape
    kept = json.loads((folder / "settings.json").read_text())
    assert kept.get("cutting") == (None if way == "head" else way)
    if way == "chunks_attention":
        assert loaded.pooling.vector.abs().max() > 1e-3
        served = served_by("onnxruntime", folder, texts, tmp_path)
        np.testing.assert_allclose(served, predictor.predict_proba(texts), atol=1e-4)
        (folder / chunk_pooling.ATTENTION_FILE).unlink()
        with pytest.raises(ModelError, match="is missing"):
            strategies.load_predictor(folder)
    as_a_graph(predictor, texts)
    assert run.notes.get("cutting") == kept.get("cutting")


def test_what_joins_chunks_has_the_gradient_of_one_step_alone(built, tmp_path, monkeypatch):
    """It is no part of the model whose gradients Trainer empties."""
    from suite.strategies.heads import head_training

    monkeypatch.setenv("SUITE_CACHE", str(tmp_path))
    plain, sizes = head_training._Trainer.training_step, []

    def watched(self, *given, **named):
        loss = plain(self, *given, **named)
        sizes.append(float(self.classifier.pooling.vector.grad.norm()))
        return loss

    monkeypatch.setattr(head_training._Trainer, "training_step", watched)
    # The same rows in each of five steps, and next to nothing is learned of them.
    params = {**QUICK, "cutting": "chunks_attention", "chunks": 2}
    params |= {"batch": 512, "learning_rate": 1e-12}
    trained("linear_head", BERT, built, tmp_path, params)
    assert len(sizes) == 5
    assert max(sizes) < 2 * sizes[0]


@pytest.mark.parametrize("way", ["head", "tail", "chunks_max", "chunks_attention"])
def test_a_probe_reads_the_end_too(built, tmp_path, monkeypatch, way):
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path))
    params = {"C": 100.0, "cutting": way, "chunks": 2}
    predictor, _ = trained("probe", BERT, built, tmp_path, params)
    assert (share_right(predictor) > 0.6) == (way != "head")
    folder = tmp_path / "kept"
    strategies.save_predictor(predictor, "probe", folder)
    loaded = strategies.load_predictor(folder, classes=3)
    texts = [*long_rows(5).texts, "lunch friend", ""]
    np.testing.assert_allclose(
        loaded.predict_proba(texts), predictor.predict_proba(texts), atol=1e-5
    )
    as_a_graph(predictor, texts)
    if way == "chunks_max":
        served = served_by("openvino", folder, texts, tmp_path)
        np.testing.assert_allclose(served, predictor.predict_proba(texts), atol=1e-4)
    if way.startswith("chunks"):
        # Embedded once, whatever joins the chunks.
        other = {**params, "cutting": "chunks_max" if way != "chunks_max" else "chunks_mean"}
        _, again = trained("probe", BERT, built, tmp_path, other)
        assert again.notes["embeddings"] == "cached"


def test_attention_on_frozen_vectors_finds_the_chunk_that_tells():
    """One chunk of three says the class, and bears a mark; the others say any."""
    random_numbers = np.random.default_rng(1)
    texts, classes = 300, 3
    labels = random_numbers.integers(classes, size=texts)
    values = np.zeros((3 * texts, classes + 1), np.float32)
    values[np.arange(3 * texts), random_numbers.integers(classes, size=3 * texts)] = 1.0
    telling = 3 * np.arange(texts) + random_numbers.integers(3, size=texts)
    values[telling] = 0.0
    values[telling, labels] = 1.0
    values[telling, classes] = 1.0
    pooling = chunk_pooling.learnt("attention", values, (3,) * texts, labels.tolist(), classes)
    joined = pooling.of_arrays(values, (3,) * texts)
    assert (joined[:, :classes].argmax(axis=1) == labels).mean() > 0.95
    mean = chunk_pooling.learnt("mean", values, (3,) * texts, labels.tolist(), classes)
    assert (mean.of_arrays(values, (3,) * texts)[:, :3].argmax(axis=1) == labels).mean() < 0.8


# --- prompts, servers, textcnn -------------------------------------------------------------------


def test_a_prompt_holds_the_end_of_a_text(built):
    from suite.prompting.chat import Prompter
    from suite.prompting.layout import Variant
    from suite.prompting.stored import of_json, to_json

    tokenizer = transformers.AutoTokenizer.from_pretrained(built["tiny-qwen3"])
    words = [f"{word}{place}" for place, word in enumerate(["music", "offer"] * 60)]
    text = " ".join(words)

    def asked(way):
        prompter = Prompter.build(
            tokenizer, task(max_tokens=40), limit=None, variant=Variant(cutting=way)
        )
        found = prompter.encode([text, "short"])
        assert found.cut == 1
        assert prompter.cutoff - 12 < len(found.ids[0]) <= prompter.cutoff
        again = of_json(tokenizer, json.loads(json.dumps(to_json(prompter))))
        assert again.encode([text]).contents == found.contents[:1]
        return found.contents[0]

    head, tail, both = map(asked, cutting.PLAIN)
    assert words[0] in head and words[-1] not in head
    assert words[0] not in tail and words[-1] in tail
    assert words[0] in both and words[-1] in both and " … " in both
    old = {"order": "given", "words": "display", "instruction": "first", "no_think_mark": False}
    assert Variant(**old).cutting == "head"


def test_a_server_is_sent_the_end_of_a_text():
    from suite.strategies.asking.served import prepare

    text = "".join(chr(ord("a") + place) for place in range(20))
    assert prepare(text, 8).text == text[:8]
    assert prepare(text, 8, "tail").text == text[-8:]
    assert prepare(text, 8, "head_tail").text == f"{text[:2]} … {text[-6:]}"
    assert not prepare(text, 20, "tail").cut


def test_textcnn_reads_the_end_and_says_so(tmp_path):
    from suite.models.catalogue import load_catalogue

    model = load_catalogue()["textcnn"]
    classic = strategies.get("classic")
    found = {}
    for way in ("head", "head_tail"):
        run = LongRun(tmp_path, model, {"cutting": way, "dim": 16, "filters": 16}, epochs=4.0)
        predictor = found[way] = classic.fit(run)
        folder = tmp_path / way
        strategies.save_predictor(predictor, "classic", folder)
        loaded = strategies.load_predictor(folder)
        texts = long_rows(5).texts
        np.testing.assert_array_equal(loaded.predict_proba(texts), predictor.predict_proba(texts))
        assert run.notes.get("cutting") == (None if way == "head" else way)
    assert share_right(found["head"]) < 0.6 < 0.8 < share_right(found["head_tail"])


# --- a study -------------------------------------------------------------------------------------


def planned(lengths, spaces=None):
    from suite.config.recipe import Recipe
    from suite.models.catalogue import load_catalogue
    from suite.study import arms

    names = ["tiny-bert/linear_head", "tiny-bert/probe", "textcnn/classic", "tfidf/classic"]
    names += ["tiny-qwen3/zero_shot"]
    recipe = Recipe(name="r", arms=names, spaces=spaces or {})
    catalogue = load_catalogue()
    found = arms.plan(
        recipe, task(max_tokens=16), catalogue, unavailable=lambda _: None, lengths=lengths
    )
    return {arm.name: arm.space for arm in found}


def test_only_long_texts_open_a_dimension():
    short, long = planned([8] * 100), planned([8] * 90 + [40] * 10)
    for name, space in short.items():
        assert "cutting" not in space.dimensions and "chunks" not in space.dimensions
        assert set(long[name].dimensions) - set(space.dimensions) <= {"cutting", "chunks"}
        assert ("cutting" in long[name].dimensions) == (name != "tfidf/classic")
    assert long["tiny-bert/probe"].dimensions["cutting"].options == (
        *cutting.PLAIN,
        *cutting.CHUNKED,
    )
    assert long["textcnn/classic"].dimensions["cutting"].options == cutting.PLAIN
    assert long["tiny-qwen3/zero_shot"].dimensions["cutting"].options == cutting.PLAIN


def test_a_recipe_may_ask_for_a_cutting_whatever_the_texts():
    found = planned([], {"tiny-bert/linear_head": {"cutting": "chunks_max", "chunks": 3}})
    assert found["tiny-bert/linear_head"].dimensions["cutting"] == Fixed("chunks_max")
    assert found["tiny-bert/linear_head"].dimensions["chunks"] == Fixed(3)


@pytest.mark.parametrize(
    ("arm", "asked", "told"),
    [
        ("tiny-bert/linear_head", {"chunks": 0}, "chunks of .* at least 2"),
        ("tiny-bert/linear_head", {"chunks": {"low": 2, "high": 99}}, "chunks of .* at most 16"),
        ("tiny-bert/probe", {"cutting": ["head", "middle"]}, "cutting of .* one of head, tail"),
        ("tiny-qwen3/zero_shot", {"cutting": "chunks_mean"}, "cutting of .* one of head, tail"),
        ("tiny-qwen3/zero_shot", {"chunks": 4}, "unknown hyperparameter 'chunks'"),
        ("tfidf/classic", {"cutting": "tail"}, "unknown hyperparameter 'cutting'"),
    ],
)
def test_what_can_be_no_cutting_is_refused_in_a_recipe(arm, asked, told):
    with pytest.raises(RecipeError, match=told):
        planned([], {arm: asked})


def test_a_preflight_knows_that_only_the_head_was_timed(tmp_path):
    from types import SimpleNamespace

    from suite.config.recipe import Recipe
    from suite.models.catalogue import load_catalogue
    from suite.study import arms
    from suite.study.definition import StoredArm
    from suite.study.preflight import estimate

    recipe = Recipe(name="r", arms=["tiny-bert/probe"], budget={"evaluation": "full"})
    took = SimpleNamespace(
        train_seconds=1.0,
        evaluation_seconds=0.0,
        evaluated=64,
        evaluated_seconds=6.4,
        again_seconds=0.0,
    )
    rows = SimpleNamespace(train=32, validation=100, test=100, answered=100)
    train = SimpleNamespace(length_mean=400.0, length_quantiles=[400] * 21)
    data = SimpleNamespace(rows=rows, audit=SimpleNamespace(splits={"train": train}))
    definition = SimpleNamespace(recipe=recipe, data=data, task=task(max_tokens=16))
    work = SimpleNamespace(
        ledger=SimpleNamespace(definition=definition),
        jobs=SimpleNamespace(job=lambda *asked, **more: None, pace=lambda arm, params: None),
        runner=SimpleNamespace(train=lambda job, max_seconds: took),
        keeping=SimpleNamespace(scratch=tmp_path),
    )

    def seconds(lengths):
        [planned] = arms.plan(
            recipe, definition.task, load_catalogue(), unavailable=lambda _: None, lengths=lengths
        )
        return estimate(work, StoredArm.of(planned)).seconds

    # Three ways read one row of 16 tokens, three read four.
    assert seconds([40] * 10) == pytest.approx(2.5 * seconds([8] * 10), rel=0.01)


def test_estimates_know_that_chunks_multiply_tokens():
    from suite.study import thumb

    texts = thumb.Texts(1800, 200, 500, 8000.0, "en", 4, tuple(range(0, 16001, 800)))
    model = BERT.model_copy(update={"builder": None, "parameters": 22.7})

    def seconds(dimensions):
        return thumb.reckon(
            "linear_head",
            model,
            texts,
            thumb.Machine(2.0),
            epochs=2,
            checkpoints=5,
            max_tokens=256,
            dimensions=dimensions,
        ).trial

    plain = {"cutting": Fixed("tail"), "chunks": Fixed(4)}
    assert seconds(plain) == seconds({})
    assert 3 < seconds({**plain, "cutting": Fixed("chunks_mean")}) / seconds(plain) < 4
    both = {**plain, "cutting": Choice(("head", "chunks_mean"))}
    assert 2 < seconds(both) / seconds(plain) < 2.5
