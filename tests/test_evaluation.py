"""Early checkpoints on a part of validation: how many rows, which, and what is kept in the end."""

import json
from collections import Counter

import numpy as np
import pytest
from conftest import toy_rows, write_recipe
from test_strategies_neural import BERT, task

from suite.child import evaluation, worker
from suite.child.messages import Checkpointed, Job, Sized
from suite.child.worker import ChildRun
from suite.contracts.results import Checkpoint
from suite.contracts.strategy import Rows
from suite.errors import ModelError
from suite.study import record, storage
from suite.study.create import Wanted, create

VALIDATION = Rows(
    tuple(f"text {i}" for i in range(1200)), tuple(0 if i % 10 else 1 for i in range(1200))
)


class Wrong:
    """Answers class 0 and 1 rightly but for the texts it is told of. Counts what it is asked."""

    serving_shape, precision, batch = "toy", "float32", 32
    saved, asked = {}, []

    def __init__(self, name, wrong, clock=None, seconds=0.0):
        self.name, self.wrong, self.clock, self.seconds = name, frozenset(wrong), clock, seconds

    def predict_proba(self, texts):
        Wrong.asked.append((self.name, len(texts)))
        if self.clock:
            self.clock.now += self.seconds * len(texts)
        out = np.zeros((len(texts), 2), dtype=np.float32)
        for row, text in enumerate(texts):
            index = int(text.split()[1])
            out[row, VALIDATION.labels[index] ^ (index in self.wrong)] = 1
        return out


class Channel:
    """The parent's end: lets every trial go on, and answers sizes."""

    def __init__(self, size=None):
        self.sent, self.size = [], size

    def send(self, message):
        self.sent.append(message)

    def recv(self):
        last = self.sent[-1]
        return (self.size or last.rows) if isinstance(last, Sized) else True


class Seconds:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    found = Seconds()
    monkeypatch.setattr(worker.time, "perf_counter", found)
    return found


@pytest.fixture(autouse=True)
def kept(monkeypatch):
    """Predictors 'saved' in memory, by folder name."""
    Wrong.saved, Wrong.asked = {}, []

    def save(predictor, strategy, folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "name").write_text(predictor.name)
        Wrong.saved[predictor.name] = predictor

    monkeypatch.setattr("suite.strategies.save_predictor", save)
    monkeypatch.setattr(
        "suite.strategies.load_predictor", lambda folder: Wrong.saved[(folder / "name").read_text()]
    )


def child(folder, channel, evaluation="auto", checkpoints=4):
    job = Job(
        arm="a/toy", strategy="toy", model=BERT, task=task(classes=2), params={}, seed=0,
        snapshot=folder, fingerprint="f", folder=folder / "trial", epochs=1.0,
        checkpoints=checkpoints, shrink_batch=True, threads=1, evaluation=evaluation,
    )  # fmt: skip
    return ChildRun(job, VALIDATION, VALIDATION, "f", channel)


@pytest.mark.parametrize(
    ("precision", "apart", "told"),
    [("float32", 0, None), ("bfloat16", 0, None), ("float32", 1, "0.12"), ("bfloat16", 1, "0.12")],
)
def test_what_is_kept_is_loaded_and_asked_again(folder, monkeypatch, precision, apart, told):
    found = child(folder, Channel(), evaluation="full", checkpoints=1)
    whole = Wrong("whole", range(600))
    found.checkpoint(whole, 1.0)
    found.close(False)
    lossy = Wrong("whole", range(apart, 600))  # another answer to so many of the texts
    monkeypatch.setattr(lossy, "precision", precision, raising=False)
    Wrong.saved["whole"] = lossy
    Wrong.asked.clear()
    if told is None:
        found.check_kept()
    else:
        with pytest.raises(ModelError, match=rf"answers otherwise .* by {told} .* 8 validation"):
            found.check_kept()
    assert Wrong.asked == [("whole", 8)]


def test_a_predictor_that_writes_is_not_asked_again(folder, monkeypatch):
    found = child(folder, Channel(), evaluation="full", checkpoints=1)
    monkeypatch.setattr(Wrong, "steady", False, raising=False)
    found.checkpoint(Wrong("whole", range(600)), 1.0)
    found.close(False)
    Wrong.asked.clear()
    found.check_kept()
    assert Wrong.asked == []


def kept_name(folder):
    return (folder / "trial" / worker.KEPT / "name").read_text()


def test_the_part_is_stratified_and_the_same_every_time():
    order = evaluation.order(VALIDATION)
    assert sorted(order) == list(range(1200))
    assert Counter(VALIDATION.labels[row] for row in order[:500]) == {0: 450, 1: 50}
    assert list(evaluation.order(VALIDATION)) == list(order)


def test_the_first_trial_measures_and_asks_how_many_rows(folder, clock):
    channel = Channel()
    run = child(folder, channel)
    run.clock.start()
    clock.now += 42.0  # a quarter of the training, which may cost 4.2 s to score
    run.checkpoint(Wrong("first", [], clock, 0.006), 0.25)
    assert channel.sent[0] == Sized(700)
    assert Wrong.asked == [("first", 500), ("first", 200)]
    assert run.evaluation_seconds == pytest.approx(4.2)
    clock.now += 42.0
    run.checkpoint(Wrong("second", [], clock, 0.006), 0.5)
    assert Wrong.asked[2:] == [("second", 700)]
    assert [c.rows for c in run.scored] == [700, 700]
    assert run.train_seconds == pytest.approx(84.0)


def test_another_trial_of_the_arm_may_have_settled_it(folder, clock):
    channel = Channel(size=600)
    run = child(folder, channel)
    run.clock.start()
    clock.now += 84.0
    run.checkpoint(Wrong("first", [], clock, 0.006), 0.5)
    assert channel.sent[0] == Sized(700)
    assert Wrong.asked == [("first", 500), ("first", 100)]
    assert run.scored[0].rows == 600


def test_cheap_scoring_sees_every_row(folder, clock):
    channel = Channel()
    run = child(folder, channel)
    run.clock.start()
    clock.now += 42.0
    run.checkpoint(Wrong("first", range(0, 1200, 2), clock, 0.001), 0.25)
    assert channel.sent[0] == Sized(1200)
    # Scored in pieces, yet every row with its own label.
    whole = Wrong("again", range(0, 1200, 2)).predict_proba(VALIDATION.texts)
    assert run.best == run._scores(whole, None)
    assert kept_name(folder) == "first"
    run.checkpoint(Wrong("last", range(0, 1200, 3), clock, 0.001), 1.0)
    assert [c.rows for c in run.scored] == [1200, 1200]
    assert kept_name(folder) == "last"


def test_full_asks_nobody_and_scores_everything(folder):
    channel = Channel()
    run = child(folder, channel, evaluation="full")
    run.checkpoint(Wrong("first", []), 0.25)
    assert Wrong.asked == [("first", 1200)]
    assert [type(message) for message in channel.sent] == [Checkpointed]


def test_an_early_checkpoint_that_was_lucky_on_the_part_is_not_kept(folder):
    part = set(evaluation.order(VALIDATION)[:500])
    rest = [row for row in range(1200) if row not in part]
    run = child(folder, Channel(), evaluation=500)
    run.checkpoint(Wrong("lucky", rest[:400]), 0.5)
    assert run.scored[0].macro_f1 == 1.0
    run.checkpoint(Wrong("last", sorted(part)[:20]), 1.0)
    assert kept_name(folder) == "last"
    assert run.best.macro_f1 == run.scored[1].macro_f1 < 1
    # Its curve tells the score on all rows.
    assert run.scored[0].rows == 1200 and run.scored[0].macro_f1 < run.scored[1].macro_f1
    assert Wrong.asked == [("lucky", 500), ("last", 1200), ("lucky", 1200)]
    assert not (folder / "trial" / worker.CANDIDATE).exists()


def test_an_early_checkpoint_that_is_better_on_all_rows_is_kept_with_that_score(folder):
    run = child(folder, Channel(), evaluation=500)
    run.checkpoint(Wrong("poor", range(300)), 0.25)
    run.checkpoint(Wrong("best", range(30)), 0.5)
    run.checkpoint(Wrong("worse", range(200)), 0.75)
    run.checkpoint(Wrong("last", range(100)), 1.0)
    assert kept_name(folder) == "best"
    whole = Wrong("again", range(30)).predict_proba(VALIDATION.texts)
    assert run.best == run._scores(whole, None)
    assert [c.rows for c in run.scored] == [500, 1200, 500, 1200]
    assert run.best.macro_f1 == run.scored[1].macro_f1
    run.close(pruned=False)


def test_a_last_checkpoint_that_is_best_on_the_part_costs_no_second_scoring(folder):
    run = child(folder, Channel(), evaluation=500)
    part = set(evaluation.order(VALIDATION)[:500])
    rest = [row for row in range(1200) if row not in part]
    run.checkpoint(Wrong("first", range(100)), 0.5)
    run.checkpoint(Wrong("last", rest[:300]), 1.0)
    assert run.scored[1].macro_f1 < run.scored[0].macro_f1
    assert Wrong.asked == [("first", 500), ("last", 1200)]
    assert kept_name(folder) == "last"


def test_memory_that_holds_one_model_only_keeps_the_last(folder, monkeypatch):
    run = child(folder, Channel(), evaluation=500)
    run.checkpoint(Wrong("best", []), 0.5)

    def no_room(folder):
        raise MemoryError

    monkeypatch.setattr("suite.strategies.load_predictor", no_room)
    run.checkpoint(Wrong("last", range(100)), 1.0)
    assert kept_name(folder) == "last"
    assert run.best.macro_f1 == run.scored[1].macro_f1
    assert "candidate_not_scored" in run.facts


def test_a_pruned_trial_says_on_how_many_rows_it_was_scored(folder):
    run = child(folder, Channel(), evaluation=500)
    run.checkpoint(Wrong("first", range(100)), 0.25)
    run.close(pruned=True)
    assert run.facts["validation_rows_scored"] == 500
    with pytest.raises(RuntimeError, match=r"without a checkpoint at 1\.0"):
        run.close(pruned=False)


def test_a_study_settles_the_rows_once_per_arm_and_every_trial_keeps_to_it(folder):
    from suite.cli.progress import Watching
    from suite.study.jobs import EVALUATION
    from suite.study.work import Limits, Work

    data = folder / "data"
    data.mkdir()
    for split, count, seed in (("train", 3000, 1), ("test", 60, 2)):
        lines = [json.dumps(row) for row in toy_rows(count, seed)]
        (data / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "toy.yaml").write_text(
        "name: toy\ntitle: Toy mail\nlanguage: en\nlabels: [{name: ham}, {name: spam}]\n"
        "data: {folder: data, licence: made for the tests}\nvalidation: {share: 0.4, seed: 0}\n"
    )
    recipe = write_recipe(
        folder,
        arms=["tfidf/toy"],
        trials=3,
        budget={"checkpoints": 2},
        pruner={"name": "none"},
        # .2 s of training between checkpoints may cost .02 s: far fewer than 500 rows of .4 ms.
        spaces={"*/toy": {"seconds": 0.4, "answer_seconds": 0.0004}},
    )
    create(Wanted(task="toy.yaml", recipe=recipe, name="toy"))
    watching = Watching()
    work = Work(None, "toy", watching, Limits(workers=2))
    watching.study(work, 2)
    work.run()
    study, _ = storage.load(storage.open_storage(), "toy")
    assert study.user_attrs[f"{EVALUATION}tfidf/toy"] == 500
    found = record.trials_of(study)
    assert len(found) == 3
    for trial in found:
        assert trial.checkpoints[-1].rows == 1200
        assert trial.checkpoints[0].rows in (500, 1200)
        assert trial.macro_f1 == max(c.macro_f1 for c in trial.checkpoints if c.rows == 1200)
        assert sum(map(sum, trial.validation.confusion)) == 1200


def test_a_checkpoint_of_an_older_study_has_no_rows():
    assert Checkpoint(**{"fraction": 0.5, "macro_f1": 0.5, "train_seconds": 1.0}).rows is None
