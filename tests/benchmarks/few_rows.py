"""A probe where there are few rows: chosen on one validation split or over folds, and refitted.

Samples of real AG News rows (SUITE_BENCH_SAMPLES of SUITE_BENCH_ROWS), carved and cut as a study
does it. The probe on the MiniLM that SUITE_BENCH_MINILM names is trained at 8 points, known-good
ones and random ones, as a study's first 8 trials are; each is scored over folds, of which the first
is the validation split. Three predictors are scored on the same test rows (SUITE_BENCH_TEST of
them): the point chosen on the split, the one chosen over folds, and the latter trained on train and
validation together. What a child, a storage and a study add is left out: it changes no score.

Beside them AutoIntent's lightest preset (`classic-light`, its embedder the same weights) as it is,
on the same rows, in the environment whose Python SUITE_BENCH_AUTOINTENT names.
"""

import gzip
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from suite.contracts.model import Model
from suite.contracts.space import Choice, Fixed, Float
from suite.contracts.strategy import Pool, Rows
from suite.contracts.task import Task
from suite.data import folds
from suite.data.parts import assemble
from suite.data.splits import Keyed
from suite.strategies.heads.probe import ProbeStrategy
from tests.benchmarks.common import RESULTS
from tests.benchmarks.neural import Run
from tests.benchmarks.shapes import MINILM, REAL

SAMPLES = int(os.environ.get("SUITE_BENCH_SAMPLES", "5"))
ROWS = int(os.environ.get("SUITE_BENCH_ROWS", "2000"))
TEST = int(os.environ.get("SUITE_BENCH_TEST", "7600"))
AUTOINTENT = os.environ.get("SUITE_BENCH_AUTOINTENT")
TRIALS = 8


def read(split):
    with gzip.open(REAL / f"{split}.jsonl.gz", "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


class Scorer:
    """Macro-F1 of probes on test; the texts are embedded once."""

    def __init__(self, test):
        self.texts, self.labels = [r["text"] for r in test], [r["label"] for r in test]
        self.matrices = None

    def __call__(self, predictor):
        from sklearn.metrics import f1_score

        way = predictor.knobs.pooling
        if self.matrices is None:
            rows = predictor.embedder.codec.encode(self.texts).ids
            self.matrices = predictor.embedder.embed(rows, ("mean", "cls"))
        logits = predictor.head.logits(self.matrices[way], predictor.knobs.scaling)
        return float(f1_score(self.labels, logits.argmax(1), average="macro"))


class Kept(Run):
    """A run over a pool that keeps its last predictor."""

    def __init__(self, model, task, rows, positions, params, folder, shared):
        super().__init__(model, rows.take(positions), folder, params)
        self.task, self.attached, self.halvings = task, folder, 0
        self.pool = Pool(rows, tuple(positions), f"few-rows-{hash(rows.texts)}", shared)


def points(space, seed):
    """The hyperparameters of a study's first trials: the known-good, then random ones."""
    draw = random.Random(seed)
    found = [dict(point) for point in space.known_good]
    while len(found) < TRIALS:
        point = {}
        for name, dimension in space.dimensions.items():
            match dimension:
                case Float(low=low, high=high):
                    point[name] = math.exp(draw.uniform(math.log(low), math.log(high)))
                case Choice(options=options):
                    point[name] = draw.choice(options)
                case Fixed(value=value):
                    point[name] = value
        found.append(point)
    return found


def ours(place, task, train, seed, scored):
    """Way -> macro-F1 on test."""
    from suite.child.folds import answers
    from suite.verdict.scoring import score

    rows = Rows(tuple(r["text"] for r in train), tuple(r["label"] for r in train))
    data = assemble(task, {"train": Keyed(rows), "test": Keyed(rows.take(range(9)))}, "", [], None)
    cut = folds.cut(data.train, data.validation, seed=task.validation.seed)
    whole = folds.together(data.train, data.validation)
    model = Model(name="minilm", family="encoder", path=MINILM, parameters=22.7)
    strategy, shared, classes = ProbeStrategy(), {}, len(task.labels)
    found = []
    for params in points(strategy.space(model, task), seed):
        first = Kept(model, task, whole, cut.learnt(0), params, place, shared)
        held = strategy.fit(first).recall(cut.held(0))
        pooled = answers(
            strategy, first, cut, validated=held, end=1.0, folder=place, told=lambda share: None
        )
        split = score(held, data.validation.labels, classes).macro_f1
        found.append((split, score(pooled, whole.labels, classes).macro_f1, params))

    def tested(params, positions):
        return scored(strategy.fit(Kept(model, task, whole, positions, params, place, shared)))

    by_split, by_folds = max(found, key=lambda f: f[0])[2], max(found, key=lambda f: f[1])[2]
    return {
        "chosen on one split": tested(by_split, cut.learnt(0)),
        "chosen over folds": tested(by_folds, cut.learnt(0)),
        "chosen over folds, refitted": tested(by_folds, range(len(whole))),
    }


def theirs(place, train, test, seed):
    """The same of AutoIntent, in its own environment."""
    given = {"embedder": MINILM, "seed": seed, "train": train, "test": test}
    (place / "rows.json").write_text(json.dumps(given))
    side = Path(__file__).with_name("autointent_side.py").absolute()
    done = subprocess.run(
        [AUTOINTENT, side, "rows.json", "theirs.json"], cwd=place, text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"}, capture_output=True,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"few_rows: AutoIntent's side failed:\n{done.stderr[-2000:]}")
    return json.loads((place / "theirs.json").read_text())


def main():
    if not MINILM or not REAL.is_dir():
        sys.exit("few_rows needs SUITE_BENCH_MINILM=FOLDER and AG News in ../shared/data")
    train, test = read("train"), read("test")
    test = random.Random(0).sample(test, min(TEST, len(test)))
    names = json.loads((REAL / "labels.json").read_text())
    task = Task.model_validate(
        {
            "name": "news", "title": "AG News, a part", "language": "en",
            "labels": [{"name": name} for name in names],
            "data": {"folder": "data", "licence": "research only"},
        }
    )  # fmt: skip
    scored = Scorer(test)
    found = {}
    for seed in range(SAMPLES):
        rows = random.Random(seed).sample(train, ROWS)
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            told = ours(place, task, rows, seed, scored)
            sides = {f"probe, {way}": f1 for way, f1 in told.items()}
            for name, f1 in sides.items():
                print(f"  sample {seed}: {name:<34} {f1:.4f}", flush=True)
            if AUTOINTENT:
                sides["AutoIntent, classic-light"] = theirs(place, rows, test, seed)["macro_f1"]
        for name, f1 in sides.items():
            found.setdefault(name, []).append(f1)
        shown = " ".join(f"{f1:.4f}" for f1 in sides.values())
        print(f"  sample {seed}: {shown} in {time.monotonic() - begun:.0f} s", flush=True)
    print(f"few_rows: AG News, {ROWS:,} rows, {SAMPLES} samples, {len(test):,} test rows")
    for name, scores in found.items():
        spread = statistics.stdev(scores) if len(scores) > 1 else 0.0
        print(f"  {name:<34} {statistics.mean(scores):.4f} ± {spread:.4f}")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "few_rows.json").write_text(json.dumps(found, indent=1))
