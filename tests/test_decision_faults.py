"""Every fault of jevcompat's reference server, and what becomes of the arm that asks it.

The reference answers by a hash of what it is asked, so the clean server's probabilities are the
truth: under a fault the arm gives those, or none, or fails with the reason. It gives others only
where the fault feeds the model something else, which nobody can see.
"""

import threading
from contextlib import contextmanager

import numpy as np
import pytest
from conftest import PATIENCE

from suite.contracts.strategy import Rows
from suite.contracts.task import Task
from suite.errors import EndpointError
from suite.strategies.asking.decision_predictor import DecisionPredictor, Settings
from suite.strategies.asking.decision_question import Knobs, of_task

mock = pytest.importorskip("jevcompat.mock", reason="jevcompat is not installed")

pytestmark = pytest.mark.usefixtures("loopback")

KEY = "sk-of-the-reference"
TEXTS = ["Oil prices fall as supply grows", "two goals in the last minute", "naïve café", ""]

SAME, OTHER = "the clean server's answers", "answers to what else it is fed"
#: What the trial's error says, by fault; where it differs, of one choice and of yes or no.
OUTCOMES = {
    "wrong-route": "knows no such address",
    "xssi-200": "no whole JSON",
    "auth-rejects-header": "refuses the key",
    "auth-x-api-key": "refuses the key",
    "reject-jev-latest": "no model 'jev-latest'",
    "first-question-only": (SAME, "with nothing to the question 'class1'"),
    "nfd-keys": ("without a probability of 'Café", SAME),
    "no-null-description": (OTHER, SAME),
    "boolean-type": (SAME, "with the type 'boolean'"),
    "noul-range": (SAME, "for a probability"),
    "choice-key-case": ("without a probability of 'World'", SAME),
    "choice-sum": ("with probabilities that sum to 1.2", SAME),
    "id-leaks": OTHER,
    "batch-leaks": OTHER,
    "order-leaks": OTHER,
}


@contextmanager
def reference(*faults, **config):
    made = mock.make_server(mock.MockConfig(faults=frozenset(faults), **config))
    thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.server_port}"
    finally:
        made.shutdown()
        made.server_close()
        thread.join()


def task(*names):
    return Task.model_validate(
        {
            "name": "toy", "title": "Toy", "language": "en", "max_tokens": 32,
            "labels": [{"name": name} for name in names],
            "data": {"folder": "data", "licence": "made for the tests"},
        }
    )  # fmt: skip


def asked(url, of, texts, **knobs):
    put = of_task(of, Knobs(descriptions="none", **knobs), Rows(("a", "b"), (0, 1)), 0)
    made = DecisionPredictor(Settings(url, "jev-latest", put, 100, timeout=PATIENCE))
    made.endpoint._patience.backoff = 0.005
    return made.predict_proba(texts), made.facts


@pytest.fixture
def key(monkeypatch, tmp_path):
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SUITE_API_KEY", KEY)


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    """What the clean server says, by form."""
    from suite.endpoint import consent

    with pytest.MonkeyPatch.context() as patch, reference() as url:
        patch.setenv("SUITE_CACHE", str(tmp_path_factory.mktemp("cache")))
        with consent.held(consent.Consent(named=["127.0.0.1"])):
            of = task("World", "Sports", "Café")
            return {f: asked(url, of, TEXTS, form=f)[0] for f in ("choice", "yes_no")}


@pytest.mark.parametrize("form", ["choice", "yes_no"])
@pytest.mark.parametrize("fault", list(mock.FAULTS))
def test_a_fault_costs_answers_and_gives_no_wrong_ones(fault, form, truth, key):
    outcome = OUTCOMES.get(fault, SAME)
    if isinstance(outcome, tuple):
        outcome = outcome[form == "yes_no"]
    # What a fault does with a key shows where there is one.
    with reference(fault, key=None if fault == "auth-rejects-header" else KEY) as url:
        if outcome in (SAME, OTHER):
            found, facts = asked(url, task("World", "Sports", "Café"), TEXTS, form=form)
            assert facts["unanswered_rate"] == 0
            assert np.allclose(found, truth[form], atol=1e-6) is (outcome == SAME)
        else:
            with pytest.raises(EndpointError) as caught:
                asked(url, task("World", "Sports", "Café"), TEXTS, form=form)
            assert outcome in str(caught.value).replace("\u0301", "").replace("Cafe", "Café")
            assert KEY not in str(caught.value)


def test_there_are_no_other_faults():
    assert len(mock.FAULTS) == 47 and set(OUTCOMES) <= set(mock.FAULTS)


def test_its_limit_is_found_and_asked_around(key):
    of = task(*(f"label {n}" for n in range(70)))
    with reference("cap-64", key=KEY) as url:
        found, facts = asked(url, of, TEXTS)
        assert facts["endpoint"]["most_options"] == 64 and facts["calls_per_text"] == 2
    with reference(key=KEY) as url:
        whole, _ = asked(url, of, TEXTS)
    assert found.argmax(axis=1).tolist() == whole.argmax(axis=1).tolist()
    assert found.sum(axis=1) == pytest.approx(1.0)


def test_a_busy_one_is_waited_for(key, truth):
    with reference(key=KEY, busy_every=2) as url:
        found, facts = asked(url, task("World", "Sports", "Café"), TEXTS, form="choice")
    assert np.allclose(found, truth["choice"], atol=1e-6)
    assert facts["endpoint"]["retried"] >= 4


def test_a_wrong_key_is_told_and_not_repeated(monkeypatch, tmp_path):
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SUITE_API_KEY", "sk-another-one")
    with reference(key=KEY) as url, pytest.raises(EndpointError, match="refuses the key") as caught:
        asked(url, task("a", "b"), TEXTS)
    assert "sk-another-one" not in str(caught.value)
