"""Databases as they are met: missing, empty, another program's, of another version, held by others.

Nothing but `create` writes into one, files are there whole or not at all, and who waits is told
for whom.
"""

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import optuna
import pytest
import sqlalchemy
from conftest import PATIENCE, write_recipe
from conftest import command_line as run

from suite import files
from suite.errors import StorageError
from suite.machine.holders import holders
from suite.study import copying, internals, patient, reading, storage
from suite.study.create import Wanted, create
from suite.study.record import TRIAL

pytestmark = pytest.mark.filterwarnings("ignore:Heartbeat of storage is supposed")

STORED = Path(__file__).parent / "stored" / "b0e390f"

READING = (
    ("study", "list"),
    ("study", "list", "--json"),
    ("study", "show", "agnews"),
    ("study", "best", "agnews"),
    ("report",),
    ("predict", "agnews", "a text"),
    ("finals", "agnews"),
    ("study", "run", "agnews"),
    ("study", "delete", "agnews", "--yes"),
    ("study", "export-db", "agnews", "out.db"),
)


def digest(file):
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def named(folder):
    return sorted(path.name for path in Path(folder).iterdir())


@pytest.fixture
def foreign(folder):
    with closing(sqlite3.connect("foreign.db")) as opened:
        opened.execute("create table cookies (a)")
        opened.execute("insert into cookies values (1)")
        opened.commit()
    return "sqlite:///foreign.db"


@pytest.fixture
def stored(folder):
    """A folder with a healthy study, `agnews`, of two trials."""
    (folder / "studies").mkdir()
    shutil.copyfile(STORED / "agnews.db", folder / "studies" / "suite.db")
    return "sqlite:///studies/suite.db"


# ---------------------------------------------------------------- what is not the suite's


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_who_reads_writes_nothing_into_another_program_s_database(foreign, words):
    before = digest("foreign.db")
    said = run(*words, "--storage", foreign, code=2).stderr
    assert "no studies here" in said and "cookies" in said
    assert digest("foreign.db") == before and named(".") == ["foreign.db"]


def test_nor_does_who_writes(foreign, toy_task):
    before = digest("foreign.db")
    said = run("study", "create", toy_task, "--storage", foreign, "--no-run", code=2).stderr
    assert "another program's database" in said
    assert "no studies here" in run("study", "import-db", "foreign.db", code=2).stderr
    assert digest("foreign.db") == before


def test_an_empty_file_has_no_studies_and_may_get_some(folder, toy_task):
    Path("a.db").touch()
    assert "no studies here" in run("study", "list", "--storage", "sqlite:///a.db", code=2).stderr
    assert Path("a.db").stat().st_size == 0
    run("study", "create", toy_task, "--storage", "sqlite:///a.db", "--no-run", "--arms", "tfidf/*")
    assert "toy" in run("study", "list", "--storage", "sqlite:///a.db").stdout


def a_folder():
    Path("x.db").mkdir()


def a_pipe():
    os.mkfifo("x.db")


def another_file():
    Path("x.db").write_bytes(b"PK\3\4 this is a zip file")


def cut_short():
    Path("x.db").write_bytes((STORED / "agnews.db").read_bytes()[:9000])


def garbage():
    content = bytearray((STORED / "agnews.db").read_bytes())
    content[100:4096] = b"\xa5" * 3996
    Path("x.db").write_bytes(content)


def changed(*statements):
    def change():
        shutil.copyfile(STORED / "agnews.db", "x.db")
        with closing(sqlite3.connect("x.db")) as opened:
            for statement in statements:
                opened.execute(statement)
            opened.commit()

    return change


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (a_folder, "a folder"),
        (a_pipe, "no regular file"),
        (another_file, "no SQLite database"),
        (cut_short, "saves what can still be read"),
        (garbage, "saves what can still be read"),
        (changed("drop table trial_heartbeats"), "table trial_heartbeats is missing"),
        (changed("alter table trials drop column state"), "column trials.state is missing"),
        (changed("delete from version_info"), "row of version_info"),
        (changed("delete from alembic_version"), "version unknown"),
        (changed("update alembic_version set version_num = 'v3.0.0.d'"), "optuna storage upgrade"),
        (changed("update alembic_version set version_num = 'v9'"), "in version v9"),
    ],
)
@pytest.mark.parametrize("words", [("study", "list"), ("study", "import-db"), ("study", "create")])
def test_what_is_no_database_of_studies_is_one_message_and_left_as_it_is(
    folder, toy_task, words, make, said
):
    make()
    before = digest("x.db") if Path("x.db").is_file() else None
    more = {"import-db": ("x.db",), "create": (toy_task, "--no-run")}.get(words[1], ())
    url = () if words[1] == "import-db" else ("--storage", "sqlite:///x.db")
    assert said in run(*words, *more, *url, code=2).stderr.replace("\n", " ")
    assert not Path("x.db").is_file() or digest("x.db") == before


def test_who_goes_through_trials_keeps_no_writer_out(stored):
    """A writer that waits for a reader keeps new ones out: if the reader then reads by another
    connection, all three wait for ever."""
    study, _ = storage.load(storage.open_storage(), "agnews")
    trials = iter(reading.rows(study, TRIAL))
    assert next(trials).number == 0
    writing = sqlite3.connect("studies/suite.db", timeout=0, isolation_level=None)
    with closing(writing) as opened:
        opened.execute("begin immediate")
        opened.execute("update trials set number = number")
        opened.execute("commit")
    assert next(trials).number == 1


def test_opening_a_database_drops_no_lock_of_another_thread(stored):
    """Closing a file drops all locks that the process has on it: what another thread writes would
    then be written into by other processes."""
    with closing(sqlite3.connect("studies/suite.db", isolation_level=None)) as writing:
        writing.execute("begin immediate")
        storage.open_storage()
        script = (
            "import sqlite3; c = sqlite3.connect('studies/suite.db', timeout=0);"
            "c.isolation_level = None; c.execute('begin immediate')"
        )
        other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert "database is locked" in other.stderr


def test_a_database_that_was_killed_while_it_was_written_is_read(stored):
    """Its journal is played back first."""
    script = (
        "import os, sqlite3; c = sqlite3.connect('studies/suite.db', isolation_level=None);"
        "c.execute('pragma cache_size=1'); c.execute('begin immediate');"
        "c.execute(\"update trial_user_attributes set value_json = value_json || ' '\");"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    assert Path("studies/suite.db-journal").stat().st_size > 0
    assert "2/8" in run("study", "list").stdout


@pytest.mark.parametrize("url", ["sqlite:///a.db?b", "sqlite:///a.db?mode=ro&uri=true"])
def test_what_a_url_has_that_is_not_read_is_told(folder, url):
    assert "is not read" in run("study", "list", "--storage", url, code=2).stderr


# ---------------------------------------------------------------- into a file, out of a file

NAMES = ["a?b.db", "a%20b.db", "a#b.db", "a{b}.db", "a b.db", "100%.db", "file:x.db", "ä.db"]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_taken_by_its_name_whatever_is_in_it(stored, name):
    run("study", "export-db", "agnews", name)
    assert sorted(named(".")) == sorted([name, "studies"])
    shown = run("study", "show", "agnews", "--json").stdout
    run("study", "delete", "agnews", "--yes")
    run("study", "import-db", name)
    assert run("study", "show", "agnews", "--json").stdout == shown


def test_a_copy_has_every_row(stored):
    run("study", "export-db", "agnews", "copy.db")
    keys = {"study_id", "trial_id"}
    with closing(sqlite3.connect("studies/suite.db")) as one:
        one.execute("attach 'copy.db' as copy")
        for name, table in internals.TABLES.items():
            own = {column.name for column in table.primary_key} | keys
            columns = ", ".join(c.name for c in table.columns if c.name not in own) or "1"
            both = [
                one.execute(f"select {columns} from {place}.{name}").fetchall()
                for place in ("main", "copy")
            ]
            # A time may get a fraction of a second that it had not.
            here, there = (sorted(repr(r).replace(".000000", "") for r in rows) for rows in both)
            assert here == there, name
    read = [
        optuna.load_study(study_name="agnews", storage=f"sqlite:///{file}").get_trials()
        for file in ("studies/suite.db", "copy.db")
    ]
    assert [t.params for t in read[0]] == [t.params for t in read[1]]
    assert [t.datetime_start for t in read[0]] == [t.datetime_start for t in read[1]]


def test_a_file_that_is_there_is_not_written(stored):
    Path("mine.db").write_text("precious")
    assert "exists" in run("study", "export-db", "agnews", "mine.db", code=2).stderr
    assert Path("mine.db").read_text() == "precious"


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_export_that_breaks_off_leaves_nothing(stored, monkeypatch, fault):
    def copy(*words):
        raise fault

    monkeypatch.setattr(copying, "_copy_rows", copy)
    run("study", "export-db", "agnews", "out.db", code=130 if fault is KeyboardInterrupt else 2)
    run("study", "export-db", "nobody", "out.db", code=2)
    assert named(".") == ["studies"]


def test_an_import_that_breaks_off_leaves_nothing(stored, monkeypatch):
    run("study", "export-db", "agnews", "both.db")
    opened = storage.open_storage(Path("both.db"))
    more = storage.open_storage(STORED / "mail.db")
    copying.copy(more, opened, {"mail": "mail"})
    run("study", "delete", "agnews", "--yes")
    real, calls = copying._copy_rows, []

    def copy(*words):
        calls.append(words)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(*words)

    monkeypatch.setattr(copying, "_copy_rows", copy)
    run("study", "import-db", "both.db", code=130)
    assert len(calls) == 2 and "No studies" in run("study", "list").stdout


def test_studies_whose_names_are_taken_keep_all_out(stored):
    run("study", "import-db", STORED / "mail.db")
    run("study", "export-db", "mail", "both.db")
    copying.copy(storage.open_storage(STORED / "own.db"), storage.open_storage(Path("both.db")),
                 {"own": "own"})  # fmt: skip
    assert "'mail' already" in run("study", "import-db", "both.db", code=2).stderr
    assert "own" not in run("study", "list").stdout


# ---------------------------------------------------------------- several at once


def at_once(work, count=3):
    """Runs it in so many threads that begin together; what each returned or raised."""
    barrier, found = threading.Barrier(count), [None] * count

    def one(index):
        barrier.wait()
        try:
            found[index] = work()
        except BaseException as error:
            found[index] = error

    threads = [threading.Thread(target=one, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return found


def test_three_that_create_at_once_have_one_study(folder, toy_task):
    wanted = Wanted(task=toy_task, recipe=write_recipe(folder), name="t")
    found = at_once(lambda: create(wanted))
    assert sorted(getattr(made, "resumed", repr(made)) for made in found) == [False, True, True]
    study, definition = storage.load(storage.open_storage(), "t")
    assert study.user_attrs["suite:target"] == definition.recipe.trials
    assert study.metric_names == ["validation macro-F1"]


def test_a_study_is_stored_whole_or_not_at_all(folder, toy_task, monkeypatch):
    monkeypatch.setattr(storage.attributes, "notes", lambda definition: {"x": object()})
    with pytest.raises(TypeError):
        create(Wanted(task=toy_task, recipe=write_recipe(folder), name="t"))
    assert storage.open_storage().get_all_studies() == []


def test_tables_are_made_whole_or_not_at_all(folder, monkeypatch):
    def interrupted(*words):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(internals.MigrationContext, "configure", interrupted)
        with pytest.raises(KeyboardInterrupt):
            storage.open_storage("sqlite:///a.db", create=True)
    with closing(sqlite3.connect("a.db")) as opened:
        assert opened.execute("select name from sqlite_master").fetchall() == []
    assert storage.open_storage("sqlite:///a.db", create=True).get_all_studies() == []


# ---------------------------------------------------------------- held by another process


@pytest.fixture
def holder(stored):
    """Holds the database until it is told to let go."""
    script = (
        "import sqlite3, sys; c = sqlite3.connect('studies/suite.db', isolation_level=None);"
        "c.execute('begin exclusive'); print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_who_holds_a_database_is_told(holder):
    (told,) = holders(Path("studies/suite.db"))
    assert told.startswith(f"pid {holder.pid} (python")
    holder.kill()
    holder.wait()
    assert holders(Path("studies/suite.db")) == []


def test_a_database_that_another_process_holds_is_waited_for(holder, monkeypatch):
    told = threading.Event()

    def who(file):
        found = holders(file)
        told.set()
        return found

    monkeypatch.setattr(patient, "TELL_SECONDS", 0.0)
    monkeypatch.setattr(patient, "holders", who)
    threading.Thread(target=lambda: told.wait(PATIENCE) and holder.kill()).start()
    shown = run("study", "list")
    assert "agnews" in shown.stdout
    assert f"studies/suite.db is held by pid {holder.pid} (python" in shown.stderr


@pytest.mark.parametrize("words", [("study", "list"), ("study", "run", "agnews")])
def test_and_no_longer_than_is_promised(holder, monkeypatch, words):
    monkeypatch.setattr(patient, "PATIENCE_SECONDS", 0.2)
    said = run(*words, code=2).stderr
    assert "holds the database for over 0.2 s" in said and f"pid {holder.pid}" in said
    assert "End that process" in said


def test_a_heartbeat_that_cannot_be_written_is_with_the_next(holder, monkeypatch, capfd):
    monkeypatch.setattr(patient, "PATIENCE_SECONDS", 0.2)
    holder.kill()
    holder.wait()
    opened = storage.open_storage()
    study = optuna.load_study(study_name="agnews", storage=opened)
    trial = study.ask()
    with closing(sqlite3.connect("studies/suite.db", isolation_level=None)) as other:
        other.execute("begin exclusive")
        opened.record_heartbeat(trial._trial_id)
        with pytest.raises(StorageError, match="holds the database"):
            trial.set_user_attr("a", 1)
        began = time.monotonic()
        with pytest.raises(StorageError):  # patience is counted once, not for each statement
            trial.set_user_attr("a", 1)
        assert time.monotonic() - began < 10
        other.execute("commit")
    opened.record_heartbeat(trial._trial_id)
    trial.set_user_attr("a", 1)
    with closing(sqlite3.connect("studies/suite.db")) as other:
        wanted = "select count(*) from trial_heartbeats where trial_id = ?"
        assert other.execute(wanted, (trial._trial_id,)).fetchone() == (1,)
    assert "Traceback" not in capfd.readouterr().err


def test_a_database_on_a_full_disk_is_told_with_a_remedy_while_its_tables_are_made(
    folder, monkeypatch
):
    def full(place):
        raise sqlalchemy.exc.OperationalError(
            "create table", None, sqlite3.OperationalError("database or disk is full")
        )

    monkeypatch.setattr("suite.study.database._make", full)
    with pytest.raises(StorageError, match="disk is full") as told:
        storage.open_storage("sqlite:///studies/x.db", create=True)
    assert told.value.fix == files.MAKE_ROOM
