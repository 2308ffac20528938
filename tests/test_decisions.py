"""Decision servers: both shapes, limits, what becomes of odd answers; and their arm."""

import asyncio
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import PATIENCE, command_line, write_recipe
from decision_server import LIKELY, deciding

from suite import strategies
from suite.child.runner import Runner
from suite.config.recipe import Recipe
from suite.contracts.decisions import Choice, Option, YesNo
from suite.contracts.model import Model
from suite.contracts.strategy import Rows
from suite.contracts.task import Task
from suite.endpoint import reach
from suite.endpoint.address import decision_address
from suite.endpoint.decider import NEUTRAL, Decider, Inquiry, _fewer, decided
from suite.endpoint.decision_shapes import Manner, Unusable, read, request
from suite.endpoint.exchange import Response, TryAgain
from suite.errors import EndpointError, ModelError
from suite.models.catalogue import decision_model
from suite.report.words import words_of
from suite.strategies.asking import decision, decision_levels
from suite.strategies.asking.decision_predictor import DecisionPredictor, Settings
from suite.strategies.asking.decision_question import Knobs, marking, of_task
from suite.study import arms

pytestmark = pytest.mark.usefixtures("loopback")

QUICK = {"timeout": PATIENCE, "backoff": 0.01}
EITHER = pytest.mark.parametrize("shape", ["systemone", "decisions"])


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """No key, and answers of this test alone."""
    for name in ("SUITE_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))
    reach.forget()


def task(classes=2, **changes):
    names = ["ham", "spam", *(f"c{number}" for number in range(2, classes))][:classes]
    about = changes.pop("about", None)
    labels = [{"name": name} | ({"description": about} if about else {}) for name in names]
    given = {
        "name": "toy",
        "title": "Toy",
        "language": "en",
        "labels": labels,
        "max_tokens": 32,
        "data": {"folder": "data", "licence": "made for the tests"},
    }
    return Task.model_validate(given | changes)


TRAIN = Rows(("my ham lunch", "a ham garden lunch", "spam offer", "spam click offer"), (0, 0, 1, 1))


def predictor(one, of=None, *, keep=True, timeout=PATIENCE, **knobs):
    of = of or task()
    asked = of_task(of, Knobs(**knobs), TRAIN, 0)
    made = DecisionPredictor(Settings(one.url, "toy", asked, 100, timeout=timeout), keep=keep)
    made.endpoint._patience.backoff = 0.01
    return made


def options(count):
    return tuple(Option(f"o{number}") for number in range(count))


CHOICE = Choice("q", "Which?", (Option("a", "first"), Option("b")))
YES = YesNo("y", "Is it?", "if so")


# ---------------------------------------------------------------- shapes


def test_both_shapes_ask_the_same():
    assert request("systemone", "m", "text", [CHOICE, YES]) == {
        "model": "m",
        "state": "text",
        "questions": {
            "q": {
                "type": "choice",
                "instructions": "Which?",
                "criteria": {"a": "first", "b": None},
            },
            "y": {"type": "noul", "instructions": "Is it?", "criteria": {"true": "if so"}},
        },
    }
    assert request("decisions", "m", "text", [CHOICE, YES]) == {
        "model": "m",
        "input": "text",
        "questions": [
            {
                "type": "choice",
                "name": "q",
                "instructions": "Which?",
                "choices": [{"value": "a", "description": "first"}, {"value": "b"}],
            },
            {"type": "predicate", "name": "y", "instructions": "Is it?\nif so"},
        ],
    }


def test_yes_or_no_may_be_asked_by_a_label_alone():
    yes, by_label = replace(YES, label="spam"), Manner(by_label=True)
    asked = request("systemone", "m", "text", [CHOICE, yes], by_label)["questions"]
    assert asked["y"] == {"type": "noul", "instructions": "Is it?", "criteria": {"true": "spam"}}
    assert asked["q"] == request("systemone", "m", "text", [CHOICE])["questions"]["q"]
    (asked,) = request("decisions", "m", "text", [yes], by_label)["questions"]
    assert asked == {"type": "predicate", "name": "y", "instructions": "spam"}


def told(probabilities, **more):
    return {"answers": {"q": {"type": "choice", "probabilities": probabilities} | more}}


def test_probabilities_are_read_and_nothing_else():
    found = read("systemone", told({"b": 0.25, "a": 0.75}, choice="b", confidence=9), [CHOICE])
    assert found.answers == ((0.75, 0.25),)
    listed = [{"value": "b", "probability": 0.25}, {"value": "a", "probability": 0.75}]
    answers = [
        {"type": "predicate", "name": "y", "probability": 0.9},
        {"type": "choice", "name": "q", "probabilities": listed},
    ]
    usage = {"input_tokens": 7, "output_tokens": True}
    whole = {"model": "toy-1", "answers": answers, "usage": usage}
    found = read("decisions", whole, [CHOICE, YES])
    assert found.answers == ((0.75, 0.25), (0.9,))
    assert (found.model, found.input_tokens, found.output_tokens) == ("toy-1", 7, None)
    nothing = whole | {"usage": {"input_tokens": 0, "output_tokens": 0}}
    found = read("decisions", nothing, [CHOICE, YES])
    assert (found.input_tokens, found.output_tokens) == (None, None)  # it does not count
    long = read("decisions", whole | {"model": "\x1b[31m" + "m" * 10_000}, [CHOICE, YES])
    assert len(long.model) == 100 and long.model.isprintable()
    refused = {"answers": [{"type": "refusal", "name": "q", "refusal": "no"}]}
    assert read("decisions", refused, [CHOICE]).answers == (None,)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, "without answers by name"),
        ([], "without answers by name"),
        ({"answers": {}}, "with nothing to the question 'q'"),
        ({"answers": {"q": {"type": "score"}}}, "with the type 'score'"),
        ({"answers": {"q": {"type": "choice", "choice": "a"}}}, "without probabilities"),
        (told({"a": 1.0}), "without a probability of 'b'"),
        (told({"a": 1.0, "b": 0.0, "c": 0.0}), "with a probability of 'c', which is no option"),
        (told({"a": float("nan"), "b": 1.0}), "with nan for a probability"),
        (told({"a": None, "b": 1.0}), "with None for a probability"),
        (told({"a": "0.5", "b": 0.5}), "with '0.5' for a probability"),
        (told({"a": True, "b": 0.0}), "with True for a probability"),
        (told({"a": 1.5, "b": 0.5}), "with 1.5 for a probability"),
        (told({"a": -0.5, "b": 0.5}), "with -0.5 for a probability"),
        (told({"a": 0.6, "b": 0.3}), "with probabilities that sum to 0.9"),
        (told({"a": 0.0, "b": 0.0}), "with probabilities that sum to 0"),
        (told({"a": 1.0, "b": 1.0}), "with probabilities that sum to 2"),
    ],
)
def test_what_is_no_answer_is_told(found, said):
    with pytest.raises(Unusable, match=said):
        read("systemone", found, [CHOICE])


@pytest.mark.parametrize(
    "answers",
    [
        None,
        {"q": {}},
        [{"type": "choice", "name": "q"}, {"type": "choice", "name": "q"}],
        [{"type": "choice", "name": 3}],
        [{"name": "q", "type": "choice", "probabilities": [{"value": 1, "probability": 1}]}],
    ],
)
def test_what_is_no_list_of_answers_is_told(answers):
    with pytest.raises(Unusable):
        read("decisions", {"answers": answers}, [CHOICE])


def test_rounding_takes_from_a_sum_and_is_given_back():
    many = Choice("q", "Which?", options(101))
    # 0.4 each of a hundred unlikely ones is rounded away.
    given = {option.name: 0.0 for option in many.options} | {"o3": 0.6}
    assert read("systemone", told(given), [many]).answers[0][3] == 1.0
    precise = {option.name: 0.0 for option in many.options} | {"o3": 0.6004217}
    with pytest.raises(Unusable, match=r"sum to 0\.6004"):
        read("systemone", told(precise), [many])


@pytest.mark.parametrize(
    ("given", "base", "shape"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1", None),
        ("https://host/inference/v1/", "https://host/inference/v1", None),
        ("https://Host/v2/systemone", "https://host/v2", "systemone"),
        ("https://host/alpha/decisions/", "https://host/alpha", "decisions"),
    ],
)
def test_an_address_may_end_where_it_is_asked(given, base, shape):
    assert decision_address(given) == (base, shape)


# ---------------------------------------------------------------- the client


@EITHER
def test_a_server_is_asked_in_its_shape_which_is_remembered(shape, tmp_path):
    wishes = [Inquiry(f"b {n}", (CHOICE,)) for n in range(4)]
    with deciding(shape) as one:
        with Decider(one.url, "toy", cache=tmp_path, **QUICK) as asked:
            found = [decided(answer) for answer in asked.ask(wishes)]
            assert [f.answers[0] for f in found] == [pytest.approx((0.2, 0.8))] * 4
            assert {f.model for f in found} == {"toy-1.0"}
            assert asked.facts["shape"] == shape
            # One question about nothing, and one about each text.
            assert asked.facts["asked"] == len(one.answered) == 5
            assert one.texts()[0] == NEUTRAL
        before = len(one.requests)
        assert before == 5 + (shape == "decisions")
        with Decider(one.url, "toy", cache=tmp_path, **QUICK) as asked:
            again = [decided(answer) for answer in asked.ask([*wishes, Inquiry("a", (CHOICE,))])]
            assert [f.answers for f in again[:4]] == [f.answers for f in found]
            assert asked.facts["from_cache"] == 4 and len(one.requests) == before + 1
            assert one.requests[-1][0] == shape
    # What is known is known without the server.
    with Decider(one.url, "toy", cache=tmp_path, **QUICK) as asked:
        assert decided(asked.ask(wishes[:1])[0]).answers == found[0].answers


def test_another_version_of_a_server_is_found_out_anew(tmp_path):
    with deciding("systemone") as one:
        with Decider(one.url, "toy", cache=tmp_path, **QUICK) as asked:
            asked.ask([Inquiry("a", (CHOICE,))])
            one.shapes = ("decisions",)
            with pytest.raises(EndpointError, match="no such address"):
                asked.ask([Inquiry("b", (CHOICE,))])
        with Decider(one.url, "toy", cache=tmp_path, **QUICK) as asked:
            assert decided(asked.ask([Inquiry("b", (CHOICE,))])[0]).answers[0][1] == LIKELY
            assert asked.facts["shape"] == "decisions"


def test_what_is_under_way_goes_on_where_another_request_found_the_server_gone(tmp_path):
    quick = QUICK | {"concurrency": 2}
    with deciding("systemone") as one, Decider(one.url, "toy", cache=tmp_path, **quick) as asked:
        asked.most_options(CHOICE)
        real, broken = asked._exchange, []

        async def exchange(door, wish, ends):
            if wish.text == "a":
                while not broken:  # until the other is under way
                    await asyncio.sleep(0)
                return Response(404, {}, "{}", door.url)
            if not broken:
                broken.append(wish)
                while asked._known().door is not None:
                    await asyncio.sleep(0)
                raise TryAgain("broke the connection")
            return await real(door, wish, ends)

        asked._exchange = exchange
        with pytest.raises(EndpointError, match="no such address"):
            asked.ask([Inquiry("a", (CHOICE,)), Inquiry("b", (CHOICE,))])
        assert one.texts() == [NEUTRAL, "b"]  # it may be paid for, and is kept
        asked._exchange = real
        asked.ask([Inquiry("b", (CHOICE,))])
        assert one.texts() == [NEUTRAL, "b", NEUTRAL]


@EITHER
@pytest.mark.parametrize(
    ("limit", "said", "most"),
    [(26, "at most 26 options, not 77", 26), (50, "Unprocessable", 50), (30, "no", 26), (2, "", 2)],
)
def test_the_limit_of_options_is_learnt_from_what_is_refused(shape, limit, said, most, tmp_path):
    many = Choice("q", "Which?", options(77))
    with deciding(shape, options=limit, said=said) as one:
        with Decider(one.url, "toy", cache=tmp_path, **QUICK) as asked:
            assert asked.most_options(many) == most
            assert asked.facts["most_options"] == most
            asking = len(one.requests)
            assert asked.most_options(many) == most
            assert asked.most_options(Choice("r", "What?", options(most))) == most
        with Decider(one.url, "toy", cache=tmp_path, **QUICK) as asked:
            assert asked.most_options(many) == most
        assert len(one.requests) == asking
        if said.startswith("at most"):  # what it names is tried before what is usual
            assert len(one.answered) == 3 and asking <= 9


def test_an_option_that_is_refused_by_itself_is_no_limit(tmp_path):
    banned = deciding("systemone", banned="o9")
    with banned as one, Decider(one.url, "toy", cache=tmp_path, **QUICK) as asked:
        with pytest.raises(EndpointError, match="HTTP 422: o9 is no option here"):
            asked.most_options(Choice("q", "Which?", options(10)))
        assert asked.facts["most_options"] is None
        assert asked.most_options(Choice("q", "Which?", options(9))) == 9


def test_fewer_are_tried_as_named_and_as_usual():
    assert _fewer(77, 2, "at most 60 options, got 77")[:4] == [64, 60, 50, 32]
    assert min(_fewer(77, 20, "")) == 26
    # One that names every option is no reason to try every number.
    named = ", ".join(f"o{number}" for number in range(999, 0, -1))
    assert len(_fewer(1000, 2, f"unknown options: {named}")) < 30


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"models": ("other",)}, "no such address or no model 'toy'.*Mend --decision"),
        ({"key": "k"}, "refuses requests without a key"),
        ({"options": 1, "said": "no choices"}, r"refuses the request \(HTTP 422: no choices\)"),
        ({"mode": "sums"}, "answered with probabilities that sum to 0.5; asked 3 times"),
        ({"mode": "nan"}, "answered with nan for a probability; asked 3 times"),
        ({"mode": "missing"}, "without a probability of 'b'"),
        ({"mode": "extra"}, "'another', which is no option"),
        ({"mode": "error_as_200", "failures": 9}, "answered with an error .upstream is overloaded"),
    ],
)
def test_a_server_that_answers_nothing_of_use_is_left(changes, said):
    with deciding("systemone", **changes) as one, Decider(one.url, "toy", **QUICK) as asked:
        with pytest.raises(EndpointError, match=f"(?s){said}"):
            asked.ask([Inquiry("a text", (CHOICE,))])
        # No text has left before it was known that there are answers.
        assert {body.get("state", body.get("input")) for _, body in one.requests} == {NEUTRAL}


def test_no_such_server_is_told():
    with deciding() as one, Decider(one.url, "toy", **QUICK) as asked:
        with pytest.raises(EndpointError, match="no such address"):
            asked.ask([Inquiry("a", (CHOICE,))])
        assert [shape for shape, _ in one.requests] == ["systemone", "decisions"]


@pytest.mark.parametrize("status", [429, 529])
def test_a_busy_server_is_waited_for(status):
    """As long as it says: coming back then is no failure."""
    busy = deciding("systemone", mode="busy", failures=2, busy=status)
    with busy as one, Decider(one.url, "toy", retries=0, **QUICK) as asked:
        asked.ask([Inquiry("a", (CHOICE,))])
        assert asked.facts["retried"] == 2


def test_a_slow_server_is_left():
    with (
        deciding("systemone", mode="hangs") as one,
        Decider(one.url, "toy", timeout=1.0, retries=1, backoff=0.01) as asked,
        pytest.raises(EndpointError, match=r"did not answer within 1\.0 s; asked 2 times"),
    ):
        asked.ask([Inquiry("a slow one", (CHOICE,))])


def test_a_server_that_nobody_named_is_not_asked():
    from suite.endpoint import consent

    with deciding("systemone") as one, consent.held(consent.Consent()):
        with pytest.raises(EndpointError, match="nobody has allowed it"):
            Decider(one.url, "toy")
        assert not one.requests


def test_a_server_that_is_away_is_told_and_its_list_is_not_judged_by():
    with deciding("systemone", models=("big", "small")) as one:
        assert Decider(one.url, "big-1.2").check() is None
        url = one.url
    assert "can't be reached" in Decider(url, "toy").check()


def test_a_server_that_takes_no_null_is_sent_none(tmp_path):
    with deciding("systemone", nulls=False) as one:
        made = predictor(one, descriptions="none")
        assert made.predict_proba(["my ham", "such spam"]).argmax(axis=1).tolist() == [0, 1]
        criteria = one.answered[-1][1]["questions"]["class"]["criteria"]
        assert criteria == {"ham": "", "spam": ""}


# ---------------------------------------------------------------- the predictor


@EITHER
@pytest.mark.parametrize("form", ["choice", "yes_no"])
def test_labels_get_their_probabilities(shape, form):
    with deciding(shape) as one:
        made = predictor(one, task(3), form=form, order="reversed")
        found = made.predict_proba(["my ham", "such spam", "it is c2"])
    assert found.dtype == np.float32 and found.argmax(axis=1).tolist() == [0, 1, 2]
    assert found.sum(axis=1) == pytest.approx(1.0)
    assert found.max() == pytest.approx(0.8)  # of yes or no, .8 beside .1 and .1
    assert made.facts["unanswered_rate"] == 0 and made.facts["calls_per_text"] == 1
    assert made.facts["answered_by"] == ["toy-1.0"]
    shape, body = one.answered[-1]
    first = next(iter(body["questions"].values())) if shape == "systemone" else body["questions"][0]
    assert first["instructions"].startswith("Question: What is the most appropriate category")
    if form == "choice":
        listed = first.get("criteria", first.get("choices"))
        assert [o if isinstance(o, str) else o["value"] for o in listed] == ["c2", "spam", "ham"]


@pytest.mark.parametrize("none_of_these", [False, True])
@pytest.mark.parametrize("limit", [26, 8])
def test_more_labels_than_a_server_takes_are_asked_in_two_levels(limit, none_of_these):
    of = task(40)
    texts = [f"it is {label.name}" for label in of.labels]
    with deciding("systemone", options=limit, said=f"at most {limit}") as one:
        made = predictor(one, of, none_of_these=none_of_these, order="shuffled")
        found = made.predict_proba(texts)
        assert found.argmax(axis=1).tolist() == list(range(40))
        assert found.sum(axis=1) == pytest.approx(1.0) and (found > 0).all()
        assert made.facts["calls_per_text"] == 2
        assert made.facts["prompt_tokens_per_text"] == 80 and made.facts["tokens_per_text"] == 0
        assert made.facts["endpoint"]["most_options"] == limit
        # Besides the texts': 2 options, as many as it takes, the last of them, and the groups.
        assert len(one.answered) == 80 + 4
        assert made.predict_proba(texts).tolist() == found.tolist()
        assert len(one.answered) == 84
        # A trial's price is of all that it asked, whatever it scored last.
        asked = made.facts["endpoint"]
        assert (asked["asked"], asked["from_cache"], asked["prompt_tokens"]) == (84, 80, 84 * 40)


def test_labels_beyond_two_levels_are_refused_with_what_helps():
    with (
        deciding("systemone", options=5, said="") as one,
        pytest.raises(EndpointError, match=r"takes 5 options in a question.*30 classes") as caught,
    ):
        predictor(one, task(30)).predict_proba(["it is c3"])
    assert "只收 5 个选项" in words_of("zh").told(str(caught.value).splitlines()[0])


def test_more_questions_than_a_server_takes_are_asked_in_several_requests():
    of = task(12)
    with deciding("decisions", questions=5, said="at most 5 questions") as one:
        made = predictor(one, of, form="yes_no")
        found = made.predict_proba(["it is c7", "spam"])
        assert found.argmax(axis=1).tolist() == [7, 1]
        assert made.facts["calls_per_text"] == 3
        assert made.facts["endpoint"]["most_questions"] == 5


@pytest.mark.parametrize("mode", ["sums", "missing", "extra", "nan", "null", "above"])
def test_an_odd_answer_leaves_its_text_without_one(mode):
    with deciding("systemone", mode=f"odd_{mode}") as one:
        made = predictor(one)
        found = made.predict_proba(["my ham", "odd spam", "such spam"])
        assert found.argmax(axis=1).tolist() == [0, 0, 1]
        assert found[1].tolist() == [0.0, 0.0]
        assert made.facts["unusable_answers"] == 1
        assert made.facts["unanswered_rate"] == pytest.approx(1 / 3, abs=1e-6)
        # It is not kept: a server that is mended is asked again.
        one.mode = "good"
        assert made.predict_proba(["odd spam"]).argmax() == 1
        # And where nothing but nonsense came, there is no score.
        one.mode = f"odd_{mode}"
        with pytest.raises(EndpointError) as caught:
            made.predict_proba(["odd ham", "odd lunch"])
        told = str(caught.value)
        assert "none of 2 texts was answered: the server answered with" in told
        assert "2 条文本中没有一条得到回答" in words_of("zh").told(told)


@EITHER
def test_what_is_declined_or_refused_is_an_unanswered_row(shape):
    with deciding(shape, mode="declines") as one:
        made = predictor(one)
        found = made.predict_proba(["my ham", "a secret spam"])
        assert found.tolist() == [pytest.approx([0.8, 0.2]), [0.0, 0.0]]
        assert made.facts["refused_texts"] == 1
        asked = len(one.requests)
        made.predict_proba(["a secret spam"])  # it was paid for, and is kept
        assert len(one.requests) == asked
        one.mode = "too_long"
        found = made.predict_proba(["your ham", "spam " * 15])
        assert found.argmax(axis=1)[0] == 0 and found[1].tolist() == [0.0, 0.0]
        assert made.facts["refused_texts"] == 1


def test_what_goes_to_none_of_them_goes_to_no_label():
    with deciding("systemone") as one:
        made = predictor(one, none_of_these=True)
        (row,) = made.predict_proba(["ham"])
        assert row == pytest.approx([8 / 9, 1 / 9])  # of .8, .1, and .1 for none
        listed = one.answered[-1][1]["questions"]["class"]["criteria"]
        assert list(listed) == ["ham", "spam", "None of these"]


def test_a_kept_predictor_asks_the_same_and_keeps_no_key(tmp_path, monkeypatch):
    monkeypatch.setenv("SUITE_API_KEY", "sk-never-written-anywhere")
    with deciding("decisions", key="sk-never-written-anywhere") as one:
        made = predictor(one, task(about="mail of this kind"), descriptions="task")
        found = made.predict_proba(["my ham", "such spam"])
        strategies.save_predictor(made, "zero_shot", tmp_path / "kept")
        again = strategies.load_predictor(tmp_path / "kept", classes=2)
        assert again.predict_proba(["my ham", "such spam"]).tolist() == found.tolist()
        assert one.answered[-1][1]["questions"][0]["choices"][0] == {
            "value": "ham",
            "description": "mail of this kind",
        }
        measured, asked = again.to_measure(), len(one.answered)
        measured.predict_proba(["my ham", "my ham"])
        assert len(one.answered) == asked + 3  # nothing kept, nothing merged
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert files and not any(b"sk-never-written" in file.read_bytes() for file in files)
    from suite.serving.engines.kept import look

    assert look(tmp_path / "kept").kind == "endpoint"


@pytest.mark.parametrize(
    "change",
    [
        {"order": [0, 0]},
        {"instructions": []},
        {"none": "ham"},
        {"form": "score"},
        {"labels": [{"name": "ham", "about": None}]},
    ],
)
def test_a_damaged_folder_is_refused(tmp_path, change):
    with deciding("systemone") as one:
        made = predictor(one)
    made.save(tmp_path)
    kept = json.loads((tmp_path / "settings.json").read_text())
    kept["asked"] |= change
    (tmp_path / "settings.json").write_text(json.dumps(kept))
    with pytest.raises(ModelError):
        DecisionPredictor.load(tmp_path)


# ---------------------------------------------------------------- two levels


def test_groups_are_alike_and_few():
    assert [len(g) for g in decision_levels.groups(150, 26)] == [25] * 6
    assert decision_levels.groups(676, 26)[-1][-1] == 675
    assert decision_levels.groups(677, 26) == []


def test_the_second_level_decides_and_the_first_fills_in():
    cut = decision_levels.groups(6, 3)
    first = [np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.0, 0.8])]
    chosen = decision_levels.finalists(first, cut, 2)
    assert chosen == [0, 5]
    found = decision_levels.joined(first, cut, chosen, np.array([0.25, 0.75]))
    assert found == pytest.approx(np.array([2, 1, 1 / 3, 1.5, 0, 6]) / (3 + 1 / 3 + 7.5))
    gone = decision_levels.joined(first, cut, chosen, np.array([0.0, 0.0]))
    assert gone.tolist() == [0.0] * 6


# ---------------------------------------------------------------- the questions


def test_labels_are_described_by_the_task_or_by_training_rows():
    of = task(about="such mail")
    assert [o.about for o in of_task(of, Knobs(), TRAIN, 0).labels] == ["such mail"] * 2
    none = of_task(of, Knobs(descriptions="none"), TRAIN, 0)
    assert [option.about for option in none.labels] == [None, None]
    words = of_task(of, Knobs(descriptions="words"), TRAIN, 0).labels
    assert [option.about for option in words] == ["ham, lunch", "offer, spam"]
    shown = of_task(of, Knobs(descriptions="examples"), TRAIN, 0).labels
    assert all(text in shown[0].about for text in TRAIN.texts[:2])
    assert shown[0].about.startswith("Examples:")
    # Where rows say nothing, nothing is said.
    empty = Rows(("x1", "y2"), (0, 1))
    assert [o.about for o in of_task(of, Knobs(descriptions="words"), empty, 0).labels] == [
        None
    ] * 2


def test_a_script_without_spaces_is_described_by_pairs():
    rows = Rows(("天气预报说", "天气很好", "股票上涨", "股票下跌"), (0, 0, 1, 1))
    assert marking(rows, task(language="zh")) == [["天气"], ["股票"]]


def test_wordings_are_the_tasks():
    prompt = {"en": {"instruction": "Sort the mail.", "question": "Which kind?"}}
    of = task(prompt=prompt)

    def worded(**knobs):
        return of_task(of, Knobs(**knobs), TRAIN, 0).instructions

    assert worded() == ("Which kind?",)
    assert worded(wording="instruction") == ("Sort the mail.",)
    assert worded(wording="both") == ("Sort the mail.\nWhich kind?",)
    assert worded(form="yes_no")[1] == "Which kind?\nThe right answer is: spam"


def test_two_labels_that_are_shown_alike_go_by_their_names():
    labels = [{"name": "a", "display": "same"}, {"name": "b", "display": "same"}]
    asked = of_task(task(labels=labels), Knobs(), TRAIN, 0)
    assert [option.name for option in asked.labels] == ["a", "b"]


# ---------------------------------------------------------------- the arm


def model(url="http://127.0.0.1:9/v1"):
    return decision_model(url, "acme/Jev 2")


def test_the_options_make_a_model_of_the_family():
    made = model()
    assert (made.name, made.family) == ("jev-2-decision", "decision")
    assert made.identity == "endpoint:acme/Jev 2 at http://127.0.0.1:9/v1"
    assert decision_model("http://h", None).endpoint_model == "jev-latest"
    for url, name in ((None, "toy"), ("nowhere", None), ("http://me:pw@host", None)):
        with pytest.raises(ModelError, match="--decision"):
            decision_model(url, name)
    with pytest.raises(ValueError, match="needs an endpoint"):
        Model(name="m", family="decision", builder="tfidf")


def planned(*globs, of=None):
    made = model()
    return arms.plan(
        Recipe(name="r", arms=["*/*"]), of or task(), {made.name: made},
        globs=globs, unavailable=lambda model: None,
    )  # fmt: skip


def test_it_is_asked_and_every_other_strategy_refuses_it():
    (arm,) = planned("jev-2-decision/*")
    assert arm.name == "jev-2-decision/zero_shot" and arm.refused is None
    assert set(arm.space.dimensions) == set(Knobs.hyperparameters()) - {"cutting"}
    for name in ("classic", "linear_head", "probe", "sft"):
        (arm,) = planned(f"jev-2-decision/{name}")
        assert "use jev-2-decision/zero_shot" in arm.refused
    for name in ("think", "few_shot"):
        (arm,) = planned(f"jev-2-decision/zero_shot+{name}")
        assert "answers typed questions" in arm.refused
        assert "回答有类型的问题" in words_of("zh").told(arm.refused)


def test_the_space_follows_the_task():
    plain, described = decision.space(task()), decision.space(task(about="such mail"))
    assert plain.dimensions["descriptions"].options == ("none", "words", "examples")
    assert described.dimensions["descriptions"].options == ("none", "task", "words", "examples")
    assert [p["descriptions"] for p in plain.known_good] == ["none", "words", "examples"]
    assert decision.space(task(40)).dimensions["form"].value == "choice"
    strategy = strategies.get("zero_shot")
    for params, learns, same in (
        ({"descriptions": "none"}, False, True),
        ({"descriptions": "words"}, True, True),
        ({"descriptions": "examples"}, True, False),
    ):
        assert strategy.learns(model(), params) is learns
        assert strategy.deterministic(model(), params) is same


def test_a_trial_scores_the_server_and_notes_how_it_was_asked():
    notes, scored = {}, []
    with deciding("decisions") as one:
        run = SimpleNamespace(
            task=task(), model=decision_model(one.url, "toy"), train=TRAIN, seed=0,
            params={"form": "yes_no", "descriptions": "words"},
            note=notes.update, progress=lambda fraction: None,
            checkpoint=lambda predictor, fraction: scored.append((predictor, fraction)),
        )  # fmt: skip
        made = strategies.get("zero_shot").fit(run)
        assert made.predict_proba(["my ham", "such spam"]).argmax(axis=1).tolist() == [0, 1]
    assert scored == [(made, 1.0)]
    assert notes["form"] == "yes_no" and notes["described"] == 2


def test_a_study_has_it_as_an_arm_and_asks_each_text_once(toy_task, folder, monkeypatch):
    monkeypatch.setenv("SUITE_PRICE", "{models = {jev-latest = {per_million_in = 0.5}}}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    recipe = write_recipe(folder, arms=["jev-latest-decision/*"], trials=1)
    with monkeypatch.context() as earlier:  # its children come from a process that began then
        earlier.setenv("SUITE_CACHE", str(folder / "elsewhere"))
        Runner().warm(folder)
    with deciding("decisions", models=("jev-latest",)) as one:
        words = ["study", "create", toy_task, "--recipe", recipe, "--decision", one.url]
        command_line(*words, "--name", "s", "--quiet")
        shown = json.loads(command_line("study", "show", "s", "--json").stdout)
        arm = "jev-latest-decision/zero_shot"
        assert [(a["arm"], a["family"]) for a in shown["arms"]] == [(arm, "decision")]
        (final,) = shown["finals"]
        assert final["test"]["macro_f1"] > 0.9
        (trial,) = shown["trials"]
        assert trial["circumstances"]["endpoint"]["shape"] == "decisions"
        asked = one.texts()
        assert len(asked) == len(set(asked)) and asked[0] == NEUTRAL
        (cost,) = shown["money"]["arms"]  # 40 tokens a text at .5 per million
        assert cost["per_million"]["value"] == pytest.approx(40 * 0.5)
        assert "going on with it" in command_line(*words, "--name", "s", "--no-run").output
        before = len(one.requests)
        told = command_line("predict", "s", "win a prize now", "--json", "--arm", arm).stdout
        assert json.loads(told)["predictions"][0]["label"] == "spam"
        asked_now = [(shape, body["input"]) for shape, body in one.requests[before:]]
        assert asked_now == [("decisions", "win a prize now")]
        # A folder names a server to whoever gets it, and is not believed.
        command_line("export", "s", folder / "out")
        told = command_line("predict", folder / "out", "win a bonus", code=2).output
        assert "nobody has allowed it" in told and len(one.requests) == before + 1
        allowed = ["--allow-endpoint", one.url.removeprefix("http://")]
        assert "spam" in command_line("predict", folder / "out", "win a bonus", *allowed).output


def test_a_server_that_is_away_leaves_the_others(toy_task, folder):
    with deciding("systemone") as one:
        url = one.url
    recipe = write_recipe(folder, arms=["tfidf/toy"], trials=2)
    command_line(
        "study", "create", toy_task, "--recipe", recipe, "--decision", url, "--no-run", "--quiet"
    )
    shown = json.loads(command_line("study", "show", "toy-toys", "--json").stdout)
    refused = {arm["arm"]: arm["refused"] for arm in shown["arms"]}
    assert refused["tfidf/toy"] is None
    assert "can't be reached" in refused["jev-latest-decision/zero_shot"]
    command_line("study", "create", toy_task, "--decision-model", "x", "--no-run", code=2)
