"""Optuna Dashboard on a study: started as a user starts it, asked over loopback."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import optuna
import pytest
from conftest import PATIENCE, toy_rows, write_recipe
from typer.testing import CliRunner

from suite.cli import app
from suite.contracts.results import Scores, Trial
from suite.study import attributes, record, storage

cli = CliRunner()


def suite(*words, code=0):
    result = cli.invoke(app, [str(w) for w in words])
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a study of which some trials fail; `<b>` in its title is not to be a tag."""
    folder = tmp_path_factory.mktemp("dashboard")
    (folder / "data").mkdir()
    for split, count, seed in (("train", 200, 1), ("test", 100, 2)):
        lines = [json.dumps(row) for row in toy_rows(count, seed)]
        (folder / "data" / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "toy.yaml").write_text(
        "name: toy\ntitle: 'Toy <b>mail</b>'\nlanguage: en\n"
        "labels: [{name: ham}, {name: spam}]\n"
        "data: {folder: data, licence: made for the tests}\n"
        "validation: {share: 0.25, seed: 0}\n"
    )
    recipe = write_recipe(
        folder,
        arms=["tfidf/toy", "fasttext/toy"],
        spaces={"fasttext/toy": {"behaviour": ["good", "crash"]}},
        seed=3,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        suite("study", "create", "toy.yaml", "--recipe", recipe, "--name", "t", "--trials", "6")
    return folder


@pytest.fixture
def study(place, monkeypatch):
    monkeypatch.chdir(place)
    return "t"


def plain(values):
    return {key: value for key, value in values.items() if not key.startswith("suite:")}


class Dashboard:
    def __init__(self, *options):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "suite", "dashboard", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.url = self.process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", self.url), self.process.communicate()

    def ask(self, path, host=None):
        request = urllib.request.Request(self.url + path, headers={"Host": host} if host else {})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.headers, answer.read()

    def end(self, signum=signal.SIGINT):
        self.process.send_signal(signum)
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err


@pytest.fixture(scope="module")
def dashboards():
    """Those that were started; the last one may still run."""
    started = []
    yield started
    for one in started:
        if one.process.poll() is None:
            one.end()


@pytest.fixture
def dashboard(dashboards, study):
    """One that runs: that of the test before, unless it ended it."""
    if not dashboards or dashboards[-1].process.poll() is not None:
        dashboards.append(Dashboard("--port", "0"))
    return dashboards[-1]


# ---------------------------------------------------------------- what a study bears


def test_trials_and_study_bear_plain_values_that_agree_with_the_results(study):
    opened, definition = storage.load(storage.open_storage(), study)
    found = record.results(opened, definition)
    assert plain(opened.user_attrs) == {
        "task": "toy",
        "recipe": "toys",
        "data_source": found.data.source,
        "data_fingerprint": found.data.fingerprint,
        "test_digest": found.data.test_digest,
        "bundled_sample": False,
        "train_rows": 150,
        "validation_rows": 50,
        "test_rows": 100,
        "seed": 3,
    }
    assert opened.metric_names == ["validation macro-F1"]
    states = set()
    for frozen, trial in zip(opened.get_trials(), found.trials, strict=True):
        values = plain(frozen.user_attrs)
        states.add(trial.state)
        assert values["arm"] == trial.arm
        if trial.state == "FAIL":
            assert values == {"arm": trial.arm, "error": trial.error}
            assert "broke on purpose" in values["error"]
            continue
        assert values["macro_f1"] == pytest.approx(trial.macro_f1, abs=1e-5)
        assert values["train_seconds"] == pytest.approx(trial.train_seconds, abs=1e-3)
        assert values["peak_memory_mb"] == round(trial.peak_memory_bytes / 1e6)
        assert values["contended"] is trial.contended
    assert {"COMPLETE", "FAIL"} <= states


def test_what_is_not_known_is_left_out():
    bare = Trial(number=0, state="FAIL", arm="a/b", params={}, error="x" * 1000)
    assert attributes.of_trial(bare) == {"arm": "a/b", "error": "x" * 300}
    scored = Trial(
        number=0, state="PRUNED", arm="a/b", params={},
        validation=Scores(0.123456, 0.5, 0.5, 0.5, [0.5], [[1]]), train_seconds=1.23456,
    )  # fmt: skip
    assert attributes.of_trial(scored) == {
        "arm": "a/b", "macro_f1": 0.12346, "accuracy": 0.5, "precision": 0.5, "recall": 0.5,
        "train_seconds": 1.235, "contended": False,
    }  # fmt: skip


def test_a_study_without_these_values_works_as_before(folder, toy_task, monkeypatch):
    for name in ("of_study", "notes"):
        monkeypatch.setattr(attributes, name, lambda definition: {})
    monkeypatch.setattr(attributes, "of_trial", lambda trial: {})
    recipe = write_recipe(folder, trials=2)
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "old")
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    suite("study", "run", "old", "--trials", "4")
    suite("study", "export-db", "old", "copy.db")
    copied, definition = storage.load(storage.open_storage("sqlite:///copy.db"), "old")
    found = record.results(copied, definition)
    assert [t.state for t in found.trials].count("COMPLETE") == 4 and found.finals
    assert [bool(plain(t.user_attrs)) for t in copied.get_trials()] == [False] * 2 + [True] * 2


def test_values_name_and_note_travel_with_a_copy(study, tmp_path):
    copy = f"sqlite:///{tmp_path / 'copy.db'}"
    suite("study", "export-db", study, tmp_path / "copy.db")
    before, _ = storage.load(storage.open_storage(), study)
    after, _ = storage.load(storage.open_storage(copy), study)
    assert after.user_attrs == before.user_attrs and after.metric_names == before.metric_names
    assert [t.user_attrs for t in after.get_trials()] == [t.user_attrs for t in before.get_trials()]
    # As a reader without the suite has them.
    frame = optuna.load_study(study_name=study, storage=copy).trials_dataframe()
    assert {"user_attrs_macro_f1", "user_attrs_train_seconds"} <= set(frame.columns)


# ---------------------------------------------------------------- the dashboard


def test_its_page_shows_our_values_and_asks_nothing_elsewhere(dashboard, browser):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(1000 * PATIENCE)
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append((message.type, message.text)))
    page.goto(f"{dashboard.url}dashboard/studies/1/trials")
    page.get_by_text("peak_memory_mb", exact=False).first.wait_for()
    text = page.inner_text("body")
    page.goto(f"{dashboard.url}dashboard/studies/1/note")
    page.get_by_text("suite report t").wait_for()
    assert page.locator("b").count() == 0
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.close()
    assert "macro_f1" in text and "train_seconds" in text and "suite:" not in text
    assert wide <= 1400
    assert all(url.startswith((dashboard.url, "data:", "blob:")) for url in asked)
    assert not [text for kind, text in said if kind == "error"]


def test_the_dashboard_shows_them_and_ends_with_ctrl_c(dashboard):
    _, body = dashboard.ask("api/studies")
    [summary] = json.loads(body)["study_summaries"]
    assert summary["study_name"] == "t"
    headers, body = dashboard.ask(f"api/studies/{summary['study_id']}")
    assert headers["Content-Security-Policy"].startswith("default-src 'self'")
    detail = json.loads(body)
    told = {item["key"]: item["value"] for item in detail["user_attrs"]}
    assert told["task"] == '"toy"' or told["task"] == "toy"
    assert "train_rows" in told and "data_source" in told
    columns = {item["key"] for item in detail["union_user_attrs"]}
    assert {"macro_f1", "train_seconds", "peak_memory_mb", "error"} <= columns
    assert not [key for key in {*told, *columns} if key.startswith("suite:")]
    assert detail["objective_names"] == ["validation macro-F1"]
    assert "Toy &lt;b>mail" in detail["note"]["body"]
    assert "`suite report t`" in detail["note"]["body"]
    failed = [t for t in detail["trials"] if t["state"] == "Fail"]
    assert any(
        item["key"] == "error" and "broke on purpose" in item["value"]
        for trial in failed
        for item in trial["user_attrs"]
    )
    # Another site's page that reaches us under its own name gets nothing.
    with pytest.raises(urllib.error.HTTPError, match="403"):
        dashboard.ask("api/studies", host="evil.example")
    code, out, err = dashboard.end()
    assert (code, out) == (0, "")
    assert "Ctrl-C ends it" in err and "Traceback" not in err


def test_a_port_in_use_is_told(study):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = suite("dashboard", "--port", port, code=2)
    assert f"port {port} is in use" in result.stderr and "--port 0" in result.stderr


def test_no_storage_and_no_package_are_told(folder, monkeypatch):
    assert "does not exist" in suite("dashboard", code=2).stderr
    monkeypatch.setitem(sys.modules, "optuna_dashboard", None)
    assert "pip install optuna-dashboard" in suite("dashboard", code=2).stderr


@pytest.mark.parametrize(
    ("host", "asked", "answered"),
    [
        ("127.0.0.1", "127.0.0.1:8080", True), ("127.0.0.1", "localhost:8080", True),
        ("127.0.0.2", "127.0.0.2", True), ("::1", "[::1]:8080", True),
        ("LOCALHOST", "localhost.", True), ("127.0.0.1", "evil.example", False),
        ("127.0.0.2", "evil.example:80", False), ("::1", "[2001:db8::1]", False),
        ("127.0.0.1", "[bad", False), ("127.0.0.1", "", False), ("0.0.0.0", "evil.example", True),
    ],
)  # fmt: skip
def test_on_loopback_it_answers_to_loopback_names_alone(host, asked, answered):
    from suite.cli.dashboard import _guarded

    def application(environ, start):
        start("200 OK", [])
        return [b"page"]

    statuses = []
    _guarded(application, host)(
        {"HTTP_HOST": asked}, lambda status, headers: statuses.append(status)
    )
    assert (statuses[0][:3] == "200") is answered
