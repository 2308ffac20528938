"""A static model made of a real encoder, beside the encoder itself and TF-IDF, on AG News.

The encoder that SUITE_BENCH_MINILM names is distilled once. Then SUITE_BENCH_SAMPLES samples of 500
and of 2,000 training rows are learnt at each strategy's first known-good point, and scored on the
same SUITE_BENCH_TEST test rows: macro-F1, seconds of training (loading not counted), texts a second
from raw text. What a study adds is left out: it changes no score.
"""

import json
import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from suite import strategies
from suite.contracts.model import Model
from suite.contracts.strategy import Rows
from suite.contracts.task import Task
from suite.models.catalogue import described, load_catalogue
from tests.benchmarks.common import RESULTS
from tests.benchmarks.few_rows import read
from tests.benchmarks.neural import Run
from tests.benchmarks.shapes import MINILM, REAL

SAMPLES = int(os.environ.get("SUITE_BENCH_SAMPLES", "3"))
TEST = int(os.environ.get("SUITE_BENCH_TEST", "2000"))
SIZES = (500, 2000)


class Timed(Run):
    """A run that counts its loading apart, with the budget of a recipe that says none."""

    def __init__(self, model, task, rows, folder, params, seed):
        super().__init__(model, rows, folder, params)
        self.task, self.seed, self.epochs = task, seed, 2.0
        self.attached, self.halvings, self.loaded = folder, 0, 0.0

    def loading(self):
        return self

    def __enter__(self):
        self.begun = time.perf_counter()

    def __exit__(self, *error):
        self.loaded += time.perf_counter() - self.begun


def learn(arm, model, task, rows, test, folder, params, seed):
    """Macro-F1 on test, seconds of training, texts a second."""
    from suite.verdict.scoring import score

    run = Timed(model, task, rows, folder, params, seed)
    begun = time.perf_counter()
    predictor = strategies.get(arm.partition("/")[2]).fit(run)
    seconds = time.perf_counter() - begun - run.loaded
    begun = time.perf_counter()
    answers = predictor.predict_proba(test.texts)
    speed = len(test) / (time.perf_counter() - begun)
    return score(answers, test.labels, len(task.labels)).macro_f1, seconds, speed


def main():
    if not MINILM or not REAL.is_dir():
        sys.exit("static_models needs SUITE_BENCH_MINILM=FOLDER and AG News in ../shared/data")
    from suite.strategies.teaching.distil_static import distil

    train, test = read("train"), read("test")
    chosen = random.Random(0).sample(test, min(TEST, len(test)))
    asked = Rows(tuple(r["text"] for r in chosen), tuple(r["label"] for r in chosen))
    names = json.loads((REAL / "labels.json").read_text())
    task = Task.model_validate(
        {
            "name": "news", "title": "AG News, a part", "language": "en",
            "labels": [{"name": name} for name in names],
            "data": {"folder": "data", "licence": "research only"},
        }
    )  # fmt: skip
    found = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        os.environ["SUITE_CACHE"] = str(folder / "cache")
        encoder = Model(
            name="minilm", family="encoder", path=MINILM, parameters=22.7, languages=["en"]
        )
        made = distil(encoder, folder / "static")
        print(f"static_models: {made.pieces:,} word pieces in {made.seconds:.0f} s", flush=True)
        static = described(f"static={folder / 'static'}")
        arms = {
            "tfidf/classic": load_catalogue()["tfidf"],
            "static/probe": static,
            "static/linear_head": static,
            "minilm/probe": encoder,
        }
        for sample in range(SAMPLES):
            drawn = random.Random(sample).sample(train, max(SIZES))
            whole = Rows(tuple(r["text"] for r in drawn), tuple(r["label"] for r in drawn))
            for size in SIZES:
                rows = whole.take(range(size))
                for arm, model in arms.items():
                    space = strategies.get(arm.partition("/")[2]).space(model, task)
                    told = learn(arm, model, task, rows, asked, folder, space.known_good[0], sample)
                    found.setdefault((size, arm), []).append(told)
            print(f"  sample {sample} done", flush=True)
    print(f"  {SAMPLES} samples, {len(asked):,} test rows")
    for (size, arm), told in sorted(found.items()):
        scores, seconds, speeds = zip(*told)
        spread = statistics.stdev(scores) if len(scores) > 1 else 0.0
        print(
            f"  {size:>5} rows {arm:<20} {statistics.mean(scores):.4f} ± {spread:.4f}"
            f"  {statistics.median(seconds):7.2f} s  {statistics.median(speeds):9,.0f} texts/s"
        )
    RESULTS.mkdir(exist_ok=True)
    shown = {f"{size} {arm}": told for (size, arm), told in found.items()}
    (RESULTS / "static_models.json").write_text(json.dumps(shown, indent=1))
