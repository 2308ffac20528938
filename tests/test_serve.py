"""`suite serve`: a real server in a process of its own, asked over real connections."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from conftest import PATIENCE, toy_rows, write_recipe
from typer.testing import CliRunner

from suite.cli import app
from suite.contracts.speeds import BenchRow, ServerLoad
from suite.errors import ModelError, SuiteError
from suite.serving.http import model as server_model
from suite.serving.http import run as server_run
from suite.serving.http.interface import GONE, Limits, Served
from suite.serving.http.server import create_app
from suite.serving.http.service import Service
from suite.strategies import load_predictor
from suite.study.winner import winner

cli = CliRunner()


def suite(*words, code=0):
    result = cli.invoke(app, [str(w) for w in words])
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a study `t` of a classic and a tiny neural arm, both kept and tested."""
    folder = tmp_path_factory.mktemp("served")
    before = Path.cwd()
    os.chdir(folder)
    try:
        (folder / "data").mkdir()
        for split, count, seed in (("train", 200, 1), ("test", 100, 2)):
            lines = [json.dumps(row) for row in toy_rows(count, seed)]
            (folder / "data" / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
        (folder / "toy.yaml").write_text(
            "name: toy\ntitle: Toy mail\nlanguage: en\n"
            "labels: [{name: ham}, {name: spam}]\n"
            "data: {folder: data, licence: made for the tests}\n"
            "validation: {share: 0.25, seed: 0}\n"
        )
        recipe = write_recipe(
            folder,
            arms=["tfidf/classic", "tiny-bert/linear_head"],
            trials=2,
            budget={"epochs": 2, "checkpoints": 1},
        )
        suite("study", "create", "toy.yaml", "--recipe", recipe, "--name", "t", "--quiet")
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def at_home(home, monkeypatch):
    monkeypatch.chdir(home)
    return home


class Server:
    """`suite serve` as a process; `out` and `err` are what it has said so far."""

    def __init__(self, cwd, *words, code=None):
        code = [sys.executable, "-c", code] if code else [sys.executable, "-m", "suite"]
        self.process = subprocess.Popen(
            [*code, "serve", *map(str, words), "--port", "0"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        self.out, self.err = [], []
        self._readers = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.out), (self.process.stderr, self.err))
        ]
        for reader in self._readers:
            reader.start()
        self.url = self._address()

    def _read(self, stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))

    def _address(self):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            found = re.search(r"Serving .* at (http://\S+)", "\n".join(self.out))
            if found:
                return found[1]
            time.sleep(0.02)
        raise AssertionError((self.process.poll(), self.out, self.err))

    def end(self, signum=signal.SIGTERM):
        self.process.send_signal(signum)
        code = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    def post(self, **more):
        if "content" in more:
            more["headers"] = {"content-type": "application/json"}
        return httpx.post(f"{self.url}/predict", trust_env=False, timeout=PATIENCE, **more)

    def listens_no_more(self):
        host, port = self.url.removeprefix("http://").split(":")
        with socket.socket() as asking:
            return asking.connect_ex((host, int(port))) != 0

    def metric(self, name):
        page = httpx.get(f"{self.url}/metrics", trust_env=False, timeout=PATIENCE).text
        lines = [line for line in page.splitlines() if line.startswith(f"{name} ")]
        return float(lines[0].split()[-1]) if lines else 0.0


@contextlib.contextmanager
def serving(cwd, *words, **more):
    server = Server(cwd, *words, **more)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait(PATIENCE)


#: A server whose model takes its time, and for the text "a" all the time until the file `go` is in
#: a folder, where it leaves `taken`: the rest is the real one.
SLOW = """
import pathlib, time
from suite.cli import main
from suite.serving.http import model as server_model
real = server_model.open_served
def slow(*args, **named):
    opened = real(*args, **named)
    predict = opened.predictor.predict_proba
    def slowly(texts):
        if any(t.startswith("client") for t in texts):
            time.sleep(0.05)
        if "a" in texts:
            (FOLDER / "taken").touch()
            while not (FOLDER / "go").exists():
                time.sleep(0.01)
        return predict(texts)
    opened.predictor.predict_proba = slowly
    return opened
server_model.open_served = slow
main()
"""


def slow(folder):
    return SLOW.replace("FOLDER", f"pathlib.Path({str(folder)!r})")


def wait_until(true):
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def server(home):
    """One server of the classic arm with small limits, for all tests that only ask."""
    with serving(
        home, "t", "--arm", "tfidf/classic",
        "--max-texts", 200, "--max-chars", 2_000_000, "--max-body", 3, "--max-queue", 300,
    ) as one:  # fmt: skip
        yield one


# ---------------------------------------------------------------- answers


def test_served_answers_are_the_kept_predictors_in_order(home, server, at_home):
    texts = [row["text"] for row in toy_rows(150, 7)]
    answer = server.post(json={"texts": texts}).json()
    kept = winner("t", "tfidf/classic")
    expected = load_predictor(kept.folder).predict_proba(texts)
    got = np.array(
        [[p["probabilities"][n] for n in ("ham", "spam")] for p in answer["predictions"]]
    )
    np.testing.assert_allclose(got, expected, atol=1e-6)
    assert [p["label"] for p in answer["predictions"]] == [
        ("ham", "spam")[i] for i in expected.argmax(axis=1)
    ]
    assert answer["model"] == {
        "study": "t", "arm": "tfidf/classic", "trial": str(kept.trial), "engine": "python",
        "precision": "float32",
    }  # fmt: skip
    one = server.post(json={"text": texts[0]}).json()["predictions"]
    assert one == answer["predictions"][:1]
    assert server.post(json={"texts": []}).json()["predictions"] == []


def test_the_start_says_what_was_checked_and_an_example_that_works(server):
    told = "\n".join(server.err)
    assert "Checked: 32 validation rows through HTTP" in told and "same label for 32" in told
    command = next(line for line in server.out if line.startswith("Try: ")).removeprefix("Try: ")
    found = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=PATIENCE)
    if found.returncode == 127:
        pytest.skip("no curl here")
    assert json.loads(found.stdout)["predictions"][0]["label"] in ("ham", "spam")


@pytest.mark.parametrize(
    "text",
    [
        "😀 👨‍👩‍👧 é",
        "\u202eright to left \u0627\u0644\u0633\u0644\u0627\u0645",
        "nul \x00 in the middle",
        "",
        " ",
        "</script><script>alert(1)</script>",
        "a" * 1_000_000,
    ],
    ids=["emoji", "rtl", "nul", "empty", "blank", "markup", "1MB"],
)
def test_hostile_texts_are_answered_as_any_other(server, at_home, text):
    answer = server.post(json={"text": text})
    assert answer.status_code == 200, answer.text[:300]
    row = load_predictor(winner("t", "tfidf/classic").folder).predict_proba([text])[0]
    assert answer.json()["predictions"][0]["probabilities"]["ham"] == pytest.approx(
        row[0], abs=1e-6
    )


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("body", "status", "code", "words"),
    [
        (b'{"text": "\\ud800"}', 422, "bad_request", "surrogate"),
        (b'{"text": "\\udc00 x"}', 422, "bad_request", "Invalid JSON"),
        (b'{"texts": ["a"', 422, "bad_request", "Invalid JSON"),
        (b"", 422, "bad_request", "Invalid JSON"),
        (b'{"text": "\xff"}', 422, "bad_request", "Invalid JSON"),
        (b"[" * 10_000, 422, "bad_request", "recursion"),
        (b'["a"]', 422, "bad_request", "must be an object"),
        (b"{}", 422, "bad_request", 'one of "texts"'),
        (b'{"text": "a", "texts": ["b"]}', 422, "bad_request", 'one of "texts"'),
        (b'{"texts": [1]}', 422, "bad_request", "texts[0]"),
        (b'{"texts": "a"}', 422, "bad_request", "texts"),
        (b'{"text": "a", "<b>": 1}', 422, "bad_request", "unknown key"),
        (json.dumps({"texts": ["a"] * 201}).encode(), 413, "too_many_texts", "201"),
        (json.dumps({"text": "a" * 2_000_001}).encode(), 413, "text_too_long", "2,000,001"),
        (b"x" * (3 * 2**20 + 1), 413, "body_too_large", "3,145,728"),
    ],
)
def test_what_cannot_be_answered_says_why(server, body, status, code, words):
    answer = server.post(content=body)
    assert answer.status_code == status, answer.text[:300]
    error = answer.json()["error"]
    assert (error["status"], error["code"]) == (status, code)
    assert words in error["message"] and len(error["message"]) < 300
    assert server.post(json={"text": "next"}).status_code == 200


def test_a_body_of_unsaid_length_is_cut_off_where_it_passes_the_limit(server):
    sent = 0

    def endless():
        nonlocal sent
        for _ in range(400):
            sent += 2**16
            yield b"x" * 2**16

    with contextlib.suppress(httpx.WriteError):  # the server may hang up first
        answer = server.post(content=endless())
        assert answer.status_code == 413
    assert sent < 400 * 2**16
    assert server.post(json={"text": "next"}).status_code == 200


def test_other_paths_and_methods_are_refused_in_the_same_form(server):
    with httpx.Client(base_url=server.url, trust_env=False, timeout=PATIENCE) as client:
        assert client.get("/nope").json()["error"]["code"] == "not_found"
        assert client.get("/predict").status_code == 405
        for page in ("/docs", "/redoc"):  # they would load scripts from elsewhere
            assert client.get(page).status_code == 404


# ---------------------------------------------------------------- described, counted


def resolved(document, node):
    while "$ref" in node:
        found = document
        for name in node["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        node = found
    return node


def references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_the_openapi_document_is_valid_and_its_examples_work(server):
    from fastapi.openapi.models import OpenAPI

    document = httpx.get(f"{server.url}/openapi.json", trust_env=False, timeout=PATIENCE).json()
    OpenAPI.model_validate(document)
    assert document["openapi"].startswith("3.1")
    decisions = ("/v1/systemone", "/v1/decisions")
    own = {"/predict", "/health", "/metrics"}
    assert set(document["paths"]) == {*own, *decisions, "/v1/models"}
    for path in decisions:
        body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        for example in body["examples"].values():
            answer = httpx.post(
                f"{server.url}{path}", json=example["value"], trust_env=False, timeout=PATIENCE
            )
            assert answer.status_code == 200, answer.text
    for reference in references(document):
        assert resolved(document, {"$ref": reference}), reference
    operation = document["paths"]["/predict"]["post"]
    assert {"200", "413", "422", "500", "503"} <= set(operation["responses"])
    examples = operation["requestBody"]["content"]["application/json"]["examples"]
    for example in examples.values():
        answer = server.post(json=example["value"])
        assert answer.status_code == 200
    shown = operation["responses"]["200"]["content"]["application/json"]["example"]
    given = answer.json()
    assert set(shown) == set(given) and set(shown["model"]) == set(given["model"])
    assert set(shown["predictions"][0]) == set(given["predictions"][0])
    schema = resolved(
        document, operation["responses"]["200"]["content"]["application/json"]["schema"]
    )
    assert set(schema["properties"]) == set(given)


def test_metrics_count_what_was_asked(server):
    def counted():
        return {
            name: server.metric(name)
            for name in (
                'suite_requests_total{path="/predict",status="200"}',
                'suite_requests_total{path="/predict",status="422"}',
                "suite_texts_total",
                "suite_predict_request_seconds_count",
                "suite_batch_texts_sum",
            )
        }

    before = counted()
    for _ in range(3):
        server.post(json={"texts": ["a", "b"]})
    server.post(content=b"{")
    grown = [after - was for after, was in zip(counted().values(), before.values())]
    assert grown == [3, 1, 6, 4, 6]
    assert server.metric("suite_queue_texts") == 0
    page = httpx.get(f"{server.url}/metrics", trust_env=False, timeout=PATIENCE)
    assert page.headers["content-type"].startswith("text/plain")
    assert 'arm="tfidf/classic"' in page.text and "process_resident_memory_bytes" in page.text


# ---------------------------------------------------------------- load

LOAD = """
import asyncio, json, sys, httpx
url, clients, each = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
async def one(number, client, found):
    for turn in range(each):
        text = f"client {number} turn {turn} win prize"
        try:
            answer = await client.post(url + "/predict", json={"texts": [text, text + " friend"]})
        except httpx.ConnectError:
            found["refused"] += 1
            return
        except httpx.HTTPError as error:
            found["lost"].append(repr(error))
            return
        found[str(answer.status_code)] = found.get(str(answer.status_code), 0) + 1
        if answer.status_code == 200:
            found["answers"] += len(answer.json()["predictions"])
async def main():
    found = {"lost": [], "refused": 0, "answers": 0}
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(trust_env=False, timeout=600, limits=limits) as client:
        print("begun", flush=True)
        await asyncio.gather(*(one(n, client, found) for n in range(clients)))
    print(json.dumps(found))
asyncio.run(main())
"""


def load(url, clients, each):
    return subprocess.Popen(
        [sys.executable, "-c", LOAD, url, str(clients), str(each)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_second_process_loads_it_and_texts_meet_in_batches(server):
    before = server.metric("suite_batch_texts_count"), server.metric("suite_texts_total")
    client = load(server.url, 32, 10)
    out, _ = client.communicate(timeout=PATIENCE)
    found = json.loads(out.splitlines()[-1])
    assert (found["lost"], found["refused"], found["200"]) == ([], 0, 320)
    assert found["answers"] == server.metric("suite_texts_total") - before[1] == 640
    batches = server.metric("suite_batch_texts_count") - before[0]
    assert batches < 320  # fewer than requests: they were answered together


def test_sigterm_under_load_loses_no_accepted_request(home, tmp_path):
    with serving(home, "t", "--arm", "tfidf/classic", code=slow(tmp_path)) as one:
        begun = one.metric("suite_texts_total")
        client = load(one.url, 16, 400)
        client.stdout.readline()
        wait_until(lambda: one.metric("suite_texts_total") > begun + 100)
        code = one.end()
        out, _ = client.communicate(timeout=PATIENCE)
    found = json.loads(out.splitlines()[-1])
    assert code == 0
    assert found["lost"] == [] and found["refused"] == 16  # each ends at a closed door
    assert set(found) <= {"lost", "refused", "answers", "200"} and found["200"] > 16
    last = one.out[-1]
    assert last.startswith("Closed by SIGTERM") and f"{found['200']:,} requests" in last
    assert f"{found['answers']:,} texts answered, 0 requests refused" in last


def test_a_full_queue_says_when_to_come_again_and_what_was_asked_is_answered_at_the_close(
    home, tmp_path
):
    with serving(
        home, "t", "--arm", "tfidf/classic", "--max-queue", 4, "--max-texts", 4,
        code=slow(tmp_path),
    ) as one:  # fmt: skip
        answers = []

        def ask(count):
            answers.append(one.post(json={"texts": ["a"] * count}))

        asking = [threading.Thread(target=ask, args=(count,)) for count in (1, 3, 1)]
        asking[0].start()
        wait_until((tmp_path / "taken").exists)  # by the model, and the queue is empty
        asking[1].start()
        wait_until(lambda: one.metric("suite_queue_texts") == 3)
        ask(2)
        assert answers[-1].status_code == 503 and answers[-1].headers["retry-after"] == "1"
        assert answers[-1].json()["error"]["code"] == "queue_full"
        asking[2].start()  # there is room for one
        wait_until(lambda: one.metric("suite_queue_texts") == 4)
        (tmp_path / "go").touch()
        for thread in asking:
            thread.join(PATIENCE)
        assert sorted(a.status_code for a in answers) == [200, 200, 200, 503]

        (tmp_path / "go").unlink()
        (tmp_path / "taken").unlink()
        with httpx.Client(base_url=one.url, trust_env=False, timeout=PATIENCE) as held:
            assert held.get("/health").json()["status"] == "ready"
            last = threading.Thread(target=ask, args=(1,))
            last.start()
            wait_until((tmp_path / "taken").exists)
            one.process.send_signal(signal.SIGINT)
            wait_until(lambda: one.listens_no_more())
            health = held.get("/health")
            assert (health.status_code, health.json()["status"]) == (503, "closing")
            assert health.headers["connection"] == "close"
            with pytest.raises(httpx.ConnectError):
                one.post(json={"text": "too late"})
            (tmp_path / "go").touch()
            last.join(PATIENCE)
        assert answers[-1].status_code == 200
        assert one.process.wait(PATIENCE) == 130
    assert one.out[-1].startswith("Closed by SIGINT") and "Traceback" not in "\n".join(one.err)


# ---------------------------------------------------------------- starting


def test_a_port_in_use_is_exit_2(at_home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = suite("serve", "t", "--port", port, code=2)
    assert f"127.0.0.1:{port}" in found.stderr and "--port 0" in found.stderr
    assert "Traceback" not in found.stderr and found.stdout == ""


def test_small_answers_are_sent_at_once(server):
    with server_run.bind("127.0.0.1", 0) as sock:
        assert sock.proto == socket.IPPROTO_TCP  # else asyncio does not set TCP_NODELAY
    spent = [math.inf]
    with httpx.Client(base_url=server.url, trust_env=False, timeout=PATIENCE) as client:
        # What waits for the other side's acknowledgement waits for .04 s, every time.
        while min(spent) >= 0.03 and len(spent) < 1000:
            begun = time.perf_counter()
            client.post("/predict", json={"text": "win"})
            spent.append(time.perf_counter() - begun)
    assert min(spent) < 0.03


def test_what_cannot_be_served_is_said(at_home, tmp_path):
    assert "Did you mean" in suite("serve", "tt", "--port", 0, code=2).stderr
    assert "no exported model" in suite("serve", str(tmp_path), "--port", 0, code=2).stderr
    told = suite("serve", "t", "--port", 0, "--max-queue", 5, "--max-texts", 6, code=2).stderr
    assert "could never be answered" in told
    told = suite("serve", "t", "--port", 0, "--arm", "tfidf/classic", "--engine", "openvno", code=2)
    assert "no engine 'openvno'" in told.stderr
    assert "no such address" in suite("serve", "t", "--host", "no.such.host.", code=2).stderr


def test_auto_takes_the_fastest_measured_engine_of_the_arm_on_this_machine():
    def row(engine, server, *, arm="a", host="here", fast=()):
        load = ServerLoad(server, 9.0, 100.0, True)
        return BenchRow(
            arm, 0, engine, "float32", host, "measured", agrees=True, server=load,
            fastest_in=list(fast),
        )  # fmt: skip

    rows = [
        row("torch", 10, fast=["Offline"]),
        row("openvino", 20, fast=["Server"]),
        row("onnxruntime", 90, host="there", fast=["Server"]),
        row("compile", 80, arm="b", fast=["Server"]),
    ]
    found, scenario = server_model.fastest(rows, "a", "here")
    assert (found.engine, scenario) == ("openvino", "Server")
    assert server_model.fastest(rows[:1], "a", "here")[1] == "Offline"
    assert server_model.fastest(rows, "c", "here") is None


def test_an_unmeasured_study_is_served_as_kept(at_home, monkeypatch, tmp_path):
    ran = []
    monkeypatch.setattr("suite.cli.serve._run", lambda *told: ran.append(told[:3]) or 0)
    said = suite("serve", "t", "--arm", "tiny-bert/linear_head", "--engine", "auto", "--port", 0)
    assert "No engine" in said.stderr and "suite bench t" in said.stderr
    [(model, engine, precision)] = ran
    assert (model.arm, engine, precision) == ("tiny-bert/linear_head", None, None)
    opened = server_model.open_served(
        model.folder, engine=engine, precision=precision, classes=2, validation=None,
        texts=["win"], scratch=tmp_path,
    )  # fmt: skip
    assert (opened.engine, opened.precision, opened.agreement) == ("torch", "float32", None)
    known = load_predictor(model.folder).predict_proba(["win"])
    np.testing.assert_allclose(opened.predictor.predict_proba(["win"]), known, atol=1e-6)


def test_an_engine_is_compared_before_it_serves(home):
    pytest.importorskip("onnxruntime")
    words = ("t", "--arm", "tiny-bert/linear_head", "--threads", 1)
    with serving(home, *words, "--engine", "onnxruntime") as one:
        answer = one.post(json={"texts": ["win a prize", "lunch with a friend"]}).json()
        assert answer["model"]["engine"] == "onnxruntime"
        assert one.end() == 0
    assert any("decides 100.00% of 50 validation rows" in line for line in one.err), one.err


def test_an_engine_that_disagrees_does_not_serve(at_home, monkeypatch, tmp_path):
    kept = winner("t", "tiny-bert/linear_head")
    from suite.data import snapshot

    class Liar:
        precision, batch = "float32", 8

        def predict_proba(self, texts):
            return np.roll(load_predictor(kept.folder).predict_proba(texts), 1, axis=1)

    monkeypatch.setattr(server_model, "open_engine", lambda *args, **named: Liar())
    with pytest.raises(ModelError, match="answers otherwise") as error:
        server_model.open_served(
            kept.folder, engine="onnxruntime", precision="float32", classes=2,
            validation=snapshot.read_split(kept.snapshot, "validation"), texts=["a"],
            scratch=tmp_path,
        )  # fmt: skip
    assert "macro-F1 is" in str(error.value) and "%" in str(error.value)


# ---------------------------------------------------------------- in one process


def two_classes(texts):
    return np.array([[0.25, 0.75]] * len(texts), dtype=np.float32)


def served(predict=two_classes):
    return Served(predict, ["a", "b"], {"arm": "x"})


def test_answers_that_are_not_the_models_stop_the_start():
    sock = server_run.bind("127.0.0.1", 0)
    with pytest.raises(SuiteError, match="of 3 rows 0 got the same label"):
        server_run.serve(
            served(), Limits(), sock, texts=["x", "y", "z"],
            expected=np.array([[0.75, 0.25]] * 3, dtype=np.float32), tolerance=1e-3,
            ready=lambda check: pytest.fail("it must not become ready"),
        )  # fmt: skip


def test_the_check_keeps_to_the_limits_however_small_they_are():
    limits = Limits(max_queue=2, max_texts=2, max_chars=10, max_body=400)
    parts = server_run._parts(["a"] * 9 + ["too long for it"], limits)
    assert parts == [[0, 1], [2, 3], [4, 5], [6, 7], [8]]
    assert server_run._parts(["é" * 10] * 4, limits) == [[0], [1], [2], [3]]
    assert server_run._parts([], limits) == []


def asked(service, *requests):
    """Sends requests at once to an application in this process."""

    async def run():
        transport = httpx.ASGITransport(create_app(service), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await asyncio.gather(*(client.post("/predict", json=r) for r in requests))

    return asyncio.run(run())


def test_before_it_is_ready_only_its_own_check_is_answered():
    service = Service(served(), Limits())
    [answer] = asked(service, {"text": "a"})
    assert answer.status_code == 503 and answer.json()["error"]["code"] == "starting"
    service.state = "ready"
    [answer] = asked(service, {"text": "a"})
    assert answer.json()["predictions"][0]["label"] == "b"
    service.close()


def test_a_model_that_fails_is_500_without_a_trace_and_a_row_of_zeros_is_no_answer():
    def fails(texts):
        if "boom" in texts:
            raise RuntimeError("no weights left\nsecret second line")
        return np.zeros((len(texts), 2), dtype=np.float32)

    service = Service(served(fails), Limits())
    service.state = "ready"
    [broken] = asked(service, {"text": "boom"})
    assert broken.status_code == 500
    # A model's words may be a text's, of another client in the same batch even.
    assert broken.json()["error"]["message"] == "the model failed: RuntimeError"
    [silent] = asked(service, {"text": "quiet"})
    assert silent.json()["predictions"][0]["label"] is None
    service.close()


def test_a_client_that_has_gone_is_not_computed_for():
    taken, release, computed = threading.Event(), threading.Event(), []

    def predict(texts):
        taken.set()
        assert release.wait(PATIENCE)
        computed.extend(texts)
        return two_classes(texts)

    service = Service(served(predict), Limits(max_batch=1))
    app = create_app(service)
    service.state = "ready"

    async def ask(text, gone):
        sent = []

        async def receive():
            return {"type": "http.request", "body": json.dumps({"text": text}).encode()}

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/predict", "query_string": b"",
                 "headers": [(b"content-type", b"application/json")], "http_version": "1.1",
                 "scheme": "http", "state": {GONE: gone}}  # fmt: skip
        await app(scope, receive, send)
        return sent[0]["status"]

    async def run():
        left = asyncio.get_running_loop().create_future()
        first = asyncio.ensure_future(ask("stays", asyncio.get_running_loop().create_future()))
        second = asyncio.ensure_future(ask("goes", left))
        waiting = service.metrics.registry.get_sample_value
        while not (taken.is_set() and waiting("suite_queue_texts") == 1):
            await asyncio.sleep(0.01)
        left.set_result(None)
        assert await second == 499
        assert service.metrics.registry.get_sample_value("suite_queue_texts") == 0
        release.set()
        assert await first == 200

    asyncio.run(run())
    service.close()
    assert computed == ["stays"]


def test_limits_that_contradict_each_other_are_refused():
    with pytest.raises(ValueError, match="10 texts, and only 5"):
        Service(served(), Limits(max_texts=10, max_queue=5))
