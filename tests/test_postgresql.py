"""A study on a real PostgreSQL: joined by two processes, and brought back after one is killed."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import PATIENCE, write_recipe
from test_study import shown_in, start, suite, wait_for

from suite.study import storage


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
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    as_user = []
    if os.getuid() == 0:
        # The server refuses to run as root.
        if shutil.which("runuser") is None:
            pytest.skip("PostgreSQL refuses root, and there is no runuser")
        shutil.chown(folder, "postgres", "postgres")
        folder.parent.chmod(0o755)
        as_user = ["runuser", "-u", "postgres", "--"]
    data = folder / "data"

    def run(*words):
        subprocess.run([*as_user, *map(str, words)], check=True, capture_output=True, cwd=folder)

    run(binaries / "initdb", "-D", data, "-A", "trust", "-U", "suite", "--no-sync")
    run(binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o",
        f"-c listen_addresses='' -k {folder} -c fsync=off", "start")  # fmt: skip
    yield f"postgresql+psycopg://suite@/postgres?host={folder}"
    run(binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop")


def test_two_processes_share_a_study_and_one_may_die(folder, toy_task, hold, postgres):
    recipe = write_recipe(folder, trials=6, spaces={"*/toy": {"hold": str(hold)}})
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
    assert sum(t["state"] in ("COMPLETE", "PRUNED") for t in found["trials"]) == 6
    assert [t["error"] for t in found["trials"] if t["state"] == "FAIL"] == [
        "the worker died; the trial was queued again"
    ]
    assert found["finals"]


def test_a_server_that_is_not_there_is_one_message(folder):
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    url = "postgresql+psycopg://suite:secret@127.0.0.1:9/none?connect_timeout=2"
    result = suite("study", "list", "--storage", url, code=2)
    assert "cannot be used" in result.stderr and "secret" not in result.stderr
