"""Trials over folds: how rows are cut, what is learnt anew, what is pooled and what is compared."""

import json
import os
import signal
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from conftest import command_line as run
from conftest import files_of, kept_of, left_in, toy_rows, write_recipe
from hypothesis import given, settings
from hypothesis import strategies as some
from remembering_run import RememberingRun
from report_studies import scores, trial
from test_standing import found as results_of
from test_strategies_neural import QWEN, built, rows, task  # noqa: F401
from test_study import alive_children, running, start, wait_for
from toy_strategy import ToyStrategy

from suite import strategies
from suite.child import folds as over
from suite.config.recipe import Recipe
from suite.contracts.model import Model
from suite.contracts.results import Arm
from suite.contracts.space import Space
from suite.contracts.strategy import Pool, Rows
from suite.data import folds, load, snapshot
from suite.data.audit import normalise
from suite.data.parts import assemble
from suite.data.splits import Keyed
from suite.errors import DataError, RecipeError
from suite.models.catalogue import load_catalogue
from suite.report.data.rows import leaderboard
from suite.report.pages.answer import validated
from suite.report.words import words_of
from suite.study import folding, probabilities, storage, thumb
from suite.study.arms import PlannedArm
from suite.study.turns import reckoned
from suite.verdict.scoring import score
from suite.verdict.standing import standing

CATALOGUE = load_catalogue()

# ---------------------------------------------------------------- how rows are cut

rows_of = some.lists(
    some.tuples(
        some.integers(0, 60).map(lambda n: f"{'Text' if n % 3 else 'text'} {n // 2}"),
        some.integers(0, 2),
        some.none() | some.integers(0, 12).map("g{}".format),
    ),
    min_size=8,
    max_size=150,
)


def of(drawn, held, *, seed=0, grouped=True):
    """Folds of rows (text, label, group), of which the last are validation."""
    texts, labels, groups = zip(*drawn, strict=True)
    train, validation = (
        Rows(texts[part], labels[part]) for part in (slice(0, -held), slice(-held, None))
    )
    groups = groups if grouped and any(groups) else None
    return folds.together(train, validation), folds.cut(train, validation, seed=seed, groups=groups)


@settings(max_examples=150, deadline=None)
@given(drawn=rows_of, held=some.integers(1, 7), seed=some.integers(0, 3))
def test_every_row_is_in_one_fold_and_the_first_is_validation(drawn, held, seed):
    pool, cut = of(drawn, held, seed=seed)
    if cut is None:
        return
    assert cut.held(0) == list(range(len(pool) - held, len(pool)))
    assert cut.learnt(0) == list(range(len(pool) - held))
    parts = [cut.held(fold) for fold in range(cut.count)]
    assert sorted(row for part in parts for row in part) == list(range(len(pool)))
    assert all(parts)


@settings(max_examples=150, deadline=None)
@given(drawn=rows_of, held=some.integers(1, 7), grouped=some.booleans())
def test_nothing_is_learnt_from_what_belongs_to_a_held_row(drawn, held, grouped):
    pool, cut = of(drawn, held, grouped=grouped)
    if cut is None:
        return
    forms = [normalise(text) for text in pool.texts]
    groups = [group if grouped else None for _, _, group in drawn]
    for fold in range(1, cut.count):
        kept, out = cut.learnt(fold), cut.held(fold)
        assert not {groups[i] for i in kept} & {groups[i] for i in out} - {None}
        if not any(groups):
            assert not {forms[i] for i in kept} & {forms[i] for i in out}


def test_folds_are_as_large_as_validation_and_as_mixed():
    drawn = [(f"text {row}", int(row % 4 == 0), None) for row in range(1000)]
    pool, cut = of(drawn, 100)
    assert cut.count == 10
    for fold in range(1, 10):
        held = cut.held(fold)
        assert len(held) == 100
        assert abs(sum(pool.labels[row] for row in held) - 25) <= 1


def test_small_classes_are_spread():
    """77 classes of 4 rows: each fold has its share, not the first all that it may take."""
    drawn = [(f"text {row}", row % 77, None) for row in range(77 * 5)]
    _, cut = of(drawn, 38)
    sizes = [len(cut.held(fold)) for fold in range(1, cut.count)]
    assert cut.count == 10 and max(sizes) - min(sizes) <= 1


def test_the_hash_decides_and_not_the_order_of_rows():
    drawn = [(f"text {row}", row % 3, None) for row in range(300)]
    pool, cut = of(drawn, 30)
    by_text = {pool.texts[row]: fold for row, fold in enumerate(cut.train)}
    turned = drawn[:-30][::-1] + drawn[-30:]
    pool, again = of(turned, 30)
    assert {pool.texts[row]: fold for row, fold in enumerate(again.train)} == by_text
    assert of(drawn, 30, seed=1)[1] != cut


def test_what_leaves_one_class_to_learn_is_not_cut():
    drawn = [(f"text {row}", int(row == 0), None) for row in range(20)]
    assert of(drawn, 2)[1] is None


def test_groups_of_a_source_reach_the_folds(tmp_path):
    """Train is put in another order on the way; its groups with it."""
    carving = {"share": 0.2, "group": "who"}
    of_task = task(2, data={"file": "rows.jsonl", "licence": "x", "test": carving})
    count = 240
    keyed = Keyed(
        Rows(tuple(f"text {i}" for i in range(count)), tuple(i % 2 for i in range(count))),
        tuple(f"g{i // 4}" for i in range(count)),
    )
    data = assemble(of_task, {"train": keyed}, "here", [], None)
    group = {f"text {i}": f"g{i // 4}" for i in range(count)}
    pool = folds.together(data.train, data.validation)
    assert [group[text] for text in pool.texts] == list(data.groups)
    arms = [PlannedArm("tfidf/classic", CATALOGUE["tfidf"], "classic", Space({}))]
    arms, cut = folding.decide(Recipe(name="r", arms=["tfidf/classic"]), arms, of_task, data)
    assert arms[0].folds == cut.folds.count > 2
    for fold in range(cut.folds.count):
        learnt, held = cut.folds.learnt(fold), cut.folds.held(fold)
        kept, out = ({data.groups[i] for i in rows} for rows in (learnt, held))
        assert not kept & out
    snapshot.write_snapshot(tmp_path / "kept", cut)
    assert snapshot.read_folds(tmp_path / "kept") == cut.folds
    assert snapshot.stands(tmp_path / "kept", cut.facts.fingerprint, folds=True)
    file = tmp_path / "kept" / snapshot.FOLDS
    file.write_text(file.read_text().replace("1", "2", 1))
    with pytest.raises(DataError, match="changed since"):
        snapshot.read_folds(tmp_path / "kept")


# ---------------------------------------------------------------- which arms have them


def made(count, validation, *, timed=False):
    drawn = toy_rows(count + validation, 1)
    texts, labels = tuple(r["text"] for r in drawn), tuple(r["label"] for r in drawn)
    data = load.describe(
        Rows(texts[:count], labels[:count]),
        Rows(texts[count:], labels[count:]),
        Rows(texts[:50], labels[:50]),
        ["ham", "spam"],
        source="here",
    )
    return replace(data, timed=timed)


def planned(*names):
    return [
        PlannedArm(name, CATALOGUE[name.split("/")[0]], name.split("/")[1], Space({}))
        for name in names
    ]


def decided(data, arms, validation="auto"):
    recipe = Recipe(name="r", arms=["tfidf/classic"], validation=validation)
    found, cut = folding.decide(recipe, arms, task(2), data)
    assert (cut.folds is None) == (not any(arm.folds for arm in found))
    return [arm.folds for arm in found]


def test_auto_takes_folds_where_trials_are_cheap_and_validation_is_small(monkeypatch):
    monkeypatch.setattr(thumb.Machine, "here", lambda: thumb.Machine(2.0))
    arms = planned("tfidf/classic", "bert-base-cased/linear_head", "qwen3-0.6b/zero_shot")
    assert decided(made(900, 100), arms) == [10, 0, 0]
    assert decided(made(900, 100), arms, "holdout") == [0, 0, 0]
    assert decided(made(900, 100), arms, "folds") == [10, 10, 10]
    assert decided(made(3000, folding.FEW_ROWS), arms) == [0, 0, 0]
    assert decided(made(3000, folding.FEW_ROWS - 1), arms) == [4, 0, 0]
    refused = [replace(arm, refused="no") for arm in arms[:1]]
    assert decided(made(900, 100), refused + arms[1:]) == [0, 0, 0]


def test_newer_rows_never_answer_for_older_ones():
    data = made(900, 100, timed=True)
    assert decided(data, planned("tfidf/classic")) == [0]
    with pytest.raises(RecipeError, match="split by time") as caught:
        decided(data, planned("tfidf/classic"), "folds")
    assert "validation: holdout" in caught.value.fix


def test_rows_that_can_not_be_cut_are_told_where_folds_are_asked_for():
    data = made(10, 2)
    train, validation = (1, *([0] * 9)), (0, 0)
    data = replace(
        data,
        train=replace(data.train, labels=train),
        validation=replace(data.validation, labels=validation),
    )
    assert decided(data, planned("tfidf/classic")) == [0]
    with pytest.raises(RecipeError, match="toy's 12 rows can't be cut"):
        decided(data, planned("tfidf/classic"), "folds")


@pytest.mark.parametrize("arm", ["tfidf/classic", "minilm/probe", "tiny-bert/linear_head"])
def test_the_rule_of_thumb_knows_of_folds(arm):
    minilm = Model(name="minilm", family="encoder", path="/m", parameters=22.7)
    name, strategy = arm.split("/")
    model = CATALOGUE.get(name, minilm)
    texts = thumb.Texts(1800, 200, 500, 200.0, "en", 4)
    recipe = Recipe(name="r", arms=[arm])
    one = PlannedArm(arm, model, strategy, Space({}))
    once, ten = (
        reckoned(one, recipe, task(2), texts, thumb.Machine(2.0), n).trial for n in (0, 10)
    )
    # Embedding is paid once; training a network ten times.
    assert once < ten < (2 if strategy == "probe" else 11) * once


# ---------------------------------------------------------------- what is learnt anew


def first_run(folder, model, of_task, train, validation, params=None):
    rows = folds.together(train, validation)
    pool = Pool(rows, tuple(range(len(train))), "toy-pool", {})
    return RememberingRun(folder, model, of_task, train, params, pool=pool)


def test_a_word_that_only_a_held_fold_has_is_not_known(tmp_path):
    strategy = strategies.get("classic")
    drawn = toy_rows(100, 3)
    texts = [f"{row['text']} own{i}word" for i, row in enumerate(drawn)]
    whole = Rows(tuple(texts), tuple(row["label"] for row in drawn))
    train, validation = whole.take(range(90)), whole.take(range(90, 100))
    cut = folds.cut(train, validation, seed=0)
    first = first_run(tmp_path, CATALOGUE["tfidf"], task(2), train, validation)
    space = strategy.space(first.model, first.task)
    first.params = dict(space.known_good[0]) | {"min_df": 1, "ngrams": "word-1-1"}
    known = []

    class Watched(over.FoldRun):
        def checkpoint(self, predictor, fraction):
            known.append((set(predictor._vocabularies[0]), self._held))
            super().checkpoint(predictor, fraction)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(over, "FoldRun", Watched)
        over.answers(
            strategy, first, cut, validated=np.ones((10, 2), np.float32), end=1.0,
            folder=tmp_path, told=lambda fraction: None,
        )  # fmt: skip
    assert len(known) == 9
    for words, held in known:
        own = {f"own{i}word" for i in held}
        assert not words & own
        assert len({word for word in words if word.startswith("own")}) == 100 - len(held)


def test_embeddings_are_made_once_and_the_regression_in_each_fold(tmp_path, built, monkeypatch):  # noqa: F811
    from suite.strategies.heads.embedder import Embedder

    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))
    strategy = strategies.get("probe")
    model = Model(name="local", family="encoder", path=str(built["tiny-bert"]))
    whole = rows(120)
    train, validation = whole.take(range(96)), whole.take(range(96, 120))
    cut = folds.cut(train, validation, seed=0)
    embedded = []
    before = Embedder.embed

    def embed(self, ids, *rest):
        embedded.append(len(ids))
        return before(self, ids, *rest)

    monkeypatch.setattr(Embedder, "embed", embed)
    params = {"C": 1.0, "pooling": "mean", "scaling": "standard"}
    first = first_run(tmp_path, model, task(), train, validation, params)
    predictor = strategy.fit(first)
    validated = predictor.predict_proba(validation.texts)
    found = over.answers(
        strategy, first, cut, validated=validated, end=1.0, folder=tmp_path,
        told=lambda fraction: None,
    )  # fmt: skip
    assert embedded == [120, 24]
    # A probe that knows nothing of a pool says the same of each fold.
    for fold in range(cut.count):
        held, learnt = cut.held(fold), cut.learnt(fold)
        alone = RememberingRun(
            tmp_path, model, task(), whole.take(learnt), params, fingerprint=f"alone-{fold}"
        )
        again = strategy.fit(alone).predict_proba(whole.take(held).texts)
        assert np.abs(found[held] - again).max() < 1e-3


def test_a_model_that_is_asked_is_loaded_once_and_asked_with_each_fold_s_examples(
    tmp_path,
    built,  # noqa: F811
    monkeypatch,
):
    from suite.strategies.asking import prompted

    strategy = strategies.get("zero_shot")
    model = Model(name="local", family="decoder", path=str(built[QWEN.name]))
    whole = rows(24)
    train, validation = whole.take(range(16)), whole.take(range(16, 24))
    cut = folds.cut(train, validation, seed=0)
    loads = []
    before = prompted.load_language_model
    monkeypatch.setattr(
        prompted, "load_language_model", lambda *of, **how: loads.append(of) or before(*of, **how)
    )
    params = dict(strategy.space(model, task()).known_good[1]) | {"shots": 1}
    first = first_run(tmp_path, model, task(), train, validation, params)
    validated = strategy.fit(first).predict_proba(validation.texts)
    found = over.answers(
        strategy, first, cut, validated=validated, end=1.0, folder=tmp_path,
        told=lambda fraction: None,
    )  # fmt: skip
    assert cut.count == 3 and len(loads) == 1
    for fold in range(cut.count):
        held, learnt = cut.held(fold), cut.learnt(fold)
        alone = RememberingRun(tmp_path, model, task(), whole.take(learnt), params)
        again = strategy.fit(alone).predict_proba(whole.take(held).texts)
        assert np.abs(found[held] - again).max() < 1e-4


def test_weights_built_from_texts_are_built_in_each_fold(tmp_path, monkeypatch):
    """A tiny model's vocabulary is its training rows'."""
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))
    whole = rows(60)
    train, validation = whole.take(range(40)), whole.take(range(40, 60))
    first = first_run(tmp_path, CATALOGUE["tiny-bert"], task(), train, validation)
    predictor = strategies.get("probe").fit(first)
    assert first.pool.shared == {} and not hasattr(predictor, "recall")


# ---------------------------------------------------------------- a study

SPACES = {"*/toy": {"noise": 0.3}}


@pytest.fixture
def study(folder, toy_task):
    """One arm over folds, with several checkpoints, the early ones the best."""
    recipe = write_recipe(
        folder, arms=["tfidf/toy"], trials=2, validation="folds", spaces=SPACES,
        budget={"epochs": 1, "checkpoints": 2},
    )  # fmt: skip
    run("study", "create", toy_task, "--recipe", recipe, "--name", "t", "--seed", "3")
    return json.loads(run("study", "show", "t", "--json").stdout)


def test_the_score_is_of_the_pooled_answers(study, folder):
    data = snapshot.read_snapshot(files_of("t") / "data")
    pool = folds.together(data.train, data.validation)
    assert study["arms"][0]["folds"] == data.folds.count == 4
    answers = np.zeros((len(pool), 2), np.float32)
    of_toy = ToyStrategy()
    for fold in range(data.folds.count):
        alone = RememberingRun(
            folder, CATALOGUE["tfidf"], task(2), pool.take(data.folds.learnt(fold)),
            {"noise": 0.3, "behaviour": "good", "seconds": 0, "answer_seconds": 0, "hold": ""},
        )  # fmt: skip
        held = data.folds.held(fold)
        answers[held] = of_toy.fit(alone).predict_proba(pool.take(held).texts)
    expected = score(answers, pool.labels, 2)
    one = study["trials"][0]
    assert one["validation"]["confusion"] == expected.confusion
    assert one["validation"]["macro_f1"] == expected.macro_f1
    assert one["validation"]["per_class_f1"] == expected.per_class_f1
    first = score(answers[data.folds.held(0)], data.validation.labels, 2)
    assert one["first_fold"]["confusion"] == first.confusion
    assert one["checkpoints"][-1]["macro_f1"] == first.macro_f1
    assert one["folds"] == 4 and one["search_seconds"] > one["train_seconds"]
    # What is kept is the first fold's: it has seen nothing of validation.
    kept = strategies.load_uncalibrated(kept_of("t", "tfidf/toy"))
    assert (kept.predict_proba(data.validation.texts) == answers[data.folds.held(0)]).all()
    # And what every row was answered is kept with it, for whoever needs honest probabilities.
    there = probabilities.of_arm("t", "tfidf/toy").unseen
    assert (there.which, there.trial) == ("train+validation", one["number"])
    assert there.rows == pool and np.abs(there.probabilities - answers).max() <= 0.0005
    assert not left_in(files_of("t"))


def test_a_study_killed_between_two_folds_goes_on(folder, toy_task):
    held = folder / "hold-fold-2"
    held.touch()
    recipe = write_recipe(
        folder, arms=["tfidf/toy"], trials=1, validation="folds",
        spaces={"*/toy": {"noise": 0.3, "hold": str(folder / "hold")}},
    )  # fmt: skip
    run("study", "create", toy_task, "--recipe", recipe, "--name", "t", "--no-run")
    process = start("study", "run", "t")
    wait_for(lambda: list(files_of("t").glob("trial-*/fold-2")), process)
    offspring = alive_children(process.pid)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    for child in offspring:
        child.wait(60)
    held.unlink()
    run("study", "run", "t")
    found = json.loads(run("study", "show", "t", "--json").stdout)
    states = Counter(one["state"] for one in found["trials"])
    assert states == {"COMPLETE": 1, "FAIL": 1} and not running("t")
    assert found["trials"][-1]["folds"] == 4
    assert not left_in(files_of("t"))


def test_a_study_whose_rows_lost_their_folds_has_them_cut_again(study):
    folder = files_of("t") / "data"
    before = snapshot.read_folds(folder)
    os.unlink(folder / snapshot.FOLDS)
    run("study", "run", "t", "--trials", 3)
    assert snapshot.read_folds(folder) == before
    definition = storage.load(storage.open_storage(None), "t")[1]
    assert [arm.folds for arm in definition.arms] == [4]


# ---------------------------------------------------------------- what is compared


def test_arms_over_folds_and_without_are_compared_on_the_first_fold():
    over_folds = trial(0, "a/classic", 0.95, folds=10, first_fold=scores(0.90))
    alone = trial(1, "b/classic", 0.92)
    found = standing(results_of(trials=[over_folds, alone], finals=[], comparisons=[]))
    assert [place.arm for place in found.places[:2]] == ["b/classic", "a/classic"]
    assert [place.score for place in found.places[:2]] == [0.92, 0.90]
    both = [over_folds, replace(alone, folds=10, first_fold=scores(0.99))]
    places = standing(results_of(trials=both, finals=[], comparisons=[])).places
    assert [(p.arm, p.score) for p in places[:2]] == [
        ("a/classic", 0.95),
        ("b/classic", 0.92),
    ]


def test_what_an_arm_is_chosen_by_is_all_folds():
    worse = trial(0, "a/classic", 0.90, folds=10, first_fold=scores(0.99))
    better = trial(1, "a/classic", 0.91, folds=10, first_fold=scores(0.80))
    found = standing(
        results_of(arms=[Arm("a/classic")], trials=[worse, better], finals=[], comparisons=[])
    )
    assert found.places[0].number == 1


@pytest.mark.parametrize(
    ("language", "all_arms", "some"),
    [
        (
            "en",
            "Validation: 10 folds, pooled; as many as make folds of validation's size.",
            "what is shown and compared before finals is the first fold alone",
        ),
        (
            "zh",
            "验证：10 折，合并计分；折数使每折与验证集一样大。",
            "决赛之前显示和比较的只是第一折",
        ),
    ],
)
def test_the_page_says_what_validation_is_of(language, all_arms, some):
    words = words_of(language)
    over_folds = trial(0, "a/classic", 0.95, folds=10, first_fold=scores(0.90))
    alone = trial(1, "b/classic", 0.92)

    def told(*trials):
        return validated(leaderboard(results_of(trials=list(trials), finals=[])), words)

    assert told(alone) == ""
    assert told(over_folds) == all_arms
    assert some in told(over_folds, alone)
