"""Servers that nobody here wrote: the shapes of their answers, and one that is really there.

llama-cpp-python 0.3.36 and `transformers serve` of transformers 5.6.0 were met; what they answered
is written down here in values of our own. vLLM's and SGLang's shapes are by their documentation:
neither was seen.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from tiny_decoders import ToyRun, task

from suite.contracts.model import Model
from suite.endpoint import consent
from suite.endpoint.answer import read_answer, said_in
from suite.prompting.layout import Variant
from suite.strategies.asking.endpoint_answers import BELOW_THE_LEAST
from suite.strategies.asking.endpoint_predictor import EndpointPredictor, for_task

pytestmark = pytest.mark.usefixtures("loopback")


def predictor(url, of, name="toy", **changes):
    served = Model(name="served", family="decoder", endpoint=url, endpoint_model=name)
    question = for_task(of, Variant(), think=False)
    return EndpointPredictor(served, of, question, keep=False, **changes)


def listed(token, logprob, **more):
    return {"token": token, "logprob": logprob, **more}


def answered(message, logprobs, **more):
    """What every server puts around an answer, and what only this one does."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    if logprobs is not None:
        choice["logprobs"] = logprobs
    usage = {"prompt_tokens": 40, "completion_tokens": 1, "total_tokens": 41}
    found = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "usage": usage}
    return found | {"choices": [choice | more.pop("choice", {})]} | more


ALTERNATIVES = (("B", -0.2), (" A", -2.0), ("The", -3.0))

MET = {
    "llama-cpp-python": answered(
        {"content": "B"},
        {
            "content": [
                listed("B", -0.2, bytes=None)
                | {"top_logprobs": [listed(t, p, bytes=None) for t, p in ALTERNATIVES]}
            ],
            "refusal": None,
        },
    ),
    # No logprobs, whether they are asked for or not; what is None is left out.
    "transformers serve": answered({"content": "B. Spam"}, None),
}
BY_THEIR_DOCUMENTATION = {
    "vLLM": answered(
        {"content": "B", "refusal": None, "tool_calls": [], "reasoning": None},
        {
            "content": [
                listed("B", -0.2, bytes=[66])
                | {
                    "top_logprobs": [
                        *(listed(t, p, bytes=list(t.encode())) for t, p in ALTERNATIVES),
                        listed("never", -9999.0, bytes=None),  # what it writes for minus infinity
                    ]
                }
            ]
        },
        choice={"stop_reason": None, "token_ids": None},
        prompt_logprobs=None,
        kv_transfer_params=None,
    ),
    "SGLang": answered(
        {"content": "B", "reasoning_content": None, "tool_calls": None},
        {
            "content": [
                listed("B", -0.2, bytes=[66])
                | {"top_logprobs": [listed(t, p, bytes=[]) for t, p in ALTERNATIVES]}
            ]
        },
        choice={"matched_stop": 7},
        metadata={"weight_version": "default"},
    ),
}


@pytest.mark.parametrize("server", [*MET, *BY_THEIR_DOCUMENTATION])
def test_an_answer_is_read_whatever_stands_around_it(server):
    found = read_answer((MET | BY_THEIR_DOCUMENTATION)[server], 0.1)
    assert (found.text[0], found.prompt_tokens, found.finish_reason) == ("B", 40, "stop")
    asked = predictor("http://127.0.0.1:9", task(classes=3))
    scores = asked._scored(found)
    if server == "transformers serve":
        assert scores is None and found.reasoning is None
        return
    # The third option is not among them: below the least that is a probability.
    assert scores.tolist() == pytest.approx([-2.0, -0.2, -3.0 - BELOW_THE_LEAST])


def test_tokens_that_are_told_by_number_leave_the_text():
    """vLLM with --return-tokens-as-token-ids."""
    found = MET["llama-cpp-python"]["choices"][0]
    numbered = {
        "content": [listed("token_id:33", -0.2, top_logprobs=[listed("token_id:33", -0.2)])]
    }
    read = read_answer({"choices": [found | {"logprobs": numbered}]}, 0.1)
    asked = predictor("http://127.0.0.1:9", task(classes=2))
    assert asked._scored(read) is None and read.text == "B"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        # llama-cpp-python, `transformers serve`; vLLM before and after; whatever pydantic refuses.
        ('{"error": {"message": "no logprobs", "type": "internal_server_error"}}', "no logprobs"),
        ('{"detail": "Unexpected fields: x"}', "Unexpected fields: x"),
        ('{"object": "error", "message": "top_logprobs is too much", "code": 400}', "top_logprobs"),
        ('{"error": {"message": "at most 20", "type": "BadRequestError", "code": 400}}', "at most"),
        ('{"detail": [{"loc": ["body", "temperature"], "msg": "no"}]}', "temperature"),
    ],
)
def test_what_a_refusal_says_is_found(body, says):
    assert says in said_in(body)


def test_a_list_of_what_is_wrong_is_a_sentence():
    found = [
        {"loc": ["body", "questions", "q", "choices", 1], "msg": "no label", "type": "unknown"},
        {"loc": ["body"], "msg": "nothing is asked", "type": "value_error"},
        "and so on",
    ]
    said = "questions.q.choices.1: no label; nothing is asked; and so on"
    assert said_in(json.dumps({"detail": found})) == said
    assert said_in(json.dumps({"error": {"message": found * 2}})).endswith(
        "; questions.q.choices.1: no label; and 2 more"
    )
    assert said_in('{"detail": [[1]]}') == "[[1]]"


# ---------------------------------------------------------------- a server that is there

URL = os.environ.get("SUITE_SERVER")
NAME = os.environ.get("SUITE_SERVER_MODEL", "")
FOLDER = os.environ.get("SUITE_SERVER_FOLDER")
ROWS = 50


@pytest.mark.slow
@pytest.mark.skipif(not URL, reason="SUITE_SERVER names no server (http://127.0.0.1:8000/v1)")
def test_a_real_server_answers_as_the_same_weights_do_here(folder):
    """With SUITE_SERVER_MODEL, and SUITE_SERVER_FOLDER for the same weights in a folder."""
    from suite.config.task import find_task
    from suite.data.sample import generate, sample_task
    from suite.models.catalogue import local_model
    from suite.strategies import get

    news = sample_task(find_task("agnews")[0])
    rows, texts = generate("en")[0], list(generate("en")[2].texts[:ROWS])
    with consent.held(consent.Consent(named=[URL.split("//")[-1].split("/")[0]])):
        served = predictor(URL, news, NAME, timeout=600, concurrency=2)
        assert served.endpoint.check() is None
        found = served.predict_proba(texts)
    given = found.sum(axis=1) > 0
    np.testing.assert_allclose(found[given].sum(axis=1), 1, atol=1e-5)
    assert served.facts["unanswered_rate"] == pytest.approx(1 - given.mean())
    if not FOLDER:
        pytest.skip("it answers; SUITE_SERVER_FOLDER names no folder of its weights to compare")
    if served.facts["with_logprobs"] < ROWS:
        pytest.skip("it gives no log-probabilities: what it writes is read instead")
    local = get("zero_shot").fit(
        ToyRun(folder, local_model(f"here={Path(FOLDER)}"), task=news, train=rows)
    )
    same = found.argmax(axis=1) == local.predict_proba(texts).argmax(axis=1)
    assert same.mean() >= 0.98
