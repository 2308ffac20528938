"""Whether the fast path costs quality: the same model, rows, steps and learning rate over seeds,
trained by `linear_head` (packed, cached, measured precision) and by a plain `Trainer`.

Needs the folder of a pretrained encoder in SUITE_BENCH_MINILM: on random weights nothing is learnt
in so few steps. Validation rows come from train; the test split is not looked at.
"""

import json
import os
import statistics
import tempfile
import time

from suite.contracts.model import Model
from suite.contracts.strategy import Rows
from suite.machine import facts
from tests.benchmarks.common import RESULTS, timed
from tests.benchmarks.neural import Run, by_trainer
from tests.benchmarks.shapes import MINILM, REAL, rows

TRAIN = int(os.environ.get("SUITE_BENCH_TRAIN", "2000"))
SCORED = int(os.environ.get("SUITE_BENCH_SCORED", "1500"))
SEEDS = int(os.environ.get("SUITE_BENCH_SEEDS", "3"))
RATE, BATCH, EPOCHS = 1e-4, 32, 2


def main():
    from suite.strategies.heads.linear_head import LinearHeadStrategy
    from suite.strategies.network import transformer
    from suite.verdict.scoring import score

    if MINILM is None or not REAL.is_dir():
        print("equal_f1: left out; it needs SUITE_BENCH_MINILM and ../shared/data/ag_news")
        return
    texts, labels, origin = rows(TRAIN + SCORED, "train")
    train = Rows(tuple(texts[:TRAIN]), tuple(labels[:TRAIN]))
    held, truth = texts[TRAIN:], labels[TRAIN:]
    model = Model(name="minilm", family="encoder", path=MINILM, parameters=22.7)
    params = {
        "learning_rate": RATE, "batch": BATCH, "warmup": 0.0, "weight_decay": 0.0,
        "schedule": "linear",
    }  # fmt: skip
    found = {"linear_head": [], "Trainer": []}
    seconds = {"linear_head": [], "Trainer": []}
    for seed in range(SEEDS):
        with tempfile.TemporaryDirectory() as folder:
            run = Run(model, train, folder, params)
            run.seed, run.epochs = seed, EPOCHS
            seconds["linear_head"].append(timed(lambda: LinearHeadStrategy().fit(run)))  # noqa: B023
            mine = run.predictor.predict_proba(held)
            begun = time.perf_counter()
            net, tokenizer = by_trainer(
                MINILM, train, num_train_epochs=EPOCHS, learning_rate=RATE, seed=seed,
                per_device_train_batch_size=BATCH,
            )  # fmt: skip
            seconds["Trainer"].append(time.perf_counter() - begun)
            codec = transformer.Codec(tokenizer, 128)
            theirs = transformer.TransformerPredictor(
                net, codec, where=transformer.device(), precision="float32", strategy="plain"
            ).predict_proba(held)
        found["linear_head"].append(score(mine, truth, 4).macro_f1)
        found["Trainer"].append(score(theirs, truth, 4).macro_f1)
    print(f"equal_f1: {TRAIN} {origin}, {EPOCHS} passes, macro-F1 on {SCORED} held-out train rows")
    for side, values in found.items():
        print(
            f"  {side:<12} {' '.join(f'{v:.4f}' for v in values)}  mean "
            f"{statistics.mean(values):.4f}, {statistics.median(seconds[side]):.0f} s"
        )
    RESULTS.mkdir(exist_ok=True)
    content = {
        "benchmark": "equal_f1", "date": time.strftime("%Y-%m-%d"), "macro_f1": found,
        "seconds": seconds, "train_rows": TRAIN, "scored_rows": SCORED,
        "environment": facts.environment(),
    }  # fmt: skip
    (RESULTS / "equal_f1.json").write_text(json.dumps(content, indent=1, ensure_ascii=False))
