"""A study on a real PostgreSQL: joined by two processes, and brought back after one is killed."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy
from conftest import PATIENCE, write_recipe
from test_study import shown_in, start, suite, wait_for

from suite.errors import StorageError
from suite.study import storage
from suite.study.lock import StudyLock


def _binaries():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


@pytest.fixture(scope="module")
def postgres():
    """A server of the test's own, on a Unix socket only."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    binaries = _binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed")
    # Not in pytest's folder: whenever some pytest begins, it shuts that to other users.
    folder = Path(tempfile.mkdtemp(prefix="suite-postgres-", dir="/tmp"))
    as_user = []
    if os.getuid() == 0:
        # The server refuses to run as root.
        if shutil.which("runuser") is None:
            pytest.skip("PostgreSQL refuses root, and there is no runuser")
        shutil.chown(folder, "postgres", "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    data = folder / "data"

    def run(*words):
        subprocess.run([*as_user, *map(str, words)], check=True, capture_output=True, cwd=folder)

    run(binaries / "initdb", "-D", data, "-A", "trust", "-U", "suite", "--no-sync")
    run(binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o",
        f"-c listen_addresses='' -k {folder} -c fsync=off", "start")  # fmt: skip
    yield f"postgresql+psycopg://suite@/postgres?host={folder}"
    run(binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    shutil.rmtree(folder)


def test_two_processes_share_a_study_and_one_may_die(folder, toy_task, hold, postgres):
    recipe = write_recipe(folder, trials=3, spaces={"*/toy": {"hold": str(hold)}})
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t", "--no-run",
          "--storage", postgres)  # fmt: skip
    first = start("study", "run", "t", "--storage", postgres)
    second = start("study", "run", "t", "--storage", postgres)

    def owners():
        study, _ = storage.load(storage.open_storage(postgres), "t")
        trials = study.get_trials(deepcopy=False)
        return {
            t.user_attrs["suite:owner"]["pid"]
            for t in trials
            if t.state.name == "RUNNING" and "suite:owner" in t.user_attrs
        }

    wait_for(lambda: owners() >= {first.pid, second.pid}, first)
    second.kill()
    second.communicate()
    hold.unlink()
    _, said = first.communicate(timeout=PATIENCE)
    assert first.returncode == 0, said
    found = shown_in("t", postgres)
    assert sum(t["state"] in ("COMPLETE", "PRUNED") for t in found["trials"]) == 3
    assert [t["error"] for t in found["trials"] if t["state"] == "FAIL"] == [
        "the worker died; the trial was queued again"
    ]
    assert found["finals"]


@contextmanager
def interrupted(after):
    """Within: Ctrl-C after so many seconds."""

    def interrupt(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, after)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def engines(postgres):
    """Two workers' views of one database, as two processes have them."""
    found = [storage.open_storage(postgres), storage.open_storage(postgres)]
    yield found
    for opened in found:
        opened.engine.dispose()


def can_be_had(opened):
    with StudyLock(opened, "t", patience=5).held():
        return True


def test_a_lock_that_is_never_given_back_is_told_in_time(engines):
    holding, waiting = engines
    lock = StudyLock(holding, "t")
    lock.acquire()
    began = time.monotonic()
    with pytest.raises(StorageError, match=r"holds the study's lock for over 0\.5 s") as error:
        StudyLock(waiting, "t", patience=0.5).acquire()
    assert 0.5 <= time.monotonic() - began < 10
    assert waiting.engine.pool.checkedout() == 0
    with StudyLock(waiting, "another study").held():
        pass
    # What is advised helps: the session that has the lock is found, and ended.
    assert error.value.where.startswith("postgresql")
    query, end = (word for word in error.value.fix.split("`") if word.startswith("select"))
    with waiting.engine.connect() as connection:
        ((pid, *_),) = connection.execute(sqlalchemy.text(query))
        connection.execute(sqlalchemy.text(end.replace("PID", str(pid))))
    assert can_be_had(waiting)
    with pytest.raises(sqlalchemy.exc.OperationalError):
        lock.release()
    assert holding.engine.pool.checkedout() == 0
    assert can_be_had(holding)


def test_an_interrupt_while_waiting_for_the_lock_leaves_no_connection(engines):
    holding, waiting = engines
    with StudyLock(holding, "t").held():
        lock = StudyLock(waiting, "t", patience=60)
        with interrupted(0.5), pytest.raises(KeyboardInterrupt) as told:
            lock.acquire()
        assert waiting.engine.pool.checkedout() == 0
    del told
    with lock.held():
        assert waiting.engine.pool.checkedout() == 1
    assert can_be_had(holding)


def test_an_interrupt_as_the_lock_is_had_leaves_it_to_others(engines):
    one, other = engines
    lock = StudyLock(one, "t")

    def interrupt(connection, statement, *_):
        if "lock" in str(statement):
            raise KeyboardInterrupt

    sqlalchemy.event.listen(one.engine, "after_execute", interrupt)
    with pytest.raises(KeyboardInterrupt) as told:
        lock.acquire()
    assert one.engine.pool.checkedout() == 0
    assert can_be_had(other)
    sqlalchemy.event.remove(one.engine, "after_execute", interrupt)
    del told
    with lock.held():
        pass


def test_a_server_that_is_not_there_is_one_message(folder):
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    url = "postgresql+psycopg://suite:secret@127.0.0.1:9/none?connect_timeout=2"
    result = suite("study", "list", "--storage", url, code=2)
    assert "cannot be used" in result.stderr and "secret" not in result.stderr


MARK = "S3cret-Mark9"


def test_a_password_of_the_database_stands_in_no_output(folder, toy_task, postgres, monkeypatch):
    """The server takes any password; the second one is encoded, and as a driver repeats it."""
    host = postgres.partition("host=")[2]
    url = f"postgresql+psycopg://suite:{MARK}%2F@/postgres?host={host}&password={MARK}"
    key = f"sk-{MARK}-key"
    monkeypatch.setenv("SUITE_API_KEY", key)
    monkeypatch.setattr("sys.argv", ["suite", "study", "create", "--storage", url, "--x", key])
    recipe = write_recipe(folder, trials=2)
    at = ("--storage", url)
    said = [
        suite("study", "create", toy_task, "--recipe", recipe, "--name", "p", *at).output,
        suite("study", "list", "--json", *at).output,
        suite("study", "show", "p", "--json", *at).output,
        suite("report", "p", *at).output,
        suite("study", "export-db", "p", "out.db", *at).output,
        suite("export", "p", "./model", *at).output,
        suite("study", "show", "q", *at, code=2).output,
        suite("doctor", "--no-hub", *at, code=None).output,
    ]
    for wrong in (url.replace(host, f"{host}/none"), f"{url}&sslpassword={MARK}&{MARK}=1",
                  f"postgresql+psycopg://suite:{MARK}:x/y", f"suite:{MARK}@/postgres"):  # fmt: skip
        said.append(suite("study", "list", "--storage", wrong, code=2).output)
    assert not [text for text in said if MARK in text]
    assert json.loads(said[2])["command"].endswith("&password=***' --x '***'")
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert not [file for file in files if MARK.encode() in file.read_bytes()]
    with storage.open_storage(postgres).engine.connect() as connection:
        stored = connection.execute(sqlalchemy.text("select value_json from study_user_attributes"))
        assert not [value for (value,) in stored if MARK in value]
    suite("study", "delete", "p", "--yes", *at)


@pytest.mark.parametrize(
    "words",
    [("study", "list"), ("study", "show", "t"), ("study", "best", "t"), ("report",),
     ("report", "t"), ("study", "list", "--json")],
)  # fmt: skip
@pytest.mark.parametrize("foreign", [False, True])
def test_reading_makes_no_tables(folder, postgres, words, foreign):
    server = sqlalchemy.create_engine(postgres, isolation_level="AUTOCOMMIT")
    url = postgres.replace("/postgres?", "/other?")
    with server.connect() as connection:
        connection.execute(sqlalchemy.text("drop database if exists other"))
        connection.execute(sqlalchemy.text("create database other"))
    own = sqlalchemy.create_engine(url)
    if foreign:
        with own.begin() as connection:
            connection.execute(sqlalchemy.text("create table accounts (id int)"))
    suite(*words, "--storage", url, code=None)
    assert sqlalchemy.inspect(own).get_table_names() == (["accounts"] if foreign else [])
    own.dispose()
    server.dispose()
