"""`suite serve` among clients that are slow, greedy, broken or strangers: a server of a made-up
model in a process of its own, asked over plain sockets."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest
from conftest import PATIENCE
from typer.testing import CliRunner

from suite.cli import app
from suite.serving.http.interface import Limits, Problem, texts_of

TOKEN = "a token of the tests"

#: Serves a made-up model: "slow" takes until the file `go` is there, "boom" fails with the texts in
#: its words, and every answer names 2,000 classes, so that it is large.
SERVER = """
import json, logging, pathlib, sys, time
import numpy as np
from suite.cli.serve import _Told
from suite.serving.http import run
from suite.serving.http.guard import Guard
from suite.serving.http.interface import Limits, Served
folder, limits, guard = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2]), json.loads(sys.argv[3])
for name in ("suite.serving", "uvicorn.error", "asyncio", "py.warnings"):
    logging.getLogger(name).addHandler(_Told(logging.WARNING))
def predict(texts):
    if "boom" in texts:
        raise RuntimeError(f"can't encode {texts!r}")
    if "slow" in texts:
        (folder / "taken").touch()
        while not (folder / "go").exists():
            time.sleep(0.01)
    with (folder / "computed").open("a") as file:
        file.writelines(f"{text}\\n" for text in texts)
    found = np.zeros((len(texts), 2000), dtype=np.float32)
    found[:, 1] = 1.0
    return found
sock = run.bind("127.0.0.1", 0)
served = Served(predict, [f"class {n}" for n in range(2000)], {"arm": "made up"})
texts = ["a"]
run.serve(
    served, Limits(**limits), sock, texts=texts, expected=predict(texts), tolerance=1e-3,
    guard=Guard.of(sock, **guard),
    ready=lambda check: print("at", run.address_of(sock), flush=True),
)
"""


class Hostile:
    """The server, and plain connections to it."""

    def __init__(self, folder, *, files=None, guard=None, **limits):
        self.folder = folder

        def fewer_files():
            if files:
                resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

        words = [str(folder), json.dumps(limits), json.dumps(guard or {})]
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER, *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=fewer_files,
        )  # fmt: skip
        line = self.process.stdout.readline()
        assert line.startswith("at http://"), (line, self.process.stderr.read())
        self.url = line.split()[1]
        self.port = int(self.url.rsplit(":", 1)[1])
        self.held = []
        self.client = httpx.Client(base_url=self.url, trust_env=False, timeout=PATIENCE)
        self.client.headers["connection"] = "close"

    def open(self, sent=b"", *, receive=None):
        sock = socket.socket()
        if receive:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        sock.settimeout(PATIENCE)
        sock.connect(("127.0.0.1", self.port))
        with contextlib.suppress(OSError):  # it may have been closed in favour of others
            sock.sendall(sent)
        self.held.append(sock)
        return sock

    def get(self, path="/health", **headers):
        return self.client.get(path, headers=headers)

    def post(self, text="a", **more):
        more = {"json": {"text": text}} | more
        return self.client.post("/predict", **more)

    def metric(self, name):
        lines = [line for line in self.get("/metrics").text.splitlines() if line.startswith(name)]
        return float(lines[0].split()[-1]) if lines else 0.0

    def end(self):
        """Ends it; its exit code and what it said on standard error."""
        for sock in self.held:
            sock.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, said


def everything(sock):
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while part := sock.recv(2**16):
            found += part
    return found


def answer(said):
    """Status, headers and JSON of a whole answer."""
    head, _, body = said.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(first.split()[1]), headers, json.loads(body)


def wait_until(true):
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


@contextlib.contextmanager
def hostile(folder, **more):
    server = Hostile(folder, **more)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.communicate()
        for sock in server.held:
            sock.close()


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    """One server whose deadlines are far away, with room for few."""
    with hostile(
        tmp_path_factory.mktemp("patient"),
        connections=64, head_seconds=600, max_seconds=600, idle_seconds=600, max_body=100_000,
        max_queue=8, max_texts=8,
    ) as one:  # fmt: skip
        yield one
        code, said = one.end()
        assert (code, said) == (0, "")  # whatever was done to it


@pytest.fixture(scope="module")
def hasty(tmp_path_factory):
    """One server that waits for a second."""
    with hostile(
        tmp_path_factory.mktemp("hasty"), head_seconds=1, max_seconds=1.5, idle_seconds=1
    ) as one:
        yield one
        assert one.end() == (0, "")


HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


def asking(text):
    body = json.dumps({"texts": [text] * 8}).encode()
    return HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


#: Connections that keep the server waiting, by what they have sent.
HALF_OPEN = {
    "nothing": b"",
    "half a head": b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: ",
    "half a body": HEAD + b'Content-Length: 90\r\n\r\n{"text": "',
    "half a chunk": HEAD + b'Transfer-Encoding: chunked\r\n\r\n9\r\n{"te',
    "a refused body": HEAD + b"Content-Length: 200000\r\n\r\n{",
    "idle": GET,
}


# ---------------------------------------------------------------- half-open connections


@pytest.mark.parametrize("sent", HALF_OPEN.values(), ids=HALF_OPEN)
def test_more_half_open_connections_than_there_is_room_for_keep_nobody_out(patient, sent):
    for _ in range(150):
        patient.open(sent)
    for _ in range(3):
        assert patient.post().status_code == 200
    with httpx.Client(base_url=patient.url, trust_env=False, timeout=PATIENCE) as kept:
        assert kept.get("/health").status_code == 200
        for _ in range(80):
            patient.open(HALF_OPEN["half a head"])
        assert kept.get("/health").status_code == 200


def test_clients_that_never_read_their_answers_keep_nobody_out(patient):
    for _ in range(100):
        # Answers of 8 x 2,000 classes: more than the socket takes.
        patient.open(asking("unread") * 8, receive=4096)
    wait_until(lambda: patient.post().status_code == 200)  # their texts are in the queue before


@pytest.mark.parametrize("files", [256])
def test_there_are_never_more_connections_than_the_process_may_open_files(tmp_path, files):
    with hostile(tmp_path, files=files, head_seconds=600, max_seconds=600) as one:
        for _ in range(2 * files):
            one.open(HALF_OPEN["half a head"])
        for _ in range(20):
            assert one.post().status_code == 200
        assert one.end() == (0, "")


@pytest.mark.parametrize(
    ("begun", "more"),
    [
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: ", b"y"),
        (b"", b"\r\n"),
        (HALF_OPEN["half a body"], b"y"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\ny\r\n"),
    ],
    ids=["head", "empty lines", "body", "chunks"],
)
def test_a_request_has_a_deadline_however_steadily_it_comes(hasty, begun, more):
    sock = hasty.open(begun)
    said = []
    reading = threading.Thread(target=lambda: said.append(everything(sock)))
    reading.start()
    until = time.monotonic() + PATIENCE
    with contextlib.suppress(OSError):
        while reading.is_alive() and time.monotonic() < until:
            sock.sendall(more)
            time.sleep(0.1)
    reading.join(PATIENCE)
    assert said, "the connection is still open"
    if begun:
        status, headers, body = answer(said[0])
        assert (status, headers["connection"]) == (408, "close")
        assert body["error"]["code"] == "too_slow" and "1" in body["error"]["message"]


def test_idle_and_silent_connections_are_closed(hasty):
    assert everything(hasty.open()) == b""
    status, _, body = answer(everything(hasty.open(GET)))
    assert (status, body) == (200, {"status": "ready"})


def test_a_client_that_never_reads_is_closed(hasty):
    unread = hasty.metric('suite_connections_closed_total{reason="unread"}')
    for _ in range(3):
        hasty.open(asking("unread") * 20, receive=4096)
    wait_until(
        lambda: hasty.metric('suite_connections_closed_total{reason="unread"}') >= unread + 3
    )


def test_half_sent_requests_do_not_hold_up_the_close(tmp_path):
    with hostile(tmp_path, head_seconds=3600, max_seconds=3600) as one:
        held = [socket.create_connection(("127.0.0.1", one.port)) for _ in range(20)]
        for sock, sent in zip(held, list(HALF_OPEN.values()) * 4):
            sock.sendall(sent)
        assert one.post().status_code == 200
        assert one.end() == (0, "")
        for sock in held:
            sock.close()


# ---------------------------------------------------------------- what is no request


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"nonsense\r\n\r\n", 400, "bad_http"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "bad_http"),  # TLS
        (b"GET /health HTTP/1.1\r\n\r\n", 400, "bad_http"),
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: x\r\n\r\n", 400, "bad_http"),
        (HEAD + b"Content-Length: -5\r\n\r\n", 400, "bad_http"),
        (HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", 400, "bad_http"),
        (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400, "bad_http"),
        (HEAD + b"Content-Length: 5\r\n" + CHUNKED, 400, "bad_http"),
        (HEAD.replace(b"1.1", b"1.0") + CHUNKED, 400, "bad_http"),
        (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, "bad_http"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400, "bad_http"),
        (HEAD + b"X: " + b"y" * 100_000 + b"\r\n\r\n", 431, "header_too_large"),
        (HEAD + b"X: y\r\n" * 20_000 + b"\r\n", 431, "header_too_large"),
        (b"GET /" + b"y" * 100_000 + b" HTTP/1.1\r\n\r\n", 431, "header_too_large"),
    ],
)  # fmt: skip
def test_what_is_no_http_is_refused_as_json_and_closed(patient, sent, status, code):
    sock = patient.open(sent)
    got, headers, body = answer(everything(sock))
    assert (got, body["error"]["status"], body["error"]["code"]) == (status, status, code)
    assert headers["content-type"] == "application/json" and headers["connection"] == "close"
    assert patient.post().status_code == 200


@pytest.mark.parametrize(
    ("first", "status"),
    [
        (b"GET /health HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade, close", 200),
        (b"GET /health HTTP/1.1\r\nUpgrade: h2c\r\nConnection: upgrade, close", 200),
        (b"CONNECT other:443 HTTP/1.1\r\nConnection: close", 404),
        (b"OPTIONS * HTTP/1.1\r\nConnection: close", 404),
        (b"GET http://evil.example/health HTTP/1.1\r\nConnection: close", 404),
        (b"GET /%2e%2e/health HTTP/1.1\r\nConnection: close", 404),
        (b"TRACE /health HTTP/1.1\r\nConnection: close", 405),
        (b"GET /health HTTP/1.0", 200),
        (b"GET /health?token=x HTTP/1.1\r\nX-Forwarded-Host: evil\r\nConnection: close", 200),
    ],
)
def test_seldom_forms_of_requests_are_answered_once_and_for_all(patient, first, status):
    sock = patient.open(first + b"\r\nHost: localhost\r\n\r\n")
    got, _, body = answer(everything(sock))
    assert got == status and ("status" in body or body["error"]["status"] == status)


def test_many_requests_in_one_breath_are_answered_one_after_the_other(patient):
    sock = patient.open(GET * 300 + GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert everything(sock).count(b'{"status":"ready"}') == 301


def test_a_body_above_the_limit_is_refused_before_it_is_sent(patient):
    sock = patient.open(HEAD + b"Content-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n")
    status, headers, body = answer(everything(sock))
    assert (status, body["error"]["code"]) == (413, "body_too_large")
    assert headers["connection"] == "close"


def test_a_client_that_sends_all_of_a_body_above_the_limit_still_reads_why(patient):
    for _ in range(3):
        found = patient.post(content=b"x" * 180_000, headers={"content-type": "application/json"})
        assert found.json()["error"]["code"] == "body_too_large"


def test_a_client_that_asks_first_is_told_to_go_on(patient):
    body = b'{"text": "a"}'
    sock = patient.open(
        HEAD
        + b"Connection: close\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body)
    )
    assert sock.recv(100).startswith(b"HTTP/1.1 100")
    sock.sendall(body)
    assert everything(sock).startswith(b"HTTP/1.1 200")


# ---------------------------------------------------------------- what is no question


@pytest.mark.parametrize(
    "body",
    [
        b'{"texts": [' + b"1," * 2**20 + b"1]}",
        b'{"texts": [' + b"[]," * 2**20 + b"[]]}",
        b'{"texts": [' + b'"",' * 2**20 + b'""]}',
        b"[" + b"{}," * 2**20 + b"{}]",
        b"{" + b",".join(b'"%d":1' % n for n in range(2**18)) + b"}",
        b'{"text": ' + b" " * 2**21 + b'"a"}',
        b'{"texts": [' + b"1," * 2**14 + b"1]}",
    ],
    ids=["numbers", "lists", "empty", "objects", "keys", "blanks", "fewer numbers"],
)
def test_a_body_of_many_small_things_costs_little(body):
    before = time.process_time()
    with pytest.raises(Problem) as refused:
        texts_of(body, Limits())
    assert refused.value.status_code in (413, 422) and len(refused.value.detail) < 200
    # The first of them took 10 s, and 16 MiB of it 79 s and 7.7 GB.
    assert time.process_time() - before < 1


def test_large_bodies_that_are_no_trick_are_read():
    texts = ['comma, "quoted", [bracket] \\ back', "中文" * 3000, ""] * 341
    assert len(json.dumps(texts)) > 2**22
    for indent in (None, 8):
        for ascii_only in (True, False):
            body = json.dumps({"texts": texts}, indent=indent, ensure_ascii=ascii_only)
            assert texts_of(body.encode(), Limits()) == texts
    with pytest.raises(Problem, match="in one request"):
        texts_of(json.dumps({"texts": texts * 2}).encode(), Limits())


@pytest.mark.parametrize(
    "body",
    [
        b'{"text": "a", "n": ' + b"1" * 5000 + b"}",
        b'{"texts": [NaN]}',
        b'{"text": Infinity}',
        b'{"text": "\\ud800"}',
        b'{"a":' * 5_000,
        b'{"text": "a", "text": 1}',
        b"\xef\xbb\xbf{}",
    ],
)
def test_json_that_libraries_disagree_on_is_422(patient, body):
    found = patient.post(content=body, headers={"content-type": "application/json"})
    assert (found.status_code, found.json()["error"]["code"]) == (422, "bad_request")


@pytest.mark.parametrize(
    "given",
    [None, "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"],
)
def test_only_json_is_taken(patient, given):
    headers = {"content-type": given} if given else {}
    found = patient.post(json=None, content=b'{"text": "a"}', headers=headers)
    assert (found.status_code, found.json()["error"]["code"]) == (415, "not_json")
    squeezed = patient.post(headers={"content-encoding": "gzip"})
    assert squeezed.status_code == 415
    fine = patient.post(headers={"content-type": "Application/JSON; charset=UTF-8"})
    assert fine.status_code == 200


def test_other_paths_methods_and_slashes_are_refused_as_json(patient):
    for path, status in (("/nope", 404), ("/predict/", 404), ("/predict", 405)):
        found = patient.get(path)
        assert (found.status_code, found.json()["error"]["status"]) == (status, status)
        assert "location" not in found.headers


def test_no_page_of_another_origin_may_ask(patient):
    found = httpx.options(
        f"{patient.url}/predict", trust_env=False, timeout=PATIENCE,
        headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"},
    )  # fmt: skip
    asked = patient.post(headers={"Origin": "http://evil.example"})
    assert found.status_code == 405
    for one in (found, asked):
        assert not [name for name in one.headers if name.startswith("access-control")]


# ---------------------------------------------------------------- who may ask


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200), ("LOCALHOST.:80", 200), ("127.0.0.1:9", 200), ("127.9.9.9", 200),
        ("[::1]:80", 200), ("evil.example", 421), ("evil.example:8000", 421), ("10.0.0.1", 421),
        ("localhost.evil.example", 421), ("127.0.0.1.evil.example", 421), ("localhost@evil", 421),
        ("", 421), ("[::1", 421), ("[::ffff:10.0.0.1]", 421),
    ],
)  # fmt: skip
def test_a_name_that_was_bent_to_this_machine_is_not_answered(patient, host, status):
    for path in ("/health", "/metrics", "/nope"):
        found = patient.get(path, Host=host)
        assert found.status_code == (404 if status == 200 and path == "/nope" else status)
    if status == 421:
        assert found.json()["error"]["code"] == "wrong_host"


def test_names_and_a_token_are_asked_for(tmp_path):
    guard = {"token": TOKEN, "names": ["Suite.Example"]}
    with hostile(tmp_path, guard=guard) as one:
        assert one.get(Host="suite.example:8000").json() == {"status": "ready"}
        right = {"Authorization": f"Bearer {TOKEN}"}
        for path, status in (("/metrics", 200), ("/openapi.json", 200), ("/nope", 404)):
            assert one.get(path, **right).status_code == status
            for wrong in ("", f"Bearer {TOKEN}x", "Bearer é", f"Basic {TOKEN}", TOKEN):
                found = one.get(path, Authorization=wrong.encode())
                assert found.status_code == 401, (path, wrong)
                assert found.headers["www-authenticate"] == 'Bearer realm="suite"'
                assert found.json()["error"]["code"] == "no_token"
        assert one.post(headers=right).status_code == 200
        assert one.post(headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200
        assert one.post().status_code == 401
        assert one.get("/metrics", **right, Host="evil.example").status_code == 421
        code, said = one.end()
        assert (code, said) == (0, "") and TOKEN not in said


@pytest.mark.parametrize(
    ("words", "variable", "told"),
    [
        (("--host", "0.0.0.0"), None, "SUITE_SERVE_TOKEN"),
        (("--host", "::"), None, "--open"),
        (("--host", "0.0.0.0"), "", "SUITE_SERVE_TOKEN is empty"),
        ((), "", "SUITE_SERVE_TOKEN is empty"),
        ((), "line\nbreak", "SUITE_SERVE_TOKEN"),
        ((), "ключ", "SUITE_SERVE_TOKEN"),
        (("--host-name", "http://x"), None, "--host-name"),
        (("--host-name", "*"), None, "--host-name"),
        (("--max-connections", "2"), None, "--max-connections"),
    ],
)
def test_what_would_be_open_to_all_by_mistake_is_exit_2(
    tmp_path, monkeypatch, words, variable, told
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SUITE_SERVE_TOKEN", raising=False)
    if variable is not None:
        monkeypatch.setenv("SUITE_SERVE_TOKEN", variable)
    if words[1:] == ("::",) and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    found = CliRunner().invoke(app, ["serve", "./nothing", "--port", "0", *words])
    assert found.exit_code == 2 and told in found.stderr, found.stderr
    if variable:
        assert variable not in found.stderr


# ---------------------------------------------------------------- who goes, and what is told


def test_texts_of_a_client_that_goes_leave_the_queue_at_once(tmp_path):
    with hostile(tmp_path, max_queue=8, max_texts=8, max_batch=1) as one:
        first = one.open(asking("slow"))
        wait_until((tmp_path / "taken").exists)
        for turn in range(5):  # each would fill the queue
            first.close() if turn == 0 else None
            wait_until(lambda: one.metric("suite_queue_texts ") == 0)
            gone = one.open(asking(f"gone {turn}"))
            wait_until(lambda: one.metric("suite_queue_texts ") == 8)
            gone.close()
        wait_until(lambda: one.metric("suite_queue_texts ") == 0)
        (tmp_path / "go").touch()
        assert one.post("stays").status_code == 200
        computed = (tmp_path / "computed").read_text().split("\n")
        assert "stays" in computed and not [line for line in computed if "gone" in line]
        assert one.end() == (0, "")


def test_clients_that_break_off_are_no_errors_and_no_text_is_ever_told(patient):
    for sent in HALF_OPEN.values():
        patient.open(sent).close()
    for body in (b'{"text": "SECRET', b'{"texts": ["SECRET", 1]}', b'{"SECRET": 1}'):
        patient.post(content=body, headers={"content-type": "application/json"})
        patient.open(HEAD + b"Content-Length: 1000\r\n\r\n" + body).close()
    assert patient.post().status_code == 200  # that nothing was said, the fixture looks at


def test_a_failing_model_is_told_without_the_texts(tmp_path):
    with hostile(tmp_path) as one:
        found = one.post(json={"texts": ["boom", "SECRET"]})
        assert found.status_code == 500 and "SECRET" not in found.text
        assert "RuntimeError" in found.json()["error"]["message"]
        code, said = one.end()
    assert code == 0 and "the model failed on 2 texts: RuntimeError" in said
    assert "SECRET" not in said and re.search(r"line \d+", said)


def test_large_bodies_that_come_slowly_keep_small_ones_not_out(tmp_path):
    with hostile(tmp_path, max_body=100_000, head_seconds=600, max_seconds=600) as one:
        for _ in range(60):
            one.open(HEAD + b'Content-Length: 99000\r\n\r\n{"text": "' + b"x" * 90_000)
        wait_until(lambda: one.metric('suite_connections{state="coming"}') >= 60)
        for _ in range(3):
            assert one.post().status_code == 200
        assert one.end() == (0, "")


def test_a_defect_is_told_without_what_was_sent(tmp_path, monkeypatch, caplog):
    import asyncio

    from suite.serving.http import server
    from suite.serving.http.interface import Served
    from suite.serving.http.service import Service

    def defective(body, limits, joining):
        raise KeyError(body.decode())

    monkeypatch.setattr(server, "texts_of", defective)
    service = Service(Served(lambda texts: [], ["a", "b"], {}), Limits())
    service.state = "ready"

    async def ask():
        transport = httpx.ASGITransport(server.create_app(service))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.post("/predict", json={"text": "SECRET"})

    found = asyncio.run(ask())
    service.close()
    assert (found.status_code, found.json()["error"]["code"]) == (500, "defect")
    assert "KeyError" in caplog.text and "SECRET" not in caplog.text
    assert not any(record.exc_info for record in caplog.records)


def test_nobody_inherits_the_token(monkeypatch):
    from suite.cli import serve

    monkeypatch.setenv("SUITE_SERVE_TOKEN", TOKEN)
    assert serve.token_of_environment() == TOKEN
    assert "SUITE_SERVE_TOKEN" not in os.environ
