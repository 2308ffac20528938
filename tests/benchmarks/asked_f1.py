"""What a small decoder answers without training: macro-F1 on AG News by every way of being asked.

Needs the transformers folder that SUITE_BENCH_DECODER names, and the real data beside the checkout.
SUITE_BENCH_ROWS (2000) training rows to choose examples among, SUITE_BENCH_TEST (256) test rows,
the same for all ways. SUITE_BENCH_WAYS (all) of: `code`, `words` and `both` without examples;
`drawn`, `tfidf` and `embedded` with as many examples as classes, drawn or nearest to the text, the
last by the encoder that SUITE_BENCH_MINILM names. Each is scored once, and read with every
calibration of SUITE_BENCH_CALIBRATIONS. Intervals are bootstrap ones over test rows; two ways are
compared row by row. What a run finds is kept beside what others found of the same decoder and rows.
"""

import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from suite.config.task import find_task
from suite.contracts.strategy import Rows
from tests.benchmarks.common import RESULTS
from tests.benchmarks.neural import Run
from tests.benchmarks.shapes import MINILM, REAL, rows

ROWS = int(os.environ.get("SUITE_BENCH_ROWS", "2000"))
TEST = int(os.environ.get("SUITE_BENCH_TEST", "256"))
DRAWS = 4000
NEAR = {"shots": 1, "selection": "nearest"}
WAYS = {
    "code": {"shots": 0},
    "words": {"shots": 0, "score": "words"},
    "both": {"shots": 0, "score": "both"},
    "drawn": {"shots": 1, "selection": "drawn"},
    "tfidf": NEAR,
    "embedded": NEAR | {"near": "encoder"},
}
ASKED = os.environ.get("SUITE_BENCH_WAYS", " ".join(WAYS)).split()
CALIBRATIONS = os.environ.get("SUITE_BENCH_CALIBRATIONS", "none contextual batch domain").split()


def macro_f1(labels, answers, classes):
    """Of one set of answers, or of many at once: [sets, rows]."""
    one_hot = np.eye(classes, dtype=np.float64)
    true, said = one_hot[labels], one_hot[answers]
    both, sums = (true * said).sum(-2), true.sum(-2) + said.sum(-2)
    # Of a class that neither has, scikit-learn counts 0.
    return np.where(sums > 0, 2 * both / np.maximum(sums, 1), 0).mean(-1)


def interval(values):
    return [round(float(v), 4) for v in np.quantile(values, (0.025, 0.975))]


def asked(model, train, texts, params, companions, folder):
    """Answers by calibration, and what the asking took."""
    from suite import strategies

    run = Run(model, train, folder, params)
    run.task, run.companions = find_task("agnews")[0], companions
    begun = time.perf_counter(), time.process_time()
    predictor = strategies.get("zero_shot").fit(run)
    fitted = time.perf_counter()
    scores, found = predictor.scores(texts), {}
    told = predictor.facts | {
        "fit_seconds": fitted - begun[0],
        "test_seconds": time.perf_counter() - fitted,
        "precision": predictor.precision,
    }
    for way in CALIBRATIONS:
        bias = 0 if way == "none" else np.asarray(predictor.calibrate(way, train.texts))
        found[way] = (scores - bias).argmax(axis=1).tolist()
    told["processor_seconds"] = time.process_time() - begun[1]
    if predictor.prompter.own is not None:
        chosen = predictor.prompter.own.chooser.choose(texts)
        told["classes"] = [[label for _, label in examples] for examples in chosen]
    return found, told


def main():
    import torch

    from suite.machine import facts
    from suite.models import companions
    from suite.models.catalogue import local_model

    decoder = os.environ.get("SUITE_BENCH_DECODER")
    if not decoder or not REAL.is_dir():
        print("asked_f1: left out, needs SUITE_BENCH_DECODER and the real data")
        return
    model = local_model(f"decoder={decoder}")
    beside = {}
    if MINILM:
        beside["encoder"] = companions.pinned(local_model(f"encoder={MINILM}"))
    train_texts, train_labels, _ = rows(ROWS, "train")
    texts, labels, _ = rows(TEST)
    train, classes = Rows(tuple(train_texts), tuple(train_labels)), 4
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"asked_f1_{Path(decoder).name}_{ROWS}_{TEST}.json"
    kept = json.loads(file.read_text()) if file.is_file() else {"answers": {}, "told": {}}
    for way in ASKED:
        if way == "embedded" and not beside:
            print("embedded: left out, SUITE_BENCH_MINILM names no encoder")
            continue
        with tempfile.TemporaryDirectory() as folder:
            found, told = asked(model, train, texts, WAYS[way], beside, folder)
        kept["answers"] |= {f"{way}, {how}": answers for how, answers in found.items()}
        kept["told"][way] = told
        kept["environment"] = facts.environment()
        file.write_text(json.dumps(kept, indent=1))
    true = np.asarray(labels)
    print(
        f"asked_f1: {Path(decoder).name}, {TEST} AG News test rows "
        f"({', '.join(map(str, np.bincount(true, minlength=classes)))} of each class), "
        f"{ROWS} training rows, {torch.get_num_threads()} threads"
    )
    draws = np.random.default_rng(0).integers(0, TEST, (DRAWS, TEST))
    drawn = {
        name: macro_f1(true[draws], np.asarray(answers)[draws], classes)
        for name, answers in kept["answers"].items()
    }
    for name, answers in kept["answers"].items():
        said, way = np.asarray(answers), name.partition(",")[0]
        print(
            f"  {name:<20} {macro_f1(true, said, classes):.3f} {interval(drawn[name])} "
            f"{np.bincount(said, minlength=classes).tolist()}"
        )
        own, base = way in ("tfidf", "embedded"), f"drawn,{name.partition(',')[2]}"
        if own and base in drawn:
            apart = drawn[name] - drawn[base]
            print(f"    beside drawn ones: {apart.mean():+.3f} {interval(apart)}")
        if way == "embedded" and (base := f"tfidf,{name.partition(',')[2]}") in drawn:
            apart = drawn[name] - drawn[base]
            print(f"    beside TF-IDF's: {apart.mean():+.3f} {interval(apart)}")
    for way, told in kept["told"].items():
        line = (
            f"  {way}: {told['precision']}, {told['prompt_tokens_per_text']} tokens in a prompt, "
            f"{told['tokens_read_per_text']} read anew, {told['test_seconds'] / TEST:.2f} s a text "
            f"by the clock, fit {told['fit_seconds']:.1f} s"
        )
        if "classes" in told:
            own = np.asarray(told["classes"]) == true[:, None]
            means = own.mean(axis=1)
            shares = means[draws].mean(axis=1)
            line += f", {own.mean():.3f} {interval(shares)} of the examples of the own class"
        print(line)


if __name__ == "__main__":
    main()
