"""A small real HTTP server that answers (and misanswers) typed questions on 127.0.0.1.

    with deciding("systemone") as one:
        Decider(one.url, "toy")

Which paths it has is said by `shapes`; how it answers by `mode`, which may be changed while it
runs. The likeliest option is the one whose name stands in the text, so that a right answer is
right for a reason.
"""

import json
import math
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from endpoint_server import SPAM, _Http

LIKELY = 0.8


class DecisionServer:
    """The server and what it has seen."""

    def __init__(
        self, shapes, mode="good", *, options=None, questions=None, said="too many", **more
    ):
        self.shapes = shapes
        self.mode = mode
        self.options, self.questions, self.said = options, questions, said
        self.models = more.get("models", ("toy", "jev-latest"))
        self.key, self.nulls = more.get("key"), more.get("nulls", True)
        self.banned = more.get("banned")
        self.failures, self.busy = more.get("failures", 1), more.get("busy", 429)
        self.lock = threading.Lock()
        self.requests = []  # shape and body of POSTs, in order of arrival
        self.answered = []  # those that were answered
        self.authorizations = set()
        self.released = threading.Event()  # ends hanging handlers
        self.http = _Http(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def texts(self):
        """What was asked about and answered."""
        return [body.get("state", body.get("input")) for _, body in self.answered]


@contextmanager
def deciding(*shapes, **changes):
    one = DecisionServer(shapes, **changes)
    thread = threading.Thread(
        target=one.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield one
    finally:
        one.released.set()
        one.http.shutdown()
        one.http.server_close()
        thread.join()


def asked(shape, body):
    """The questions of a request as {name: (kind, options or what is stated)}."""
    listed = body["questions"]
    if shape == "systemone":
        listed = [{"name": name, **question} for name, question in listed.items()]
    found = {}
    for one in listed:
        if one["type"] == "choice":
            named = (
                one["criteria"] if shape == "systemone" else [c["value"] for c in one["choices"]]
            )
            found[one["name"]] = ("choice", list(named))
        else:
            stated = re.search(r"The right answer is: (.+)", one["instructions"])
            found[one["name"]] = (one["type"], stated[1])
    return found


def likely(text, options):
    """A probability of each option: most to the one that the text names last, if by its words."""
    place = dict.fromkeys(options, -1)
    for number, word in enumerate(text.split()):
        place |= {
            name: number for name in (word, "spam" if word in SPAM else word) if name in place
        }
    best = max(options, key=place.__getitem__)
    rest = (1 - LIKELY) / (len(options) - 1)
    return {name: LIKELY if name == best else rest for name in options}


def _handler(owner):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16

        def log_message(self, *args):
            pass

        def send(self, status, body, **headers):
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(content)

        def refuse(self, status, message):
            self.send(status, {"detail": {"error_type": "api_usage_error", "message": message}})

        def do_GET(self):
            self.send(200, {"object": "list", "data": [{"id": name} for name in owner.models]})

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            shape = self.path.rpartition("/")[2]
            with owner.lock:
                owner.requests.append((shape, body))
                number = len(owner.requests)
                owner.authorizations.add(self.headers.get("Authorization"))
            try:
                if shape not in owner.shapes:
                    self.refuse(404, "Not Found")
                elif owner.key and self.headers.get("Authorization") != f"Bearer {owner.key}":
                    self.refuse(401, "no such key")
                elif body["model"] not in owner.models:
                    self.refuse(404, f"no model {body['model']}")
                elif (
                    not owner.nulls
                    and None in next(iter(body["questions"].values()))["criteria"].values()
                ):
                    self.refuse(422, "Input should be a valid string")
                elif not self.refused(asked(shape, body)):
                    self.answer(shape, body, number)
            except (BrokenPipeError, ConnectionResetError):
                pass

        def refused(self, questions):
            most = max((len(o) for kind, o in questions.values() if kind == "choice"), default=0)
            over = (owner.options and most > owner.options) or (
                owner.questions and len(questions) > owner.questions
            )
            if any(owner.banned in o for kind, o in questions.values() if kind == "choice"):
                self.refuse(422, f"{owner.banned} is no option here")
                return True
            if over:
                self.refuse(422, owner.said)
            return over

        def answer(self, shape, body, number):
            text = body.get("state", body.get("input"))
            if owner.mode == "hangs" and "slow" in text:
                owner.released.wait()
                self.close_connection = True
                return
            if owner.mode == "busy" and number <= owner.failures:
                self.send(owner.busy, {"detail": "rate limit"}, Retry_After="0.05")
                return
            if owner.mode == "error_as_200":
                self.send(200, {"error": {"message": "upstream is overloaded"}})
                return
            if owner.mode == "too_long" and len(text) > 60:
                self.refuse(413, "state is too long")
                return
            answers = {}
            for name, (kind, what) in asked(shape, body).items():
                answers[name] = self.answer_one(shape, kind, what, text)
            with owner.lock:
                owner.answered.append((shape, body))
            if shape == "decisions":
                answers = [{"name": name, **one} for name, one in answers.items()]
            usage = {"input_tokens": 40, "output_tokens": 0, "total_tokens": 40}
            # NaN is written as Python and JavaScript's older servers write it.
            self.send(200, {"model": "toy-1.0", "answers": answers, "usage": usage})

        def answer_one(self, shape, kind, what, text):
            if owner.mode == "declines" and "secret" in text:
                return {"type": "refusal", "refusal": "I won't."}
            if kind != "choice":
                yes = LIKELY if what in text.split() else 0.1
                return {"type": kind, "noul" if shape == "systemone" else "probability": yes}
            found = self.spoilt(likely(text, what), text)
            listed = found
            if shape == "decisions":
                listed = [{"value": name, "probability": p} for name, p in found.items()]
            # The choice and the confidence are wrong on purpose: nobody is to read them.
            return {
                "type": "choice",
                "choice": what[-1],
                "confidence": 7,
                "probabilities": listed,
            }

        def spoilt(self, found, text):
            first, *_, last = found
            mode = owner.mode.removeprefix("odd_")
            if owner.mode.startswith("odd_") and "odd" not in text:
                return found
            if mode == "sums":
                return {name: p / 2 for name, p in found.items()}
            if mode == "missing":
                return {name: p for name, p in found.items() if name != last}
            if mode == "extra":
                return found | {"another": 0.0}
            if mode == "nan":
                return found | {first: math.nan}
            if mode == "null":
                return found | {first: None}
            if mode == "above":
                return found | {first: 1.5}
            if mode == "rounds":
                return {name: round(p, 2) for name, p in found.items()}
            return found

    return Handler
