"""How many flipped labels `suite data suspects` finds, how much of what it lists was flipped, and
what macro-F1 on test is with and without what it lists in training.

A tenth of the labels of train and validation are changed: to any other class, or each class to
the next one alone, as a class is mistaken for one that it is like.
Labels that were wrong before count as mistakes of the listing here: the precision is a lower bound.
Data lie in SUITE_BENCH_DATA, a folder with one of TASKS each; SUITE_BENCH_ROWS of train are taken,
and SUITE_BENCH_TASKS names some of the tasks.
"""

import json
import os
import random
import time
from dataclasses import asdict, replace
from pathlib import Path

from suite.contracts.strategy import Rows
from suite.data.folds import together
from suite.data.named import rows_of
from suite.data.parts import describe
from suite.machine import facts
from suite.study import suspecting
from tests.benchmarks.common import RESULTS

DATA = Path(os.environ.get("SUITE_BENCH_DATA", "../shared/data"))
ROWS = int(os.environ.get("SUITE_BENCH_ROWS", "2000"))
MODELS = os.environ.get("SUITE_BENCH_MODELS", "").split()
#: Task -> its folder.
TASKS = {
    "agnews": "ag_news", "bbc-news": "bbc_news", "banking77": "banking77", "tnews": "tnews",
    "chnsenticorp": "chnsenticorp",
}  # fmt: skip
NAMED = os.environ.get("SUITE_BENCH_TASKS", "").split() or list(TASKS)
SHARE = 0.1
#: Rows of validation and of test that are taken.
VALIDATION, TEST = 250, 1000


def flipped(rows, share, kind, classes, seed=0):
    """Rows with a share of their labels changed, and the positions of those."""
    generator = random.Random(seed)
    chosen = set(generator.sample(range(len(rows)), round(share * len(rows))))
    labels = list(rows.labels)
    for row in sorted(chosen):
        step = 1 if kind == "class" else generator.randrange(1, classes)
        labels[row] = (labels[row] + step) % classes
    return Rows(rows.texts, tuple(labels)), chosen


def spread(rows, count):
    """So many rows at most, evenly spread: files may be grouped by class."""
    return rows.take(range(0, len(rows), max(1, -(-len(rows) // count))))


def measured(task, data, kind):
    """One run over rows with flipped labels: a line of the table."""
    classes, learn = len(task.labels), len(data.train)
    pool, wrong = flipped(together(data.train, data.validation), SHARE, kind, classes)
    made = describe(
        pool.take(range(learn)), pool.take(range(learn, len(pool))), data.test,
        task.label_names, source="flipped",
    )  # fmt: skip
    begun = time.perf_counter()
    found = suspecting.suspects(task, made, models=MODELS)
    seconds = time.perf_counter() - begun
    places = {
        int(one.place.rsplit(" ", 1)[1]) - 1 + (learn if one.part == "validation" else 0)
        for one in found.found
    }
    hits = len(places & wrong)
    return {
        "task": task.name, "rows": len(pool), "classes": classes, "flipped": kind,
        "arms": found.arms, "wrong": len(wrong), "listed": len(places), "hits": hits,
        "found": round(hits / len(wrong), 3), "precision": round(hits / max(1, len(places)), 3),
        "suspects_of_test": len(found.test), "test": len(made.test),
        "scores": [asdict(one) for one in found.scores], "seconds": round(seconds, 1),
    }  # fmt: skip


def main():
    lines = []
    for name in NAMED:
        folder = TASKS[name]
        if not (DATA / folder).is_dir():
            continue
        task, data = rows_of(name, folder=DATA / folder, train_rows=ROWS)
        # Validation of so few rows is enough: it is a fold like the others. Test is not flipped.
        data = replace(
            data, validation=spread(data.validation, VALIDATION), test=spread(data.test, TEST)
        )
        for kind in ("any", "class"):
            lines.append(measured(task, data, kind))
            print(json.dumps(lines[-1]), flush=True)
    RESULTS.mkdir(exist_ok=True)
    content = {"benchmark": "wrong_labels", "rows": lines, "environment": facts.environment()}
    (RESULTS / "wrong_labels.json").write_text(json.dumps(content, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
