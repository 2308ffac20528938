"""How often an arm's own interval holds what the arm is worth, and what else was tried.

Rows are drawn from a population of labels and answers whose macro-F1 is known: classes equal or by
Zipf's law, of unlike recall, mistaken for a few others.
"""

import numpy as np
from scipy.special import ndtr, ndtri

from suite.verdict import comparison, confusions, of_confusion
from suite.verdict.metrics import METRICS
from suite.verdict.unjudged import of_class, of_metrics
from tests.verdicts.cells import generator
from tests.verdicts.studies import Arm, drawn

RESAMPLES = 300
REACH = 1.96
PER_CLASS = {
    "f1": of_confusion.per_class_f1,
    "precision": of_confusion.per_class_precision,
    "recall": of_confusion.per_class_recall,
}


def population(classes, zipf, worth):
    """Probabilities of labels and answers, [classes, classes], and their macro-F1."""
    draws = np.random.default_rng(classes)
    labels = 1 / np.arange(1, classes + 1) if zipf else np.ones(classes)
    recall = np.clip(draws.beta(worth * 12, (1 - worth) * 12, classes), 0.05, 0.999)
    mistakes = draws.random((classes, classes)) ** 8
    np.fill_diagonal(mistakes, 0)
    mistakes /= mistakes.sum(axis=1, keepdims=True)
    cells = np.diag(recall) + (1 - recall)[:, None] * mistakes
    cells *= (labels / labels.sum())[:, None]
    return cells, float(confusions.macro_f1(np.pad(cells, ((0, 0), (0, 1)))))


def own(classes, rows, zipf, worth, studies, seed):
    """Coverage of a deterministic arm's interval as `compare` gives it."""
    cells, truth = population(classes, zipf, worth)
    draws, found, narrow = generator(seed), 0, 0
    for study in range(studies):
        counts = draws.multinomial(rows, cells.ravel())
        labels, answers = np.divmod(np.repeat(np.arange(classes**2), counts), classes)
        arms = {"arm": confusions.trained(labels, answers[None], classes)}
        interval = comparison.findings(arms, arms, seed=study).intervals["arm"]
        found += interval.low <= truth <= interval.high
        narrow += interval.narrow
    name = f"{classes} classes, {rows} rows{', Zipf' if zipf else ''}, F1 {truth:.2f}"
    if narrow > studies / 2:
        name += ", told as too narrow"
    return {name: (found, studies)}


def unjudged(classes, rows, zipf, worth, studies, seed):
    """The same of what no verdict is drawn from: other metrics, and the first and the last class,
    which by Zipf's law are the largest and the smallest."""
    cells, _ = population(classes, zipf, worth)
    whole = np.pad(cells, ((0, 0), (0, 1)))
    draws, found = generator(seed), {}

    def count(name, interval, truth):
        held, asked = found.get(name, (0, 0))
        if interval is not None:
            found[name] = held + (interval.low <= truth <= interval.high), asked + 1

    metrics = [METRICS[key] for key in ("accuracy", "balanced_accuracy", "weighted_f1", "mcc")]
    for _ in range(studies):
        counts = draws.multinomial(rows, cells.ravel())
        labels, answers = np.divmod(np.repeat(np.arange(classes**2), counts), classes)
        arms = {"arm": answers[None]}
        for key, own in of_metrics(labels, arms, classes, metrics, arms).items():
            count(METRICS[key].labels["en"], own["arm"], float(METRICS[key].of_confusion(whole)))
        for index in (0, classes - 1):
            single = of_class(labels, arms, index, arms)["arm"]
            for key, of in PER_CLASS.items():
                name = f"{key} of a class of {cells[index].sum() * rows:.0f} rows"
                count(name, getattr(single, key), float(of(whole)[index]))
    told = f"{classes} classes, {rows} rows{', Zipf' if zipf else ''}"
    return {f"{name}; {told}": counted for name, counted in found.items()}


def trained(rows, worth, spread, studies, seed):
    """The same of an arm of three trainings."""
    draws, found = generator(seed), 0
    for study in range(studies):
        arms, fixed = drawn(draws, rows, [Arm(worth, spread)])
        interval = comparison.findings(arms, fixed, seed=study).intervals["arm 0"]
        found += interval.low <= worth <= interval.high
    return {f"3 seeds, spread {spread:g}, {rows} rows, F1 {worth:g}": (found, studies)}


def tried(classes, rows, zipf, worth, studies, seed):
    """The three that were tried beside it, on fewer studies."""
    cells, truth = population(classes, zipf, worth)
    draws, found = generator(seed), dict.fromkeys(("percentile", "BC", "delta"), 0)
    for _ in range(studies):
        counts = draws.multinomial(rows, cells.ravel())
        score = _macro(counts[None], classes)[0]
        resampled = np.sort(_macro(draws.multinomial(rows, counts / rows, RESAMPLES), classes))
        below = np.clip((resampled < score).mean(), 1 / RESAMPLES, 1 - 1 / RESAMPLES)
        tails = ndtr(2 * ndtri(below) + np.array([-REACH, REACH]))
        half = REACH * np.sqrt(_delta(counts.reshape(classes, classes)))
        ends = {
            "percentile": np.quantile(resampled, [0.025, 0.975]),
            "BC": np.quantile(resampled, tails),
            "delta": (score - half, score + half),
        }
        for name, (low, high) in ends.items():
            found[name] += low <= truth <= high
    return {name: (count, studies) for name, count in found.items()}


def _macro(counts, classes):
    matrices = counts.reshape(-1, classes, classes)
    hits = np.diagonal(matrices, axis1=1, axis2=2)
    total = matrices.sum(axis=1) + matrices.sum(axis=2)
    occurs = total > 0
    return (2 * hits / np.where(occurs, total, 1)).sum(axis=1) / occurs.sum(axis=1)


def _delta(counts):
    """The variance of macro-F1 by the delta method: each cell's derivative, squared and summed."""
    total = counts.sum(axis=0) + counts.sum(axis=1)
    each = 1 / np.where(total > 0, total, 1)
    f1 = 2 * np.diag(counts) * each
    slope = 2 * np.diag(each) - (f1 * each)[:, None] - (f1 * each)[None, :]
    return (counts * slope**2).sum() / (total > 0).sum() ** 2
