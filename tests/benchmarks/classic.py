"""The classic models at their first known-good point on AG News: seconds, F1, texts a second.

Needs ../shared/data/ag_news. `SUITE_BENCH_BEFORE=FOLDER` names another checkout of the suite, whose
trainings alternate with this one's: before and after in one run. `SUITE_BENCH_ROWS` (24000),
`SUITE_BENCH_SEEDS` (5) and `SUITE_BENCH_BUILDERS` ("tfidf fasttext textcnn") say how much. Each
training is a process of its own with one thread. Seconds of its processor are told beside the
clock's: on a busy machine they are what can be compared.
"""

import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]
DATA = HERE.parent / "shared" / "data" / "ag_news"
ONE_BY_ONE = 500


def read(split):
    with gzip.open(DATA / f"{split}.jsonl.gz", "rt", encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    return [row["text"] for row in found], [row["label"] for row in found]


class Run:
    """One training without a study around it: two epochs, scored at its end."""

    epochs, checkpoints, shrink_batch, halvings, pool = 2.0, 1, False, 0, None

    def __init__(self, task, model, params, train, seed, folder):
        self.task, self.model, self.params, self.train = task, model, params, train
        self.seed, self.folder, self.fingerprint = seed, folder, "classic"

    def checkpoint(self, predictor, fraction):
        pass

    def loading(self):
        return nullcontext()

    def progress(self, fraction):
        pass

    def note(self, **facts):
        pass


def one(builder, rows, seed):
    """One training of whatever suite this process imports."""
    import numpy as np

    from suite import strategies
    from suite.config.task import find_task
    from suite.contracts.strategy import Rows
    from suite.models.catalogue import load_catalogue
    from suite.verdict.scoring import score

    task, model = find_task("agnews")[0], load_catalogue()[builder]
    texts, labels = read("train")
    order = np.random.default_rng(0).permutation(len(texts))[:rows]
    train = Rows(tuple(texts[i] for i in order), tuple(labels[i] for i in order))
    strategy = strategies.get("classic")
    params = dict(strategy.space(model, task).known_good[0])
    # What is imported on the way is no part of a training.
    strategy.fit(Run(task, model, params, train.take(range(64)), seed, Path(tempfile.gettempdir())))
    with tempfile.TemporaryDirectory() as folder:
        run = Run(task, model, params, train, seed, Path(folder))
        clock, processor = time.perf_counter(), time.process_time()
        predictor = strategy.fit(run)
        clock, processor = time.perf_counter() - clock, time.process_time() - processor
    unseen, truth = read("test")
    found = score(predictor.predict_proba(unseen), truth, len(task.labels))
    begun = time.process_time()
    for text in unseen[:ONE_BY_ONE]:
        predictor.predict_proba([text])
    return {
        "seconds": clock,
        "processor_seconds": processor,
        "f1": found.macro_f1,
        "texts_per_processor_second": ONE_BY_ONE / (time.process_time() - begun),
    }


def child(checkout, builder, rows, seed):
    single = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, __file__, builder, str(rows), str(seed)],
        env=os.environ | single | {"PYTHONPATH": str(checkout)},
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"classic: {builder} of {checkout} failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main():
    from suite.machine import facts
    from tests.benchmarks.common import RESULTS

    if not DATA.is_dir():
        print("classic: left out; it needs ../shared/data/ag_news")
        return
    sides = {"after": HERE}
    if before := os.environ.get("SUITE_BENCH_BEFORE"):
        sides = {"before": Path(before).resolve(), **sides}
    rows = int(os.environ.get("SUITE_BENCH_ROWS", "24000"))
    seeds = int(os.environ.get("SUITE_BENCH_SEEDS", "5"))
    builders = os.environ.get("SUITE_BENCH_BUILDERS", "tfidf fasttext textcnn").split()
    found = {builder: {side: [] for side in sides} for builder in builders}
    for builder in builders:
        for seed in range(seeds):
            for side, checkout in list(sides.items())[:: 1 if seed % 2 else -1]:
                found[builder][side].append(child(checkout, builder, rows, seed))
        print(f"classic: {builder}, {rows:,} rows, {seeds} seeds")
        for side, runs in found[builder].items():
            told = [
                f"{key} {statistics.median(values):.4g} [{min(values):.4g}, {max(values):.4g}]"
                for key in runs[0]
                for values in [[run[key] for run in runs]]
            ]
            print(f"  {side:<7} {', '.join(told)}", flush=True)
    RESULTS.mkdir(exist_ok=True)
    told = {"rows": rows, "found": found, "environment": facts.environment()}
    (RESULTS / "classic.json").write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    print(json.dumps(one(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
