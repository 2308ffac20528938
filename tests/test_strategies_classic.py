"""The classic strategy: what it offers, what it refuses, and three models that really learn."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from suite import strategies
from suite.contracts.model import Model
from suite.contracts.space import Choice, Fixed, Params, contains
from suite.contracts.strategy import Predictor, Pruned, Rows
from suite.contracts.task import Task
from suite.errors import ModelError, RecipeError, SuiteError
from suite.strategies.classic import tokens
from suite.strategies.classic.strategy import ClassicStrategy
from suite.strategies.network import loop
from suite.strategies.network.balance import class_weights
from suite.strategies.network.softmax import softmax

DATA = Path(__file__).parents[2] / "shared" / "data"
BUILDERS = ("tfidf", "fasttext", "textcnn")
TRAINED = ("fasttext", "textcnn")
SMALL: dict[str, Params] = {
    "tfidf": {},
    "fasttext": {"dim": 8, "dropout": 0.2, "buckets": 4096},
    "textcnn": {"dim": 16, "filters": 8, "batch": 8, "min_count": 1, "learning_rate": 0.01},
}


def toy_task(language: str = "en", classes: int = 3, **more: Any) -> Task:
    return Task.model_validate(
        {
            "name": "toy",
            "title": "Toy",
            "language": language,
            "labels": [{"name": f"class {i}"} for i in range(classes)],
            "data": {"folder": "nowhere", "licence": "none"},
            **more,
        }
    )


def builder_model(builder: str) -> Model:
    return Model.model_validate({"name": builder, "family": "classic", "builder": builder})


class ToyRun:
    """A run that remembers what a strategy told it."""

    def __init__(
        self, builder: str, task: Task, train: Rows, params: Params | None = None, seed: int = 0
    ) -> None:
        self.task = task
        self.model = builder_model(builder)
        self.params: Params = {**SMALL[builder], **(params or {})}
        self.train = train
        self.seed = seed
        self.folder = Path(tempfile.gettempdir())  # Written to in a folder of its own.
        self.epochs = 2.0
        self.checkpoints = 4
        self.shrink_batch = False
        self.halvings = 0
        self.fingerprint = "toy"
        self.teacher = None
        self.companions = {}
        self.seen: list[tuple[float, Predictor]] = []
        self.notes: dict[str, Any] = {}
        self.shares: list[float] = []
        self.on_checkpoint: Callable[[Predictor, float], None] = lambda predictor, fraction: None

    def checkpoint(self, predictor: Predictor, fraction: float) -> None:
        self.seen.append((fraction, predictor))
        self.on_checkpoint(predictor, fraction)

    def loading(self) -> AbstractContextManager[None]:
        return nullcontext()

    def saved(self, seconds: float) -> None:
        raise AssertionError("classic models keep no cache")

    def progress(self, fraction: float) -> None:
        self.shares.append(fraction)

    def note(self, **facts: Any) -> None:
        self.notes.update(facts)


def english_rows(count: int = 120, classes: int = 3) -> Rows:
    topics = ["goal team match coach", "stock market bank price", "cell gene virus vaccine"]
    fillers = ["today", "the", "report", "said", "people", "again", "long", "new"]
    rng = np.random.default_rng(5)
    texts, labels = [], []
    for position in range(count):
        label = position % classes
        words = [*rng.choice(topics[label].split(), 2), *rng.choice(fillers, 3)]
        texts.append(" ".join(rng.permutation(words)))
        labels.append(label)
    return Rows(tuple(texts), tuple(labels))


def chinese_rows(count: int = 90) -> Rows:
    topics = ["球队比赛进球教练", "股票市场银行价格", "细胞基因病毒疫苗"]
    rng = np.random.default_rng(6)
    texts, labels = [], []
    for position in range(count):
        label = position % 3
        start = int(rng.choice([0, 2, 4]))
        texts.append("今天的" + topics[label][start : start + 4] + "新闻" + str(position % 7))
        labels.append(label)
    return Rows(tuple(texts), tuple(labels))


ODD_TEXTS = ("", " ", "?!", "goal", "unseen zzz", "goal " * 3000, "İ½ﬁ 😀 \x00")


def checked(probabilities: Any, texts: int, classes: int) -> Any:
    assert probabilities.dtype == np.float32
    assert probabilities.shape == (texts, classes)
    assert np.isfinite(probabilities).all()
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-5)
    return probabilities


def accuracy(predictor: Predictor, rows: Rows) -> float:
    guesses = predictor.predict_proba(rows.texts).argmax(axis=1)
    return float((guesses == np.asarray(rows.labels)).mean())


# What it offers and refuses


def test_refuses_pretrained_models_and_foreign_languages() -> None:
    strategy = strategies.get("classic")
    bert = Model.model_validate({"name": "bert", "family": "encoder", "hub": "a/b"})
    tiny = Model.model_validate({"name": "tiny", "family": "encoder", "builder": "tiny-bert"})
    english_only = builder_model("tfidf").model_copy(update={"languages": ["en"]})
    assert "linear_head" in (strategy.refuses(bert, toy_task()) or "")
    assert "tiny" in (strategy.refuses(tiny, toy_task()) or "")
    assert "tfidf reads English; the texts are in Chinese" in (
        strategy.refuses(english_only, toy_task("zh")) or ""
    )
    assert [strategy.refuses(builder_model(b), toy_task("zh")) for b in BUILDERS] == [None] * 3


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("builder", BUILDERS)
def test_known_good_points_are_whole_and_inside_the_space(builder: str, language: str) -> None:
    space = ClassicStrategy().space(builder_model(builder), toy_task(language))
    assert space.known_good
    for point in space.known_good:
        assert set(point) == set(space.dimensions)
        for name, value in point.items():
            assert contains(space.dimensions[name], value), name


def test_tfidf_starts_from_the_untuned_baseline() -> None:
    for language, ngrams in (("en", "word-1-2"), ("zh", "char-1-3")):
        space = ClassicStrategy().space(builder_model("tfidf"), toy_task(language))
        assert space.known_good[0] == {
            "classifier": "svm", "C": 0.5, "ngrams": ngrams, "min_df": 2, "sublinear": True,
        }  # fmt: skip


@pytest.mark.parametrize("builder", BUILDERS)
def test_the_defaults_are_the_first_point_in_english(builder: str) -> None:
    model = builder_model(builder)
    declared = ClassicStrategy().hyperparameters(model)
    first = ClassicStrategy().space(model, toy_task()).known_good[0]
    # What is read of a long text is a dimension where texts are long, what makes up for rare
    # classes where some are rare, and learning from a teacher where that was asked for.
    elsewhere = {"cutting", "balance", "distilled"}
    short = {name: one.default for name, one in declared.items() if name not in elsewhere}
    assert first == short


def test_jieba_is_offered_only_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def options() -> str:
        ngrams = (
            ClassicStrategy().space(builder_model("tfidf"), toy_task("zh")).dimensions["ngrams"]
        )
        assert isinstance(ngrams, Choice)
        return " ".join(str(option) for option in ngrams.options)

    monkeypatch.setattr("suite.strategies.classic.strategy.jieba_installed", lambda: True)
    assert "jieba" in options()
    monkeypatch.setattr("suite.strategies.classic.strategy.jieba_installed", lambda: False)
    assert "jieba" not in options()


def test_subwords_are_not_searched_for_chinese() -> None:
    space = ClassicStrategy().space(builder_model("fasttext"), toy_task("zh"))
    assert space.dimensions["subwords"] == Fixed(False)


def test_asking_for_spaces_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from suite import strategies\n"
        "from suite.contracts.model import Model\n"
        "from suite.contracts.task import Task\n"
        "task = Task.model_validate({'name': 't', 'title': 't', 'language': 'zh',"
        " 'labels': [{'name': 'a'}, {'name': 'b'}], 'data': {'folder': 'x', 'licence': 'x'}})\n"
        "strategy = strategies.get('classic')\n"
        "for builder in ('tfidf', 'fasttext', 'textcnn'):\n"
        "    model = Model(name=builder, family='classic', builder=builder)\n"
        "    assert strategy.refuses(model, task) is None\n"
        "    assert strategy.space(model, task).dimensions\n"
        "heavy = {'torch', 'sklearn', 'scipy', 'transformers', 'jieba'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# Tokens


def test_words_and_characters() -> None:
    assert tokens.words("Don't PAY $5, ok?") == ["don't", "pay", "$", "5", ",", "ok", "?"]
    assert tokens.characters("买ＩＰhone 16，好") == ["买", "iphone", "16", ",", "好"]
    assert tokens.words("  \n") == tokens.characters("") == []


def test_ngrams_of_texts_shorter_than_they_are() -> None:
    assert tokens.unit_ngrams(["a"], 3) == ["a"]
    assert tokens.unit_ngrams([], 2) == []
    assert tokens.unit_ngrams(["a", "b", "c"], 3) == ["a", "b", "c", "a b", "b c", "a b c"]
    assert tokens.subwords("a", 3, 5) == []
    assert tokens.subwords("ab", 3, 5) == ["<ab", "ab>"]


# Hyperparameters


@pytest.mark.parametrize(
    ("builder", "params", "message"),
    [
        ("tfidf", {"ngrams": "word"}, "ngrams must be .*not 'word'"),
        ("tfidf", {"ngrams": "word-2-1"}, "ngrams must be .*not 'word-2-1'"),
        ("tfidf", {"C": 0.0}, "C must be a number of at least 1e-06"),
        ("tfidf", {"classifier": "forest"}, "classifier must be one of svm, logistic"),
        ("fasttext", {"dim": 0}, "dim must be a whole number of at least 1 "),
        ("fasttext", {"dropout": 1.0}, "dropout must be .* at most 0.95"),
        ("textcnn", {"widths": "2-x"}, "widths must be .*not '2-x'"),
        ("textcnn", {"widths": 3}, "widths must be .*not 3"),
    ],
)
def test_senseless_hyperparameters_are_the_users_mistake(
    builder: str, params: Params, message: str
) -> None:
    run = ToyRun(builder, toy_task(), english_rows(12), params)
    with pytest.raises(RecipeError, match=message):
        ClassicStrategy().fit(run)
    assert not run.seen


# The loop


class ToyPredictor:
    serving_shape = "toy"
    precision = "float32"
    batch = 1

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def predict_proba(self, texts: Any) -> Any:
        raise AssertionError("the loop neither predicts nor saves")

    def save(self, folder: Path) -> None:
        raise AssertionError("the loop neither predicts nor saves")


def loop_over(run: ToyRun, **more: Any) -> tuple[ToyPredictor, list[list[int]], list[float]]:
    batches: list[list[int]] = []
    factors: list[float] = []

    class Learner:
        def step(self, indices: Any, factor: float) -> float:
            batches.append([int(i) for i in indices])
            factors.append(factor)
            return 0.5

        def snapshot(self) -> ToyPredictor:
            return ToyPredictor(len(batches))

    last = loop.train(
        run, "classic", batch=4, begin=lambda at_once: Learner(), advice="less", **more
    )
    return last, batches, factors


def test_loop_stops_at_equal_fractions_and_sees_each_row_once_a_pass() -> None:
    run = ToyRun("fasttext", toy_task(), english_rows(20))
    last, batches, factors = loop_over(run, passes=4)
    assert [(f, p.steps) for f, p in run.seen] == [(0.25, 5), (0.5, 10), (0.75, 15), (1.0, 20)]
    assert last is run.seen[-1][1]
    for start in range(0, 20, 5):
        assert sorted(chain.from_iterable(batches[start : start + 5])) == list(range(20))
    assert batches[:5] != batches[5:10]
    np.testing.assert_allclose(factors, [(20 - i) / 20 for i in range(20)])
    assert run.shares[-1] == 1.0
    assert run.notes["steps"] == 20


def test_loop_warms_up() -> None:
    _, _, factors = loop_over(
        ToyRun("fasttext", toy_task(), english_rows(20)), passes=2, warm_up=0.3
    )
    np.testing.assert_allclose(factors[:4], [0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(factors[4:], [6 / 7, 5 / 7, 4 / 7, 3 / 7, 2 / 7, 1 / 7])


def test_loop_has_a_step_for_each_checkpoint_on_a_handful_of_rows() -> None:
    run = ToyRun("fasttext", toy_task(), english_rows(3))
    loop_over(run, passes=0.1)
    assert [(f, p.steps) for f, p in run.seen] == [(0.25, 1), (0.5, 2), (0.75, 3), (1.0, 4)]


def test_loop_groups_rows_of_like_length() -> None:
    lengths = [position % 5 for position in range(20)]
    _, batches, _ = loop_over(
        ToyRun("fasttext", toy_task(), english_rows(20)), passes=1, lengths=lengths
    )
    assert [len({lengths[i] for i in batch}) for batch in batches] == [1] * 5
    assert sorted(chain.from_iterable(batches)) == list(range(20))


def test_loop_says_when_training_diverges() -> None:
    run = ToyRun("fasttext", toy_task(), english_rows(20))

    class Learner:
        def step(self, indices: Any, factor: float) -> float:
            return float("nan")

        def snapshot(self) -> ToyPredictor:
            raise AssertionError("there is nothing to keep")

    with pytest.raises(SuiteError, match="the loss is nan at step 1 of 5"):
        loop.train(
            run, "classic", passes=1, batch=4, begin=lambda at_once: Learner(), advice="less"
        )


def test_memory_that_runs_out_halves_the_rows_at_once_and_changes_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from suite.strategies.classic import textcnn

    plain, steps = textcnn._Learner._loss, []

    def short(self: Any, vectors: Any, lengths: Any, indices: Any) -> Any:
        """No more than five rows at once, once twenty steps have gone well."""
        steps.append(len(indices))
        if len(indices) > 5 and len(steps) > 20:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return plain(self, vectors, lengths, indices)

    def run(**changes: Any) -> ToyRun:
        made = ToyRun("textcnn", toy_task(), english_rows(), {"dropout": 0.0, "batch": 16})
        vars(made).update({"shrink_batch": True} | changes)
        return made

    texts = english_rows(12).texts
    whole = ClassicStrategy().fit(run()).predict_proba(texts)
    monkeypatch.setattr(textcnn._Learner, "_loss", short)
    scarce = run()
    found = ClassicStrategy().fit(scarce).predict_proba(texts)
    np.testing.assert_allclose(found, whole, atol=2e-3)
    assert [fraction for fraction, _ in scarce.seen] == [0.25, 0.5, 0.75, 1.0]  # each once
    assert (scarce.notes["batch"], scarce.notes["rows_at_once"]) == (16, 4)
    assert "allocate" in scarce.notes["memory_ran_out"]
    killed = run(halvings=2)  # as after two kills: it begins with a quarter
    ClassicStrategy().fit(killed)
    assert killed.notes["rows_at_once"] == 4 and "memory_ran_out" not in killed.notes
    with pytest.raises(RuntimeError, match=r"batch of 16 .* shrink_batch: true"):
        ClassicStrategy().fit(run(shrink_batch=False))
    with pytest.raises(RuntimeError, match=r"single text \(the system killed.*dim"):
        ClassicStrategy().fit(run(halvings=5))


def test_textcnn_scores_fewer_texts_at_once_where_memory_runs_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    predictor = ClassicStrategy().fit(ToyRun("textcnn", toy_task(), english_rows()))
    texts = english_rows(20).texts
    before = predictor.predict_proba(texts)
    plain = type(predictor._network).forward

    def short(self: Any, ids: Any, lengths: Any) -> Any:
        if len(ids) > 4:
            raise RuntimeError("DefaultCPUAllocator: not enough memory")
        return plain(self, ids, lengths)

    monkeypatch.setattr(type(predictor._network), "forward", short)
    np.testing.assert_allclose(predictor.predict_proba(texts), before, atol=1e-6)
    assert predictor.batch == 4


def test_textcnn_alone_has_a_batch_to_halve_and_is_scored_on_the_way() -> None:
    model = {builder: builder_model(builder) for builder in BUILDERS}
    able = [builder for builder in BUILDERS if strategies.shrinks("classic", model[builder])]
    once = [builder for builder in BUILDERS if strategies.scored_once("classic", model[builder])]
    assert (able, once) == (["textcnn"], ["tfidf", "fasttext"])


def test_class_weights_balance_what_is_there() -> None:
    rows = Rows(("a",) * 4, (0, 0, 0, 2))
    plain = ToyRun("fasttext", toy_task(), rows)
    balanced = ToyRun("fasttext", toy_task(class_weights="balanced"), rows)
    np.testing.assert_array_equal(class_weights(plain), [1, 1, 1])
    np.testing.assert_allclose(class_weights(balanced), [4 / 6, 1, 2])


# All three models


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("builder", BUILDERS)
def test_learns_saves_and_predicts_the_same_after_loading(
    builder: str, language: str, tmp_path: Path
) -> None:
    rows = english_rows() if language == "en" else chinese_rows()
    run = ToyRun(builder, toy_task(language), rows)
    if language == "zh" and builder == "tfidf":
        run.params["ngrams"] = "char-1-3"
    run.epochs = 8
    predictor = ClassicStrategy().fit(run)
    assert accuracy(predictor, rows) > 0.95
    expected = checked(predictor.predict_proba(rows.texts), len(rows), 3)
    assert checked(predictor.predict_proba([]), 0, 3).size == 0
    assert run.notes["precision"] == predictor.precision == "float32"
    assert run.notes["device"] in ("cpu", "cuda")
    assert run.notes["truncated"] == 0.0
    assert isinstance(predictor, Predictor)

    strategies.save_predictor(predictor, "classic", tmp_path / "kept")
    suffixes = {p.suffix for p in (tmp_path / "kept").iterdir()}
    assert suffixes == {".json", ".safetensors"}
    loaded = strategies.load_predictor(tmp_path / "kept")
    np.testing.assert_array_equal(loaded.predict_proba(rows.texts), expected)
    odd = checked(loaded.predict_proba(ODD_TEXTS), len(ODD_TEXTS), 3)
    np.testing.assert_array_equal(odd, predictor.predict_proba(ODD_TEXTS))
    assert loaded.serving_shape == predictor.serving_shape
    assert loaded.serving_shape.split("|")[0] == builder


@pytest.mark.parametrize("builder", BUILDERS)
def test_one_text_gets_the_same_answer_as_among_many(builder: str) -> None:
    predictor = ClassicStrategy().fit(ToyRun(builder, toy_task(), english_rows(60)))
    texts = [*english_rows(9).texts, *ODD_TEXTS]
    together = predictor.predict_proba(texts)
    alone = np.concatenate([predictor.predict_proba([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("builder", BUILDERS)
def test_a_seed_decides_everything(builder: str) -> None:
    rows = english_rows(60)

    def probabilities(seed: int) -> Any:
        return (
            ClassicStrategy()
            .fit(ToyRun(builder, toy_task(), rows, seed=seed))
            .predict_proba(rows.texts)
        )

    first = probabilities(3)
    np.random.default_rng().random(7)
    np.testing.assert_array_equal(first, probabilities(3))
    if builder in TRAINED:
        assert np.abs(first - probabilities(4)).max() > 1e-4


def test_checkpoints_are_snapshots_that_training_leaves_alone() -> None:
    rows = english_rows(60)
    run = ToyRun("textcnn", toy_task(), rows)
    then: list[Any] = []
    run.on_checkpoint = lambda predictor, fraction: then.append(predictor.predict_proba(rows.texts))
    last = ClassicStrategy().fit(run)
    assert [fraction for fraction, _ in run.seen] == [0.25, 0.5, 0.75, 1.0]
    assert last is run.seen[-1][1]
    for (_, predictor), expected in zip(run.seen, then, strict=True):
        np.testing.assert_array_equal(predictor.predict_proba(rows.texts), expected)
    assert np.abs(then[0] - then[-1]).max() > 1e-3
    assert run.shares == sorted(run.shares)
    assert run.shares[-1] == 1.0


@pytest.mark.parametrize("builder", ["tfidf", "fasttext"])
def test_there_is_one_checkpoint(builder: str) -> None:
    run = ToyRun(builder, toy_task(), english_rows(30))
    predictor = ClassicStrategy().fit(run)
    assert run.seen == [(1.0, predictor)]


@pytest.mark.parametrize("builder", BUILDERS)
def test_pruning_comes_out(builder: str) -> None:
    run = ToyRun(builder, toy_task(), english_rows(30))

    def stop(predictor: Predictor, fraction: float) -> None:
        raise Pruned

    run.on_checkpoint = stop
    with pytest.raises(Pruned):
        ClassicStrategy().fit(run)
    assert len(run.seen) == 1


@pytest.mark.parametrize("builder", BUILDERS)
@pytest.mark.parametrize("weights", ["none", "balanced"])
def test_a_class_without_rows_is_never_preferred(builder: str, weights: str) -> None:
    rows = english_rows(60)
    kept = Rows(rows.texts, tuple({0: 0, 1: 3, 2: 1}[label] for label in rows.labels))
    run = ToyRun(builder, toy_task(classes=5, class_weights=weights), kept)
    run.epochs = 8
    predictor = ClassicStrategy().fit(run)
    probabilities = checked(predictor.predict_proba(kept.texts), 60, 5)
    assert accuracy(predictor, kept) > 0.9
    assert not {2, 4} & set(probabilities.argmax(axis=1).tolist())


@pytest.mark.parametrize("builder", BUILDERS)
def test_two_classes_and_one_class(builder: str) -> None:
    rows = english_rows(60, classes=2)
    run = ToyRun(builder, toy_task(classes=2), rows)
    run.epochs = 8
    assert accuracy(ClassicStrategy().fit(run), rows) > 0.95
    single = Rows(rows.texts, (1,) * 60)
    predictor = ClassicStrategy().fit(ToyRun(builder, toy_task(classes=2), single))
    assert (predictor.predict_proba(["goal", ""]).argmax(axis=1) == 1).all()


@pytest.mark.parametrize("builder", BUILDERS)
@pytest.mark.parametrize("texts", [("", "", "", ""), ("a", "b", "a", "b"), ("!", "?", "", ".")])
def test_rows_with_next_to_nothing_in_them(
    builder: str, texts: tuple[str, ...], tmp_path: Path
) -> None:
    run = ToyRun(builder, toy_task(classes=2), Rows(texts, (0, 1, 0, 0)), {})
    predictor = ClassicStrategy().fit(run)
    expected = checked(predictor.predict_proba(ODD_TEXTS), len(ODD_TEXTS), 2)
    predictor.save(tmp_path)
    np.testing.assert_array_equal(
        ClassicStrategy().load(tmp_path).predict_proba(ODD_TEXTS), expected
    )
    assert expected[0, 0] > expected[0, 1] or texts[0] == "a"


@pytest.mark.parametrize("builder", BUILDERS)
def test_balanced_weights_lift_the_small_class(builder: str) -> None:
    texts = ("the same words",) * 100
    rows = Rows(texts, tuple(int(i % 10 == 0) for i in range(100)))

    def mean_of_small(weights: str) -> float:
        run = ToyRun(builder, toy_task(classes=2, class_weights=weights), rows)
        if builder == "tfidf":
            run.params["classifier"] = "logistic"
        run.epochs = 8
        return float(ClassicStrategy().fit(run).predict_proba(texts)[:, 1].mean())

    assert mean_of_small("none") == pytest.approx(0.1, abs=0.05)
    assert mean_of_small("balanced") == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("builder", BUILDERS)
def test_damaged_folders_are_named(builder: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="it is missing") as error:
        ClassicStrategy().load(tmp_path)
    assert error.value.where == str(tmp_path / "settings.json")
    predictor = ClassicStrategy().fit(ToyRun(builder, toy_task(), english_rows(30)))
    predictor.save(tmp_path)
    settings = json.loads((tmp_path / "settings.json").read_text(encoding="utf-8"))

    def rewrite(**changes: Any) -> None:
        kept = {k: v for k, v in (settings | changes).items() if v is not None}
        (tmp_path / "settings.json").write_text(json.dumps(kept), encoding="utf-8")

    rewrite(format="magic")
    with pytest.raises(ModelError, match="unknown format 'magic'"):
        ClassicStrategy().load(tmp_path)
    missing = {"tfidf": "views", "fasttext": "buckets", "textcnn": "shape"}[builder]
    rewrite(**{missing: None})
    with pytest.raises(ModelError, match=f"{missing}: Field required") as error:
        ClassicStrategy().load(tmp_path)
    assert error.value.where == str(tmp_path / "settings.json")
    rewrite()
    arrays = tmp_path / "arrays.safetensors"
    arrays.write_bytes(arrays.read_bytes()[:-20])
    with pytest.raises(ModelError, match="no arrays can be read there"):
        ClassicStrategy().load(tmp_path)


# TF-IDF


@pytest.mark.parametrize(
    "params", [{}, {"classifier": "logistic", "C": 5.0}, {"ngrams": "word-1-2+char_wb-2-4"}]
)
def test_tfidf_agrees_with_scikit_learn(params: Params) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    rows = english_rows()
    predictor = ClassicStrategy().fit(ToyRun("tfidf", toy_task(), rows, params))
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    model = LinearSVC(C=0.5, random_state=0).fit(vectorizer.fit_transform(rows.texts), rows.labels)
    unseen = [*english_rows(30).texts, "goal bank", "virus today coach"]
    theirs = model.decision_function(vectorizer.transform(unseen))
    ours = predictor.predict_proba(unseen)
    if params:
        assert (ours.argmax(axis=1)[:30] == theirs.argmax(axis=1)[:30]).all()
    else:
        expected = np.exp(theirs) / np.exp(theirs).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(ours, expected, atol=1e-5)


@pytest.mark.parametrize("classes", [2, 3])
def test_tfidf_logistic_probabilities_are_scikit_learns_own(classes: int) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    rows = english_rows(60, classes)
    run = ToyRun("tfidf", toy_task(classes=classes), rows, {"classifier": "logistic", "C": 3.0})
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    features = vectorizer.fit_transform(rows.texts)
    theirs = OneVsRestClassifier(LogisticRegression(C=3.0, solver="liblinear", random_state=0)).fit(
        features, rows.labels
    )
    np.testing.assert_allclose(
        ClassicStrategy().fit(run).predict_proba(rows.texts),
        theirs.predict_proba(features),
        atol=1e-4,
    )


def test_tfidf_notes_what_it_fell_back_to() -> None:
    distinct = Rows(("apple", "pear", "plum", "fig"), (0, 1, 0, 1))
    run = ToyRun("tfidf", toy_task(classes=2), distinct, {"min_df": 3})
    assert accuracy(ClassicStrategy().fit(run), distinct) == 1.0
    assert run.notes["min_df_used"] == 1
    letters = ToyRun("tfidf", toy_task(classes=2), Rows(("a", "b", "a", "b"), (0, 1, 0, 1)), {})
    assert accuracy(ClassicStrategy().fit(letters), letters.train) == 1.0
    assert letters.notes["ngrams_used"] == "char-1-2"
    empty = ToyRun("tfidf", toy_task(classes=2), Rows(("", "", ""), (0, 1, 0)), {})
    predicted = ClassicStrategy().fit(empty).predict_proba(["anything"])
    np.testing.assert_allclose(predicted, [[2 / 3, 1 / 3]], rtol=1e-5)
    assert "predicts class shares" in empty.notes["fallback"]


def test_tfidf_bounds_its_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("suite.strategies.classic.tfidf.MOST_WEIGHTS", 30)
    run = ToyRun("tfidf", toy_task(), english_rows(60))
    ClassicStrategy().fit(run)
    assert run.notes["features"] == run.notes["ngrams_capped_at"] == 10


def test_tfidf_cuts_chinese_into_words() -> None:
    pytest.importorskip("jieba")
    rows = chinese_rows()
    run = ToyRun("tfidf", toy_task("zh"), rows, {"ngrams": "char-1-2+jieba-1-2"})
    predictor: Any = ClassicStrategy().fit(run)
    assert accuracy(predictor, rows) == 1.0
    assert predictor.serving_shape == "tfidf|char-1-2+jieba-1-2|svm|3"
    assert any(len(term) > 1 and " " not in term for term in predictor._vocabularies[1])


def test_jieba_missing_is_the_users_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("suite.strategies.classic.tokens.jieba_installed", lambda: False)
    tokens.jieba_cutter.cache_clear()
    run = ToyRun("tfidf", toy_task("zh"), chinese_rows(), {"ngrams": "jieba-1-1"})
    with pytest.raises(ModelError, match="needs jieba"):
        ClassicStrategy().fit(run)


# fastText and TextCNN


def test_fasttext_reads_word_order_and_subwords() -> None:
    ordered = Rows(("not good but bad", "not bad but good") * 20, (0, 1) * 20)
    for ngrams, lowest, highest in ((1, 0.5, 0.5), (2, 1.0, 1.0)):
        run = ToyRun("fasttext", toy_task(classes=2), ordered, {"ngrams": ngrams, "dropout": 0.0})
        run.epochs = 8
        assert lowest <= accuracy(ClassicStrategy().fit(run), ordered) <= highest
    stems = Rows(("playing walked", "quickly slowly") * 20, (0, 1) * 20)
    unseen = Rows(("played walking", "quick slow"), (0, 1))
    run = ToyRun("fasttext", toy_task(classes=2), stems, {"subwords": True, "dropout": 0.0})
    run.epochs = 8
    assert accuracy(ClassicStrategy().fit(run), unseen) == 1.0


def test_textcnn_cuts_at_the_tasks_limit_and_says_how_often() -> None:
    rows = Rows(("goal " * 20, "bank", "goal", "bank " * 9), (0, 1, 0, 1))
    run = ToyRun("textcnn", toy_task(classes=2, max_tokens=8), rows)
    predictor = ClassicStrategy().fit(run)
    assert run.notes["truncated"] == 0.5
    start = "goal bank goal bank goal bank goal bank"
    np.testing.assert_allclose(
        predictor.predict_proba([start]), predictor.predict_proba([start + " bank" * 50]), atol=1e-6
    )


def test_training_leaves_the_callers_random_numbers_alone() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    ClassicStrategy().fit(ToyRun("textcnn", toy_task(), english_rows(12)))
    assert torch.equal(torch.rand(3), expected)


# Real data


def real_rows(task: str, split: str, most: int | None = None) -> Rows:
    file = DATA / task / f"{split}.jsonl.gz"
    if not file.is_file():
        pytest.skip(f"no real data: {file} is absent")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][:most]
    return Rows(tuple(r["text"] for r in rows), tuple(r["label"] for r in rows))


@pytest.mark.slow
@pytest.mark.parametrize(("builder", "least"), [("tfidf", 0.885), ("fasttext", 0.86)])
def test_known_good_points_on_real_intents(builder: str, least: float) -> None:
    from sklearn.metrics import f1_score

    train, test = real_rows("banking77", "train"), real_rows("banking77", "test")
    run = ToyRun(builder, toy_task(classes=77), train)
    space = ClassicStrategy().space(run.model, run.task)
    run.params = dict(space.known_good[0])
    predictor = ClassicStrategy().fit(run)
    guesses = predictor.predict_proba(test.texts).argmax(axis=1)
    assert f1_score(test.labels, guesses, average="macro") > least


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_shares_are_as_precise_as_their_scores(kind):
    scores = np.array([[0.0, np.log(3.0)], [1e30, -1e30]], dtype=kind)
    shares = softmax(scores)
    assert shares.dtype == kind and scores[0, 0] == 0
    np.testing.assert_allclose(shares, [[0.25, 0.75], [1, 0]], rtol=1e-6)
    np.testing.assert_array_equal(softmax(scores[0]), shares[0])
