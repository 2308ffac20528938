"""The cells of `make verdicts` whose truth is known: false winners, winners found, ranks covered.

A cell is a function of a number of studies and a seed, and counts. Several cells share the studies
they are counted in, where one study holds what they ask.
"""

from collections import Counter
from itertools import combinations

import numpy as np

from suite.verdict import comparison, ranks
from suite.verdict.shrinking import shrunk
from suite.verdict.variance import Components
from tests.verdicts.studies import Arm, drawn

#: Draws behind each simulated verdict: an exact level needs no more.
DRAWS = 500
#: Behind those on scores: with few draws a critical value of many pairs scatters, and power falls.
SCORED_DRAWS = 2000
SPREADS = (0.0, 0.003, 0.005, 0.01)
#: Of the rows' noise, what all arms share, and what an arm's trainings share, where scores alone
#: are drawn.
SHARED_ROWS, OWN_ROWS = 0.6, 0.2


def generator(seed):
    return np.random.Generator(np.random.SFC64(seed))


def judged(arms, fixed, names, seed):
    """The verdicts on all pairs of some arms."""
    ordered = sorted(names, key=lambda name: -arms[name].scores.mean())
    pairs = list(combinations(ordered, 2))
    return comparison.verdicts(arms, pairs, fixed, seed=seed, draws=DRAWS)


def identical(rows, worth, spread, studies, seed):
    """Of arms that are worth the same: how often any two are called different."""
    found, draws = Counter(), generator(seed)
    random = [f"arm {i}" for i in range(7)]
    families = {
        "2 arms, 3 seeds": random[:2],
        "7 arms, 3 seeds": random,
        "deterministic, 3 seeds": ["arm 0", "arm 7"],
    }
    if not spread:
        families["2 deterministic"] = ["arm 7", "arm 8"]
    members = [Arm(worth, spread)] * 7 + [Arm(worth, trainings=1)] * (1 if spread else 2)
    for study in range(studies):
        arms, fixed = drawn(draws, rows, members)
        for name, family in families.items():
            found[name] += any(d.winner for d in judged(arms, fixed, family, study))
    return {name: (found[name], studies) for name in families}


def unlike(kind, studies, seed):
    """The same for arms whose trainings scatter unlike, where shrinking could mislead; 1,000
    rows, seven arms worth .7."""
    spreads = {
        "half .001, half .01": [0.001] * 4 + [0.01] * 3,
        "one .1, others .003": [0.003] * 6 + [0.1],
        "one arm's trainings, told apart": [0.005] * 7,
    }[kind]
    own = 0.0 if kind.startswith("one arm's") else 0.2
    members = [Arm(0.7, spread, own=own) for spread in spreads]
    found, draws = 0, generator(seed)
    for study in range(studies):
        arms, fixed = drawn(draws, 1000, members)
        found += any(d.winner for d in judged(arms, fixed, arms, study))
    return {kind: (found, studies)}


def beside(studies, seed):
    """Two arms that repeat themselves, .05 apart, beside five of three seeds, spread .01, 1,000
    rows: how often the two are told apart, and how often any two of the five, worth the same."""
    members = [Arm(0.85, trainings=1), Arm(0.9, trainings=1)] + [Arm(0.9, 0.01)] * 5
    alike = {f"arm {i}" for i in range(1, 7)}
    found, draws = Counter(), generator(seed)
    for study in range(studies):
        arms, fixed = drawn(draws, 1000, members)
        called = judged(arms, fixed, arms, study)
        found["the two"] += any({d.a, d.b} == fixed and d.winner for d in called)
        found["any two that are worth the same"] += any(
            {d.a, d.b} <= alike and d.winner is not None for d in called
        )
        found["the two, without the five"] += any(
            d.winner for d in judged(arms, fixed, fixed, study)
        )
    return {name: (count, studies) for name, count in found.items()}


def above(count, studies, seed):
    """One arm .05 above all others, spread .005, 7,600 rows: how often it is found above each.

    The scores are drawn as such, with the covariances of the rows: 40 arms' answers to 7,600
    rows in 4,000 studies would be drawn for hours.
    """
    found = 0
    for won, pairs in scored([0.9] + [0.85] * (count - 1), 0.005, 7600, studies, seed):
        found += bool((won[pairs[0] == 0] > 0).all())
    return {f"{count} arms": (found, studies)}


def ranges(count, gap, studies, seed):
    """How often the ranges of all arms hold their true ranks together; arms `gap` apart."""
    worth = np.array([0.9 - gap * index for index in range(count)])
    names = list(range(count))
    first = [1 + int((worth > own).sum()) for own in worth]
    last = [int((worth >= own).sum()) for own in worth]
    found = 0
    for won, (a, b) in scored(worth, 0.005, 1000, studies, seed):
        wins = [(i, j) if w > 0 else (j, i) for i, j, w in zip(a, b, won) if w]
        held = ranks.ranges(names, wins)
        found += all(held[n][0] <= first[n] and last[n] <= held[n][1] for n in names)
    return {f"{count} arms {gap:g} apart": (found, studies)}


def told(spread, studies, seed):
    """Power: two arms .01 apart, 7,600 rows, three seeds; and the level of the same test.

    Beside it a test of two trained models, one of each arm, on the same rows: how often it finds
    the gap at that level, and its level where it takes the rows' noise for the whole.
    """
    counted = {
        name: sum(int(won[0] > 0) for won, _ in scored(worth, spread, 7600, studies, seed))
        for name, worth in (("found", [0.9, 0.89]), ("one way by chance", [0.9, 0.9]))
    }
    by_rows = np.sqrt(2 * 0.9 * 0.1 / 7600 * (1 - SHARED_ROWS))
    noise = np.hypot(by_rows, np.sqrt(2) * spread) * generator(seed).standard_normal(studies)
    level = min(1.0, 2 * counted["one way by chance"] / studies)
    critical = np.quantile(np.abs(noise), 1 - level)
    return {name: (count, studies) for name, count in counted.items()} | {
        "one training each, same level: found": (int((0.01 + noise > critical).sum()), studies),
        "one training each, rows' noise alone: by chance": (
            int((np.abs(noise) > 1.96 * by_rows).sum()),
            studies,
        ),
    }


def scored(worth, spread, rows, studies, seed, trainings=3):
    """Verdicts on studies of which the scores are drawn, and no answers.

    A training's score is its arm's worth, what the rows do to the arm, and its own luck. The rows'
    covariances are known here, as they all but are with so many.

    Yields:
        by pair 1 where a is called better, -1 where b is, 0 where neither; and the pairs.
    """
    draws, count = generator(seed), len(worth)
    pairs = np.triu_indices(count, 1)
    binomial = np.mean(worth) * (1 - np.mean(worth)) / rows
    by_rows = binomial * (SHARED_ROWS + OWN_ROWS * np.eye(count))
    factor = np.linalg.cholesky(by_rows)
    scatter = np.sqrt(spread**2 + binomial * (1 - SHARED_ROWS - OWN_ROWS))
    for study in range(studies):
        trained = scatter * draws.standard_normal((count, trainings))
        scores = (np.array(worth) + factor @ draws.standard_normal(count))[:, None] + trained
        variances, df = shrunk(scores.var(axis=1, ddof=1), np.full(count, trainings - 1.0))
        parts = Components(scores.mean(axis=1), variances / trainings, df, by_rows, rows - 1)
        _, low, high, _ = comparison.judged(parts, *pairs, seed=study, draws=SCORED_DRAWS)
        yield (low > 0).astype(int) - (high < 0), pairs
