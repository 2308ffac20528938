"""Nothing is lost: whatever dies, at whatever moment, a point that was started comes to its end."""

import functools
import itertools
import json
import os
import signal
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import lost_children
import optuna
import psutil
import pytest
from conftest import write_recipe
from optuna.trial import TrialState
from typer.testing import CliRunner

from suite import strategies
from suite.child import offspring
from suite.child.causes import cause_of
from suite.child.messages import Failed, Finished
from suite.child.offspring import Offspring
from suite.child.runner import Interrupted, Predicted, Runner
from suite.cli import app
from suite.contracts.results import Checkpoint, Scores
from suite.contracts.strategy import Unreachable
from suite.endpoint import consent, reach
from suite.errors import EndpointError, StudyError
from suite.machine import facts, memory
from suite.study import finals, finals_record, internals, kept_record, objective, opening, search
from suite.study.create import Wanted, create
from suite.study.deaths import IN_A_ROW
from suite.study.keeping import Keeping
from suite.study.ledger import Ledger
from suite.study.objective import Objective
from suite.study.queue import Queue
from suite.study.record import OUT, OWNER
from suite.study.telling import Telling
from suite.study.work import Limits, Work


class Killed(BaseException):
    """Stands for SIGKILL: what comes after it does not happen."""


class Children:
    """Trainings that take no process: each leaves a checkpoint that bears its trial's number."""

    def __init__(self):
        self.dies = []  # what the next trainings do instead
        self.jobs = []

    def train(self, runner, job, *, on_checkpoint, **_):
        self.jobs.append(job)
        what = self.dies.pop(0) if self.dies else None
        if isinstance(what, Failed):
            return what
        if what is not None:
            if callable(what):  # happens while the child runs
                what()
                runner._still()
            if isinstance(what, Interrupted):
                runner.stop.set()
            raise what
        (job.folder / "kept").mkdir(parents=True)
        (job.folder / "kept" / "of").write_text(job.folder.name.removeprefix("trial-"))
        score = 0.5 + 0.001 * len(self.jobs)  # each is its arm's best
        on_checkpoint(Checkpoint(1.0, score, 0.1, 50))
        return Finished(
            pruned=False, checkpoints=[Checkpoint(1.0, score, 0.1, 50)],
            scores=Scores(score, score, score, score, [score] * 2, [[25, 0], [0, 25]]),
            train_seconds=0.1, load_seconds=0.0, evaluation_seconds=0.1, peak_memory_bytes=10**6,
            kept=True, serving_shape="toy",
        )  # fmt: skip


@pytest.fixture
def children(folder, toy_task, monkeypatch):
    """A study `t` of 2 trials of one arm, whose children are these."""
    recipe = write_recipe(folder, arms=["tfidf/toy"], trials=2)
    create(Wanted(task=toy_task, recipe=recipe, name="t"))
    found = Children()
    monkeypatch.setattr(Runner, "train", lambda self, job, **how: found.train(self, job, **how))
    return found


@pytest.fixture
def told():
    return []


@pytest.fixture
def work(told):
    """A worker's process of the study; `dead`: one that will be found dead."""

    def open_(*, dead=False):
        stop = threading.Event()
        telling = Telling(lambda progress: told.append(progress.text), stop)
        opened = Work(None, "t", telling, Limits(), stop)
        if dead:
            opened.ledger.owner |= {"pid": 2**22 + 1}  # above every pid of Linux
        return opened

    return open_


def trials():
    return Ledger(None, "t").study.get_trials(deepcopy=False)


def check_nothing_lost():
    """2 are finished, none is missing, no arm is out, what is kept is what is written down."""
    ledger = Ledger(None, "t")
    all_ = ledger.study.get_trials(deepcopy=False)
    assert [t.state for t in all_].count(TrialState.COMPLETE) == 2
    finished = [internals.given(t) for t in all_ if t.state == TrialState.COMPLETE]
    started = [t for t in all_ if OWNER in t.user_attrs]
    assert [t.number for t in started if internals.given(t) not in finished] == []
    assert {t.state for t in all_} <= {TrialState.COMPLETE, TrialState.FAIL}
    assert OUT not in ledger.study.user_attrs
    kept = kept_record.of_arm(ledger.study.user_attrs, "tfidf/toy")
    assert kept.trial == max((t for t in all_ if t.values), key=lambda t: t.value).number
    [folder] = (ledger.artifacts.folder / "kept").iterdir()
    assert folder == ledger.artifacts.kept_here("tfidf/toy", kept)
    assert (folder / "of").read_text() == str(kept.trial)


def kill_at(monkeypatch, owner, name, *, after, call=1):
    """SIGKILL in place of (or after) the so-manyth call of a method."""
    real, calls = getattr(owner, name), []

    def deadly(*args, **keywords):
        calls.append(1)
        if len(calls) == call and not after:
            raise Killed
        found = real(*args, **keywords)
        if len(calls) == call:
            raise Killed
        return found

    monkeypatch.setattr(owner, name, deadly)


MOMENTS = {
    "queued, not started": (optuna.Study, "ask", False),
    "started, its point not yet drawn": (optuna.Study, "ask", True),
    "drawn, not yet signed": (search, "suggest", True),
    "signed": (Objective, "_run", False),
    "trained, not yet recorded": (Ledger, "record", False),
    "its checkpoint placed": (Keeping, "place", True),
    "recorded, its checkpoint not yet kept": (Keeping, "keep", False),
    "its checkpoint chosen, not yet written down": (kept_record, "store", False),
    "checkpoint written down": (Keeping, "keep", True),
    "all done, not yet told": (Objective, "__call__", True),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_worker_killed_at_any_moment_loses_nothing(children, work, monkeypatch, moment):
    owner, name, after = MOMENTS[moment]
    with monkeypatch.context() as patch:
        kill_at(patch, owner, name, after=after, call=2)  # the first has its checkpoint kept
        if moment != "all done, not yet told":
            patch.setattr(Keeping, "clear", lambda *_: None)  # the dead clear nothing
        with pytest.raises(Killed):
            work(dead=True).run()
    work().run()
    check_nothing_lost()


def test_what_was_finished_but_not_told_is_not_done_again(children, work, told, monkeypatch):
    with monkeypatch.context() as patch:
        kill_at(patch, Objective, "__call__", after=True)
        with pytest.raises(Killed):
            work(dead=True).run()
    work().run()
    assert [t.state.name for t in trials()] == ["COMPLETE"] * 2
    assert len(children.jobs) == 2
    assert "trial 0 (tfidf/toy) had lost its worker, but was finished" in told


@pytest.mark.parametrize(
    "first", [Failed("the child died of SIGKILL", cause="outside"), Interrupted(), Killed()]
)
def test_a_kill_between_a_death_and_its_being_queued_again_loses_nothing(
    children, work, monkeypatch, first
):
    children.dies = [None, first]
    with monkeypatch.context() as patch:
        kill_at(patch, Queue, "_queue_again", after=False)
        with pytest.raises(Killed):
            work(dead=True).run()
            work(dead=True).run()  # the second finds the first dead, and dies over it
    assert TrialState.WAITING not in [t.state for t in trials()]
    work().run()
    check_nothing_lost()
    assert len(trials()) == 3


def test_what_is_owed_is_queued_once(children, work):
    children.dies = [Interrupted()]
    with pytest.raises(Interrupted):
        work().run()
    assert [t.state.name for t in trials()] == ["FAIL", "WAITING"]
    opened = work()
    for _ in range(3):
        with opened.ledger.lock.held():
            opened._queue.recover()
    assert [t.state.name for t in trials()] == ["FAIL", "WAITING"]
    opened.run()
    check_nothing_lost()


def test_deaths_from_outside_are_neither_an_arms_failures_nor_its_retries(children, work, told):
    death = Failed("the child died of SIGKILL: killed from outside", cause="outside")
    children.dies = [death] * 4
    work().run()
    check_nothing_lost()
    assert len(trials()) == 2 + 4
    assert f"trial 0 (tfidf/toy): {death.reason}; it is queued again" in told


def test_a_point_whose_children_are_killed_again_and_again_fails_with_the_reason(
    children, work, monkeypatch
):
    assert IN_A_ROW == 10
    monkeypatch.setattr(objective, "IN_A_ROW", 3)
    children.dies = [Failed("the child died of SIGTERM", cause="outside")] * 3
    work().run()
    last = trials()[2]
    found = json.loads(last.user_attrs["suite:trial"])
    assert last.state == TrialState.FAIL
    assert found["error"].startswith("3 deaths in a row that came from outside")
    assert sum(t.state == TrialState.COMPLETE for t in trials()) == 2


# ---------------------------------------------------------------- memory


@pytest.fixture
def group(tmp_path, monkeypatch):
    """A control group of this process; returns its folder."""
    place = tmp_path / "cgroup" / "job"
    place.mkdir(parents=True)
    (tmp_path / "own").write_text("0::/job\n")
    (place / "memory.max").write_text("1000000000\n")
    (place / "memory.events").write_text("low 0\nhigh 0\nmax 7\noom 3\noom_kill 2\n")
    monkeypatch.setattr(facts, "CGROUP", tmp_path / "cgroup")
    monkeypatch.setattr(facts, "OWN_CGROUP", tmp_path / "own")
    return place


def test_the_systems_kills_for_memory_are_counted(group, monkeypatch, tmp_path):
    assert memory.kills() == 2
    (group / "memory.events").unlink()
    (group / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 5\n")
    assert memory.kills() == 5
    (group / "memory.oom_control").unlink()
    (tmp_path / "vmstat").write_text("nr_free_pages 9\noom_kill 11\n")
    monkeypatch.setattr(memory, "VMSTAT", tmp_path / "vmstat")
    assert memory.kills() == 11
    monkeypatch.setattr(memory, "VMSTAT", tmp_path / "nothing")
    assert memory.kills() is None


def test_a_worker_that_memory_killed_is_a_retry_and_begins_with_half_the_batch(
    children, work, group, monkeypatch
):
    for count in range(3):
        with monkeypatch.context() as patch:
            patch.setattr(Keeping, "clear", lambda *_: None)
            children.dies = [Killed()]
            with pytest.raises(Killed):
                work(dead=True).run()
        (group / "memory.events").write_text(f"oom_kill {count + 3}\n")
    children.dies = []
    work().run()
    died = [t for t in trials() if t.state == TrialState.FAIL]
    assert [t.user_attrs.get("suite:halved", 0) for t in died] == [0, 1, 2]
    assert search.FELL in died[2].user_attrs
    assert "3 times" in json.loads(died[2].user_attrs["suite:trial"])["error"]
    assert sum(t.state == TrialState.COMPLETE for t in trials()) == 2


def test_a_child_that_memory_killed_is_begun_again_with_half_the_batch(
    children, work, told, monkeypatch
):
    killed = Failed("the child died of SIGKILL: memory ran out", cause="memory_kill")
    monkeypatch.setattr(strategies, "shrinks", lambda name, model: name == "toy")
    children.dies = [killed, killed, None, killed, Failed("out of memory at a single text")]
    work().run()
    assert [job.halvings for job in children.jobs] == [0, 1, 2, 0, 1, 0]
    assert [t.state.name for t in trials()] == ["COMPLETE", "FAIL", "COMPLETE"]
    assert sum("half the batch at once" in text for text in told) == 3


def test_where_the_batch_can_not_be_halved_a_memory_kill_is_a_failure(children, work):
    children.dies = [Failed("memory ran out; it held 3 GB", cause="memory_kill")]
    work().run()
    first = trials()[0]
    assert first.state == TrialState.FAIL and search.FELL in first.user_attrs
    assert "it held 3 GB" in json.loads(first.user_attrs["suite:trial"])["error"]


def test_a_child_that_hung_is_started_once_more(children, work, told):
    hung = Failed("stopped after it hung for max_silent_seconds = 5", cause="silent")
    children.dies = [hung, None, hung, hung]
    work().run()
    assert [t.state.name for t in trials()] == ["COMPLETE", "FAIL", "COMPLETE"]
    assert search.FELL in trials()[1].user_attrs
    assert sum("hung for max_silent_seconds = 5; tried once more" in text for text in told) == 2


def test_halving_begins_at_what_a_whole_batch_holds_and_ends_at_one_text():
    from suite.strategies.network.shrinking import half_the_tokens

    assert half_the_tokens([10, 20, 30, 40], 8192, 4) == 50
    assert half_the_tokens([10, 20, 30, 40], 50, 4) == 40
    assert half_the_tokens([10, 20, 30, 40], 8192, 2) == 40
    assert half_the_tokens([10, 20, 30, 40], 40, 2) is None


# ---------------------------------------------------------------- real children


def _offspring(tmp_path, sign=None):
    return Offspring(Runner()._context, lost_children.waits, (sign,), tmp_path)


def heard(child):
    while (message := child.receive()) is None:
        pass
    return message


@pytest.mark.parametrize(
    ("sign", "cause"),
    [
        (signal.SIGKILL, "outside"),
        (signal.SIGTERM, "outside"),
        (signal.SIGHUP, "outside"),
        (signal.SIGSEGV, "own"),
        (signal.SIGABRT, "own"),
    ],
)
def test_a_signal_tells_whose_doing_a_death_was(tmp_path, sign, cause):
    child = _offspring(tmp_path, sign)
    found = heard(child)
    child.end()
    assert found.cause == cause and sign.name in found.reason


def test_sigkill_is_memorys_where_the_count_rose_or_the_bound_was_reached(
    tmp_path, group, monkeypatch
):
    child = _offspring(tmp_path)
    (group / "memory.events").write_text("oom_kill 3\n")
    child._process.kill()
    found = heard(child)
    child.end()
    assert found.cause == "memory_kill" and "allows 1.00 GB" in found.reason
    monkeypatch.setattr(memory, "peak", lambda pid: 950_000_000)
    monkeypatch.setattr(offspring, "LOOK_SECONDS", 0.0)
    child = _offspring(tmp_path)
    assert child.receive() is None
    child._process.kill()
    found = heard(child)
    child.end()
    assert found.cause == "memory_kill" and "it held 0.95 GB at its peak" in found.reason


def test_a_child_hangs_where_it_neither_says_nor_computes_anything(tmp_path, monkeypatch):
    clock, spent = [1000.0], [3.0]
    child = _offspring(tmp_path)
    monkeypatch.setattr(offspring, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(child, "_processor_seconds", lambda: spent[0])
    child._awake = clock[0]
    child._heard(clock[0])

    def passing(seconds, computing=0.0):
        """Whether it ever hung within these seconds."""
        found = False
        for _ in range(seconds):
            clock[0] += 1
            spent[0] += computing
            found |= child.is_silent(100)
        return found

    assert not passing(90)
    assert passing(30)
    child._heard(clock[0])  # a message
    assert not passing(90)
    assert not passing(500, computing=0.01)  # a long scoring
    assert not passing(90)
    clock[0] += 3600  # the whole command was stopped, and goes on
    assert not passing(90)
    assert passing(30)
    monkeypatch.undo()
    child.end()


def test_a_real_child_that_waits_for_ever_is_ended(tmp_path):
    runner = Runner(max_silent_seconds=0.5)
    with runner._child(lost_children.waits, (), tmp_path) as child:
        while (found := runner._heard(child)) is None:
            pass
        assert found == Failed("stopped after it hung for max_silent_seconds = 0.5", cause="silent")
        process = child._process
    assert not process.is_running()


@pytest.mark.parametrize("target", [lost_children.computes, lost_children.is_done])
def test_a_child_in_the_middle_of_its_work_is_ended_at_once(tmp_path, monkeypatch, target):
    """It does not see that nobody listens any more; one that is done goes by itself."""
    monkeypatch.setenv("DONE", str(tmp_path / "done"))
    with Runner()._child(target, (), tmp_path) as child:
        assert heard(child) == "first"
        process, waited = child._started[0], []
        join = process.join
        monkeypatch.setattr(
            process, "join", lambda timeout=None: (waited.append(timeout), join(timeout))
        )
    assert (offspring.LEAVING_SECONDS in waited) == (tmp_path / "done").exists()
    assert (tmp_path / "done").exists() == (target is lost_children.is_done)


def test_one_that_goes_on_talking_is_not_listened_to_for_ever(monkeypatch):
    monkeypatch.setattr(offspring, "LEAVING_SECONDS", 0.1)
    heard = itertools.count()

    def poll(seconds):
        assert next(heard) < 10**4, "it is listened to for ever"
        return True

    def recv():
        time.sleep(0.001)  # 0.1 s are a hundred messages at most

    endless = SimpleNamespace(poll=poll, recv=recv)
    assert not offspring._is_closed(endless)


def test_a_child_has_the_variables_that_its_parent_has_now(tmp_path, monkeypatch):
    """Not those of the forkserver, which began with the first study of the process."""
    runner = Runner()
    monkeypatch.setenv("SUITE_CACHE", "first")
    monkeypatch.setenv("SUITE_API_KEY", "key")
    runner.warm(tmp_path)
    monkeypatch.setenv("SUITE_CACHE", "second")
    monkeypatch.delenv("SUITE_API_KEY")
    asked = ("SUITE_CACHE", "SUITE_API_KEY", "DO_NOT_TRACK")
    with runner._child(lost_children.says, asked, tmp_path) as child:
        assert heard(child) == {
            "SUITE_CACHE": "second", "SUITE_API_KEY": None, "DO_NOT_TRACK": "1"
        }  # fmt: skip


def test_a_killed_forkserver_takes_no_child_with_it_and_is_started_again(tmp_path):
    child = _offspring(tmp_path)
    server, orphan = child._server, child._process
    server.kill()
    while server.status() != psutil.STATUS_ZOMBIE:
        pass
    assert child.receive() is None  # it goes on
    child.end()
    assert not psutil.pid_exists(orphan.pid) or orphan.status() == psutil.STATUS_ZOMBIE
    again = _offspring(tmp_path)
    assert again._server.pid != server.pid
    again._server.kill()
    again._process.kill()
    found = heard(again)
    again.end()
    assert found.cause == "outside"


def test_a_forkserver_killed_while_a_child_starts_is_started_again(tmp_path, monkeypatch):
    context = Runner()._context
    starts = []

    def start(process):
        starts.append(process)
        raise EOFError("unexpected EOF")

    monkeypatch.setattr(context.Process, "start", start)
    child = _offspring(tmp_path)
    found = child.receive()
    child.end()
    assert len(starts) == offspring.STARTS
    assert "forkserver was killed 3 times" in found.reason and found.cause == "outside"


# ---------------------------------------------------------------- the test split


@pytest.fixture
def searched(children, work, monkeypatch):
    """The study `t`, its search done; whoever predicts tells it to the list that is returned."""
    predicted = []

    def predict(self, folder, snapshot, split, classes, threads, logs, **_):
        if split != "test":
            return Failed("nothing is asked about it here")
        assert Ledger(None, "t").study.user_attrs["suite:openings"] >= 1  # claimed and counted
        predicted.append(threading.get_ident())
        waits = getattr(self, "waits", None)
        if waits is not None:
            waits()
        rows = [0] * 50 + [1] * 50
        scores = Scores(
            0.5, 0.5, 0.5, 0.5, [0.5] * 2, [[50, 0], [0, 50]], unanswered=[0, 0]
        )  # fmt: skip
        return Predicted(rows, scores, 0.1, [1.0] * len(rows))

    monkeypatch.setattr(Runner, "predict", predict)
    work().run()
    return predicted


def openings():
    return Ledger(None, "t").study.user_attrs.get("suite:openings", 0)


@pytest.mark.parametrize("if_due", [True, False])
def test_of_two_that_score_at_once_one_opens_the_test_split(searched, work, told, if_due):
    first, second = work(), work()
    inside, on = threading.Event(), threading.Event()
    first.runner.waits = lambda: (inside.set(), on.wait(60))
    outcomes = []

    def score(work):
        outcomes.append(finals.score(work, if_due=if_due, say=told.append))

    threads = [threading.Thread(target=score, args=(work,)) for work in (first, second)]
    threads[0].start()
    assert inside.wait(60)
    threads[1].start()
    while not any("is scoring on the test split" in text for text in told):
        pass
    on.set()
    for thread in threads:
        thread.join()
    assert openings() == 1 and len(searched) == 1
    assert outcomes[0] == outcomes[1] and len(outcomes[0]) == 1
    assert Ledger(None, "t").study.user_attrs[opening.CLAIM] is None
    # Whoever had asked whether they are due before they were there opens nothing either.
    assert finals.score(first, if_due=True) == outcomes[0] and openings() == 1


def test_a_claim_of_the_dead_is_taken_over_and_its_opening_stays_counted(
    searched, work, monkeypatch
):
    with monkeypatch.context() as patch:
        dead = work(dead=True)
        kill_at(patch, finals_record, "store", after=False)
        patch.setattr(opening, "suppress", lambda *_: Never())  # the dead release nothing
        with pytest.raises(Killed):
            finals.score(dead)
    claim = Ledger(None, "t").study.user_attrs[opening.CLAIM]
    assert claim["pid"] == 2**22 + 1 and openings() == 1
    assert len(finals.score(work(), if_due=True)) == 1
    assert openings() == 2 and finals_record.missing_or_stale(Ledger(None, "t").study) is False


class Never:
    """A context whose body does not run to its end."""

    def __enter__(self):
        raise Killed

    def __exit__(self, *_):
        return False


def test_a_claim_of_another_host_is_waited_for_until_it_is_silent(searched, work, monkeypatch):
    study = Ledger(None, "t").study
    study.set_user_attr(
        opening.CLAIM, {"host": "elsewhere", "pid": 1, "started": 0.0, "token": "x", "beat": 3}
    )
    waiting = work()
    waiting.stop.set()
    with pytest.raises(Interrupted):
        finals.score(waiting)
    assert openings() == 0
    monkeypatch.setattr(opening, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(opening, "POLL_SECONDS", 0.01)
    finals.score(work())
    assert openings() == 1


def test_an_opening_that_was_taken_over_is_not_made(searched, work):
    with opening.claimed(work().ledger, threading.Event(), print) as claim:
        Ledger(None, "t").study.set_user_attr(opening.CLAIM, {"token": "another's"})
        with pytest.raises(StudyError, match="took over the opening"):
            claim.count()
    assert openings() == 0


# ---------------------------------------------------------------- deleted meanwhile


def delete():
    result = CliRunner().invoke(app, ["study", "delete", "t", "--yes"])
    assert result.exit_code == 0, result.output


def left():
    """Rows that trials left in the database."""
    tables = ("trials", "trial_user_attributes", "trial_heartbeats", "studies", "trial_params")
    with closing(sqlite3.connect("studies/suite.db")) as opened:
        return sum(opened.execute(f"select count(*) from {t}").fetchone()[0] for t in tables)


def test_a_study_that_is_deleted_while_it_runs_is_told_and_leaves_nothing(children, work):
    running = work()
    place = running.ledger.artifacts.folder
    assert place.is_dir()
    children.dies = [None, delete]
    with pytest.raises(StudyError, match="the study 't' was deleted by somebody"):
        running.run()
    (place / "trial-1").mkdir(parents=True, exist_ok=True)  # as a child that saves once more
    running.close()
    assert not place.exists() and left() == 0


def test_nothing_is_written_into_a_study_that_took_the_place_of_a_deleted_one(
    children, work, folder, toy_task
):
    def replaced():
        delete()
        recipe = write_recipe(folder, name="other", arms=["tfidf/toy"], trials=1)
        create(Wanted(task=toy_task, recipe=recipe, name="other"))

    running = work()
    children.dies = [replaced]
    with pytest.raises(StudyError, match="deleted by somebody"):
        running.run()
    running.close()
    other = Ledger(None, "other")
    assert other.study.get_trials(deepcopy=False) == [] and OUT not in other.study.user_attrs


def test_a_database_that_is_removed_while_a_study_runs_is_told(children, work):
    running = work(dead=True)
    children.dies = [None, lambda: os.rename("studies/suite.db", "studies/elsewhere.db")]
    with pytest.raises(StudyError, match="was removed or replaced") as error:
        running.run()
    running.close()
    assert "studies/suite.db" in str(error.value) and not os.path.exists("studies/suite.db")
    os.rename("studies/elsewhere.db", "studies/suite.db")
    work().run()
    check_nothing_lost()


def test_a_study_that_is_deleted_during_its_finals_is_told(searched, work):
    running = work()
    running.runner.waits = delete
    with pytest.raises(StudyError, match="deleted by somebody"), running.ledger.guarded():
        finals.score(running)
    assert left() == 0


def test_a_heartbeat_of_a_deleted_trial_is_not_written(children, work):
    running = work()
    delete()
    running.ledger.storage.record_heartbeat(1)
    assert left() == 0


# ---------------------------------------------------------------- arms that come back


def start(work, *retry):
    """What a command does: asks again, then searches."""
    opened = work()
    opened.retiring.ask_again(retry)
    opened.run()


@pytest.mark.parametrize("cause", ["disk", "memory_kill", "endpoint", "weights"])
def test_an_arm_comes_back_when_its_trouble_has_passed(children, work, told, cause, monkeypatch):
    trouble = Failed("the trouble", cause=cause, refused=cause == "weights")
    children.dies = [trouble] * 3
    with pytest.raises(StudyError, match="no arm is left") as error:
        start(work)
    assert "suite study run t" in error.value.fix and "--retry-arm" in error.value.fix
    before = len(children.jobs)
    children.dies = [Failed("the trouble", cause=cause)]
    with pytest.raises(StudyError, match="no arm is left"):
        start(work)
    assert len(children.jobs) == before + 1  # it had its try
    children.dies = []
    if cause in ("endpoint", "weights"):
        monkeypatch.setattr(reach, "unavailable", lambda model: "still down")
        with pytest.raises(StudyError, match="no arm is left"):
            start(work)
        assert "tfidf/toy stays out: still down" in told
        monkeypatch.undo()
        return
    start(work)
    assert sum(t.state == TrialState.COMPLETE for t in trials()) == 2
    assert not Ledger(None, "t").study.user_attrs[OUT]


def test_a_server_that_was_away_when_the_study_was_made_is_asked_at_each_start(
    folder, children, toy_task, told, monkeypatch
):
    # What is found out once in a process is found out anew by each command.
    away = ["the server is away"]
    monkeypatch.setattr(reach, "_unreachable", functools.cache(lambda url, model, decides: away[0]))
    asked = Wanted(
        task=toy_task, name="u", arms=["tfidf/toy", "m-served/zero_shot"], trials=4,
        endpoint="http://127.0.0.1:9/v1", endpoint_model="m",
        recipe=write_recipe(folder, "u", arms=["tfidf/toy"]),
    )  # fmt: skip

    def arms():
        return {a.arm: (a.refused, a.trials) for a in Ledger(None, "u").results().arms}

    create(asked)
    assert arms() == {"tfidf/toy": (None, 0), "m-served/zero_shot": ("the server is away", 0)}
    opened = Work(None, "u", Telling(lambda p: told.append(p.text), threading.Event()), Limits())
    with consent.held(opened.consent):
        opened.retiring.ask_again()
    assert "m-served/zero_shot stays out: the server is away" in told
    away[0] = None
    create(asked)  # the same command again
    with consent.held(opened.consent):
        opened.retiring.ask_again()
    opened.run()
    assert arms() == {"tfidf/toy": (None, 2), "m-served/zero_shot": (None, 2)}


def test_an_arm_that_failed_of_itself_comes_back_where_it_is_asked_for(children, work):
    children.dies = [Failed("ValueError: broken")] * 6
    for _ in range(2):
        with pytest.raises(StudyError, match="no arm is left"):
            start(work)
        assert len(children.jobs) == 3
    with pytest.raises(StudyError, match="--retry-arm nothing"):
        start(work, "nothing/*")
    with pytest.raises(StudyError, match="no arm is left"):
        start(work, "tfidf/*")
    assert len(children.jobs) == 6  # three more
    start(work, "tfidf/toy")
    assert sum(t.state == TrialState.COMPLETE for t in trials()) == 2


@pytest.mark.parametrize("cause", ["budget", None])
def test_an_arm_that_the_preflight_refused_is_timed_again(children, work, cause):
    opened = work()
    reason = "one trial would take about 9 s, above the budget of 6 s; --force keeps it"
    opened.retiring.refuse("tfidf/toy", reason, "budget")
    if cause is None:  # as versions before stored it
        opened.ledger.study.set_user_attr(OUT, {"tfidf/toy": {"refused": reason}})
    opened.ledger.set_estimates({"tfidf/toy": 9.0})
    opened.retiring.ask_again()
    assert not opened.retiring.out()
    assert opened.ledger.study.user_attrs["suite:estimates"] == {}


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (OSError(28, "No space left on device"), "disk"),
        (Exception("I/O error: No space left on device (os error 28)"), "disk"),
        (MemoryError(), "memory"),
        (RuntimeError("[enforce fail at alloc_cpu.cpp] not enough memory: you tried"), "memory"),
        (EndpointError("the server can't be reached"), "endpoint"),
        (Unreachable("no weights"), "weights"),
        (ValueError("wrong"), "own"),
    ],
)
def test_a_failure_tells_what_it_comes_from(error, cause):
    assert cause_of(error) == cause
    outer = StudyError("it failed")
    outer.__cause__ = error
    assert cause_of(outer) == cause


# ---------------------------------------------------------------- the lock


def test_models_are_asked_for_before_the_lock_is_taken(children, work, monkeypatch):
    running = work()
    retiring = running.retiring
    retiring.refuse("tfidf/toy", "no network", "weights")
    held = []

    def unavailable(model):
        held.append(running.ledger.lock._holder)
        return "no network"

    monkeypatch.setattr(reach, "unavailable", unavailable)
    retiring.ask_again()
    assert held == [None] and retiring.out()
    monkeypatch.setattr(reach, "unavailable", lambda model: None)
    retiring.ask_again()
    assert not retiring.out()


def test_a_deleted_study_leaves_no_lock_file(children, work):
    work().run()
    locks = Path("studies").glob
    assert [file.name for file in locks("*.t.lock")] == ["suite.t.lock"]
    delete()
    assert not list(locks("*.t.lock"))
