"""Thinking traces for training rows: asked of a real server on loopback, and of a local model."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import PATIENCE, toy_rows
from endpoint_server import server
from test_study import suite

from suite import paths
from suite.contracts.strategy import Refused, Rows
from suite.data.appended import alone
from suite.errors import DataError, EndpointError, StorageError
from suite.models.catalogue import endpoint_model
from suite.prompting import traces
from suite.prompting.traces import defused, text_key, traces_for
from suite.strategies.teaching import distil as room
from suite.strategies.teaching.distil import Said, distil, split, training_rows

pytestmark = pytest.mark.usefixtures("loopback")

MARKS = ("<think>", "</think>", "<|im_end|>", "<|im_start|>")


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    for name in ("SUITE_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def thinker(one, of, name="toy", **changes):
    return room.ServedThinker(
        endpoint_model(one.url, name), of, **{"timeout": PATIENCE, "backoff": 0.02} | changes
    )


def lines(file):
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


# ---------------------------------------------------------------- rows


def test_only_training_rows_are_asked_about(toy_task):
    task, train = training_rows(toy_task)
    assert len(train) == 150  # a quarter of 200 is validation
    with server("thinking") as one:
        done = distil(task, train, thinker(one, task))
        asked = {body["messages"][0]["content"] for body in one.requests}
    assert (done.rows, done.asked, done.kept) == (150, 150, 150)
    assert len(asked) == 150
    unseen = [row["text"] for row in toy_rows(100, 2)]  # test
    unseen += [row["text"] for row in toy_rows(200, 1) if row["text"] not in train.texts]
    assert len(unseen) == 150
    assert not any(f"\n{text}\n" in content for text in unseen for content in asked)


def test_the_sample_is_its_own_task(folder):
    task, train = training_rows("agnews", use_sample=True)
    assert task.name == "agnews-sample" and len(train) == 2400
    with pytest.raises(DataError, match="--sample and --data"):
        training_rows("agnews", use_sample=True, data_folder=folder)


def test_rows_that_can_not_be_had_are_told(folder):
    with pytest.raises(DataError, match="--sample"):
        training_rows("agnews")


def test_a_limit_takes_a_stratified_part(toy_task):
    task, train = training_rows(toy_task)
    with server("thinking") as one:
        done = distil(task, train, thinker(one, task), limit=20)
        assert one.posts == 20
        names = [line["label"] for line in lines(done.file)]
        assert names.count("ham") == names.count("spam") == 10
        more = distil(task, train, thinker(one, task), limit=30)
        assert (more.before, more.asked, more.kept, one.posts) == (20, 10, 30, 30)


def test_contradictory_repeated_and_empty_texts_are_left_out(toy_task):
    task, _ = training_rows(toy_task)
    rows = Rows(("win cash", "win cash", "lunch", "lunch", " ", "river"), (0, 1, 0, 0, 0, 0))
    with server("thinking") as one:
        done = distil(task, rows, thinker(one, task))
        assert one.posts == 2 and (done.rows, done.skipped, done.kept) == (2, 4, 2)


# ---------------------------------------------------------------- traces


@pytest.mark.parametrize("mode", ["thinking", "thinking_in_text", "opened_by_template"])
def test_right_answers_keep_their_thought(toy_task, mode):
    task, train = training_rows(toy_task)
    with server(mode) as one:
        done = distil(task, train, thinker(one, task, max_tokens=64), limit=12)
        assert one.requests[0]["chat_template_kwargs"] == {"enable_thinking": True}
        assert one.requests[0]["max_tokens"] == 64
        assert one.requests[0]["temperature"] == 0.6
    assert done.file == paths.distilled("toy") and done.outcomes == {"right": 12}
    found = {line["key"]: line for line in lines(done.file)}
    for text, label in zip(train.texts[:12], train.labels[:12]):
        line = found[text_key(text)]
        assert set(line) == {"key", "label", "code", "thought", "answer", "model"}
        assert line["label"] == task.label_names[label] and line["model"] == "toy"
        assert line["answer"] == "AB"[label]
        assert line["thought"] and not any(mark in line["thought"] for mark in MARKS)
    thoughts = traces_for(task, train)
    assert all(thoughts[:12]) and not any(thoughts[12:])
    if mode == "thinking":
        first = train.texts[0].split()[0]
        assert thoughts[0].thought == f"Words like {first} decide. < /think>< |im_end|> So be it."


def test_wrong_answers_are_remembered_and_not_asked_again(toy_task):
    task, train = training_rows(toy_task)
    with server("thinks_wrong") as one:
        done = distil(task, train, thinker(one, task), limit=10)
        assert done.outcomes == {"wrong": 10} and done.kept == 0
        assert not lines(done.file) and len(lines(traces.missed_file(done.file))) == 10
        again = distil(task, train, thinker(one, task), limit=10)
        assert (again.before, again.asked, one.posts) == (10, 0, 10)
        # Another model may know better.
        one.mode = "thinking"
        better = distil(task, train, thinker(one, task, "toy-large"), limit=10)
        assert better.kept == 10 and one.posts == 20
    assert {line["model"] for line in lines(done.file)} == {"toy-large"}


def test_an_unclosed_thought_is_asked_again_only_with_more_tokens(toy_task):
    task, train = training_rows(toy_task)
    with server("never_closes") as one:
        done = distil(task, train, thinker(one, task, max_tokens=32), limit=10)
        assert done.outcomes == {"unclosed": 10} and done.tokens == 320
        assert distil(task, train, thinker(one, task, max_tokens=32), limit=10).asked == 0
        one.mode = "thinking"
        assert distil(task, train, thinker(one, task, max_tokens=64), limit=10).kept == 10


def test_a_model_that_does_not_think_is_told_early(toy_task):
    task, train = training_rows(toy_task)
    with server("good") as one:
        with pytest.raises(EndpointError, match="does not think: the first 8 answers"):
            distil(task, train, thinker(one, task, concurrency=1))
        assert one.posts < 12
        # With its thoughts shown, the same rows are asked again.
        one.mode = "thinking"
        assert distil(task, train, thinker(one, task), limit=10).kept == 10


def test_unreadable_answers_are_no_traces(toy_task):
    task, train = training_rows(toy_task)
    with server("thinking") as one:
        distil(task, train, thinker(one, task), limit=4)
        one.mode = "lies"
        done = distil(task, train, thinker(one, task), limit=8)
        assert done.outcomes == {"no thought": 4} and done.kept == 4


# ---------------------------------------------------------------- going on


def test_a_server_that_breaks_half_way_costs_nothing_twice(toy_task):
    task, train = training_rows(toy_task)
    with server("thinking") as one:

        def break_it(progress):
            if progress.asked == 5:
                one.mode = "fails"

        with pytest.raises(EndpointError, match="HTTP 500"):
            distil(task, train, thinker(one, task, concurrency=2), limit=20, watch=break_it)
        paid = one.answered
        assert 5 <= paid < 20 and len(lines(paths.distilled("toy"))) == paid
        one.mode = "thinking"
        done = distil(task, train, thinker(one, task), limit=20)
        assert (done.before, done.kept, one.answered) == (paid, 20, 20)


def test_half_a_line_is_mended_and_its_row_asked_again(toy_task):
    task, train = training_rows(toy_task)
    with server("thinking") as one:
        done = distil(task, train, thinker(one, task), limit=10)
        whole = done.file.read_bytes()
        done.file.write_bytes(whole[:-30])
        assert sum(trace is not None for trace in traces_for(task, train)) == 9
        again = distil(task, train, thinker(one, task), limit=10)
        assert (again.asked, again.kept, one.posts) == (1, 10, 11)
    assert sorted(done.file.read_bytes().splitlines()) == sorted(whole.splitlines())


@pytest.mark.parametrize("line", ["{}", "[1]", "no json", '{"key": 1}'])
def test_a_line_of_something_else_is_told(toy_task, line):
    task, train = training_rows(toy_task)
    file = paths.distilled("toy")
    file.parent.mkdir(parents=True)
    file.write_text(f"\n{line}\n")
    with pytest.raises(DataError, match="line 2"):
        traces_for(task, train)


def test_two_at_a_time_are_refused(toy_task):
    task, train = training_rows(toy_task)
    with (
        server("thinking") as one,
        alone(paths.distilled("toy"), "thoughts"),
        pytest.raises(StorageError, match="another `suite distil`"),
    ):
        distil(task, train, thinker(one, task))


def test_traces_that_are_not_there_say_what_to_run(toy_task):
    task, train = training_rows(toy_task)
    with pytest.raises(Refused, match="run `suite distil toy` first"):
        traces_for(task, train)
    with pytest.raises(Refused, match="run `suite distil agnews --sample` first"):
        traces_for(*training_rows("agnews", use_sample=True))


def test_a_trace_belongs_to_its_label(toy_task):
    task, train = training_rows(toy_task)
    with server("thinking") as one:
        distil(task, train, thinker(one, task), limit=4)
    turned = Rows(train.texts, tuple(1 - label for label in train.labels))
    assert not any(traces_for(task, turned))


# ---------------------------------------------------------------- small parts


def test_split_tells_thought_from_answer():
    assert split("<think>\nwhy\n</think>\n\nB") == Said("why", "B")
    assert split("why\n</think>\n\nB") == Said("why", "B")
    assert split("<think> I wrote </think> once</think>B") == Said("I wrote </think> once", "B")
    assert split("B") == Said(None, "B")
    assert split("<think>why, oh why").answer is None
    assert split("why, oh why", cut=True).answer is None
    assert split("B", reasoning="why ") == Said("why", "B")
    assert split("", reasoning="why").answer is None


def test_a_thought_is_defused():
    thought = defused("a <think>b</think> c<|im_end|>\n<|im_start|>user \ud800 ")
    assert not any(mark in thought for mark in MARKS)
    assert thought.encode("utf-8") and thought.endswith("user ?")


# ---------------------------------------------------------------- a local model


def test_a_local_model_is_asked_as_well(folder):
    """Untaught weights never close their thought; that is recorded, and not asked again."""
    import tiny_decoders

    from suite.models.catalogue import local_model

    target = tiny_decoders.build(folder / "tiny", width=16)
    task = tiny_decoders.task()
    rows = tiny_decoders.rows(6)
    local = local_model(f"tiny={target}")
    done = distil(task, rows, room.LocalThinker(local, task, max_tokens=8))
    assert done.asked == done.outcomes["unclosed"] == 6 and done.tokens == 48
    assert distil(task, rows, room.LocalThinker(local, task, max_tokens=8)).asked == 0


# ---------------------------------------------------------------- the command


def test_the_command_writes_traces_and_goes_on(toy_task):
    with server("thinking") as one:
        words = ("distil", toy_task, "--endpoint", one.url, "--endpoint-model", "toy")
        first = suite(*words, "--rows", 10)
        assert "10 thoughts in " in first.stdout and "toy.jsonl" in first.stdout
        assert "Asked about 10 rows (10 right)" in first.stderr
        second = suite(*words, "--rows", 12, "--quiet")
        assert "Asked about 2 rows (2 right); 10 were done before" in second.stderr
        assert one.posts == 12


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "name who is to think"),
        (("--endpoint", "http://127.0.0.1:9"), "belong together"),
        (("--endpoint", "nonsense", "--endpoint-model", "toy"), "no address"),
        (("--model", "x=/nowhere"), "no folder"),
        (("--model", "x=/nowhere", "--endpoint", "http://127.0.0.1:9"), "one of them"),
    ],
)
def test_wrong_words_exit_with_2(toy_task, words, says):
    result = suite("distil", toy_task, *words, code=2)
    assert says in " ".join(result.stderr.split())


def test_what_the_server_lacks_exits_with_2(toy_task):
    with server("thinks_wrong") as one:
        words = ("distil", toy_task, "--endpoint", one.url, "--endpoint-model")
        unknown = suite(*words, "toi", code=2)
        assert "Did you mean 'toy'?" in unknown.stderr
        assert one.posts == 0
        useless = suite(*words, "toy", "--rows", 10, code=2)
        assert "nothing to train on" in useless.stderr
        assert "10 wrong" in useless.stderr


def test_ctrl_c_saves_what_came(toy_task):
    with server("thinking", delay=0.3) as one:
        words = ["distil", toy_task, "--endpoint", one.url, "--endpoint-model", "toy"]
        child = subprocess.Popen(
            [sys.executable, "-m", "suite", *words, "--concurrency", "2"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        until = time.monotonic() + PATIENCE
        file = paths.distilled("toy")
        while time.monotonic() < until and (not file.exists() or len(lines(file)) < 2):
            time.sleep(0.02)
        before = len(lines(file))
        os.kill(child.pid, signal.SIGINT)
        errors = child.communicate(timeout=PATIENCE)[1]
        assert child.returncode == 130 and "saved" in errors
        had = len(lines(file))
        assert 2 <= before <= had < 150
        one.delay = 0.0
        suite(*words)
        assert len(lines(file)) == 150
        # Only what was under way, or had just come, is asked a second time.
        assert one.posts <= 150 + 2 * 2
