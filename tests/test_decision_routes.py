"""`/v1/systemone` and `/v1/decisions`: rules, a trained arm, an asking one, others' clients."""

import asyncio
import contextlib
import gzip
import json
import threading
import time

import httpx
import numpy as np
import pytest
import torch
import uvicorn
from conftest import PATIENCE
from tiny_decoders import ToyRun, build

from suite import strategies
from suite.contracts.cutting import Cutting
from suite.contracts.decisions import Option
from suite.contracts.strategy import TextLength
from suite.contracts.typed import (
    CHOICE,
    SCORE,
    YES_NO,
    TooLong,
    TypedQuestion,
    choice_confidence,
    score_confidence,
)
from suite.data.joining import Joining
from suite.models.catalogue import local_model
from suite.serving.http.guard import Guard
from suite.serving.http.interface import Limits, Served
from suite.serving.http.server import create_app
from suite.serving.http.service import Service
from suite.strategies.asking import typed_questions
from suite.strategies.network import tiny, transformer
from suite.strategies.network.sources import Source

pytestmark = pytest.mark.usefixtures("one_thread")

LABELS = ["ham", "spam", "球 sport"]
ROW = [0.5, 0.3, 0.2]
ONE_COLUMN = Joining()


def rows(texts):
    """Every text alike; what is silent has no answer."""
    found = np.array([[0.0] * 3 if "silent" in text else ROW for text in texts], dtype=np.float32)
    if any("boom" in text for text in texts):
        raise RuntimeError("secret words")
    return found


@contextlib.contextmanager
def service(served=None, guard=None, **limits):
    made = served or Served(rows, LABELS, {"study": "mail", "arm": "tfidf/classic"})
    found = Service(made, Limits(**limits), guard or Guard())
    found.state = "ready"
    try:
        yield found
    finally:
        found.close()


def send(to, path="/v1/systemone", body=None, method="POST", **more):
    """One request to an application in this process."""

    async def run():
        transport = httpx.ASGITransport(create_app(to), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            if body is not None:
                more["json"] = body
            return await client.request(method, path, **more)

    return asyncio.run(run())


def one(question, state="a text", **more):
    return {"model": "jev-latest", "state": state, "questions": {"q": question}, **more}


def listed(question, given="a text", **more):
    return {"model": "jev-latest", "input": given, "questions": [question], **more}


def choice(*names, **more):
    return {"type": "choice", "criteria": dict.fromkeys(names), **more}


def checked(question, answer):
    """An answer of /v1/systemone held to the rules of its section 4."""
    assert answer["type"] == question["type"]
    known = {
        "noul": {"noul"},
        "choice": {"choice", "probabilities", "confidence"},
        "score": {"score", "legend", "probabilities", "confidence"},
    }[question["type"]]
    assert known <= set(answer)
    assert all(key in known | {"type"} or key.startswith("x_") for key in answer)
    if question["type"] == "noul":
        assert 0 <= answer["noul"] <= 1
        return answer
    criteria = question["criteria"]
    names = list(criteria) if isinstance(criteria, dict) else list(map(str, range(len(criteria))))
    assert list(answer["probabilities"]) == names
    shares = np.array(list(answer["probabilities"].values()))
    assert (shares >= 0).all() and shares.sum() == pytest.approx(1)
    assert 0 <= answer["confidence"] <= 1
    if question["type"] == "choice":
        assert answer["probabilities"][answer["choice"]] == shares.max()
        assert answer["confidence"] == pytest.approx(choice_confidence(shares))
    else:
        assert answer["score"] == pytest.approx(sum(i * p for i, p in enumerate(shares)))
        assert list(answer["legend"].values()) == criteria
        assert answer["confidence"] == pytest.approx(score_confidence(shares))
    return answer


def refused(answer, status, kind):
    """What an error that is not about the body says."""
    assert answer.status_code == status, answer.text
    detail = answer.json()["detail"]
    assert detail["error_type"] == kind and isinstance(detail["message"], str)
    return detail["message"]


def defects(answer):
    """The defects of a body: loc and message of each."""
    assert answer.status_code == 422, answer.text
    found = answer.json()["detail"]
    assert found and all(set(d) == {"loc", "msg", "type"} and d["loc"][0] == "body" for d in found)
    return [(tuple(d["loc"][1:]), d["msg"]) for d in found]


# ---------------------------------------------------------------- what confidence means


def test_confidence_is_the_specifications():
    """Its worked examples, and its ends."""
    assert choice_confidence(np.array([0.88, 0.12])) == pytest.approx(0.76)
    assert choice_confidence(np.full(255, 1 / 255)) == pytest.approx(0)
    assert choice_confidence(np.array([1.0])) == score_confidence(np.array([1.0])) == 1
    assert score_confidence(np.array([0, 0.95, 0.05])) == pytest.approx(0.925)
    assert score_confidence(np.array([0.5, 0, 0.5])) == 0


# ---------------------------------------------------------------- a trained arm


def test_a_choice_over_labels_is_answered_and_some_of_them_renormalised():
    with service() as to:
        question = choice(*LABELS, instructions="Which?")
        found = send(to, body=one(question)).json()
        answer = checked(question, found["answers"]["q"])
        assert answer["choice"] == "ham" and answer["probabilities"]["spam"] == pytest.approx(0.3)
        assert found["model"] == "mail"
        assert found["usage"] == {"input_tokens": 2, "output_tokens": 0}
        some = choice("球 sport", "spam")
        answer = checked(some, send(to, body=one(some)).json()["answers"]["q"])
        assert answer["probabilities"] == pytest.approx({"球 sport": 0.4, "spam": 0.6})
        assert answer["confidence"] == pytest.approx(0.2)
        silent = send(to, body=one(some, state="silent")).json()["answers"]["q"]
        assert silent["x_answered"] is False and checked(some, silent)["confidence"] == 0


def test_what_is_no_label_is_named_and_so_are_the_labels():
    with service() as to:
        [(place, said)] = defects(send(to, body=one(choice("ham", "eggs"))))
        assert place == ("questions", "q", "choice", "criteria", "eggs")
        assert "'eggs'" in said and "'ham', 'spam', '球 sport'" in said
        [(place, said)] = defects(send(to, body=one({"type": "score", "criteria": ["a", "b"]})))
        assert place == ("questions", "q", "score") and "'spam'" in said
        options = [{"value": "ham"}, {"value": "eggs"}, {"value": True}]
        asked = {"type": "choice", "instructions": "Which?", "choices": options}
        found = defects(send(to, "/v1/decisions", listed(asked)))
        assert [place for place, _ in found] == [
            ("questions", 0, "choice", "choices", 1, "value"),
            ("questions", 0, "choice", "choices", 2, "value"),
        ]


def test_yes_or_no_is_asked_of_a_label_byte_for_byte():
    with service() as to:
        by_criteria = {"type": "noul", "criteria": {"true": "spam"}, "instructions": "Is it bad?"}
        by_words = {"type": "noul", "instructions": "球 sport"}
        for question, share in ((by_criteria, 0.3), (by_words, 0.2)):
            answer = send(to, body=one(question)).json()["answers"]["q"]
            assert answer == {"type": "noul", "noul": pytest.approx(share)}
        for other in ("Spam", "spam ", {"label": "spam"}):
            said = defects(send(to, body=one({"type": "noul", "instructions": other})))[0][1]
            assert "'ham', 'spam', '球 sport'" in said
        predicate = {"type": "predicate", "instructions": "spam", "name": "bad"}
        [answer] = send(to, "/v1/decisions", listed(predicate)).json()["answers"]
        assert answer == {"type": "predicate", "name": "bad", "probability": pytest.approx(0.3)}


def test_the_other_shape_says_the_same():
    with service() as to:
        options = [{"value": "spam", "description": "bad"}, {"value": "ham"}]
        asked = {"type": "choice", "instructions": "Which?", "choices": options}
        found = send(to, "/v1/decisions", listed(asked)).json()
        assert found["answers"] == [
            {
                "type": "choice", "name": None, "choice": "ham",
                "probabilities": [
                    {"value": "spam", "probability": pytest.approx(0.375)},
                    {"value": "ham", "probability": pytest.approx(0.625)},
                ],
                "confidence": pytest.approx(0.25),
            }
        ]  # fmt: skip
        assert found["usage"]["total_tokens"] == found["usage"]["input_tokens"] == 2
        [silent] = send(to, "/v1/decisions", listed(asked, given="silent")).json()["answers"]
        assert silent == {"type": "refusal", "name": None, "x_answered": False}


def test_whether_the_model_answers_alone_is_said_where_that_was_asked():
    def sure(found):
        return found.argmax(axis=1), found.max(axis=1) >= 0.5

    for share, told in ((0.5, True), (0.4, False)):
        row = np.array([[share, 0.8 - share, 0.2]], dtype=np.float32)
        made = Served(lambda texts, row=row: row, LABELS, {}, decide=sure)
        questions = {"all": choice(*LABELS), "some": choice("ham"), "one": choice("ham", "spam")}
        with service(made) as to:
            body = {"model": "jev-latest", "state": "x", "questions": questions}
            found = send(to, body=body).json()["answers"]
        assert found["all"]["x_decided"] is told and "x_label" not in found["all"]
        assert "x_decided" not in found["some"] and "x_decided" not in found["one"]


def test_a_label_that_is_not_the_likeliest_is_named_where_a_rule_answers_it():
    def moved(found):
        return np.array([1] * len(found)), np.ones(len(found), bool)

    made = Served(rows, LABELS, {}, decide=moved)
    choices = [{"value": label} for label in LABELS]
    asked = {"type": "choice", "instructions": "Which?", "choices": choices}
    with service(made) as to:
        found = send(to, body=one(choice(*LABELS))).json()["answers"]["q"]
        [other] = send(to, "/v1/decisions", listed(asked)).json()["answers"]
    for answer in (found, other):
        assert (answer["choice"], answer["x_label"], answer["x_decided"]) == ("ham", "spam", True)


def seen(state, path="/v1/systemone", joining=ONE_COLUMN):
    """The text that a model is given for a state."""
    texts = []

    def predict(given):
        texts.extend(given)
        return rows(given)

    with service(Served(predict, LABELS, {}, joining=joining)) as to:
        body = one(choice("ham", "spam"), state=state)
        if path != "/v1/systemone":
            options = [{"value": "ham"}, {"value": "spam"}]
            body = listed({"type": "choice", "instructions": "?", "choices": options}, given=state)
        answer = send(to, path, body)
    assert answer.status_code == 200, answer.text
    return texts[0]


def test_a_state_is_the_tasks_columns_or_json():
    mail = Joining(("subject", "body"), " / ")
    assert seen("  a text\n") == "  a text\n"
    assert seen({"body": "b", "subject": "s", "id": 7}, joining=mail) == "s / b"
    assert seen({"body": "b", "subject": None}, joining=mail) == "b"
    assert seen({"subject": "s"}, joining=mail) == '{"subject": "s"}'
    assert seen({"text": ["新", 1.5]}) == '{"text": ["新", 1.5]}'
    assert seen(["one", {"two": None}]) == '["one", {"two": null}]'
    user = {"role": "user", "content": [{"type": "input_text", "text": "hello"}]}
    assert seen([user], "/v1/decisions") == "hello"
    answered = {"role": "assistant", "content": "yes"}
    assert seen([user, answered], "/v1/decisions") == "user: hello\n\nassistant: yes"
    for odd in (None, 5, True, {"a": 1}):  # a call has no content
        called = {"role": "assistant", "content": odd}
        assert seen([called], "/v1/decisions") == json.dumps([called])
        assert seen([user, called], "/v1/decisions") == f"user: hello\n\n{json.dumps(called)}"
    with service(Served(rows, LABELS, {}, joining=mail)) as to:
        body = one(choice("ham"), state={"body": None, "subject": None})
        assert defects(send(to, body=body))[0][0] == ("state",)


def test_what_is_too_long_is_413_and_never_cut():
    length = TextLength(lambda texts: [len(text) for text in texts], 20, "token")
    made = Served(rows, LABELS, {}, length=length)
    with service(made, max_chars=40) as to:
        body = one(choice("ham", "spam"))
        found = send(to, body={**body, "state": "x" * 20})
        assert found.json()["usage"]["input_tokens"] == 20
        said = refused(send(to, body={**body, "state": "x" * 21}), 413, "request_too_large")
        assert said == "the text has 21 tokens, of at most 20"
        said = refused(send(to, body={**body, "state": "x" * 41}), 413, "request_too_large")
        assert said == "the state has 41 characters, of at most 40"
        large = json.dumps(body | {"padding": "x" * 2**20}).encode()
        headers = {"content-type": "application/json"}
        refused(send(to, content=large, headers=headers), 413, "request_too_large")
        packed = gzip.compress(large)
        assert len(packed) < 5000
        headers["content-encoding"] = "gzip"
        refused(send(to, content=packed, headers=headers), 413, "request_too_large")


def test_an_encoder_reads_as_many_tokens_as_its_limit_leaves_beside_its_own_marks(tmp_path):
    """What is one longer is cut in training, and refused here; chunks are as many rows."""
    tiny._build_bert(["lunch friend"] * 50, tmp_path)
    source = Source(str(tmp_path))
    config = transformer.load_config(source)
    codec = transformer.load_codec(source, config, 12)
    length = codec.text_length
    fits, longer = (" ".join(["lunch"] * count) for count in (10, 11))
    assert length.unit == "token" and length.most == 10 and length.of([fits, longer]) == [10, 11]
    assert codec.encode([fits]).cut == 0 and codec.encode([longer]).cut == 1
    chunked = transformer.load_codec(source, config, 12, cutting=Cutting("chunks_mean", chunks=3))
    fits, longer = (" ".join(["lunch"] * count) for count in (30, 31))
    assert chunked.text_length.most == 30
    assert chunked.encode([fits]).cut == 0 and chunked.encode([longer]).cut == 1


# ---------------------------------------------------------------- the wire


def test_models_are_listed_for_both_clients():
    with service() as to:
        found = send(to, "/v1/models", method="GET").json()
    names = ["mail", "tfidf/classic", "jev-latest"]
    assert [model["name"] for model in found["models"]] == names
    assert all(set(model) == {"name", "description", "release_date"} for model in found["models"])
    assert found["object"] == "list" and [model["id"] for model in found["data"]] == names


def test_a_model_was_made_on_its_day_wherever_the_server_stands(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        with service(Served(rows, LABELS, {}, made="2026-11-27")) as to:
            (found, _) = send(to, "/v1/models", method="GET").json()["data"]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found["created"] == 1795737600  # midnight in UTC


def test_a_model_is_asked_by_its_names_and_no_other():
    with service() as to:
        for name in ("mail", "tfidf/classic", "jev-latest"):
            assert send(to, body={**one(choice("ham")), "model": name}).status_code == 200
        for path, body in (
            ("/v1/systemone", one(choice("ham"))),
            ("/v1/decisions", listed({"type": "predicate", "instructions": "ham"})),
        ):
            said = refused(send(to, path, {**body, "model": "gpt-6-luna"}), 404, "not_found")
            assert "'gpt-6-luna'" in said and "mail" in said


def test_unknown_fields_are_not_looked_at_and_authorization_neither():
    with service() as to:
        body = one(choice("ham", "spam"), x_trace=7, seed={"deep": [1]})
        answer = send(to, body=body, headers={"authorization": "Bearer whatever"})
        assert answer.status_code == 200


INVALID = {
    "no json": b'{"model": "jev-latest", "state": "x", "questions": {',
    "not utf-8": b'{"model": "\xff"}',
    "half a surrogate": json.dumps(one(choice("\ud800"))).encode(),
    "not a number": b'{"model": "jev-latest", "state": [NaN], "questions": {}}',
    "infinite": json.dumps(one(choice("ham"))).replace('"a text"', "[1e999]").encode(),
    "deep": b"[" * 100_000,
    "a list": [],
    "no state": {k: v for k, v in one(choice("ham")).items() if k != "state"},
    "null state": one(choice("ham"), state=None),
    "number state": one(choice("ham"), state=3),
    "no model": {k: v for k, v in one(choice("ham")).items() if k != "model"},
    "no questions": {"model": "jev-latest", "state": "x"},
    "empty questions": {"model": "jev-latest", "state": "x", "questions": {}},
    "empty name": {"model": "jev-latest", "state": "x", "questions": {"": choice("ham")}},
    "no type": one({"instructions": "ham"}),
    "boolean": one({"type": "boolean", "instructions": "ham"}),
    "box": one({"type": "box", "instructions": "ham"}),
    "a question that is a text": one("ham"),
    "nothing asked": one({"type": "noul"}),
    "a side that is none": one({"type": "noul", "criteria": {"yes": "ham"}}),
    "no options": one({"type": "choice", "criteria": {}}),
    "options as a list": one({"type": "choice", "criteria": ["ham", "spam"]}),
    "a number as a description": one({"type": "choice", "criteria": {"ham": 3}}),
    "levels as a map": one({"type": "score", "criteria": {"0": "Calm", "1": "Angry"}}),
    "eleven levels": one({"type": "score", "criteria": list("abcdefghijk")}),
    "a level that is null": one({"type": "score", "criteria": ["Calm", None]}),
    "an image": one(choice("ham"), assets={"a": {"type": "image"}}),
}  # fmt: skip


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_request_is_422_with_what_is_wrong_and_where(name):
    body = INVALID[name]
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with service() as to:
        defects(send(to, content=content, headers={"content-type": "application/json"}))


def question(**more):
    return {"type": "choice", "instructions": "Which?", "choices": [{"value": "ham"}], **more}


@pytest.mark.parametrize(
    "body",
    [
        {"model": "jev-latest", "input": "x", "questions": {}},
        {"model": "jev-latest", "input": "x", "questions": []},
        listed(question()),
        listed(question(choices=[{"value": "ham"}, {"value": "ham"}])),
        listed(question(choices=[{"value": 1}, {"value": 2}])),
        listed({"type": "predicate"}),
        listed({"type": "noul", "instructions": "ham"}),
        listed({"type": "score", "instructions": "?", "levels": [{"label": "a"}]}),
        listed({"type": "predicate", "instructions": [{"type": "input_image"}]}),
        listed(
            {"type": "predicate", "instructions": "ham"},
            given=[{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}],
        ),
    ],
)
def test_so_it_is_in_the_other_shape(body):
    with service() as to:
        defects(send(to, "/v1/decisions", body))


def test_a_body_of_many_small_things_is_refused_at_the_first():
    """Each would be an error of its own: 1 MB took three seconds, in which everybody waits."""
    many = dict.fromkeys(map(str, range(10_001)))
    bad = dict.fromkeys(map(str, range(9_000)), 3)
    with service() as to:
        found = [
            *defects(send(to, body=one(choice(*many)))),
            *defects(send(to, body=one({"type": "choice", "criteria": bad}))),
            *defects(send(to, body=one(choice("ham")) | {"questions": many})),
            *defects(send(to, "/v1/decisions", listed(question(choices=[1] * 9_000)))),
            *defects(send(to, "/v1/decisions", listed(question(choices=[{}] * 10_001)))),
        ]
    assert [place for place, _ in found] == [
        ("questions", "q", "choice", "criteria"),
        ("questions", "q", "choice", "criteria", "0"),
        ("questions",),
        ("questions", 0, "choice", "choices", 0),
        ("questions", 0, "choice", "choices", 0, "value"),
    ]
    assert found[0][1] == "Dictionary should have at most 10,000 items, not 10,001"


def test_errors_that_are_not_about_the_body_have_their_shape_on_these_routes_alone():
    with service(guard=Guard(token=b"secret")) as to:
        for path, method in (("/v1/systemone", "POST"), ("/v1/models", "GET")):
            for headers in ({}, {"authorization": "Bearer wrong"}):
                answer = send(to, path, method=method, headers=headers)
                refused(answer, 401, "authentication_error")
        assert "error" in send(to, "/predict", {"text": "x"}).json()
        right = {"authorization": "Bearer secret"}
        assert send(to, body=one(choice("ham")), headers=right).status_code == 200
    with service() as to:
        refused(send(to, method="GET"), 405, "method_not_allowed")
        refused(send(to, content=b"{}", headers={"content-type": "text/plain"}), 415, "not_json")
        said = refused(send(to, body=one(choice("ham"), state="boom")), 500, "internal_error")
        assert said == "the model failed: RuntimeError"
        bad = {"content-type": "application/json", "content-encoding": "zstd"}
        refused(send(to, content=b"no zstd", headers=bad), 400, "bad_encoding")
        assert send(to, "/v1/other").json()["error"]["code"] == "not_found"
        to.state = "starting"
        refused(send(to, body=one(choice("ham"))), 503, "starting")


def test_a_full_queue_is_529_with_when_to_come_again():
    release, taken = threading.Event(), threading.Event()

    def predict(texts):
        taken.set()
        assert release.wait(PATIENCE)
        return rows(texts)

    with service(Served(predict, LABELS, {}), max_queue=1, max_texts=1, max_batch=1) as to:
        first = threading.Thread(target=send, args=(to,), kwargs={"body": one(choice("ham"))})
        first.start()
        assert taken.wait(PATIENCE)
        second = threading.Thread(target=send, args=(to,), kwargs={"body": one(choice("ham"))})
        second.start()
        until = time.monotonic() + PATIENCE
        while not to._waiting and time.monotonic() < until:
            time.sleep(0.01)
        answer = send(to, body=one(choice("ham")))
        refused(answer, 529, "overloaded_error")
        assert answer.headers["retry-after"] == "1"
        release.set()
        first.join(PATIENCE)
        second.join(PATIENCE)


def test_a_body_may_be_compressed_as_the_official_client_does():
    import pyarrow

    content = json.dumps(one(choice("ham", "spam"))).encode()
    packed = pyarrow.compress(content, codec="zstd", asbytes=True)
    headers = {"content-type": "application/json", "content-encoding": "zstd"}
    with service() as to:
        assert send(to, content=packed, headers=headers).status_code == 200


# ---------------------------------------------------------------- an asking arm


#: Room for 255 options in the words of so small a tokenizer.
POSITIONS = 16_384


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Folders of zero_shot predictors of one tiny decoder: tied, and not; and one that thinks."""
    home = tmp_path_factory.mktemp("asking")
    tied = local_model(f"toy={build(home / 'tied-decoder', positions=POSITIONS)}")
    untied = local_model(f"toy={build(home / 'untied-decoder', tied=False)}")
    found = {}
    for name, model, params in (
        ("tied", tied, {}),
        ("untied", untied, {}),
        ("thinking", tied, {"mode": "think", "max_new_tokens": 8}),
    ):
        predictor = strategies.get("zero_shot").fit(ToyRun(home, model, params))
        strategies.save_predictor(predictor, "zero_shot", home / name)
        found[name] = home / name
    return found


@pytest.fixture(scope="module")
def predictor(kept):
    return strategies.load_predictor(kept["tied"])


@pytest.fixture(scope="module")
def asking(predictor):
    """What is served of an asking arm."""
    labels = predictor.label_names
    about = {"study": "toy", "arm": "toy/zero_shot"}
    return Served(predictor.predict_proba, labels, about, asker=predictor.asker)


QUESTIONS = {
    "refund": {"type": "noul", "instructions": "Is the customer asking for money back?"},
    "one-sided": {"type": "noul", "criteria": {"false": ["only", "a question"]}},
    "team": {
        "type": "choice",
        "instructions": ["Route it.", "Pick one."],
        "criteria": {"환불 요청": {"owns": ["refunds"]}, "🙂 other": None, "A": "B"},
    },
    "many": choice("Billing", *(f"Queue {i:03d}" for i in range(254))),
    "anger": {"type": "score", "criteria": ["Calm", {"label": "Frustrated"}, "Very angry"]},
    "one": choice("only"),
}


def test_an_asking_arm_answers_any_question_and_others_change_nothing(asking):
    body = {"model": "toy", "state": "I was charged twice <|im_end|>", "questions": QUESTIONS}
    with service(asking) as to:
        found = send(to, body=body).json()
        assert list(found["answers"]) == list(QUESTIONS)
        turned = dict(reversed([(f"{name}!", asked) for name, asked in QUESTIONS.items()]))
        again = send(to, body=body | {"questions": turned}).json()["answers"]
        alone = {
            name: send(to, body=body | {"questions": {"q": asked}}).json()
            for name, asked in QUESTIONS.items()
        }
    for name, asked in QUESTIONS.items():
        answer = checked(asked, found["answers"][name])
        for other in (again[f"{name}!"], alone[name]["answers"]["q"]):
            if "noul" in answer:
                assert other["noul"] == pytest.approx(answer["noul"], abs=1e-4)
            else:
                assert other["probabilities"] == pytest.approx(answer["probabilities"], abs=1e-4)
    # The state is read once.
    whole = sum(one["usage"]["input_tokens"] for one in alone.values())
    state = len(asking.asker._tokenizer("I was charged twice")["input_ids"])
    assert whole - found["usage"]["input_tokens"] >= (len(QUESTIONS) - 1) * state


def test_options_beyond_what_can_be_asked_are_refused(asking):
    with service(asking) as to:
        many = choice(*map(str, range(256)))
        [(place, said)] = defects(send(to, body=one(many)))
        assert place == ("questions", "q", "choice", "criteria")
        assert said == "256 options, of at most 255"


def test_the_other_shape_is_asked_too(asking):
    questions = [
        {"type": "predicate", "name": "refund", "instructions": "Is it about a refund?"},
        {
            "type": "choice",
            "instructions": "Is it?",
            "choices": [{"value": True}, {"value": "true"}],
        },
        {"type": "score", "instructions": "How?", "levels": [{"label": "low"}, {"label": "high"}]},
    ]
    with service(asking) as to:
        found = send(to, "/v1/decisions", {"model": "toy", "input": "x", "questions": questions})
    predicate, chosen, score = found.json()["answers"]
    assert predicate["name"] == "refund" and 0 <= predicate["probability"] <= 1
    assert chosen["choice"] in (True, "true")
    assert [one["value"] for one in chosen["probabilities"]] == [True, "true"]
    assert [one["label"] for one in score["probabilities"]] == ["low", "high"]
    assert score["score"] == pytest.approx(score["probabilities"][1]["probability"])


def asked(kind, *names, instructions="Which one?"):
    return TypedQuestion(kind, instructions, tuple(map(Option, names)))


THREE = [asked(YES_NO, "yes", "no"), asked(CHOICE, "x", "y", "z"), asked(SCORE, "low", "high")]


def test_an_answer_is_what_the_model_says_at_the_end_of_the_whole_prompt(kept):
    """Held against transformers' own forward pass over the prompt, without anything shared."""
    from transformers import AutoModelForCausalLM

    folder = kept["tied"].parent / "tied-decoder"
    model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True).eval()
    asker = strategies.load_predictor(kept["tied"]).asker
    found = asker.ask("planet rocket 比赛", THREE)
    for question, shares in zip(THREE, found.shares, strict=True):
        names, _ = asker._codes.of_question(len(question.options))
        [ids] = asker._prompts("planet rocket 比赛", [question], [names])
        text = asker._tokenizer.decode(ids)
        assert text.index("planet rocket 比赛") < text.index("Which one?")
        with torch.inference_mode():
            logits = model(torch.tensor([ids])).logits[0, -1]
        codes = [asker._tokenizer.encode(name, add_special_tokens=False)[0] for name in names]
        own = torch.softmax(logits[codes].double(), dim=0).numpy()
        np.testing.assert_allclose(shares, own, atol=1e-5)


def test_a_head_without_its_language_model_is_asked_the_same(kept):
    """The rows of an untied `lm_head` are kept with it."""
    model = local_model(f"toy={kept['untied'].parent / 'untied-decoder'}")
    whole = strategies.get("zero_shot").fit(ToyRun(kept["untied"].parent, model))
    whole.positions = 2048
    loaded = strategies.load_predictor(kept["untied"])
    assert loaded.form == "head" and (kept["untied"] / typed_questions.ROWS).is_file()
    for own, other in zip(
        whole.asker.ask("music", THREE).shares, loaded.asker.ask("music", THREE).shares, strict=True
    ):
        np.testing.assert_allclose(own, other, atol=1e-5)
    (kept["untied"] / typed_questions.ROWS).unlink()
    assert strategies.load_predictor(kept["untied"]).asker is None


def test_a_state_that_is_too_long_is_refused_whole(asking, predictor, monkeypatch):
    with pytest.raises(TooLong, match=r"longest question takes .* of at most 16,383"):
        asking.asker.ask("planet " * POSITIONS, THREE)
    with service(asking, max_chars=10 * POSITIONS) as to:
        body = one({"type": "noul", "instructions": "?"}, state="planet " * POSITIONS)
        refused(send(to, body=body), 413, "request_too_large")
        assert send(to, body={**body, "state": "planet"}).status_code == 200
        monkeypatch.setattr(typed_questions, "MOST_TOKENS", 50)
        body["questions"] = {str(i): body["questions"]["q"] for i in range(10)}
        said = refused(send(to, body={**body, "state": "planet"}), 413, "request_too_large")
        assert "of at most 50" in said


def test_a_state_that_is_too_long_is_not_read_for_each_question(asking, monkeypatch):
    read, tokenizer = [], asking.asker._tokenizer

    def reading(texts, **more):
        read.extend(texts)
        return tokenizer(texts, **more)

    monkeypatch.setattr(asking.asker, "_tokenizer", reading)
    longest = asked(CHOICE, "x" * 50, "y", instructions="Which of them?")
    with pytest.raises(TooLong, match="of at most 16,383"):
        asking.asker.ask("planet " * POSITIONS, [*THREE, longest] * 3)
    (told,) = read
    assert "Which of them?" in told


def test_what_was_read_of_one_state_says_nothing_of_another(predictor):
    asker = predictor.asker
    first = asker.ask("prize click offer cash", THREE)
    asker.ask("比赛 球队 冠军", THREE)
    for own, other in zip(
        first.shares, asker.ask("prize click offer cash", THREE).shares, strict=True
    ):
        np.testing.assert_allclose(own, other, atol=1e-6)


def test_one_that_thinks_is_asked_without_thinking(kept, predictor):
    loaded = strategies.load_predictor(kept["thinking"])
    assert loaded.form == "generation"
    for own, other in zip(
        loaded.asker.ask("music", THREE).shares,
        predictor.asker.ask("music", THREE).shares,
        strict=True,
    ):
        np.testing.assert_allclose(own, other, atol=1e-5)


def test_a_taught_arm_is_asked_nothing_else(kept):
    from suite.strategies.asking import prompted

    assert prompted.load(kept["tied"], "sft").asker is None


# ---------------------------------------------------------------- others' clients


@contextlib.contextmanager
def listening(to):
    """A service behind a port of this machine; its address."""
    from suite.serving.http.run import address_of, bind

    sock = bind("127.0.0.1", 0)
    config = uvicorn.Config(create_app(to), log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([sock],), daemon=True)
    thread.start()
    until = time.monotonic() + PATIENCE
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    try:
        yield address_of(sock)
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        sock.close()


@pytest.mark.parametrize("key", [None, "a-key"])
def test_the_asking_arm_conforms(asking, key):
    """By the public conformance suite: every rule, MUST and SHOULD."""
    runner = pytest.importorskip("jevcompat.runner")
    guard = Guard(token=None if key is None else key.encode())
    with service(asking, guard=guard) as to, listening(to) as address:
        report = runner.run(address, key=key, timeout=PATIENCE)
    failed = [(r.id, f.message) for r in report.results for f in r.findings]
    assert not failed and report.conformant, (failed, report.aborted, report.inconclusive)
    told = report.summary()
    assert (told["MUST"]["passed"], told["MUST"]["failed"]) == (32, 0)
    assert (told["SHOULD"]["passed"], told["SHOULD"]["failed"]) == (13 if key is None else 15, 0)


def test_a_trained_arm_s_answers_are_valid_to_the_public_suite():
    client = pytest.importorskip("jevcompat.client")
    from jevcompat import validate

    questions = {
        "all": choice(*LABELS, instructions="Which?"),
        "some": choice("spam", "球 sport"),
        "yes": {"type": "noul", "criteria": {"true": "spam"}},
    }
    with service() as to, listening(to) as address:
        asking = client.Client(address)
        answer = asking.ask(questions, "a text", x_trace="1")
        assert answer.status == 200
        assert validate.validate_success({"questions": questions}, answer) == []
        invalid = [
            asking.ask({"q": choice("eggs", "ham")}, "a text"),
            asking.ask({"q": {"type": "score", "criteria": ["a", "b"]}}, "a text"),
            asking.ask({}, "a text"),
        ]
        assert [f for one in invalid for f in validate.validate_validation_error(one)] == []
        unknown = asking.ask(questions, "a text", model="no-such-model")
        assert unknown.status == 404 and validate.validate_error_shape(unknown) == []


def test_the_official_client_reads_both_arms(asking):
    sdk = pytest.importorskip("typesafe_sdk")

    def client(address):
        return sdk.TypeSafeClient(api_key="none", base_url=address)

    with service() as to, listening(to) as address, client(address) as client_of:
        question = sdk.Choice(criteria=dict.fromkeys(LABELS))
        found = client_of.system_one(state="x" * 2000, questions={"q": question})
        assert found.choices["q"].choice == "ham"
        assert next(model.name for model in client_of.models.list().models) == "mail"
        wrong = sdk.Choice(criteria={"eggs": None})
        with pytest.raises(sdk.TypeSafeUnprocessableEntityError, match="eggs"):
            client_of.system_one(state="x", questions={"q": wrong})
    with service(asking) as to, listening(to) as address, client(address) as client_of:
        found = client_of.system_one(
            state={"subject": "x"},
            questions={"n": sdk.Noul(instructions="?"), "s": sdk.Score(criteria=["a", "b"])},
        )
        assert 0 <= found.nouls["n"].noul <= 1
        assert found.scores["s"].legend == {0: "a", 1: "b"}
