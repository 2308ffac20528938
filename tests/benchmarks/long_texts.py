"""How long texts are cut: F1 by length and seconds, for every way, on a pretrained MiniLM.

Rows of `bbc_news` and `20newsgroups_bare` (SUITE_BENCH_TASKS) beside the checkout: SUITE_BENCH_ROWS
of train, drawn with a seed, and of test up to SUITE_BENCH_TEST from each bucket of length by the
model's tokens, so that the long ones are many enough to be told apart. SUITE_BENCH_STRATEGY
(`probe` or `linear_head`) is trained at its first known-good point, at SUITE_BENCH_TOKENS tokens a
row, once for each cutting (SUITE_BENCH_CUTTINGS); nothing is chosen by test. Intervals are those of
the finals.
"""

import gzip
import json
import os
import random
import tempfile
import time
from pathlib import Path

import numpy as np

from suite import strategies
from suite.contracts import cutting
from suite.contracts.cutting import Cutting
from suite.contracts.lengths import bucket
from suite.contracts.model import Model
from suite.contracts.results import Final, TestScores
from suite.contracts.strategy import Rows
from suite.contracts.task import Task
from suite.study.by_length import with_lengths
from tests.benchmarks.common import RESULTS
from tests.benchmarks.neural import Run
from tests.benchmarks.shapes import MINILM, REAL

ROWS = int(os.environ.get("SUITE_BENCH_ROWS", "300"))
TEST = int(os.environ.get("SUITE_BENCH_TEST", "120"))
TOKENS = int(os.environ.get("SUITE_BENCH_TOKENS", "512"))
EPOCHS = float(os.environ.get("SUITE_BENCH_EPOCHS", "2"))
STRATEGY = os.environ.get("SUITE_BENCH_STRATEGY", "probe")
TASKS = os.environ.get("SUITE_BENCH_TASKS", "bbc_news 20newsgroups_bare").split()
CUTTINGS = os.environ.get(
    "SUITE_BENCH_CUTTINGS", " ".join((*cutting.PLAIN, *cutting.CHUNKED))
).split()


def read(name, split):
    with gzip.open(REAL.parent / name / f"{split}.jsonl.gz", "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def some(rows, count, seed):
    return random.Random(seed).sample(rows, min(count, len(rows)))


class LongRun(Run):
    def __init__(self, model, task, train, folder, params):
        super().__init__(model, train, folder, params)
        self.task, self.attached, self.halvings, self.epochs = task, folder, 0, EPOCHS


def main():
    if MINILM is None or not REAL.is_dir():
        print("long_texts: left out, needs SUITE_BENCH_MINILM and the real data")
        return
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(MINILM)
    model = Model(name="minilm", family="encoder", path=MINILM, parameters=22.7)
    strategy, told = strategies.get(STRATEGY), []
    for name in TASKS:
        names = json.loads((REAL.parent / name / "labels.json").read_text())
        task = Task.model_validate(
            {
                "name": "long",
                "title": name,
                "language": "en",
                "labels": [{"name": one} for one in names],
                "max_tokens": TOKENS,
                "data": {"folder": "data", "licence": "read, not kept"},
            }
        )
        drawn = some(read(name, "train"), ROWS, 0)
        train = Rows(tuple(r["text"] for r in drawn), tuple(r["label"] for r in drawn))
        test = read(name, "test")
        lengths = [
            len(ids)
            for ids in tokenizer(
                [r["text"] for r in test], add_special_tokens=False, verbose=False
            )["input_ids"]
        ]
        places = [bucket(length) for length in lengths]
        chosen = sorted(
            place
            for which in range(3)
            for place in some([i for i, p in enumerate(places) if p == which], TEST, 1)
        )
        texts, labels = [test[i]["text"] for i in chosen], [test[i]["label"] for i in chosen]
        point = dict(strategy.space(model, task).known_good[0])
        if STRATEGY == "probe":
            point["relative"] = True
        for way in CUTTINGS:
            with tempfile.TemporaryDirectory() as home:
                os.environ["SUITE_CACHE"] = home  # nothing is found ready
                run = LongRun(model, task, train, Path(home), {**point, **Cutting(way).kept})
                begun = time.perf_counter()
                predictor = strategy.fit(run)
                trained = time.perf_counter()
                answers = predictor.predict_proba(texts).argmax(axis=1).tolist()
                scored = time.perf_counter()
            told.append(_row(name, way, names, labels, answers, [places[i] for i in chosen]))
            told[-1] |= {"train_seconds": trained - begun, "test_seconds": scored - trained}
            told[-1] |= {"train_rows": len(train), "truncated": run.notes.get("truncated")}
            print(json.dumps(told[-1]), flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"long_texts_{STRATEGY}.json").write_text(json.dumps(told, indent=1))


def _row(name, way, names, labels, answers, places):
    empty = TestScores(macro_f1=0.0, accuracy=0.0, macro_f1_interval=(0.0, 0.0))
    final = Final(
        arm="arm", trial=0, seeds=1, stale=False, rank=1, test=empty, train_seconds=None, rps=None
    )
    (final,) = with_lengths(
        [final], labels, {"arm": [answers]}, {"arm": places}, [], len(names), {"arm"}
    )
    return {
        "task": name,
        "strategy": STRATEGY,
        "cutting": way,
        "accuracy": float(np.mean(np.asarray(labels) == np.asarray(answers))),
        "by_length": [[one.rows, one.macro_f1, one.interval] for one in final.by_length.scores],
    }
