"""How often a certified error is broken on real rows: AG News, a linear classifier on TF-IDF.

It is trained on SUITE_BENCH_ROWS rows of train; the probabilities of SUITE_BENCH_OTHERS further
rows are parted SUITE_BENCH_SPLITS times at random into rows to learn thresholds on, rows to certify
on, and the rest, on which the error of what is answered is counted. At 90 % confidence at most a
tenth of the splits may be above the limit, and a little more by chance. Beside it, what a threshold
does that is simply read off the rows' own error.

Needs ../shared/data/ag_news.
"""

import gzip
import json
import math
import os
import random
import statistics

import numpy as np

from suite.contracts.deciding import Limit
from suite.verdict import certifying, selective
from suite.verdict.answering import answered
from tests.benchmarks.common import Side, report
from tests.benchmarks.shapes import REAL

ROWS = int(os.environ.get("SUITE_BENCH_ROWS", "2000"))
OTHERS = int(os.environ.get("SUITE_BENCH_OTHERS", "40000"))
SPLITS = int(os.environ.get("SUITE_BENCH_SPLITS", "200"))
LEARNING, CALIBRATION = 500, 1000
LIMIT = Limit(0.05, 0.9)


def probabilities():
    """Of rows that the classifier did not see, with their labels."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    with gzip.open(REAL / "train.jsonl.gz", "rt", encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    random.Random(0).shuffle(rows)
    seen, others = rows[:ROWS], rows[ROWS : ROWS + OTHERS]
    words = TfidfVectorizer(sublinear_tf=True, min_df=2, ngram_range=(1, 2))
    model = LogisticRegression(C=10, max_iter=200)
    model.fit(words.fit_transform([row["text"] for row in seen]), [row["label"] for row in seen])
    found = model.predict_proba(words.transform([row["text"] for row in others]))
    return found.astype(np.float32), [row["label"] for row in others]


def error(rows, threshold):
    given, wrong = rows.at(threshold)
    return wrong / max(1, given), given / len(rows)


def main():
    if not (REAL / "train.jsonl.gz").is_file():
        print("decisions: left out; it needs ../shared/data/ag_news")
        return
    rows = answered(*probabilities())
    certified, naive = (
        Side("certified", "share above .05"),
        Side("its own error", "share above .05"),
    )
    covers, errors, none = [], [], 0
    generator = np.random.default_rng(0)
    for _ in range(SPLITS):
        order = generator.permutation(len(rows))
        learning = rows.take(order[:LEARNING])
        own = rows.take(order[LEARNING : LEARNING + CALIBRATION])
        rest = rows.take(order[LEARNING + CALIBRATION :])
        found = certifying.certify(own, certifying.path(learning, LIMIT, len(own)), LIMIT)
        if found is None:
            none += 1
            certified.values.append(0.0)
        else:
            wrong, coverage = error(rest, found.threshold)
            certified.values.append(float(wrong > LIMIT.max_error))
            errors.append(wrong)
            covers.append(coverage)
        points = [p.threshold for p in selective.curve(own) if p.error <= LIMIT.max_error]
        naive.values.append(float(error(rest, min(points, default=2.0))[0] > LIMIT.max_error))
    note = (
        f"above .05 on the rest: {sum(certified.values):.0f} of {SPLITS} "
        f"(at most {0.1 + 2 * math.sqrt(0.09 / SPLITS):.3f} of them), by the rows' own error "
        f"{sum(naive.values):.0f}; no threshold in {none}; "
        f"answers {statistics.mean(covers):.3f} of texts on average, "
        f"{statistics.mean(errors):.4f} of these wrong; all answered: "
        f"{(~rows.right).mean():.4f} wrong; AURC {selective.aurc(rows):.4f}"
    )
    report("decisions", certified, naive, note=note)


if __name__ == "__main__":
    main()
