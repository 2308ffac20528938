"""A small real HTTP server that speaks (and misspeaks) OpenAI's chat completions on 127.0.0.1.

    with server("good") as one:
        Endpoint(one.url, "toy")

What it answers depends on `mode`, which may be changed while it runs. It classifies toy mail by
its words, so that a right answer is right for a reason.
"""

import json
import math
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SPAM = {"win", "prize", "click", "offer", "cheap", "urgent", "cash", "bonus", "deal", "winner"}
MODELS = ("toy", "toy-large")


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64  # the default of 5 drops connections, which come back a second later


class EndpointServer:
    """The server and what it has seen."""

    def __init__(self, mode="good", *, key=None, delay=0.0):
        self.mode = mode
        self.key = key
        self.delay = delay
        self.failures = 1  # how often the modes that fail at first do so
        self.retry_after = "0.05"
        self.redirect_to = ""
        self.lock = threading.Lock()
        self.requests = []  # bodies of POSTs, in order of arrival
        self.answered = 0
        self.under_way = 0
        self.peak = 0
        self.authorizations = set()
        self.released = threading.Event()  # ends hanging handlers
        self.http = _Http(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    @property
    def posts(self):
        return len(self.requests)


@contextmanager
def server(mode="good", **changes):
    one = EndpointServer(mode, **changes)
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


def text_of(body):
    """The text inside the toy question: what stands between its heading and the question."""
    content = body["messages"][-1]["content"]
    return content.rpartition("Text:\n")[2].partition("\n\nQuestion:")[0]


def is_spam(text):
    words = text.casefold().split()
    return sum(word in SPAM for word in words) > sum(word not in SPAM for word in words) / 4


def completion(text, *, tokens=None, reasoning=None, finish="stop", top=None):
    """A whole chat completion; `top` is a list of {token: logprob}, one for each token."""
    message = {"role": "assistant", "content": text}
    if reasoning is not None:
        message["reasoning_content"] = reasoning
    choice = {"index": 0, "message": message, "finish_reason": finish}
    if top is not None:
        choice["logprobs"] = {
            "content": [
                {
                    "token": token,
                    "logprob": listed.get(token, -0.1),
                    "top_logprobs": [{"token": t, "logprob": p} for t, p in listed.items()],
                }
                for token, listed in zip(tokens, top)
            ]
        }
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "toy",
        "choices": [choice],
        "usage": {"prompt_tokens": 40, "completion_tokens": len(tokens or [1]), "total_tokens": 41},
    }


def _handler(owner):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # headers and body in one packet: no waiting for the other side's ack

        def log_message(self, *args):
            pass

        def send(self, status, body, kind="application/json", **headers):
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(content)

        def refuse(self, status, message, **more):
            self.send(status, {"error": {"message": message, **more}})

        def do_GET(self):
            if owner.mode == "hangs":
                owner.released.wait()
            elif owner.mode == "html":
                self.send(200, b"<!DOCTYPE html><html>Welcome</html>", "text/html")
            elif owner.mode == "list_fails":
                self.send(500, b"Internal Server Error", "text/plain")
            elif owner.mode == "no_list" or self.path != "/v1/models":
                self.refuse(404, "Not Found")
            elif self.unknown():
                self.refuse(401, "Incorrect API key provided")
            else:
                self.send(200, {"object": "list", "data": [{"id": name} for name in MODELS]})

        def unknown(self):
            given = self.headers.get("Authorization")
            owner.authorizations.add(given)
            return owner.key is not None and given != f"Bearer {owner.key}"

        def do_POST(self):
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = json.loads(raw)
            with owner.lock:
                owner.requests.append(body)
                number = len(owner.requests)
                owner.under_way += 1
                owner.peak = max(owner.peak, owner.under_way)
            try:
                if owner.delay:
                    time.sleep(owner.delay)
                if self.path not in ("/v1/chat/completions", "/moved/v1/chat/completions"):
                    self.refuse(404, f"no such path {self.path}")
                elif self.unknown():
                    self.refuse(401, f"Incorrect API key: {self.headers.get('Authorization')}")
                elif body["model"] not in MODELS:
                    self.refuse(404, f"The model `{body['model']}` does not exist.")
                else:
                    getattr(self, f"answer_{owner.mode}")(body, number)
            except (BrokenPipeError, ConnectionResetError):
                pass
            finally:
                with owner.lock:
                    owner.under_way -= 1

        # ------------------------------------------------------------------------ modes

        def answer_good(self, body, number):
            """Logprobs where asked for; as vLLM, the letter is the first token."""
            spam = is_spam(text_of(body))
            letter = "B" if spam else "A"
            top = None
            if body.get("logprobs"):
                likely = {"B" if spam else "A": math.log(0.8), "A" if spam else "B": math.log(0.1)}
                likely |= {f" {letter}": math.log(0.05), "The": math.log(0.03)}
                likely = dict(list(likely.items())[: body["top_logprobs"]])
                top = [likely]
            with owner.lock:
                owner.answered += 1
            self.send(200, completion(letter, tokens=[letter], top=top))

        def answer_text(self, body, number):
            """Text only, in a sentence; logprobs silently absent."""
            spam = is_spam(text_of(body))
            self.send(200, completion(f"The answer is {'B' if spam else 'A'}."))

        def answer_no_logprobs(self, body, number):
            if "logprobs" in body or "top_logprobs" in body:
                self.refuse(400, "Unsupported parameter: 'logprobs' is not supported.")
            else:
                self.answer_text(body, number)

        def answer_no_logprobs_500(self, body, number):
            """As llama-cpp-python's server without --logits_all: a refusal that calls itself a
            failure."""
            if "logprobs" in body or "top_logprobs" in body:
                said = "logprobs is not supported for models created with logits_all=False"
                self.refuse(500, said, type="internal_server_error", param=None, code=None)
            else:
                self.answer_text(body, number)

        def answer_strict_fields(self, body, number):
            """As `transformers serve`: unknown fields are refused in one sentence that is no
            object, logprobs are taken and never given."""
            known = {"model", "messages", "stream", "max_tokens", "temperature"}
            if unknown := set(body) - known - {"logprobs", "top_logprobs"}:
                self.send(422, {"detail": f"Unexpected fields in the request: {unknown}"})
            else:
                self.answer_text(body, number)

        def answer_few_logprobs(self, body, number):
            if body.get("top_logprobs", 0) > 5:
                self.refuse(400, "top_logprobs: input should be less than or equal to 5")
            else:
                self.answer_good(body, number)

        def answer_no_template(self, body, number):
            if "chat_template_kwargs" in body:
                self.refuse(400, "Unrecognized request argument supplied: chat_template_kwargs")
            else:
                self.answer_good(body, number)

        def answer_modern(self, body, number):
            """As servers of reasoning models: neither max_tokens nor a temperature."""
            if "max_tokens" in body:
                self.refuse(400, "Unsupported parameter: use 'max_completion_tokens' instead.")
            elif "temperature" in body:
                self.refuse(400, "Unsupported value: 'temperature' does not support 0.")
            else:
                self.answer_good(body, number)

        def answer_lists_allowed(self, body, number):
            """Refuses one part, and lists all it takes first."""
            if "chat_template_kwargs" in body:
                allowed = "seed, logprobs, top_logprobs, max_tokens, temperature, messages, model"
                self.refuse(400, f"Allowed: {allowed}. Not allowed: chat_template_kwargs.")
            else:
                self.answer_good(body, number)

        def answer_wordless(self, body, number):
            """Refuses two parts and says nothing of them."""
            if "temperature" in body or "logprobs" in body:
                self.refuse(422, "Unprocessable")
            else:
                self.answer_good(body, number)

        def answer_unwell(self, body, number):
            """As if a parameter were refused, but it is the server that is unwell at first."""
            if number <= owner.failures:
                self.refuse(400, "logprobs, temperature, chat_template_kwargs: try again")
            else:
                self.answer_good(body, number)

        def answer_one_model(self, body, number):
            """What one model refuses the other takes."""
            (self.answer_no_logprobs if body["model"] == "toy" else self.answer_good)(body, number)

        def answer_long_or_no_template(self, body, number):
            """Refuses a part of any request, and long texts whatever comes with them."""
            if "chat_template_kwargs" in body:
                self.answer_no_template(body, number)
            elif len(text_of(body)) > 1000:
                self.refuse(400, "Too long with max_tokens and temperature.")
            else:
                self.answer_good(body, number)

        def answer_thinking(self, body, number):
            """reasoning_content beside the text, where thinking is on."""
            if not (body.get("chat_template_kwargs") or {}).get("enable_thinking"):
                self.answer_good(body, number)
                return
            spam = is_spam(text_of(body))
            thought = f"Words like {text_of(body).split()[0]} decide. </think><|im_end|> So be it."
            with owner.lock:
                owner.answered += 1
            self.send(200, completion("B" if spam else "A", tokens=["x"] * 30, reasoning=thought))

        def answer_thinking_in_text(self, body, number):
            spam = is_spam(text_of(body))
            thought = f"Words like {text_of(body).split()[0]} decide: A or B?"
            letter = "B" if spam else "A"
            self.send(200, completion(f"<think>\n{thought}\n</think>\n\n{letter}"))

        def answer_opened_by_template(self, body, number):
            """The prompt held <think> already: the text only closes it."""
            letter = "B" if is_spam(text_of(body)) else "A"
            self.send(200, completion(f"A or B, hmm.\n</think>\n\n{letter}"))

        def answer_never_closes(self, body, number):
            text = "<think>\nA, or rather B, or rather A, or rather"
            self.send(200, completion(text, tokens=["x"] * body["max_tokens"], finish="length"))

        def answer_thinks_wrong(self, body, number):
            letter = "A" if is_spam(text_of(body)) else "B"
            self.send(200, completion(letter, reasoning="The opposite of what it seems."))

        def answer_busy(self, body, number):
            """429 at first, and how long to wait."""
            if number <= owner.failures:
                more = {} if owner.retry_after is None else {"Retry_After": owner.retry_after}
                error = {"error": {"message": "Rate limit reached"}}
                self.send(429, error, **more)
            else:
                self.answer_good(body, number)

        def answer_no_quota(self, body, number):
            self.refuse(429, "You exceeded your current quota", code="insufficient_quota")

        def answer_fails(self, body, number):
            self.refuse(500, "CUDA error: an illegal memory access was encountered")

        def answer_fails_at_first(self, body, number):
            if number <= owner.failures:
                self.send(502, b"<html><h1>502 Bad Gateway</h1></html>", "text/html")
            else:
                self.answer_good(body, number)

        def answer_hangs(self, body, number):
            owner.released.wait()
            self.close_connection = True

        def answer_drips(self, body, number):
            """Headers, then a byte now and then: never silent, never done."""
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "1000")
            self.end_headers()
            while not owner.released.wait(0.05):
                self.wfile.write(b" ")
                self.wfile.flush()
            self.close_connection = True

        def answer_html(self, body, number):
            self.send(200, b"<!DOCTYPE html><html><body>Log in</body></html>", "text/html")

        def answer_html_at_first(self, body, number):
            (self.answer_html if number <= owner.failures else self.answer_good)(body, number)

        def answer_half_json(self, body, number):
            whole = json.dumps(completion("A")).encode()
            self.send(200, whole[: len(whole) // 2])

        def answer_other_json(self, body, number):
            self.send(200, {"generated_text": "A"})

        def answer_error_as_200(self, body, number):
            self.send(200, {"error": {"message": "upstream is overloaded", "code": 502}})

        def answer_drops(self, body, number):
            self.close_connection = True
            self.connection.close()

        def answer_drops_at_first(self, body, number):
            (self.answer_drops if number <= owner.failures else self.answer_good)(body, number)

        def answer_lies(self, body, number):
            """An option that is none, and logprobs of tokens nobody asked about."""
            top = [{"Q": -0.01, "Zebra": -5.0}] if body.get("logprobs") else None
            self.send(200, completion("Q", tokens=["Q"], top=top))

        def answer_lies_in_numbers(self, body, number):
            """Probabilities above one; the text is right."""
            letter = "B" if is_spam(text_of(body)) else "A"
            self.send(200, completion(letter, tokens=[letter], top=[{"A": 7.0, "B": 3.0}]))

        def answer_filtered(self, body, number):
            self.refuse(400, "The response was filtered", code="content_filter")

        def answer_too_long(self, body, number):
            self.refuse(400, "This model's maximum context length is 512 tokens.")

        def answer_redirects(self, body, number):
            self.send(307, b"", Location=owner.redirect_to)

        def answer_moved(self, body, number):
            if self.path.startswith("/moved"):
                self.answer_good(body, number)
            else:
                self.send(308, b"", Location="/moved/v1/chat/completions")

        def answer_repeats_key(self, body, number):
            self.send(200, completion(f"A {self.headers.get('Authorization')}"))

    return Handler
