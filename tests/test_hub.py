"""Whether the Hub answers: loopback servers only, and short deadlines."""

import contextlib
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time

import pytest
from conftest import PATIENCE

from suite.contracts.model import Model
from suite.contracts.strategy import Unreachable
from suite.errors import ModelError
from suite.models import hub

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    """No offline switch, no proxy, an empty cache, and nothing remembered."""
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.setenv(name, "")  # Recorded, so that what the code sets is undone.
    for name in ("HF_TOKEN", "HF_HOME", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    hub.forget()
    yield
    hub.forget()


@contextlib.contextmanager
def server(answers):
    """A Hub on loopback; `answers` maps a path to (status, headers). Yields the paths asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            asked.append((self.path, self.headers.get("Authorization")))
            status, headers = answers.get(self.path, (404, {}))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments):
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{running.server_port}", asked
    finally:
        running.shutdown()
        running.server_close()


@contextlib.contextmanager
def silence():
    """A port that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


def bert(revision=COMMIT):
    return Model(name="some-bert", family="encoder", hub="owner/some-bert", revision=revision)


def cached(folder, files, repo="models--owner--some-bert", commit=COMMIT):
    snapshot = folder / "hub" / repo / "snapshots" / commit
    snapshot.mkdir(parents=True)
    for name, content in files.items():
        (snapshot / name).write_text(content)
    return snapshot


def test_an_answer_is_asked_for_once(monkeypatch):
    with server({"/": (200, {})}) as (address, asked):
        monkeypatch.setenv("HF_ENDPOINT", address + "/")
        assert hub.reachable(PATIENCE)
        assert hub.reachable(PATIENCE)
    assert [path for path, _ in asked] == ["/"]
    assert hub.reason() == ""
    assert os.environ["HF_HUB_OFFLINE"] == ""


def test_silence_ends_at_the_deadline_and_turns_the_client_off(monkeypatch):
    with silence() as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        assert not hub.reachable(0.3)  # it would be silent for ever
    assert hub.reason() == f"{address} did not answer within 0.3 s"
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"):
        assert os.environ[name] == "1"


def test_a_stuck_name_resolution_ends_at_the_deadline_too(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    stuck = threading.Event()
    monkeypatch.setattr(hub.urllib.request, "urlopen", lambda *a, **k: stuck.wait(2 * PATIENCE))
    started = time.monotonic()
    assert not hub.reachable(0.2)
    assert time.monotonic() - started < PATIENCE
    stuck.set()


def test_a_closed_port_is_out_of_reach_at_once(monkeypatch):
    address = closed_port()
    monkeypatch.setenv("HF_ENDPOINT", address)
    assert not hub.reachable(PATIENCE)
    assert hub.reason() == f"{address} can't be reached (Connection refused)"


def test_a_proxy_that_forbids_is_out_of_reach(monkeypatch):
    with server({"/": (403, {})}) as (address, _):
        monkeypatch.setenv("HF_ENDPOINT", address)
        assert not hub.reachable(PATIENCE)
    assert "HTTP status 403" in hub.reason()


def test_a_nonsense_endpoint_is_out_of_reach(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "no address")
    assert not hub.reachable(PATIENCE)
    assert "no address" in hub.reason()


@pytest.mark.parametrize("switch", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_the_users_own_switch_asks_nobody(monkeypatch, switch):
    with server({"/": (200, {})}) as (address, asked):
        monkeypatch.setenv("HF_ENDPOINT", address)
        monkeypatch.setenv(switch, "1")
        assert not hub.reachable(PATIENCE)
    assert asked == []
    assert hub.reason() == f"{switch} is set"


def test_a_cached_snapshot_is_found_by_commit_and_by_branch(tmp_path):
    snapshot = cached(tmp_path, {"config.json": "{}", "model.safetensors": ""})
    refs = tmp_path / "hub" / "models--owner--some-bert" / "refs"
    refs.mkdir()
    (refs / "main").write_text(COMMIT + "\n")
    assert hub.cached_snapshot("owner/some-bert", COMMIT) == snapshot
    assert hub.cached_snapshot("owner/some-bert") == snapshot
    assert hub.cached_snapshot("owner/some-bert", "f" * 40) is None
    assert hub.cached_snapshot("owner/../some-bert", COMMIT) is None


def test_an_interrupted_download_does_not_count(tmp_path):
    index = json.dumps({"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}})
    snapshot = cached(
        tmp_path,
        {"config.json": "{}", "model.safetensors.index.json": index, "one.safetensors": ""},
    )
    assert hub.cached_snapshot("owner/some-bert", COMMIT) is None
    (snapshot / "two.safetensors").write_text("")
    assert hub.cached_snapshot("owner/some-bert", COMMIT) == snapshot


def test_a_data_set_is_found_apart_from_models(tmp_path):
    snapshot = cached(tmp_path, {"train.parquet": ""}, repo="datasets--owner--some-rows")
    assert hub.cached_snapshot("owner/some-rows", COMMIT, "dataset") == snapshot
    assert hub.cached_snapshot("owner/some-rows", COMMIT) is None


def test_what_is_cached_or_local_needs_no_hub(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_ENDPOINT", closed_port())
    snapshot = cached(tmp_path, {"config.json": "{}", "model.safetensors": ""})
    assert hub.unavailable(bert()) is None
    assert hub.weights_for(bert()) == snapshot
    local = Model(name="mine", family="encoder", path=str(tmp_path))
    assert hub.unavailable(local) is None
    assert hub.weights_for(local) == tmp_path
    built = Model(name="tiny-bert", family="encoder", builder="tiny-bert")
    assert hub.unavailable(built) is None
    assert hub.weights_for(built) is None


def test_out_of_reach_and_not_cached_says_what_would_help(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", closed_port())
    reason = hub.unavailable(bert(), 5)
    assert "owner/some-bert" in reason
    assert "Connection refused" in reason
    assert "--model some-bert=PATH" in reason
    assert hub.weights_for(bert()) is None


def test_a_folder_that_is_gone_is_named(tmp_path):
    gone = Model(name="mine", family="encoder", path=str(tmp_path / "gone"))
    assert str(tmp_path / "gone") in hub.unavailable(gone)


FILE = f"/owner/some-bert/resolve/{COMMIT}/config.json"
WEIGHTS = FILE.replace("config.json", "model.safetensors")


def test_a_reachable_model_is_available(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    there = {"/": (200, {}), FILE: (200, {}), WEIGHTS: (200, {})}
    with server(there) as (address, asked):
        monkeypatch.setenv("HF_ENDPOINT", address)
        assert hub.unavailable(bert(), 5) is None
        assert hub.weights_for(bert()) == "owner/some-bert"
    assert asked[1] == (FILE, "Bearer secret")


def test_pickled_weights_alone_are_refused_with_what_converts_them(monkeypatch, tmp_path):
    pickled = FILE.replace("config.json", "pytorch_model.bin")
    with server({"/": (200, {}), FILE: (200, {}), pickled: (200, {})}) as (address, _):
        monkeypatch.setenv("HF_ENDPOINT", address)
        reason = hub.unavailable(bert(), 5)
    assert "has no safetensors" in reason
    assert "save_pretrained(d)" in reason
    assert "owner/some-bert PATH" in reason
    # In the cache they are none either.
    cached(tmp_path, {"config.json": "{}", "pytorch_model.bin": "", "extra.safetensors": ""})
    assert hub.cached_snapshot("owner/some-bert", COMMIT) is None


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (404, "", "a model 'owner/some-bert'"),
        (401, "RepoNotFound", "a model 'owner/some-bert'"),
        (404, "RevisionNotFound", f"revision {COMMIT}"),
    ],
)
def test_a_wrong_name_is_the_users_mistake(monkeypatch, status, code, said):
    with server({"/": (200, {}), FILE: (status, {"X-Error-Code": code})}) as (address, _):
        monkeypatch.setenv("HF_ENDPOINT", address)
        with pytest.raises(ModelError, match=said):
            hub.unavailable(bert(), 5)


@pytest.mark.parametrize(("status", "said"), [(403, "HF_TOKEN"), (503, "HTTP status 503")])
def test_a_gate_or_a_fault_is_a_reason(monkeypatch, status, said):
    with server({"/": (200, {}), FILE: (status, {})}) as (address, _):
        monkeypatch.setenv("HF_ENDPOINT", address)
        assert said in hub.unavailable(bert(), 5)


# ---------------------------------------------------------------- the token


@contextlib.contextmanager
def other_host(body=b"{}"):
    """A server elsewhere, as a Hub's store of files; yields its address, what it was shown."""
    shown = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            shown.append(self.headers.get("Authorization"))
            self.send_response(200)
            self.send_header("ETag", '"e"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *arguments):
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{running.server_port}", shown
    finally:
        running.shutdown()
        running.server_close()


TOKEN = "hf_THEUSERSTOKEN0123456789"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_token_follows_no_redirect_to_another_host(monkeypatch, status):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with other_host() as (elsewhere, shown):
        moved = {"/": (status, {"Location": f"{elsewhere}/x"}), FILE: (status, {"Location": "/y"}),
                 "/y": (200, {}), WEIGHTS: (200, {})}  # fmt: skip
        with server(moved) as (address, asked):
            monkeypatch.setenv("HF_ENDPOINT", address)
            assert hub.unavailable(bert(), PATIENCE) is None
        assert shown == [None]
        # Within the Hub it goes along: a private model may have been renamed.
        assert asked == [(path, f"Bearer {TOKEN}") for path in ("/", FILE, "/y", WEIGHTS)]


def test_the_hubs_client_takes_the_token_to_no_other_host_either(tmp_path):
    """What downloads weights is not ours; the version in use is held to the same."""
    program = (
        "from huggingface_hub import hf_hub_download\n"
        "print(open(hf_hub_download('owner/some-bert', 'config.json')).read())\n"
    )
    with other_host(b'{"of": "elsewhere"}') as (elsewhere, shown):
        path = "/owner/some-bert/resolve/main/config.json"
        headers = {"Location": f"{elsewhere}/x", "X-Repo-Commit": COMMIT, "ETag": '"e"',
                   "X-Linked-Etag": '"e"', "X-Linked-Size": "19"}  # fmt: skip
        with server({path: (302, headers)}) as (address, asked):
            told = subprocess.run(
                [sys.executable, "-c", program],
                env={**os.environ, "HF_ENDPOINT": address, "HF_TOKEN": TOKEN, "HF_HUB_OFFLINE": "0",
                     "HF_HUB_CACHE": str(tmp_path), "HF_HUB_DISABLE_XET": "1",
                     "no_proxy": "127.0.0.1,localhost"},
                capture_output=True, text=True, timeout=PATIENCE,
            )  # fmt: skip
        assert told.stdout.strip() == '{"of": "elsewhere"}', told.stderr
        assert {key for _, key in asked} == {f"Bearer {TOKEN}"} and set(shown) == {None}


# ---------------------------------------------------------------- fetching


def test_weights_are_fetched_at_their_revision_and_nothing_pickled(monkeypatch, tmp_path):
    import fnmatch

    import huggingface_hub

    asked = []

    def fetch(name, *, revision, allow_patterns):
        asked.append((name, revision))
        found = ("pytorch_model.bin", "training_args.bin", "model.pt", "consolidated.safetensors")
        assert not [f for f in found for pattern in allow_patterns if fnmatch.fnmatch(f, pattern)]
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    with server({"/": (200, {})}) as (address, _):
        monkeypatch.setenv("HF_ENDPOINT", address)
        assert hub.folder_for(bert()) == tmp_path
    assert asked == [("owner/some-bert", COMMIT)]
    assert hub.folder_for(Model(name="mine", family="encoder", path=str(tmp_path))) == tmp_path


def test_weights_that_are_needed_are_found_or_said_to_be_out_of_reach(tmp_path):
    here = Model(name="mine", family="encoder", path=str(tmp_path))
    assert hub.found_for(here) == tmp_path
    with pytest.raises(Unreachable, match="has no weights"):
        hub.found_for(Model(name="built", family="encoder", builder="tiny-bert"))
    with server({}) as (address, _), pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", address)
        with pytest.raises(Unreachable, match="can't be fetched"):
            hub.found_for(bert())
