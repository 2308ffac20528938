"""Our own server, asked by our own arm: a trained arm answers through it as it does by itself."""

import pytest
from test_decision_routes import LABELS, ROW, listening, service

from suite.contracts.strategy import Rows
from suite.contracts.task import Task
from suite.errors import EndpointError
from suite.strategies.asking.decision_predictor import DecisionPredictor, Settings
from suite.strategies.asking.decision_question import Knobs, of_task

pytestmark = pytest.mark.usefixtures("loopback", "one_thread")


def task(display=None):
    return Task.model_validate(
        {
            "name": "mail", "title": "Mail", "language": "en",
            "labels": [{"name": name, **({"display": display + name} if display else {})}
                       for name in LABELS],
            "data": {"folder": "data", "licence": "made for the tests"},
        }
    )  # fmt: skip


TASK, SHOWN = task(), task("all ")


def asked(url, of=TASK, **knobs):
    put = of_task(of, Knobs(**knobs), Rows(("a", "b"), (0, 1)), 0)
    return DecisionPredictor(Settings(url, "jev-latest", put, 100))


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    monkeypatch.delenv("SUITE_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path))


@pytest.mark.parametrize("end", ["", "/v1/systemone", "/v1/decisions"])
def test_a_served_arm_is_asked_in_either_shape(end):
    with service() as to, listening(to) as address:
        made = asked(address + end, order="reversed")
        found = made.predict_proba(["my text", "another"])
        assert abs(found - ROW).max() < 1e-6
        assert made.facts["unanswered_rate"] == 0 and made.facts["prompt_tokens_per_text"] > 0


@pytest.mark.parametrize("end", ["", "/v1/systemone", "/v1/decisions"])
def test_yes_or_no_is_asked_by_a_label_where_a_server_knows_these_alone(end):
    with service() as to, listening(to) as address:
        made = asked(address + end, form="yes_no", order="reversed", descriptions="words")
        found = made.predict_proba(["my text", "another"])
        assert abs(found - ROW).max() < 1e-6
        assert made.facts["calls_per_text"] == 1 and made.facts["unanswered_rate"] == 0
        # What was learnt of it for a choice, or by another process, says nothing else.
        assert abs(asked(address + end).predict_proba(["my text"]) - ROW).max() < 1e-6
        before = made.facts["endpoint"]["asked"]
        again = asked(address + end, form="yes_no")
        assert abs(again.predict_proba(["a third"]) - ROW).max() < 1e-6
        assert again.facts["endpoint"]["asked"] == 1 < before


@pytest.mark.parametrize("form", ["choice", "yes_no"])
@pytest.mark.parametrize("end", ["", "/v1/systemone", "/v1/decisions"])
def test_labels_that_are_shown_otherwise_go_by_the_names_that_a_server_knows(end, form, tmp_path):
    with service() as to, listening(to) as address:
        made = asked(address + end, SHOWN, form=form, order="reversed")
        assert [one.name for one in made.settings.asked.labels] == [f"all {n}" for n in LABELS]
        assert abs(made.predict_proba(["my text", "another"]) - ROW).max() < 1e-6
        assert made.facts["unanswered_rate"] == 0
        made.save(tmp_path / "kept")
        again = DecisionPredictor.load(tmp_path / "kept")
        assert abs(again.predict_proba(["a third"]) - ROW).max() < 1e-6
        assert again.facts["endpoint"]["asked"] == 1


def test_what_was_learnt_of_an_address_is_doubted_once_where_all_is_refused():
    """Another model may be there by now, or a question be another one."""
    with service() as to, listening(to) as address:
        assert abs(asked(address).predict_proba(["my text"]) - ROW).max() < 1e-6
        made = asked(address, SHOWN)
        assert abs(made.predict_proba(["my text", "another"]) - ROW).max() < 1e-6
        made = asked(address, task("any "))
        assert abs(made.predict_proba(["my text", "another"]) - ROW).max() < 1e-6


def test_what_it_does_not_know_is_told_by_name():
    told = pytest.raises(EndpointError, match=r"HTTP 422.*None of these")
    with service() as to, listening(to) as address, told:
        asked(address, none_of_these=True).predict_proba(["a text"])
