"""A training that is broken off goes on from its bookmark, and ends as if it never had been."""

import json
import os
import shutil
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import datetime, timedelta
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from conftest import command_line, files_of, write_recipe
from optuna.trial import TrialState
from remembering_run import RememberingRun
from test_static import rows as static_rows
from test_static import toy_task as static_task
from test_static import write as write_static
from test_strategies_neural import BERT, QWEN, rows, task

from suite import strategies
from suite.child import bookmarks as run_bookmarks
from suite.child.bookmarks import RunBookmarks, SoFar
from suite.child.messages import Continued, Failed, Finished, Job
from suite.child.runner import Interrupted, Runner
from suite.contracts.bookmark import Bookmark
from suite.contracts.deciding import Value
from suite.contracts.model import Companion, Model
from suite.contracts.results import Trial
from suite.errors import StorageError, StudyError
from suite.machine import bookmarkstore
from suite.machine.bookmarkstore import MANIFEST, TENSORS, VALUES, Unfit
from suite.models.catalogue import local_model
from suite.study import estimates, finals, jobs
from suite.study.create import Wanted, create
from suite.study.jobs import Jobs
from suite.study.keeping import Keeping
from suite.study.ledger import Ledger
from suite.study.speed import Neighbours
from suite.study.telling import Telling
from suite.study.work import Limits, Work

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.usefixtures("one_thread")

OF = "0" * 64


class BrokenOff(Exception):
    """Stands for a kill after a step."""


class OneBookmark:
    """`Bookmarks` that breaks its training off after a step, and goes on from there."""

    def __init__(self, place, stop=None):
        self.place = place
        self.stop = stop
        self.begun = None
        self.told = []

    def begin(self, facts, steps):
        json.dumps(facts)
        found = bookmarkstore.read(self.place, OF)
        self.begun = None if found is None else found.step
        return found and Bookmark(found.step, found.tensors, found.values)

    def at(self, step, whole, *, scored):
        self.told.append((step, scored))
        if step == self.stop:
            mark = whole()
            assert mark.step == step
            bookmarkstore.write(self.place, OF, step, mark.tensors, mark.values, {})
            raise BrokenOff


TEXTCNN = Model.model_validate({"name": "textcnn", "family": "classic", "builder": "textcnn"})
QUICK = {"learning_rate": 2e-3, "batch": 16}  # 96 rows, 2 passes: 6 steps in each, 12 in all

TRAININGS = {
    "textcnn": ("classic", TEXTCNN, {"batch": 32, "dropout": 0.5, "dim": 16, "filters": 8}),
    "encoder": ("linear_head", BERT, QUICK),
    "its lowest layers frozen": ("linear_head", BERT, QUICK | {"freeze": 0.5}),
    "chunks, by attention": (
        "linear_head", BERT, QUICK | {"cutting": "chunks_attention", "chunks": 3}
    ),
    "decoder": ("linear_head", QWEN, QUICK | {"schedule": "cosine", "warmup": 0.2}),
    "lora": ("linear_head", QWEN, QUICK | {"tuning": "lora", "lora_dropout": 0.3}),
    "oversampled": ("linear_head", BERT, QUICK | {"balance": "oversampled"}),
    "static": ("linear_head", None, {"batch": 8, "dropout": 0.3}),
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def training(tmp_path, home, monkeypatch):
    """Trains as `TRAININGS` has it; its predictor."""
    monkeypatch.setenv("SUITE_CACHE", str(home))

    def train(name, bookmarks=None):
        strategy, model, params = TRAININGS[name]
        short = {"max_tokens": 8} if "chunks" in name else {}
        of, train = task(**short), rows(96)
        if model is None:
            of, train = static_task(), static_rows()
            model = local_model(f"mine={write_static(home / 'mine')}")
        if name == "oversampled":
            train = rows(96).take([*range(60), *range(60, 96, 3)])
        run = RememberingRun(tmp_path, model, of, train, params)
        if bookmarks is not None:
            run.bookmarks = bookmarks
        return strategies.get(strategy).fit(run), run, strategy

    return train


@pytest.fixture
def whole(training, home):
    """The folder of what such a training that nobody broke off made; trained once for all tests."""

    def made(name):
        place = home / "whole" / name.replace(" ", "_")
        if not place.exists():
            found, _, strategy = training(name)
            strategies.save_predictor(found, strategy, place)
        return place

    return made


def check_same(whole, found, strategy, place):
    """A predictor is kept as the same bytes that lie in a folder."""
    strategies.save_predictor(found, strategy, place / "found")
    # A tokenizer that was built here, and not yet read, is written in other words.
    files = [p.name for p in whole.iterdir() if p.name != "tokenizer.json"]
    assert any(file.endswith(".safetensors") for file in files)
    differs = [f for f in files if (whole / f).read_bytes() != (place / "found" / f).read_bytes()]
    assert differs == []


def broken_off_at(steps, train, place):
    """What a training makes that is broken off after these steps, one after another, each time by
    what could be another process; with what `train` gives beside it."""
    before = None
    for step in [*steps, None]:
        torch.manual_seed(99)  # Another process has another chance.
        np.random.seed(99)
        mark = OneBookmark(place, stop=step)
        if step is None:
            found = train(mark)
        else:
            with pytest.raises(BrokenOff):
                train(mark)
        assert mark.begun == before and mark.told[0][0] == (before or 0) + 1
        before = step
    return found


#: At the first step, within a pass, at its end, after it; of the others it is enough to be after.
STEPS = {"encoder": (1, 6, 7), "textcnn": (2, 5)}


@pytest.mark.parametrize("name", TRAININGS)
def test_a_training_that_goes_on_is_the_one_that_was_never_broken_off(
    training, whole, tmp_path, name
):
    found, run, strategy = broken_off_at(
        STEPS.get(name, (7,)), lambda mark: training(name, mark), tmp_path / "mark"
    )
    check_same(whole(name), found, strategy, tmp_path)
    assert run.fractions[-1] == 1.0


@pytest.mark.parametrize(
    ("params", "steps"),
    [
        ({}, (3, 6, 8)),  # 12 steps, 6 in each of 2 passes
        ({"tuning": "lora", "lora_dropout": 0.3}, (8,)),
        ({"tuning": "freeze", "packing": True}, (2,)),
    ],
)
def test_llama_factory_goes_on_too(tmp_path, home, monkeypatch, params, steps):
    import tiny_decoders

    monkeypatch.setenv("SUITE_CACHE", str(home))
    monkeypatch.chdir(tmp_path)
    prompt = {"en": {"instruction": "Sort this.", "question": "Kind?"}}
    quick = {"learning_rate": 4e-3, "batch": 8, "warmup": 0.1, "no_think_mark": True}
    folders = (tmp_path / str(number) for number in range(9))

    def train(bookmarks=None):
        folder = next(folders)
        folder.mkdir()
        run = tiny_decoders.ToyRun(
            folder,
            QWEN,
            quick | params,
            task=tiny_decoders.task(2, prompt=prompt),
            train=tiny_decoders.rows(48, classes=2),
            epochs=2.0,
            checkpoints=2,
            fingerprint="sft-rows",
        )
        if bookmarks is not None:
            run.bookmarks = bookmarks
        return strategies.get("sft").fit(run), run

    whole, run = train()
    assert run.notes["steps"] > steps[-1]
    strategies.save_predictor(whole, "sft", tmp_path / "whole")
    found, again = broken_off_at(steps, train, tmp_path / "mark")
    assert again.notes["steps"] == run.notes["steps"]
    check_same(tmp_path / "whole", found, "sft", tmp_path)
    pickles = [p for p in tmp_path.rglob("*") if p.suffix in (".pt", ".pth", ".bin", ".pkl")]
    assert pickles == []


def test_padded_rows_come_in_the_same_batches(training, tmp_path, monkeypatch):
    from suite.strategies.network import feeding

    monkeypatch.setattr(feeding, "packed_classifier", lambda model, seed: None)
    plain, _, strategy = training("encoder")
    strategies.save_predictor(plain, strategy, tmp_path / "whole")
    found, run, _ = broken_off_at((8,), lambda mark: training("encoder", mark), tmp_path / "mark")
    assert run.notes["feeding"] == "padded"
    check_same(tmp_path / "whole", found, strategy, tmp_path)


@pytest.mark.parametrize("name", ["textcnn", "encoder", "static"])
def test_a_bookmark_changes_nothing_of_the_training(training, whole, tmp_path, name):
    class Marking(OneBookmark):
        def at(self, step, whole, *, scored):
            super().at(step, whole, scored=scored)
            whole()

    marked, run, strategy = training(name, Marking(tmp_path / "none"))
    check_same(whole(name), marked, strategy, tmp_path)
    assert [scored for _, scored in run.bookmarks.told].count(True) >= 1


def test_after_memory_ran_out_a_training_is_another_one(training, tmp_path, monkeypatch):
    from suite.strategies.heads.head_training import HeadTraining

    facts = []

    class Asked(OneBookmark):
        def begin(self, found, steps):
            facts.append(found)
            return super().begin(found, steps)

    real, calls = HeadTraining._model, []

    def short_of_memory(self):
        calls.append(1)
        found = real(self)
        if len(calls) == 2:
            self.bookmarks.at = lambda *_, **__: None
        return found

    def at(step, whole, *, scored):
        raise RuntimeError("not enough memory: you tried to allocate 9 bytes")

    monkeypatch.setattr(HeadTraining, "_model", short_of_memory)
    asked = Asked(tmp_path / "mark")
    asked.at = at
    training("encoder", asked)
    assert len(facts) == 2 and facts[0] != facts[1]


# --- on disk ------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path):
    return tmp_path / "bookmarks" / "trial-0"


def write(place, step=3, *, of=OF, folders=None, value=1.0):
    tensors = {"weights": torch.full((4,), value), "half": torch.ones(2, dtype=torch.bfloat16)}
    bookmarkstore.write(place, of, step, tensors, {"a": [1, None], "step": step}, folders or {})


def only(place):
    [folder] = [p for p in place.iterdir() if p.is_dir()]
    return folder


def test_the_latest_bookmark_alone_is_kept_and_comes_back_as_it_was(place, tmp_path):
    assert bookmarkstore.read(place, OF) is None
    kept = tmp_path / "kept"
    (kept / "within").mkdir(parents=True)
    (kept / "within" / "model").write_bytes(b"model")
    for step in (3, 20, 100):
        write(place, step, folders={"kept": kept}, value=step)
    assert only(place).name.startswith("100-")
    found = bookmarkstore.read(place, OF)
    assert (found.step, found.values) == (100, {"a": [1, None], "step": 100})
    assert found.tensors["weights"].tolist() == [100.0] * 4
    assert found.tensors["half"].dtype == torch.bfloat16
    bookmarkstore.put(found, "kept", tmp_path / "back")
    assert (tmp_path / "back" / "within" / "model").read_bytes() == b"model"
    bookmarkstore.put(found, "candidate", tmp_path / "back")
    assert not (tmp_path / "back").exists()


def damage_bytes(folder):
    content = bytearray((folder / TENSORS).read_bytes())
    content[-1] ^= 1
    (folder / TENSORS).write_bytes(content)


def damage_manifest(folder):
    told = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(told | {"step": 2}))


def damage_link(folder):
    (folder / VALUES).rename(folder.parent.parent / "elsewhere")
    (folder / VALUES).symlink_to(folder.parent.parent / "elsewhere")


DAMAGES = {
    "a byte": damage_bytes,
    "the step": damage_manifest,
    "cut short": lambda folder: os.truncate(folder / TENSORS, 10),
    "a file less": lambda folder: (folder / VALUES).unlink(),
    "a file more": lambda folder: (folder / "more").write_text(""),
    "no manifest": lambda folder: (folder / MANIFEST).unlink(),
    "a manifest of nothing": lambda folder: (folder / MANIFEST).write_text("[" * 100_000),
    "a link": damage_link,
    "a pipe": lambda folder: ((folder / VALUES).unlink(), os.mkfifo(folder / VALUES)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_bookmark_is_none(place, damage):
    write(place)
    DAMAGES[damage](only(place))
    with pytest.raises(Unfit, match=r"it is damaged|it is not whole|it can't be read"):
        bookmarkstore.read(place, OF)
    write(place, 4)  # The next takes its place.
    assert bookmarkstore.read(place, OF).step == 4


def test_a_bookmark_of_another_training_is_none(place):
    write(place)
    with pytest.raises(Unfit, match="other hyperparameters, rows, weights or versions"):
        bookmarkstore.read(place, "1" * 64)


def test_a_bookmark_is_written_whole_or_not_at_all(place, monkeypatch):
    write(place, 3)
    real = bookmarkstore._digest

    def full(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bookmarkstore, "_digest", full)
    with pytest.raises(StorageError, match="No space left"):
        write(place, 4)
    monkeypatch.setattr(bookmarkstore, "_digest", real)
    assert [p.name for p in place.iterdir()] == [only(place).name]
    assert bookmarkstore.read(place, OF).step == 3


def test_what_a_killed_writer_left_is_no_bookmark_and_goes_with_the_next(place):
    write(place, 3)
    (place / ".77.part").mkdir()
    (place / ".77.part" / TENSORS).write_bytes(b"half")
    assert bookmarkstore.read(place, OF).step == 3
    write(place, 4)
    assert {p.name[:2] for p in place.iterdir()} == {"4-"}


def test_a_training_goes_on_from_one_bookmark_twice(place):
    write(place)
    for _ in range(bookmarkstore.MOST_TRIES):
        assert bookmarkstore.read(place, OF).step == 3
    with pytest.raises(Unfit, match="2 processes died"):
        bookmarkstore.read(place, OF)
    bookmarkstore.forgive(place)
    assert bookmarkstore.read(place, OF).step == 3
    write(place, 4)
    assert [bookmarkstore.read(place, OF).step for _ in range(2)] == [4, 4]


# --- a run ----------------------------------------------------------------------------------------


@pytest.fixture
def studied(folder, toy_task, monkeypatch):
    """Makes a study `t` of one arm, 1 trial; returns its ledger. A bookmark at every step."""
    monkeypatch.setattr(jobs, "BOOKMARK_SECONDS", 0.0)

    def make(arm="textcnn/classic", **changes):
        recipe = write_recipe(folder, arms=[arm], trials=1, **changes)
        create(Wanted(task=toy_task, recipe=recipe, name="t"))
        ledger = Ledger(None, "t")
        ledger.claim(lambda text: None)
        return ledger

    return make


class Shooting(Runner):
    """Kills its children when they say their so-manyth checkpoint: once for each number."""

    def __init__(self, *shots):
        super().__init__()
        self.shots = list(shots)
        self.heard = []

    @contextmanager
    def _child(self, *arguments):
        with super()._child(*arguments) as child:
            self.child = child
            yield child

    def train(self, job, *, on_checkpoint=lambda checkpoint: True, **how):
        self.heard.append([])

        def shoot(checkpoint):
            self.heard[-1].append(checkpoint)
            if self.shots and len(self.heard[-1]) == self.shots[0]:
                del self.shots[0]
                os.kill(self.child._process.pid, signal.SIGKILL)
            return on_checkpoint(checkpoint)

        return super().train(job, on_checkpoint=shoot, **how)


def job_of(ledger, name, **changes):
    folder = ledger.artifacts.folder / name
    [arm] = ledger.definition.runnable
    params = dict(arm.known_good[0]) | {
        k: d.value for k, d in arm.space.dimensions.items() if hasattr(d, "value")
    }
    return Jobs(ledger, 1).job(arm, params, folder, threads=1, **changes)


def kept_bytes(job):
    return {
        str(file.relative_to(job.folder / "kept")): file.read_bytes()
        for file in (job.folder / "kept").rglob("*")
        if file.is_file()
    }


def test_a_killed_child_is_continued_and_its_trial_is_as_if_it_never_was(studied):
    ledger = studied()
    mark = ledger.artifacts.bookmark(0)
    whole = Runner().train(job_of(ledger, "whole"))
    runner, told = Shooting(3, 4), []
    outcomes = [
        runner.train(job_of(ledger, f"try{i}", bookmark=mark), on_continued=told.append)
        for i in range(3)
    ]
    assert [type(o) for o in outcomes] == [Failed, Failed, Finished]
    assert [o.cause for o in outcomes[:2]] == ["outside", "outside"]
    found = outcomes[-1]
    steps = found.circumstances["steps"]
    assert [how.step for how in told] == found.circumstances["continued"]
    assert 0 < told[0].step < told[1].step < steps and told[0].steps == steps
    assert kept_bytes(job_of(ledger, "whole")) == kept_bytes(job_of(ledger, "try2"))
    assert found.scores == whole.scores
    assert [(c.fraction, c.macro_f1, c.loss) for c in found.checkpoints] == [
        (c.fraction, c.macro_f1, c.loss) for c in whole.checkpoints
    ]
    assert found.circumstances["train_loss"] == whole.circumstances["train_loss"]
    assert found.answered == whole.answered  # its hash is of what was answered
    # What was scored before the kill is told again, as it was.
    assert runner.heard[1][:2] == runner.heard[0][:2]
    assert runner.heard[2][:3] == runner.heard[1][:3]
    # Training time is what was trained: the processes before are in the wall time alone.
    seconds = [c.train_seconds for c in found.checkpoints]
    assert seconds == sorted(seconds) and found.train_seconds >= seconds[-1]
    assert found.circumstances["elapsed_seconds"] >= told[1].seconds > told[0].seconds
    assert found.train_seconds < found.circumstances["elapsed_seconds"]


def test_where_early_checkpoints_see_a_part_the_candidate_is_kept_too(studied, monkeypatch):
    ledger = studied()
    mark = ledger.artifacts.bookmark(0)
    whole = Runner().train(job_of(ledger, "whole", evaluation=20))
    runner = Shooting(4)
    runner.train(job_of(ledger, "one", bookmark=mark, evaluation=20))
    found = runner.train(job_of(ledger, "two", bookmark=mark, evaluation=20))
    assert found.circumstances["continued"]
    assert found.scores == whole.scores
    assert [c.macro_f1 for c in found.checkpoints] == [c.macro_f1 for c in whole.checkpoints]
    assert kept_bytes(job_of(ledger, "whole")) == kept_bytes(job_of(ledger, "two"))


def test_a_network_is_continued_after_a_kill(studied):
    ledger = studied("tiny-bert/linear_head")
    mark = ledger.artifacts.bookmark(0)
    whole = Runner().train(job_of(ledger, "whole"))
    runner = Shooting(4)
    assert runner.train(job_of(ledger, "one", bookmark=mark)).cause == "outside"
    found = runner.train(job_of(ledger, "two", bookmark=mark))
    assert found.circumstances["continued"][0] > 1
    assert found.scores == whole.scores
    assert kept_bytes(job_of(ledger, "whole")) == kept_bytes(job_of(ledger, "two"))


def test_a_refit_is_continued_too(studied):
    ledger = studied()
    mark = ledger.artifacts.bookmark("finals")
    how = {"refit": 1.0, "epochs": 40.0, "folds": 0}  # some hundred bookmarks
    whole = Runner().train(job_of(ledger, "whole", **how))
    one = job_of(ledger, "one", bookmark=mark, **how)
    runner = Shooting()
    heard = []

    def shoot(fraction):
        heard.append(fraction)
        if fraction > 0.3:
            os.kill(runner.child._process.pid, signal.SIGKILL)

    broken = runner.train(one, on_progress=shoot)
    assert broken.cause == "outside", broken
    found = runner.train(job_of(ledger, "two", bookmark=mark, **how))
    assert isinstance(whole, Finished) and found.circumstances["continued"][0] > 0
    assert kept_bytes(job_of(ledger, "whole")) == kept_bytes(job_of(ledger, "two"))


def test_a_bookmark_that_does_not_fit_is_said_and_the_training_begins_anew(studied):
    ledger = studied()
    marks = [ledger.artifacts.bookmark(number) for number in range(3)]
    runner = Shooting(3)
    runner.train(job_of(ledger, "one", bookmark=marks[0]))
    for other in marks[1:]:
        shutil.copytree(marks[0], other)
    damage_bytes(only(marks[0]))
    changes = ({}, {"seed": 5}, {"fingerprint": "others"})
    for mark, change, why in zip(marks, changes, ("damaged", "of a", "of a"), strict=True):
        told = []
        job = job_of(ledger, f"to {mark.name}", bookmark=mark, **change)
        found = runner.train(job, on_continued=told.append)
        assert [how.step for how in told] == [0]
        assert f"begun anew, its bookmark can't be used: it is {why}" in told[0].told
        assert isinstance(found, Finished) and "continued" not in found.circumstances
        assert len(runner.heard[-1]) == 5


#: Of a job, what decides no step of its training, or is told by the training itself.
UNDECIDED = {
    "snapshot",
    "fingerprint",
    "folder",
    "threads",
    "attached",
    "preflight_rows",
    "halvings",
}
UNDECIDED |= {"evaluation", "energy", "bookmark", "bookmark_bytes", "bookmark_seconds"}


def test_each_that_decides_a_training_is_in_its_fingerprint(studied):
    job = job_of(studied(), "one")
    others = {
        "arm": "other/classic",
        "strategy": "other",
        "model": QWEN,
        "task": task(),
        "params": {**job.params, "batch": 77},
        "seed": job.seed + 1,
        "epochs": job.epochs + 1,
        "checkpoints": job.checkpoints + 1,
        "shrink_batch": not job.shrink_batch,
        "folds": 3,
        "objective": "accuracy",
        "value": Value(wrong=-5),
        "refit": 0.5,
        "teacher": "another",
        "companions": {"encoder": Companion(model=BERT)},
    }
    assert others.keys() | UNDECIDED == {field.name for field in fields(Job)}
    found = [replace(job, **{name: other}) for name, other in others.items()]
    told = {run_bookmarks.fingerprint(each, "rows", []) for each in [job, *found]}
    assert len(told) == len(others) + 1


def test_time_before_counts_towards_a_trial_s_longest(studied):
    ledger = studied()
    runner = Runner()
    lines = iter([Continued(3, 9, seconds=50.0), None, None])
    runner._heard = lambda child: next(lines)
    found = runner.train(job_of(ledger, "one"), max_seconds=40.0)
    assert found == Failed("stopped after max_trial_seconds = 40")


# --- when ---------------------------------------------------------------------------------------


class Timed:
    """A run whose bookmarks take time on a clock that is ours."""

    def __init__(self, monkeypatch, tmp_path, *, cost=0.0, every=60.0, size=1, most=None):
        self.now, self.written, self.notes = 1000.0, [], {}
        self.fingerprint, self.places, self.bookmark_seconds = "rows", (), 0.0
        self.cost, self.size = cost, size
        self.fails = None
        clock = self

        class Clock:
            @contextmanager
            def paused(self):
                before, spent = clock.now, []
                yield spent
                spent.append(clock.now - before)

        self.clock = Clock()
        monkeypatch.setattr(run_bookmarks, "monotonic", lambda: self.now)
        monkeypatch.setattr(run_bookmarks, "fingerprint", lambda *_: OF)
        monkeypatch.setattr(bookmarkstore, "write", self.write)
        job = SimpleNamespace(bookmark_seconds=every, bookmark_bytes=most, folder=tmp_path)
        self.bookmarks = RunBookmarks(self, job, None, tmp_path / "mark")
        assert self.bookmarks.begin([], 10**6) is None

    def so_far(self):
        return SoFar([], None, None, False, "", 0.0, 0.0, 0.0, 0.0, 0.0, None, None, 0, {}, []), {}

    def note(self, **facts):
        self.notes |= facts

    def write(self, place, of, step, *_):
        self.now += self.cost
        if self.fails:
            raise self.fails
        self.written.append(step)

    def steps(self, count, seconds, scored=()):
        mark = Bookmark(0, {"w": torch.zeros(self.size, dtype=torch.uint8)}, {})
        for step in range(1, count + 1):
            self.now += seconds
            whole = Bookmark(step, mark.tensors, mark.values)
            self.bookmarks.at(step, lambda whole=whole: whole, scored=step in scored)


def test_a_bookmark_is_written_each_minute_and_none_of_what_is_shorter(monkeypatch, tmp_path):
    timed = Timed(monkeypatch, tmp_path)
    timed.steps(300, 1.0)
    assert timed.written == [60, 120, 180, 240, 300]


def test_where_it_was_scored_a_bookmark_comes_early(monkeypatch, tmp_path):
    timed = Timed(monkeypatch, tmp_path)
    timed.steps(100, 1.0, scored={20, 40})
    assert timed.written == [40, 100]


def test_bookmarks_take_at_most_a_fiftieth_of_the_time(monkeypatch, tmp_path):
    timed = Timed(monkeypatch, tmp_path, cost=5.0)
    timed.steps(10_000, 1.0, scored=set(range(0, 10_000, 7)))
    assert len(timed.written) > 10
    assert timed.bookmark_seconds == pytest.approx(5.0 * len(timed.written))
    assert timed.bookmark_seconds / 10_000 < 0.02


def test_the_first_bookmark_of_much_waits_until_it_is_worth_it(monkeypatch, tmp_path):
    timed = Timed(monkeypatch, tmp_path, size=300_000_000)  # a second, so after 100
    timed.steps(150, 1.0)
    assert timed.written == [100]


def test_a_full_disk_costs_the_bookmark_and_not_the_training(monkeypatch, tmp_path):
    timed = Timed(monkeypatch, tmp_path)
    timed.fails = StorageError("cannot be written: No space left on device (0.0 MB free there)")
    timed.steps(300, 1.0)
    assert timed.written == []
    assert timed.notes["no_bookmark"].startswith("cannot be written: No space left")
    timed = Timed(monkeypatch, tmp_path)
    monkeypatch.setattr(run_bookmarks.files, "free_bytes", lambda where: 10)
    timed.steps(300, 1.0)
    assert timed.written == [] and "10 are free" in timed.notes["no_bookmark"]
    timed = Timed(monkeypatch, tmp_path, size=2000, most=1999)
    timed.steps(300, 1.0)
    assert "2,000 bytes, and --max-disk leaves 1,999 for it" in timed.notes["no_bookmark"]


def test_what_a_process_wrote_before_memory_ran_out_is_no_bookmark_and_not_told(
    monkeypatch, tmp_path
):
    timed, told = Timed(monkeypatch, tmp_path), []
    timed.bookmarks._channel = SimpleNamespace(send=told.append)

    def unfit(*_):
        raise Unfit("it is of a training with a larger batch")

    monkeypatch.setattr(bookmarkstore, "read", unfit)
    assert timed.bookmarks.begin([1], 9) is None and told == []
    timed.bookmarks._fingerprint = ""  # a process that has begun nothing yet
    assert timed.bookmarks.begin([1], 9) is None and [how.step for how in told] == [0]


# --- a study --------------------------------------------------------------------------------------


@pytest.fixture
def worked(monkeypatch):
    """Runs the study `t`; its children are killed at these checkpoints. What was said."""

    def work(*shots, stop_at=None):
        said, stop = [], threading.Event()
        opened = Work(None, "t", Telling(lambda p: said.append(p.text), stop), Limits(), stop)
        runner = Shooting(*shots)
        runner.stop, runner._still = opened.runner.stop, opened.runner._still
        if stop_at is not None:
            runner.shots = []
            real = runner.train

            def train(job, *, on_checkpoint, **how):
                def asked(checkpoint):
                    if checkpoint.fraction >= stop_at:
                        stop.set()
                    return on_checkpoint(checkpoint)

                return real(job, on_checkpoint=asked, **how)

            runner.train = train
        object.__setattr__(opened._objective, "runner", runner)
        try:
            opened.run()
        finally:
            opened.close()
        return said

    return work


def trials():
    return Ledger(None, "t").study.get_trials(deepcopy=False)


def of(trial):
    return json.loads(trial.user_attrs["suite:trial"])


def test_a_trial_whose_child_was_killed_goes_on_as_another(studied, worked):
    studied()
    said = worked(3, 4)
    states = [t.state for t in trials()]
    assert states == [TrialState.FAIL, TrialState.FAIL, TrialState.COMPLETE]
    steps = of(trials()[2])["circumstances"]["continued"]
    assert len(steps) == 2
    all_ = of(trials()[2])["circumstances"]["steps"]
    for number, step in enumerate(steps, 1):
        assert f"trial {number} (textcnn/classic): continued at step {step} of {all_}" in said
    assert len(trials()[2].intermediate_values) == 5
    assert len(of(trials()[2])["checkpoints"]) == 5
    assert not of(trials()[2])["contended"]
    # What it took is what the next ones are reckoned by.
    before = trials()[2].user_attrs["suite:before"]
    own = trials()[2].duration.total_seconds() - trials()[2].user_attrs["suite:measured"]
    [took] = estimates.taken(trials(), Ledger(None, "t").host, {}).values()
    assert 0 < before < of(trials()[2])["circumstances"]["elapsed_seconds"]
    assert took.mean == pytest.approx(own + before)
    assert not list(files_of("t").glob("bookmarks/*"))


def test_a_command_that_was_asked_to_stop_goes_on_where_it_was(studied, worked):
    studied()
    with pytest.raises(Interrupted):
        worked(stop_at=0.4)
    # Its bookmark counts as the study's file, and stays; every other is swept.
    lies = files_of("t")
    marks = sum(f.stat().st_size for f in lies.rglob("bookmarks/**/*") if f.is_file())
    rest = sum(f.stat().st_size for f in lies.rglob("*") if f.is_file()) - marks
    assert marks > 10_000
    with pytest.raises(StudyError, match="above --max-disk"):
        Keeping(Ledger(None, "t")).check_disk(rest + 1)
    write(lies / "bookmarks" / "trial-7")
    for fraction in (0.6, 0.8, 0.8):  # More often than deaths are forgiven.
        with pytest.raises(Interrupted):
            worked(stop_at=fraction)
        assert [p.name for p in lies.glob("bookmarks/*")] == ["trial-0"]
    said = worked()
    assert trials()[-1].state == TrialState.COMPLETE
    assert any("continued at step" in text for text in said)
    assert not list(lies.glob("bookmarks/*"))


def test_what_ran_beside_a_training_that_is_gone_on_with_is_known():
    day = datetime(2026, 1, 1)

    def ran(number, begun, ended, host="here"):
        return SimpleNamespace(
            number=number,
            datetime_start=None if begun is None else day + timedelta(seconds=begun),
            datetime_complete=None if ended is None else day + timedelta(seconds=ended),
            user_attrs={"suite:owner": {"host": host}},
        )

    def beside(*others):
        found = [ran(0, 10, 20), *others]
        study = SimpleNamespace(get_trials=lambda deepcopy: found)
        return Neighbours(SimpleNamespace(study=study, host="here")).overlapped({0})

    assert not beside(ran(1, 0, 10), ran(2, 20, 30), ran(3, None, None), ran(4, 12, 15, "there"))
    assert beside(ran(1, 0, 11)) and beside(ran(1, 15, None)) and beside(ran(1, 0, 30))


def test_finals_go_on_where_they_were_killed(studied, worked):
    studied(budget={"epochs": 40}, finals={"seeds": 1, "refit": True})
    worked()
    mark = files_of("t") / "bookmarks" / "finals"

    def scored(said, *, shot):
        stop = threading.Event()
        opened = Work(None, "t", Telling(lambda p: None, stop), Limits(), stop)
        opened.runner = runner = Shooting()
        train = runner.train

        def shoot(fraction):
            if shot and list(mark.glob("[1-9]*-*")):  # A refit may end early in the budget.
                os.kill(runner.child._process.pid, signal.SIGKILL)

        runner.train = lambda job, **how: train(job, on_progress=shoot, **how)
        try:
            return finals.score(opened, say=said.append)
        finally:
            opened.close()

    with pytest.raises(StudyError, match="SIGKILL"):
        scored([], shot=True)
    assert [p.name for p in files_of("t").glob("bookmarks/*")] == ["finals"]
    said = []
    [final] = scored(said, shot=False)
    assert any(text.startswith("textcnn/classic: continued at step ") for text in said)
    assert final.test is not None
    assert not list(files_of("t").glob("bookmarks/*"))


def test_whose_bookmark_it_is_is_a_number_and_no_path(studied):
    ledger = studied()
    for found in ("../../victim", -1, 10**9, True, None):
        ledger.study.enqueue_trial({}, user_attrs={"suite:bookmark": found})
    from suite.study.queue import bookmark_of

    assert [bookmark_of(t) for t in trials()] == [t.number for t in trials()]


def test_a_command_that_is_killed_goes_on_too(studied, folder):
    """SIGKILL of the command itself: its child ends with it, the next command goes on."""
    import subprocess
    import sys

    studied(budget={"epochs": 40})  # some hundred bookmarks
    code = (
        "from suite.study import jobs\n"
        "jobs.BOOKMARK_SECONDS = 0.0\n"
        "from suite.cli import app\n"
        "app(['study', 'run', 't', '--quiet'])\n"
    )
    mark = files_of("t") / "bookmarks" / "trial-0"
    command = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    while not list(mark.glob("[1-9]*-*")):
        assert command.poll() is None
        time.sleep(0.005)
    command.kill()
    command.wait()
    deadline = time.monotonic() + 60
    while any("forkserver" in " ".join(p.cmdline()) for p in _sessions(command.pid)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    result = command_line("study", "run", "t")
    assert "continued at step" in result.output
    assert of(trials()[-1])["circumstances"]["continued"]


def _sessions(leader):
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (OSError, psutil.Error):
            continue
    return found


@pytest.mark.parametrize(
    "how",
    [
        Continued(40, 120),
        Continued(why="it is damaged"),
        Continued(why="2 processes died that had gone on from it"),
        Continued(why="it can't be read: No such file or directory"),
    ],
)
def test_what_is_said_of_it_is_said_in_chinese_too(how):
    from suite.report.words import Words

    for text in (f"trial 3 (a/b): {how.told}", f"a/b: {how.told}"):
        assert Words("en").told(text) == text
        told = Words("zh").told(text)
        assert "a/b" in told and "bookmark" not in told and "step" not in told
        assert "步" in told or "书签" in told


def test_pages_say_where_a_trial_was_continued():
    from suite.report.data.learnt import learnt_in
    from suite.report.words import Words

    facts = {"steps": 120, "passes": 2.0, "continued": [40, 80]}
    trial = Trial(0, "COMPLETE", "a/sft", {}, circumstances=facts)
    assert learnt_in(trial, Words("en")) == ("120 steps, 2 passes; continued at step 40, 80 of 120")
    assert "40, 80" in learnt_in(trial, Words("zh"))
    other = Trial(0, "COMPLETE", "a/sft", {}, circumstances={"steps": 9, "continued": [4]})
    assert learnt_in(other, Words("en")) == "continued at step 4 of 9"
    for damaged in ("40", [True], [-1], ["<b>"], {"a": 1}):
        trial = Trial(0, "COMPLETE", "a/sft", {}, circumstances=facts | {"continued": damaged})
        assert learnt_in(trial, Words("en")) == "120 steps, 2 passes"
