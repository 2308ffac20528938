"""The shared cache: token ids and embeddings, found again, charged all the same, bounded."""

import multiprocessing
import os
import time

import numpy as np
import pytest
from cache_writer import write_often
from remembering_run import RememberingRun
from test_strategies_neural import BERT, rows, task

from suite.errors import SuiteError
from suite.machine import cache
from suite.strategies.network import tiny, token_cache, transformer
from suite.strategies.network.sources import Source
from suite.strategies.network.transformer import Codec


class CountingTokenizer:
    """A word is a token: its length. Counts how often it is asked."""

    unk_token_id = None

    def __init__(self, seconds=0.0):
        self.calls = 0
        self.seconds = seconds

    def __call__(self, texts, max_length, **_):
        self.calls += 1
        time.sleep(self.seconds)
        whole = [[len(word) for word in text.split()] for text in texts]
        return _Batch([ids[:max_length] for ids in whole])


class _Batch(dict):
    encodings = None

    def __init__(self, ids):
        super().__init__(input_ids=ids)


@pytest.fixture
def source(folder):
    home = folder / "tokenizer"
    home.mkdir()
    (home / "tokenizer.json").write_text("{}")
    return Source(str(home))


def run_of(folder, **changes):
    return RememberingRun(folder, BERT, task(), rows(12), **changes)


def lists(encoded):
    return [[int(token) for token in row] for row in encoded.ids]


def test_rows_are_tokenised_once_and_charged_every_time(folder, source):
    tokenizer = CountingTokenizer(seconds=0.2)
    codec = Codec(tokenizer, 5)
    first, second = run_of(folder), run_of(folder)
    begun = time.perf_counter()
    made = token_cache.encoded(first, codec, source)
    took = time.perf_counter() - begun
    found = token_cache.encoded(second, codec, source)
    assert tokenizer.calls == 1
    assert lists(found) == lists(made)
    assert lists(made)[0] == [len(word) for word in first.train.texts[0].split()][:5]
    assert found.cut == made.cut == 12
    assert (first.notes["tokens"], second.notes["tokens"]) == ("made", "cached")
    assert first.saved_seconds == 0
    # Less what looking it up took.
    assert 0.1 <= second.saved_seconds <= took


@pytest.mark.parametrize("change", ["rows", "limit", "tokenizer"])
def test_other_rows_limit_or_tokenizer_are_tokenised_anew(folder, source, change):
    tokenizer = CountingTokenizer()
    token_cache.encoded(run_of(folder), Codec(tokenizer, 5), source)
    run, limit = run_of(folder), 5
    if change == "rows":
        run = run_of(folder, fingerprint="other-rows")
    if change == "limit":
        limit = 4
    if change == "tokenizer":
        (folder / "tokenizer" / "tokenizer.json").write_text('{"replaced": 1}')
    token_cache.encoded(run, Codec(tokenizer, limit), source)
    assert tokenizer.calls == 2


@pytest.mark.parametrize("damage", ["cut off", "no safetensors", "rows missing"])
def test_a_damaged_file_is_made_again(folder, source, damage):
    tokenizer = CountingTokenizer()
    made = token_cache.encoded(run_of(folder), Codec(tokenizer, 5), source)
    (entry,) = cache.entries()
    match damage:
        case "cut off":
            entry.file.write_bytes(entry.file.read_bytes()[:-3])
        case "no safetensors":
            entry.file.write_text("hello")
        case "rows missing":
            ids, offsets = np.arange(3, dtype=np.int32), np.asarray([0, 1, 3], dtype=np.int64)
            facts = {"seconds": "1.0", "cut": "0"}
            cache.write(entry.file, {"ids": ids, "offsets": offsets}, facts)
    again = token_cache.encoded(run_of(folder), Codec(tokenizer, 5), source)
    assert tokenizer.calls == 2
    assert lists(again) == lists(made)
    token_cache.encoded(run_of(folder), Codec(tokenizer, 5), source)
    assert tokenizer.calls == 2


def test_a_cache_that_can_not_be_written_stops_no_trial(folder, source, monkeypatch):
    (folder / "file").write_text("in the way")
    monkeypatch.setenv("SUITE_CACHE", str(folder / "file"))
    tokenizer = CountingTokenizer()
    for _ in range(2):
        assert len(token_cache.encoded(run_of(folder), Codec(tokenizer, 5), source).ids) == 12
    assert tokenizer.calls == 2


def test_a_real_tokenizers_ids_come_back_as_they_were(folder):
    run = run_of(folder)
    source = Source(str(tiny.folder(run)))
    codec = transformer.load_codec(source, transformer.load_config(source), 32)
    made = token_cache.encoded(run, codec, source)
    found = token_cache.encoded(run, codec, source)
    assert run.notes["tokens"] == "cached"
    assert lists(found) == lists(made) == [list(row) for row in codec.encode(run.train.texts).ids]
    padded = codec.pad(found.ids, transformer.device())
    assert padded["input_ids"].equal(codec.pad(made.ids, transformer.device())["input_ids"])


def test_two_processes_writing_at_once_leave_one_whole_file(folder):
    from safetensors import safe_open

    context = multiprocessing.get_context("spawn")
    done = context.Queue()
    writers = [
        context.Process(target=write_often, args=(str(folder / "cache"), value, done))
        for value in (1, 2)
    ]
    for writer in writers:
        writer.start()
    file = cache.place("tokens", ["same"])
    seen = set()
    while any(writer.is_alive() for writer in writers):
        if file.exists():
            with safe_open(file, framework="numpy") as stored:
                ids, value = stored.get_tensor("ids"), int(stored.metadata()["value"])
            assert ids.shape == (10_000,) and (ids == value).all()
            seen.add(value)
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert seen
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def fill(kind, name, age, kilobytes=100):
    file = cache.place(kind, [name])
    cache.write(file, {"x": np.zeros(kilobytes * 250, dtype=np.float32)}, {})
    os.utime(file, (time.time() - age, time.time() - age))
    return file


def test_beyond_the_bound_what_was_unused_for_longest_goes(folder, monkeypatch):
    old = fill("embeddings", "old", age=300)
    older = fill("tokens", "older", age=400)
    monkeypatch.setenv("SUITE_CACHE_BYTES", "310000")
    cache.used(older)
    newest = fill("embeddings", "newest", age=0)
    assert [e.file for e in cache.entries()] == [old, older, newest]
    fourth = fill("tokens", "fourth", age=0)
    assert not old.exists()
    assert older.exists() and newest.exists() and fourth.exists()


def test_finding_tokens_keeps_them_from_going(folder, source, monkeypatch):
    codec = Codec(CountingTokenizer(), 5)
    token_cache.encoded(run_of(folder), codec, source)
    (tokens,) = cache.entries()
    os.utime(tokens.file, (1, 1))
    fill("embeddings", "between", age=100)
    token_cache.encoded(run_of(folder), codec, source)
    assert cache.entries()[-1].file == tokens.file


def test_nothing_is_kept_at_a_bound_of_zero_and_nonsense_is_told(folder, source, monkeypatch):
    monkeypatch.setenv("SUITE_CACHE_BYTES", "0")
    tokenizer = CountingTokenizer()
    for _ in range(2):
        token_cache.encoded(run_of(folder), Codec(tokenizer, 5), source)
    assert tokenizer.calls == 2 and cache.entries() == []
    monkeypatch.setenv("SUITE_CACHE_BYTES", "lots")
    with pytest.raises(SuiteError, match="SUITE_CACHE_BYTES=lots: not a number of bytes"):
        cache.bound()


def test_drafts_of_killed_processes_go_and_fresh_ones_stay(folder):
    fill("tokens", "any", age=0)
    home = cache.place("tokens", []).parent
    for name, age in ((".left-1-a.safetensors", 7200), (".live-2-b.safetensors", 10)):
        (home / name).write_bytes(b"half")
        os.utime(home / name, (time.time() - age, time.time() - age))
    cache.evict()
    assert not (home / ".left-1-a.safetensors").exists()
    assert (home / ".live-2-b.safetensors").exists()


def test_doctor_tells_size_and_bound(folder, monkeypatch):
    from suite.machine import checks

    def finding():
        (check,) = [c for c in checks.checks() if c.name == "cache"]
        return check

    fill("tokens", "some", age=0, kilobytes=20_000)
    monkeypatch.setenv("SUITE_CACHE_BYTES", "2500000000")
    assert finding().ok and "0.02 of 2.5 GB" in finding().finding
    monkeypatch.setenv("SUITE_CACHE_BYTES", "lots")
    assert finding().ok is False and "SUITE_CACHE_BYTES=" in finding().fix
    monkeypatch.delenv("SUITE_CACHE_BYTES")
    (folder / "file").write_text("in the way")
    monkeypatch.setenv("SUITE_CACHE", str(folder / "file"))
    assert finding().ok is None and "SUITE_CACHE" in finding().fix


def test_a_bound_that_is_no_number_stops_a_study_before_it_starts(folder, toy_task, monkeypatch):
    from conftest import write_recipe

    from suite.cli.progress import Watching
    from suite.study.create import Wanted, create
    from suite.study.work import Limits, Work

    create(Wanted(task=toy_task, recipe=write_recipe(folder), name="toy"))
    monkeypatch.setenv("SUITE_CACHE_BYTES", "lots")
    with pytest.raises(SuiteError, match="not a number of bytes"):
        Work(None, "toy", Watching(), Limits())
