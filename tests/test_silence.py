"""Nothing is told to anybody: what `make quickstart` runs, and what quantises, asks no address but
this machine's own, whatever is installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PATIENCE, write_recipe

from suite.machine import surroundings

#: In every process, children of the forkserver included: writes down whoever is asked for, or
#: looked up, beyond this machine, and refuses it. (What native code asks does not come by here; it
#: was looked at once with strace.)
WATCH = """
import ipaddress, os, sys
def outside(host):
    if host in (None, "", b"", "localhost", b"localhost"):
        return False
    try:
        name = host.decode() if isinstance(host, bytes) else str(host)
        address = ipaddress.ip_address(name.split("%")[0])
    except ValueError:
        return True
    return not (address.is_loopback or address.is_unspecified)
def watch(event, words):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        host = words[1][0] if isinstance(words[1], tuple) and words[1] else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = words[0]
    else:
        return
    if outside(host):
        with open(os.environ["WATCHED"], "a") as file:
            file.write(f"{event} {host} {sys.argv[:3]}\\n")
        raise OSError("nobody outside is asked")
sys.addaudithook(watch)
with open(os.environ["WATCHED"] + ".processes", "a") as file:
    file.write(f"{os.getpid()}\\n")
"""


#: As `suite serve --engine openvino --precision int8` opens it: in a process that may have children
#: (by one of which OpenVINO and NNCF report), which a trial's may not.
QUANTISED = """
from pathlib import Path
from suite.machine.surroundings import silence
silence()
from suite.serving.engines import open_engine
from suite.study.winner import winner
kept = winner("s", "tiny-bert/linear_head").folder
texts = ["Oil prices fall as supply grows"] * 40
opened = open_engine(kept, "openvino", "int8", texts=texts, scratch=Path.cwd())
print(opened.predict_proba(texts[:1]).shape)
"""


#: The command line, which measures each model's speed once: no other round asks anybody else.
ONCE = """
from suite.study import rounds
rounds.ROUNDS, rounds.REPEATS = 1, 0
from suite.cli import main
main()
"""


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """Runs the suite in a folder where every process is watched; the variables that keep things
    silent in these tests are not there."""
    folder = tmp_path_factory.mktemp("watched")
    (folder / "watch").mkdir()
    (folder / "watch" / "sitecustomize.py").write_text(WATCH)
    own = ("HF_", "TRANSFORMERS_", "PYTHONPATH", "CI", *surroundings.SILENT)
    environment = {name: v for name, v in os.environ.items() if not name.startswith(own)}
    environment |= {
        "PYTHONPATH": str(folder / "watch"),
        "WATCHED": str(folder / "told"),
        "HF_HUB_OFFLINE": "1",
        "HOME": str(folder),  # where a consent to telemetry would lie
        "SUITE_CACHE": str(folder / "cache"),
    }

    def run(*words, code="from suite.cli import main; main()"):
        found = subprocess.run(
            [sys.executable, "-c", code, *words], cwd=folder, env=environment, timeout=PATIENCE,
            capture_output=True, text=True,
        )  # fmt: skip
        told = folder / "told"
        return found, told.read_text() if told.exists() else ""

    run.folder = folder
    return run


def test_the_watch_sees_what_leaves(watched):
    code = "import socket; socket.create_connection(('192.0.2.1', 9), timeout=1)"
    found, told = watched(code=code)
    assert found.returncode == 1 and "192.0.2.1" in told
    (watched.folder / "told").unlink()


@pytest.mark.slow
def test_quickstart_and_quantising_ask_nobody(watched):
    pytest.importorskip("nncf", reason="the extra 'engines' is not installed")
    # All that the sample's recipe does, and as little of it as there may be.
    recipe = write_recipe(
        watched.folder,
        arms=["tfidf/classic", "tiny-bert/linear_head", "tiny-qwen3/sft"],
        trials=3,
        budget={"epochs": 1, "least_steps": 0, "checkpoints": 1},
        finals={"seeds": 2, "refit": False},
        measure={"seconds": 0.1, "texts": 32},
    )
    found, told = watched(
        "study", "create", "agnews", "--sample", "--name", "s", "--recipe", recipe, "--quiet",
        "--train-rows", "60", code=ONCE,
    )  # fmt: skip
    assert (found.returncode, told) == (0, ""), found.stderr
    found, told = watched("report", "s")
    assert (found.returncode, told) == (0, ""), found.stderr
    found, told = watched(code=QUANTISED)
    assert (found.returncode, told, found.stdout) == (0, "", "(1, 4)\n"), found.stderr
    # Trials are children of the forkserver; they are watched because it is.
    assert len(set((watched.folder / "told.processes").read_text().split())) >= 4


def test_a_library_that_the_suite_is_used_from_is_silent_within_and_as_before_after(monkeypatch):
    for name in surroundings.SILENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WANDB_MODE", "online")
    with surroundings.restored():
        assert {n: os.environ.get(n) for n in surroundings.SILENT} == surroundings.SILENT
    assert os.environ["WANDB_MODE"] == "online" and "DO_NOT_TRACK" not in os.environ


def test_every_installed_library_that_counts_its_uses_is_known():
    """One more that comes in with an update has to be looked at before it is let in."""
    # The second sends nothing unless an exporter is set up, and the suite sets up none.
    known = {"openvino_telemetry", "opentelemetry"}
    found = set()
    for place in {Path(p) for p in sys.path if p.endswith("site-packages")}:
        for name in ("posthog", "sentry_sdk", "analytics", "segment", "scarf", "mixpanel",
                     "amplitude", "rudderstack", "openvino_telemetry", "opentelemetry", "statsig",
                     "applicationinsights", "bugsnag", "rollbar"):  # fmt: skip
            found |= {name} if (place / name / "__init__.py").exists() else set()
    assert found <= known, f"who reports there, and how is it told not to? {found - known}"
