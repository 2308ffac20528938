"""Is what `suite curve --advice` tells of a class's rows true? Rows that it did not see are added.

Of each task SUITE_BENCH_ROWS training rows are taken for all that is labelled, SUITE_BENCH_REPEATS
times others. From them alone it is told, as the command does, what MORE rows of each class would
bring `tfidf/classic`, and what rows of any class would (the control). Then as many of the rows
that were put aside are added, class by class, DRAWS times others, and the arm is trained anew: the
truth.
Trainings are of the arm's first known-good point, in this process; scores are macro-F1 on the same
test rows.

Data lie in SUITE_BENCH_DATA, a folder with one of TASKS each.
"""

import json
import os
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from suite import strategies
from suite.config.recipe import Recipe
from suite.contracts.strategy import Rows
from suite.data.named import rows_of
from suite.data.splits import nested_order
from suite.data.subsets import drawn
from suite.machine import facts
from suite.models.catalogue import load_catalogue
from suite.study import arms
from suite.study.apart import ApartRun
from suite.study.definition import StoredArm
from suite.study.growing import HELD_DRAWS, MOST_CLASSES
from suite.study.sizes import LEAST_OF_CLASS, usual
from suite.verdict import confusions, growth
from suite.verdict.gains import Held, gains
from suite.verdict.growth import Size
from tests.benchmarks.common import RESULTS

DATA = Path(os.environ.get("SUITE_BENCH_DATA", "../shared/data"))
ROWS = int(os.environ.get("SUITE_BENCH_ROWS", "1200"))
REPEATS = int(os.environ.get("SUITE_BENCH_REPEATS", "3"))
MORE = int(os.environ.get("SUITE_BENCH_MORE", "300"))
DRAWS = 5
TEST = 4000
#: Task -> its folder.
TASKS = {"agnews": "ag_news", "tnews": "tnews"}
ARM = "tfidf/classic"


class Trainer:
    """Macro-F1 of the arm trained on rows, and each test row's pull on it."""

    def __init__(self, task, test):
        self.task, self.test = task, test
        recipe = Recipe(name="advice", arms=[ARM])
        planned = arms.plan(recipe, task, load_catalogue(), globs=[ARM], rows=ROWS)
        self.recipe, self.arm, self.trainings = recipe, StoredArm.of(planned[0]), 0

    def __call__(self, rows):
        self.trainings += 1
        with tempfile.TemporaryDirectory() as folder:
            run = ApartRun(
                self.task, self.arm, self.recipe, rows, (),
                fingerprint=str(self.trainings), folder=Path(folder),
            )  # fmt: skip
            predictor = strategies.get(self.arm.strategy).fit(run)
        answers = predictor.predict_proba(self.test.texts).argmax(axis=1)
        found = confusions.trained(self.test.labels, [answers], len(self.task.labels))
        return float(found.scores[0]), found.pulls[0]


def advised(train, base):
    """Class (None: any) -> the gain that is told, and its reach."""
    counts = Counter({c: n for c, n in Counter(base.labels).items() if n >= LEAST_OF_CLASS})
    whole, pull = train(base)
    sizes = [Size(len(base), whole)]
    for size in usual(len(base), len(train.task.labels))[:-1]:
        for draw in range(1, HELD_DRAWS + 1):
            sizes.append(Size(size, train(base.take(drawn(base, size, draw=draw)))[0]))
    laws = growth.fit(sizes)
    if laws is None:
        return {}
    fewer = len(base) - round(sum(n // 2 for n in counts.values()) / len(counts))
    held = []
    for label, count in [*sorted(counts.items())[:MOST_CLASSES], (None, len(base))]:
        scores, pulls = [], []
        for draw in range(1, HELD_DRAWS + 1):
            rows = fewer if label is None else len(base)
            kept = None if label is None else count - count // 2
            own = train(base.take(drawn(base, rows, draw=draw, label=label, kept=kept)))
            scores.append(own[0])
            pulls.append(own[1])
        error = float(np.sqrt(np.sum((pull - np.mean(pulls, axis=0)) ** 2)))
        left_out = len(base) - fewer if label is None else count // 2
        held.append(Held(label, count, left_out, scores, error))
    found = gains(whole, held, MORE, laws.exponent, laws.shifts(len(base)))
    return {one.label: (gain, reach) for one, (_, gain, reach) in zip(held, found, strict=True)}


def truths(train, base, rest, labels, seed):
    """Class (None: any) -> what as many more rows bring, draw by draw."""
    whole, _ = train(base)
    generator = np.random.default_rng(seed)
    found = {}
    for label in labels:
        there = [at for at, own in enumerate(rest.labels) if label is None or own == label]
        if len(there) < MORE:
            continue
        found[label] = []
        for _ in range(DRAWS):
            added = rest.take(generator.choice(there, MORE, replace=False))
            rows = Rows((*base.texts, *added.texts), (*base.labels, *added.labels))
            found[label].append(train(rows)[0] - whole)
    return found


def measured(name, task, data):
    """A line for each repeat."""
    test = data.test.take(range(min(len(data.test), TEST)))
    for repeat in range(REPEATS):
        begun = time.perf_counter()
        order = nested_order(data.train, seed=1000 + repeat)
        base, rest = data.train.take(order[:ROWS]), data.train.take(order[ROWS:])
        train = Trainer(task, test)
        told = advised(train, base)
        truth = truths(train, base, rest, list(told), repeat)
        means = {label: statistics.mean(own) for label, own in truth.items()}
        classes = [label for label in means if label is not None]
        best = max(classes, key=lambda label: told[label][0])
        errors = [abs(told[label][0] - means[label]) for label in means]
        yield {
            "task": name, "rows": ROWS, "more": MORE, "repeat": repeat, "classes": len(classes),
            "mean_error": round(statistics.mean(errors), 4),
            "zero_error": round(statistics.mean(abs(own) for own in means.values()), 4),
            "within": sum(abs(told[c][0] - means[c]) <= told[c][1] for c in means),
            "of": len(means), "measurable": sum(abs(g) > r for g, r in told.values()),
            "best_told": round(told[best][0], 4), "best_truth": round(means[best], 4),
            "random_told": round(told[None][0], 4), "random_truth": round(means[None], 4),
            "class_mean_truth": round(statistics.mean(means[c] for c in classes), 4),
            "class_most_truth": round(max(means[c] for c in classes), 4),
            "rank_correlation": round(_spearman([told[c][0] for c in classes],
                                                [means[c] for c in classes]), 3),
            "trainings": train.trainings, "seconds": round(time.perf_counter() - begun, 1),
        }  # fmt: skip


def _spearman(one, other):
    from scipy import stats

    return float(stats.spearmanr(one, other).statistic)


def main():
    lines = []
    for name, folder in TASKS.items():
        if not (DATA / folder).is_dir():
            continue
        task, data = rows_of(name, folder=DATA / folder)
        for line in measured(name, task, data):
            lines.append(line)
            print(json.dumps(line), flush=True)
    RESULTS.mkdir(exist_ok=True)
    content = {"benchmark": "label_advice", "rows": lines, "environment": facts.environment()}
    (RESULTS / "label_advice.json").write_text(json.dumps(content, indent=1))


if __name__ == "__main__":
    main()
