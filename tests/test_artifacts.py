"""Where a study's files lie, and who may write there: copies, moves, backups, strangers' rows."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from conftest import command_line, left_in, write_recipe, write_task
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from suite.cli import app
from suite.cli.progress import Watching
from suite.contracts.results import Scores, Trial
from suite.errors import DataError, StorageError, StudyError
from suite.machine import scratch
from suite.study import artifacts, copying, kept_record, owner, storage
from suite.study.artifacts import Standing
from suite.study.create import Wanted, create, ensure_snapshot
from suite.study.keeping import Keeping
from suite.study.kept_record import Kept
from suite.study.ledger import Ledger
from suite.study.work import Limits, Work

ARM = "tfidf/toy"


def run(*words, code=0):
    return " ".join(command_line(*words, code=code).output.split())


def opened(url=None, name="t"):
    return storage.load(storage.open_storage(url), name)


def found(url=None, name="t"):
    study, definition = opened(url, name)
    return artifacts.find(study, definition.data.fingerprint)


def here(url=None, name="t"):
    """What the arm keeps, read; None where it is not here."""
    study, _ = opened(url, name)
    kept = kept_record.of_arm(study.user_attrs, ARM)
    place = kept and found(url, name).kept_here(ARM, kept)
    return place and (place / "weights").read_text()


def keep(url, number, score, name="t"):
    """A trial's checkpoint is kept as the arm's best."""
    keeping = Keeping(Ledger(url, name))
    source = keeping.trial_folder(number) / "kept"
    source.mkdir(parents=True)
    (source / "weights").write_text(f"trial {number}, {score}")
    placed = keeping.place(ARM, number, trial(number, score), "toy")
    if placed is not None:
        keeping.keep(ARM, placed)
    keeping.clear(ARM, number)
    keeping.close()


def trial(number, score):
    scores = Scores(score, score, score, score, [score, score], [[1, 0], [0, 1]])
    return Trial(number=number, state="COMPLETE", arm=ARM, params={}, seed=0, validation=scores)


def make(folder, url=None, name="t", **changes):
    return create(
        Wanted(task="toy.yaml", recipe=write_recipe(folder), name=name, storage=url, **changes)
    )


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A folder with a study in the default storage that keeps a checkpoint."""
    folder = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_task(folder)
        make(folder)
        keep(None, 0, 0.5)
    return folder


@pytest.fixture
def made(folder, template):
    """The working folder, with a copy of that."""
    shutil.copytree(template, folder, dirs_exist_ok=True)
    return folder


def sql(file, *statements):
    with closing(sqlite3.connect(file)) as database:
        for statement in statements:
            database.execute(*statement) if isinstance(statement, tuple) else database.execute(
                statement
            )
        database.commit()


def as_before(name="t", file="studies/suite.db"):
    """The study as it was stored before there were ids: no id, a folder called after it."""
    lies, (study, _) = found(f"sqlite:///{file}", name), opened(f"sqlite:///{file}", name)
    kept = kept_record.of_arm(study.user_attrs, ARM)
    place = Path("studies/artifacts") / name
    place.parent.mkdir(parents=True, exist_ok=True)
    if lies.folder.exists():
        lies.folder.rename(place)
        (place / "owner.json").unlink()
        (place / "kept" / lies.kept(ARM, kept).name).rename(place / "kept" / "tfidf--toy")
    old = {"path": str((place / "kept" / "tfidf--toy").resolve()), "trial": kept.trial}
    old |= {"host": kept.host, "macro_f1": 0.5, "feasible": True, "serving_shape": "shape"}
    study.set_user_attr(f"suite:kept:{ARM}", old)
    sql(file, "delete from study_user_attributes where key = 'suite:artifacts'")
    return place


# ---------------------------------------------------------------- where they lie, and whose


def test_files_lie_beside_the_storage_under_a_random_id_with_their_owner(made):
    lies = found()
    assert lies.standing is Standing.OWNER
    assert re.fullmatch(r"[0-9a-f]{32}", lies.folder.name)
    assert lies.folder.parent == made / "studies" / "artifacts"
    named = json.loads((lies.folder / "owner.json").read_text())
    assert named["id"] == lies.folder.name and named["study"] == "t" and named["made_here"]
    assert named["storage"] == {"backend": "sqlite", "path": "../../suite.db"}
    assert here() == "trial 0, 0.5"


def test_two_storages_in_one_folder_share_nothing(made):
    """Case 18: the first predicted with the second's model, and lost its own with it."""
    make(made, "sqlite:///two.db")
    keep("sqlite:///two.db", 0, 0.9)
    assert here() == "trial 0, 0.5" and here("sqlite:///two.db") == "trial 0, 0.9"
    run("study", "delete", "t", "--yes", "--storage", "sqlite:///two.db")
    assert here() == "trial 0, 0.5"
    assert not (made / "artifacts").exists() or not list((made / "artifacts").iterdir())


def test_a_moved_project_is_its_own(made, monkeypatch):
    (made / "moved").mkdir()
    (made / "studies").rename(made / "moved" / "studies")
    monkeypatch.chdir(made / "moved")
    assert found().standing is Standing.OWNER and here() == "trial 0, 0.5"
    keep(None, 1, 0.6)
    assert here() == "trial 1, 0.6"


def test_a_database_put_back_from_a_backup_takes_no_later_checkpoint_for_its_own(made):
    shutil.copy("studies/suite.db", "backup.db")
    shutil.copy("backup.db", "studies/suite.db")
    assert found().standing is Standing.OWNER and here() == "trial 0, 0.5"
    keep(None, 1, 0.9)
    shutil.copy("backup.db", "studies/suite.db")
    assert found().standing is Standing.OWNER
    assert here() is None  # its trial 0 was replaced; trial 1 is of another history
    keep(None, 1, 0.7)
    assert here() == "trial 1, 0.7"
    left = [path.name for path in (found().folder / "kept").iterdir()]
    assert len(left) == 1  # the other history's trial 1 gave way


def test_a_copy_beside_reads_and_changes_nothing_until_it_adopts(made):
    copy = "sqlite:///studies/backup.db"
    shutil.copy("studies/suite.db", "studies/backup.db")
    assert found(copy).standing is Standing.READER and here(copy) == "trial 0, 0.5"
    told = run("study", "run", "t", "--storage", copy, code=2)
    assert "suite study adopt t --storage sqlite:///studies/backup.db" in told
    assert "'t' in the storage ../../suite.db" in told
    assert "adopt" in run("finals", "t", "--storage", copy, code=2)
    lies = found(copy)
    for path in (lies.folder, lies.data, lies.kept(ARM, kept_of(copy))):
        with pytest.raises(StorageError):
            lies.remove(path)
    told = run("study", "delete", "t", "--yes", "--storage", copy)
    assert "Its files stay, for they are those of 't' in the storage ../../suite.db" in told
    assert here() == "trial 0, 0.5"

    shutil.copy("studies/suite.db", "studies/backup.db")
    assert "owns its files now" in run("study", "adopt", "t", "--storage", copy)
    assert found(copy).standing is Standing.OWNER and found().standing is Standing.READER
    assert "suite study adopt t`" in run("study", "run", "t", code=2)
    assert here() == "trial 0, 0.5"
    assert "owns its files now" in run("study", "adopt", "t")
    assert "owned its files already" in run("study", "adopt", "t")


def kept_of(url=None):
    return kept_record.of_arm(opened(url)[0].user_attrs, ARM)


def test_an_adopted_copy_s_later_checkpoints_are_not_the_original_s(made):
    copy = "sqlite:///studies/backup.db"
    shutil.copy("studies/suite.db", "studies/backup.db")
    keep(None, 1, 0.6)
    run("study", "adopt", "t", "--storage", copy)
    keep(copy, 1, 0.8)
    assert here(copy) == "trial 1, 0.8" and here() is None


def test_files_are_not_adopted_while_a_command_works_in_them(made):
    shutil.copy("studies/suite.db", "studies/backup.db")
    work = Work(None, "t", Watching(), Limits())
    told = run("study", "adopt", "t", "--storage", "sqlite:///studies/backup.db", code=2)
    assert "a command works in the files of 't' now" in told
    work.close()
    run("study", "adopt", "t", "--storage", "sqlite:///studies/backup.db")


def test_a_copy_elsewhere_begins_a_folder_of_its_own(made, monkeypatch):
    run("study", "export-db", "t", "copy.db")
    assert not (made / "artifacts").exists()
    (made / "other").mkdir()
    monkeypatch.chdir(made / "other")
    run("study", "import-db", "../copy.db")
    assert found().standing is Standing.ABSENT and here() is None
    assert "nothing of 't' to take over" in run("study", "adopt", "t", code=2)
    assert run("study", "delete", "t", "--yes")
    run("study", "import-db", "../copy.db")
    said = []
    study, definition = opened()
    ensure_snapshot(study, definition, made / "data", say=said.append)
    assert found().standing is Standing.OWNER and (found().data / "facts.json").is_file()
    assert "No files of 't' are here: its folder begins anew" in said[0]
    assert not found().owner.made_here


def test_a_copy_in_the_same_storage_is_a_study_of_its_own(made):
    run("study", "export-db", "t", "copy.db")
    run("study", "import-db", "copy.db", "--name", "u")
    assert found(name="u").standing is Standing.ABSENT and here(name="u") is None
    assert opened(name="u")[1].name == "u"
    run("study", "delete", "u", "--yes")
    assert here() == "trial 0, 0.5"
    # A database may bear the id of a study that stands here, whatever it is called.
    ours = storage.open_storage()
    theirs = storage.open_storage("sqlite:///theirs.db", create=True)
    copying.copy(ours, theirs, {"t": "t"})
    sql(
        "theirs.db",
        "update studies set study_name = 'v'",
        "update study_user_attributes set value_json = "
        'replace(value_json, \'\\"name\\":\\"t\\"\', \'\\"name\\":\\"v\\"\') '
        "where key = 'suite:definition'",
    )
    run("study", "import-db", "theirs.db")
    assert found(name="v").standing is Standing.ABSENT
    run("study", "delete", "v", "--yes")
    assert here() == "trial 0, 0.5"


def test_an_address_names_its_owner_without_a_password(tmp_path):
    url = make_url("postgresql+psycopg://me:s3cret@db.example/suite?password=also&sslmode=require")
    named = owner.place(url, tmp_path)
    assert named == {
        "backend": "postgresql",
        "host": "db.example",
        "port": "5432",
        "database": "suite",
    }
    assert named == owner.place(make_url("postgresql://you@db.example:5432/suite"), tmp_path)
    assert named != owner.place(make_url("postgresql://you@db.example/other"), tmp_path)


# ---------------------------------------------------------------- studies from before


def test_a_study_from_before_is_read_where_it_lies_and_gets_its_id_with_the_first_write(made):
    place = as_before()
    assert found().standing is Standing.BEFORE and here() == "trial 0, 0.5"
    assert place.is_dir()  # reading moves nothing
    said = []
    study, definition = opened()
    claimed = artifacts.claim(study, definition.data.fingerprint, say=said.append)
    assert claimed.standing is Standing.OWNER and not place.exists()
    assert "lie in" in said[0]
    assert here() == "trial 0, 0.5"
    keep(None, 1, 0.6)
    assert [path.name.startswith("tfidf--toy-1-") for path in (claimed.folder / "kept").iterdir()]
    assert here() == "trial 1, 0.6"


def test_a_claim_that_was_cut_short_goes_on(made):
    place = as_before()
    study, definition = opened()
    id = artifacts.new_id()
    url = make_url("sqlite:///studies/suite.db")
    made_by = owner.Owner(id, "t", owner.place(url, place.parent / id))
    (place / "owner.json").write_text(json.dumps(made_by.__dict__))
    for known in (None, id):  # before and after the id was stored
        if known:
            study.set_user_attr(artifacts.ID, known)
        assert found().standing is Standing.BEFORE and here() == "trial 0, 0.5"
    assert artifacts.claim(study, definition.data.fingerprint).folder.name == id
    assert here() == "trial 0, 0.5"


def test_of_two_databases_from_before_the_first_to_write_has_the_folder(made):
    as_before()
    shutil.copy("studies/suite.db", "studies/backup.db")
    copy = "sqlite:///studies/backup.db"
    assert here() == here(copy) == "trial 0, 0.5"
    # Nobody knows whose the folder is: deleting in the copy leaves it.
    assert "from before studies had ids" in run("study", "delete", "t", "-y", "--storage", copy)
    assert here() == "trial 0, 0.5"
    shutil.copy("studies/suite.db", "studies/backup.db")
    study, definition = opened()
    artifacts.claim(study, definition.data.fingerprint)
    said = []
    other, _ = opened(copy)
    theirs = artifacts.claim(other, definition.data.fingerprint, say=said.append)
    assert theirs.folder != found().folder and "begins anew" in said[0]
    assert here() == "trial 0, 0.5" and here(copy) is None


def test_a_folder_from_before_that_holds_other_rows_is_not_the_study_s(made):
    place = as_before()
    facts = json.loads((place / "data" / "facts.json").read_text())
    facts["facts"]["fingerprint"] = "0" * 16
    (place / "data" / "facts.json").write_text(json.dumps(facts))
    assert found().standing is Standing.ABSENT and here() is None
    run("study", "delete", "t", "--yes")
    assert (place / "kept" / "tfidf--toy" / "weights").is_file()


def test_a_study_from_before_is_deleted_with_its_folder(made):
    place = as_before()
    run("study", "delete", "t", "--yes")
    assert not place.exists()


@pytest.mark.parametrize("what", ["link", "stranger"])
def test_a_folder_from_before_that_is_a_link_or_another_s_is_left(made, what):
    place = as_before()
    if what == "link":
        place.rename(made / "elsewhere")
        place.symlink_to(made / "elsewhere")
    else:
        (place / "owner.json").write_text(
            json.dumps({"id": "0" * 32, "study": "t", "storage": {"backend": "sqlite"}})
        )
    assert found().standing is Standing.ABSENT
    study, definition = opened()
    artifacts.claim(study, definition.data.fingerprint)
    run("study", "delete", "t", "--yes")
    assert (place / "kept" / "tfidf--toy" / "weights").is_file()


# ---------------------------------------------------------------- what a stranger's rows name


@pytest.fixture
def victim(made):
    place = made / "victim"
    place.mkdir()
    (place / "thesis.txt").write_text("precious")
    yield place
    assert (place / "thesis.txt").read_text() == "precious"


@pytest.mark.parametrize("mark", [None, "../../../../victim", "0123456789", "a/../b", 7, ["x"]])
def test_a_kept_checkpoint_s_path_is_computed_and_never_read(made, victim, mark):
    study, _ = opened()
    record = study.user_attrs[f"suite:kept:{ARM}"] | {"path": str(victim), "mark": mark}
    study.set_user_attr(f"suite:kept:{ARM}", record)
    keeping = Keeping(Ledger(None, "t"))
    assert kept_of() is None or keeping.here(ARM, kept_of()) is None
    keeping.forget(ARM, 0)
    keeping.sweep(())
    run("predict", "t", "a text", code=2)
    if mark is not None:
        assert "the kept checkpoint of tfidf/toy" in run("study", "show", "t", "--json")


@pytest.mark.parametrize(
    "trial", ["../../../victim", -1, None, 10**30, "0/../../../../victim", {"a": 1}, True]
)
def test_a_kept_checkpoint_s_trial_is_a_number(made, victim, trial):
    study, _ = opened()
    record = study.user_attrs[f"suite:kept:{ARM}"] | {"trial": trial}
    study.set_user_attr(f"suite:kept:{ARM}", record)
    keeping = Keeping(Ledger(None, "t"))
    keeping.forget(ARM, 0)
    keeping.sweep(())
    keep(None, 3, 0.9)


@pytest.mark.parametrize(
    "arm",
    [
        "../../victim",
        "..",
        ".",
        "",
        "/etc",
        "a\0b",
        "x" * 5000,
        "a\nb",
        "-rf",
        "..-/x",
    ],
)
def test_an_arm_s_name_is_one_part_of_a_path(arm):
    part = artifacts.part(arm)
    assert re.fullmatch(r"arm-[0-9a-f]{16}", part) and part != artifacts.part(arm + "x")


def test_an_ordinary_arm_s_part_is_its_name():
    assert artifacts.part("a/../../b") == "a--..--..--b"  # one part, whatever it looks like
    assert artifacts.part("qwen3-0.6b/sft+thinking") == "qwen3-0.6b--sft+thinking"


@pytest.mark.parametrize(
    "id", ["../../victim", "a" * 31, "A" * 32, "a" * 33, "/" * 32, ["a"], 7, "", "a" * 31 + "/"]
)
def test_an_id_is_32_digits_or_none(made, victim, id):
    study, definition = opened()
    study.set_user_attr(artifacts.ID, id)
    assert found().standing is Standing.ABSENT
    artifacts.claim(study, definition.data.fingerprint)
    assert (
        found().standing is Standing.OWNER and found().folder.parent == made / "studies/artifacts"
    )
    run("study", "delete", "t", "--yes")


def test_an_id_of_another_study_s_folder_is_read_at_most(made):
    make(made, "sqlite:///studies/evil.db", name="evil")
    mine = found()
    study, definition = opened("sqlite:///studies/evil.db", "evil")
    study.set_user_attr(artifacts.ID, mine.folder.name)
    assert found("sqlite:///studies/evil.db", "evil").standing is Standing.READER
    with pytest.raises(StudyError, match="those of 't'"):
        artifacts.claim(study, definition.data.fingerprint)
    run("study", "delete", "evil", "--yes", "--storage", "sqlite:///studies/evil.db")
    assert here() == "trial 0, 0.5"


@pytest.mark.parametrize(
    "what", ["huge", "text", "nested", "list", "pipe", "link", "none", "other"]
)
def test_a_folder_that_does_not_say_whose_it_is_is_nobody_s(made, what):
    lies = found()
    file = lies.folder / "owner.json"
    said = json.loads(file.read_text())
    file.unlink()
    if what == "pipe":
        os.mkfifo(file)
    elif what == "link":
        (made / "owner.json").write_text(json.dumps(said))
        file.symlink_to(made / "owner.json")
    elif what != "none":
        file.write_text(
            {
                "huge": json.dumps(said | {"more": "x" * 10**6}),
                "text": "no JSON",
                "nested": "[" * 50_000,
                "list": "[]",
                "other": json.dumps(said | {"id": "0" * 32}),
            }[what]
        )
    assert found().standing is Standing.UNKNOWN and here() is None
    assert "suite study adopt t" in run("study", "run", "t", code=2)
    run("study", "delete", "t", "--yes")
    assert (lies.folder / "kept").is_dir()


def test_adopting_names_the_owner_of_a_folder_that_names_none(made):
    (found().folder / "owner.json").unlink()
    os.mkfifo(found().folder / "owner.json")
    run("study", "adopt", "t")
    assert found().standing is Standing.OWNER and here() == "trial 0, 0.5"


@pytest.mark.parametrize("part", ["kept", "attached", "logs", "data", "trial-3", "bench"])
def test_a_link_out_of_the_folder_is_not_followed(made, victim, part):
    lies = found()
    path = lies.folder / part
    if path.exists():
        path.rename(made / "aside")
    path.symlink_to(victim)
    (victim / "tfidf--toy-7-00000000").mkdir()
    (victim / "trial-7").mkdir()
    for inside in (path / "x", path / "trial-7", path / "tfidf--toy-7-00000000"):
        with pytest.raises(StorageError, match="a link leads out of its folder"):
            lies.checked(inside)
        with pytest.raises(StorageError):
            lies.remove(inside) if inside.exists() else lies.checked(inside)
    if part == "kept":
        assert here() is None
    lies.remove(path)  # the link, not what it leads to
    assert not path.is_symlink()
    run("study", "delete", "t", "--yes")
    assert (victim / "trial-7").is_dir()


def test_a_study_s_folder_that_is_a_link_is_refused(made, victim):
    lies = found()
    lies.folder.rename(victim / "moved")
    lies.folder.symlink_to(victim / "moved")
    assert found().standing is Standing.UNKNOWN
    for words in (("run",), ("adopt",)):
        assert "no link" in run("study", *words, "t", code=2)
    run("study", "delete", "t", "--yes")
    assert (victim / "moved" / "kept").is_dir()


def test_all_artifacts_may_lie_on_another_disk(made):
    root = found().root
    root.rename(made / "disk")
    root.symlink_to(made / "disk")
    assert found().standing is Standing.READER and here() == "trial 0, 0.5"  # once moved by hand
    run("study", "adopt", "t")
    keep(None, 1, 0.6)
    assert here() == "trial 1, 0.6"


NAMES = ["../../../victim", "..", "x\ny", "a" * 65, "", "A"]


@pytest.mark.parametrize("name", NAMES)
def test_a_study_is_called_by_a_name_or_not_at_all(made, victim, name):
    run("study", "export-db", "t", "evil.db")
    sql("evil.db", ("update studies set study_name = ?", (name,)))
    told = run("study", "import-db", "evil.db", code=2)
    assert "has a name that no study can have" in told and "--name NAME" in told
    run("study", "import-db", "evil.db", "--name", "safe")
    assert found(name="safe").standing is Standing.ABSENT
    url = "sqlite:///evil.db"
    if name and not name.startswith("-"):
        assert "no study can have" in run("study", "run", name, "--storage", url, code=2)
        run("study", "delete", name, "--yes", "--storage", url)


def test_a_definition_bears_its_study_s_name(made, victim):
    run("study", "export-db", "t", "evil.db")
    study, _ = opened("sqlite:///evil.db")
    raw = json.loads(study.user_attrs["suite:definition"])
    study.set_user_attr("suite:definition", json.dumps(raw | {"name": "../../../victim"}))
    assert "calls itself '../../../victim'" in run("study", "import-db", "evil.db", code=2)
    assert "calls itself" in run("study", "run", "t", "--storage", "sqlite:///evil.db", code=2)
    run("study", "import-db", "evil.db", "--name", "u")
    assert opened(name="u")[1].name == "u"


def test_rows_that_only_the_database_names_are_not_read(made, monkeypatch, tmp_path_factory):
    away = tmp_path_factory.mktemp("away")
    for split in ("train", "test"):
        shutil.copy(f"data/{split}.jsonl", away / f"{split}.jsonl")
    make(made, name="named", data=away)
    run("study", "export-db", "named", "named.db")
    # Where it was created the files are the user's, also once its rows were removed by hand.
    shutil.rmtree(found(name="named").data)
    study, definition = opened(name="named")
    ensure_snapshot(study, definition)
    assert found(name="named").owner.made_here
    (made / "other").mkdir()
    monkeypatch.chdir(made / "other")
    run("study", "import-db", "../named.db")
    told = run("study", "run", "named", code=2)
    assert str(away) in told.replace(" ", "") and "suite study run named --data DIR" in told
    study, definition = opened(name="named")
    with pytest.raises(DataError, match="the database says"):
        ensure_snapshot(study, definition)
    ensure_snapshot(study, definition, away)
    assert (found(name="named").data / "facts.json").is_file()


def test_a_task_file_that_only_the_database_names_is_not_looked_at(made, monkeypatch):
    """Nor does git run in its folder, whose configuration may name a command."""
    away = made / "away" / "tasks"
    away.mkdir(parents=True)
    shutil.copy("toy.yaml", away / "toy.yaml")
    run("study", "export-db", "t", "copy.db")
    study, _ = opened("sqlite:///copy.db")
    raw = json.loads(study.user_attrs["suite:definition"])
    raw |= {"task_file": str(away / "toy.yaml"), "recipe_named": str(away / "toys.yaml")}
    study.set_user_attr("suite:definition", json.dumps(raw))
    (away / "toy.yaml").write_text((away / "toy.yaml").read_text().replace("0.25", "0.5"))
    (made / "other").mkdir()
    monkeypatch.chdir(made / "other")

    def no(*words, **more):
        raise AssertionError(words)

    monkeypatch.setattr(subprocess, "run", no)
    told = run("study", "run", "t", "--storage", "sqlite:///../copy.db", code=2)
    assert "the database says that the rows of 't' lie there" in told


# ---------------------------------------------------------------- cut short


def test_a_keep_that_was_cut_short_goes_on(made, monkeypatch):
    def dies(*words):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(kept_record, "store", dies)
        with pytest.raises(KeyboardInterrupt):
            keep(None, 1, 0.9)
    assert here() == "trial 0, 0.5"  # what the record names is there
    keeping = Keeping(Ledger(None, "t"))
    [placed] = (found().folder / "kept").glob("*-1-*")
    mark = placed.name.rpartition("-")[2]
    keeping.keep(ARM, Kept(1, socket.gethostname(), 0.9, True, "toy", mark))
    assert here() == "trial 1, 0.9"


def test_a_deletion_that_fails_leaves_the_files(made, monkeypatch):
    def fails(*words):
        raise RuntimeError

    monkeypatch.setattr(storage, "delete", fails)
    result = CliRunner().invoke(app, ["study", "delete", "t", "--yes"])
    assert isinstance(result.exception, RuntimeError)
    assert here() == "trial 0, 0.5"


def dead(place, name=".suite-work-999999999-1-abcdefgh", size=5000):
    left = place / name
    (left / "inside").mkdir(parents=True)
    (left / "inside" / "weights").write_bytes(b"x" * size)
    return left


def test_the_next_command_removes_what_a_dead_one_left_and_says_how_much(made):
    left = dead(found().folder)
    (found().folder / "trial-7").mkdir()
    (found().folder / "trial-7" / "weights").write_bytes(b"x" * 2000)
    said = []
    keeping = Keeping(Ledger(None, "t"), said.append)
    keeping.sweep(())
    assert not left.exists() and not (found().folder / "trial-7").exists()
    assert "5.0 kB" in said[0] and "2.0 kB" in said[1]
    keeping.close()
    assert not list(found().folder.glob(".suite-work-*"))


def test_what_may_be_anybody_s_stays(tmp_path):
    mine = scratch.Scratch(tmp_path)
    (mine.folder / "busy").write_text("x")
    # Of a process in another namespace no number is seen here, but its lock is.
    elsewhere = scratch.Scratch(tmp_path)
    hidden = tmp_path / ".suite-work-999999998-1-abcdefgh"
    elsewhere.folder.rename(hidden)
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / ".suite-work-999999997-1-abcdefgh").symlink_to(outside)
    others = [tmp_path / name for name in (".suite-work-1", "suite-work-999999999-1-abcdefgh")]
    for other in others:
        other.mkdir()
    assert scratch.sweep(tmp_path) == 0
    assert mine.folder.is_dir() and hidden.is_dir() and outside.is_dir()
    assert all(other.is_dir() for other in others)
    assert scratch.in_use(tmp_path)
    mine.close()
    assert not mine.folder.exists()


def test_what_running_trials_write_counts_for_the_disk(made):
    keeping = Keeping(Ledger(None, "t"))
    (keeping.scratch / "weights").write_bytes(b"x" * 10**6)
    with pytest.raises(StudyError, match="above --max-disk"):
        keeping.check_disk(10**6)


@pytest.mark.parametrize(
    "words", [("study", "list"), ("study", "show", "t"), ("report", "t", "--format", "json")]
)
def test_any_next_command_removes_what_a_dead_one_left(made, words):
    beside, cached = dead(found().root), dead(Path(os.environ["SUITE_CACHE"]), size=3000)
    aside = dead(found().folder, size=1000)
    copy = dead(made / "studies" / "artifacts" / ("0" * 32))  # nobody's that says so
    said = run(*words)
    assert not (beside.exists() or aside.exists() or cached.exists()) and copy.exists()
    assert "Removed what a command that died had left in temporary files: 3.0 kB." in said
    assert "artifacts: 6.0 kB." in said.replace("\n", "")
    assert "Removed" not in run(*words)


def test_a_command_that_ends_leaves_nothing_and_says_nothing_of_it():
    place = Path(tempfile.mkdtemp(prefix="s", dir="/tmp"))  # a socket's path must be short
    program = "from suite.child.runner import Runner; Runner()"
    try:
        environment = {**os.environ, "TMPDIR": str(place)}
        ended = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True
        )
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
        assert not list(place.iterdir())
    finally:
        shutil.rmtree(place, ignore_errors=True)


def test_a_killed_command_leaves_nothing_that_the_next_does_not_remove(made, monkeypatch):
    """Its folder, its sockets, its temporary files: all are called so that they can be told."""
    place = Path(tempfile.mkdtemp(prefix="s", dir="/tmp"))  # a socket's path must be short
    program = (
        "import os, signal\n"
        "from suite.machine import scratch\n"
        "from suite.child.runner import Runner\n"
        "from suite.study.keeping import Keeping\n"
        "from suite.study.ledger import Ledger\n"
        "keeping = Keeping(Ledger(None, 't'))\n"
        "Runner()\n"
        "with scratch.temporary() as folder:\n"
        "    (folder / 'rows').write_bytes(b'x' * 4000)\n"
        "    (keeping.scratch / 'weights').write_bytes(b'x' * 6000)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    try:
        environment = {**os.environ, "TMPDIR": str(place)}
        ended = subprocess.run([sys.executable, "-c", program], env=environment)
        assert ended.returncode == -signal.SIGKILL
        assert len(list(place.iterdir())) == 2 and left_in(found().folder)
        assert all(path.name.startswith(".suite-work-") for path in place.iterdir())
        monkeypatch.setattr(tempfile, "tempdir", str(place))
        said = run("study", "list")
        assert "temporary files: 4.0 kB." in said and "artifacts: 6.0 kB." in said
        assert not list(place.iterdir()) and not left_in(found().folder)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def test_files_stay_where_the_database_was_replaced_under_a_command(made):
    work = Work(None, "t", Watching(), Limits())
    kept, folder = kept_of(), found().folder
    storage.delete(storage.open_storage(), "t")  # not by `delete`, which takes the files with it
    work.ledger.deleted = True  # as it is told once something is written
    work.close()
    assert (folder / "kept" / f"tfidf--toy-{kept.place}" / "weights").is_file()
