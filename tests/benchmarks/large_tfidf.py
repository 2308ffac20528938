"""TF-IDF under a linear SVM on many rows: the suite's arm, and scikit-learn by hand beside it.

SUITE_BENCH_ROWS (400000) generated texts of 38 words: a vocabulary of 100,000 words by Zipf's law,
four classes that differ in a third of the words, one label in twenty drawn. Both sides count words
and pairs of words of at least two texts, weigh them and fit the same `LinearSVC`; each is a process
of its own with one thread. Told are seconds of the processor, memory at its peak, and whether both
answer alike.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]
ROWS = int(os.environ.get("SUITE_BENCH_ROWS", "400000"))
UNSEEN, WORDS, VOCABULARY, CLASSES, AT_ONCE = 10_000, 38, 100_000, 4, 10_000
SIDES = ("the suite", "scikit-learn")


def generated(count, seed):
    """(texts, labels): of each text a third of the words are its class's own, and one label in
    twenty is drawn."""
    import numpy as np

    draw = np.random.default_rng(seed)
    shares = 1 / np.arange(1, VOCABULARY + 1)
    ends = np.cumsum(shares / shares.sum())
    words = [spelled(number) for number in range(VOCABULARY)]
    labels, texts = draw.integers(0, CLASSES, count), []
    for start in range(0, count, AT_ONCE):  # all numbers at once would be the peak of memory
        own = labels[start : start + AT_ONCE, None] * 977
        shape = len(own), WORDS
        ranks = np.searchsorted(ends, draw.random(shape)).clip(0, VOCABULARY - 1)
        ranks = np.where(draw.random(shape) < 1 / 3, (ranks + own) % VOCABULARY, ranks)
        texts += [" ".join([words[rank] for rank in row]) for row in ranks.tolist()]
    drawn = draw.integers(0, CLASSES, count)
    return texts, np.where(draw.random(count) < 1 / 20, drawn, labels).tolist()


def spelled(number):
    """A word of three letters or more, another for each number."""
    found, left = "", number + 26**2
    while left:
        found += "abcdefghijklmnopqrstuvwxyz"[left % 26]
        left //= 26
    return found


def by_suite(texts, labels, marks):
    """What answers, of the strategy's first known-good point."""
    from suite import strategies
    from suite.config.task import find_task
    from suite.contracts.strategy import Rows
    from suite.models.catalogue import load_catalogue
    from tests.benchmarks.classic import Run

    class Marked(Run):
        def progress(self, fraction):
            marks.append(time.process_time())

    task, model = find_task("agnews")[0], load_catalogue()["tfidf"]
    strategy = strategies.get("classic")
    params = dict(strategy.space(model, task).known_good[0])
    with tempfile.TemporaryDirectory() as folder:
        train = Rows(tuple(texts), tuple(labels))
        predictor = strategy.fit(Marked(task, model, params, train, 0, Path(folder)))
    return lambda unseen: predictor.predict_proba(unseen).argmax(axis=1)


def by_scikit_learn(texts, labels, marks):
    """The same point by hand."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    matrix = vectorizer.fit_transform(texts)
    marks.append(time.process_time())
    model = LinearSVC(C=0.5, random_state=0).fit(matrix, labels)
    return lambda unseen: model.predict(vectorizer.transform(unseen))


def one(side, rows):
    """One side in this process."""
    from sklearn.metrics import f1_score

    texts, labels = generated(rows + UNSEEN, 0)
    fit = {"the suite": by_suite, "scikit-learn": by_scikit_learn}[side]
    fit(texts[:64], labels[:64], [])  # what is imported on the way is no part of a training
    marks = [time.process_time()]
    answer = fit(texts[:rows], labels[:rows], marks)
    marks.append(time.process_time())
    found = answer(texts[rows:]).tolist()
    return {
        "vectors_seconds": marks[1] - marks[0],
        "seconds": marks[-1] - marks[0],
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "f1": f1_score(labels[rows:], found, average="macro"),
        "answers": found,
    }


def child(side):
    single = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.large_tfidf", side, str(ROWS)],
        env=os.environ | single,
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"large_tfidf: {side} failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main():
    from suite.machine import facts
    from tests.benchmarks.common import RESULTS

    found = {side: child(side) for side in SIDES}
    answers = [found[side].pop("answers") for side in SIDES]
    alike = sum(a == b for a, b in zip(*answers, strict=True)) / UNSEEN
    print(f"large_tfidf: {ROWS:,} generated texts of {WORDS} words, the same answer to {alike:.2%}")
    for side, told in found.items():
        print(
            f"  {side:<14} counting and weighing {told['vectors_seconds']:.1f} s, with the fit "
            f"{told['seconds']:.1f} s of the processor, {told['memory'] / 1e9:.2f} GB, macro-F1 "
            f"{told['f1']:.4f}"
        )
    RESULTS.mkdir(exist_ok=True)
    told = {"rows": ROWS, "found": found, "alike": alike, "environment": facts.environment()}
    (RESULTS / "large_tfidf.json").write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    print(json.dumps(one(sys.argv[1], int(sys.argv[2]))))
