"""A study's lock: one holder over threads and processes, and no wait without an end."""

import subprocess
import sys
import threading
import time

import pytest
from conftest import write_recipe

from suite.errors import StorageError
from suite.study import storage
from suite.study.create import Wanted, create
from suite.study.lock import StudyLock


@pytest.fixture
def opened(folder, toy_task):
    create(Wanted(task=toy_task, recipe=write_recipe(folder), name="t"))
    return storage.open_storage()


def test_a_thread_cannot_give_back_a_lock_that_another_holds(opened):
    lock = StudyLock(opened, "t")
    lock.acquire()
    other = threading.Thread(target=lock.release)
    other.start()
    other.join()
    got = threading.Event()

    def want():
        with lock.held():
            got.set()

    waiting = threading.Thread(target=want)
    waiting.start()
    assert not got.wait(0.5)
    lock.release()
    assert got.wait(5)
    waiting.join()


def test_ctrl_c_when_it_was_just_had_leaves_nothing_held(opened):
    class Interrupted(StudyLock):
        def __setattr__(self, name, value):
            super().__setattr__(name, value)
            if name == "_holder" and value is not None:
                raise KeyboardInterrupt

    lock = Interrupted(opened, "t")
    with pytest.raises(KeyboardInterrupt):
        lock.acquire()
    lock.release()  # as whoever would have given it back does
    StudyLock(opened, "t", patience=0.3).acquire()


def test_a_thread_waits_for_another_no_longer_than_is_promised(opened):
    lock = StudyLock(opened, "t", patience=0.3)
    told = []

    def want():
        try:
            lock.acquire()
        except StorageError as error:
            told.append(error)

    with lock.held():
        waiting = threading.Thread(target=want)
        waiting.start()
        waiting.join(20)
        assert "holds the study's lock for over 0.3 s" in str(told[0])
    with lock.held():
        pass


HOLDER = """
import sys, time
from suite.study import storage
from suite.study.lock import StudyLock
lock = StudyLock(storage.open_storage(), "t")
lock.acquire()
print("held", flush=True)
time.sleep(600)
"""


def test_a_process_waits_for_another_no_longer_than_is_promised(opened):
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        told = []
        lock = StudyLock(opened, "t", patience=0.3, say=told.append)
        began = time.monotonic()
        with pytest.raises(StorageError, match="another worker holds the study's lock") as error:
            lock.acquire()
        assert time.monotonic() - began >= 0.3
        assert len(told) == 1 and f"which pid {holder.pid} " in told[0]
        assert error.value.where.endswith("suite.t.lock") and "End the process" in error.value.fix
        # A study beside it is not held up.
        with StudyLock(opened, "u", patience=0.3).held():
            pass
        holder.kill()
    with lock.held():
        pass
