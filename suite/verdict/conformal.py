"""Promises that hold in the mean over the rows they are fitted on, whatever the model: sets of
classes that hold the true one so often, and wrong answers to at most so many of all texts.

Both are of monotone risks: a larger set misses less, a higher threshold answers less. The error
among answered texts is no such risk (`certifying`).

Sources: Vovk, Gammerman and Shafer, "Algorithmic learning in a random world", 2005 (split
conformal); Sadinle, Lei and Wasserman, "Least ambiguous set-valued classifiers with bounded error
levels", 2019 (sets by the probability itself); Angelopoulos, Bates, Fisch, Lei and Schuster,
"Conformal risk control", 2022.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from suite.errors import UsageError
from suite.verdict.answering import Answered, Truth, checked, sureness
from suite.verdict.certifying import between


def threshold_of_sets(
    probabilities: NDArray[np.floating], labels: Sequence[int], coverage: float
) -> float:
    """From which probability on a class belongs to a text's set, so that sets hold the true class
    for at least this share of texts; 0 where the rows are too few to leave any class out.

    Args:
        probabilities: [rows, classes] of rows that no training saw; a row of zeros is no answer.
        labels: the class index of each row.
        coverage: in the mean over rows to fit on; above 0, below 1.

    Raises:
        DataError: these are no probabilities of these rows.
        UsageError: no such coverage can be promised.
    """
    if not 0 < coverage < 1:
        raise UsageError(
            f"a coverage of {coverage:g} lies not between 0 and 1",
            fix="A set of all classes always holds the true one: say .9 or .95.",
        )
    checked(probabilities, labels)
    shares = sureness(np.asarray(probabilities))
    own = np.sort(shares[np.arange(len(labels)), list(labels)])
    # The rank from above that a new row is at most at, so often: ties only make sets larger.
    rank = ceil((len(own) + 1) * coverage)
    if rank > len(own):
        return 0.0
    # Of these rows it leaves out what the value itself would.
    return float(between(own[[len(own) - rank]], shares)[0])


def sets(probabilities: NDArray[np.floating], threshold: float) -> Truth:
    """Which classes belong to each text's set, bool [rows, classes].

    None is empty: where no class reaches the threshold, the most probable one stands alone. A text
    without an answer may be of any class.
    """
    shares = sureness(np.asarray(probabilities))
    found = np.asarray(shares >= threshold)
    found[np.arange(len(shares)), shares.argmax(axis=1)] = True
    found[~np.asarray(probabilities).any(axis=1)] = True
    return found


def threshold_of_risk(rows: Answered, max_wrong: float) -> float | None:
    """From which threshold on a model may answer so that at most this share of *all* texts is
    answered, and wrong; None where it may answer none, or the rows are too few (`rows_needed`).

    Args:
        rows: seen by no training.
        max_wrong: in the mean over rows to fit on; above 0, below 1.
    """
    # One row more than there are is taken to be wrong, whatever the threshold.
    allowed = floor(max_wrong * (len(rows) + 1) + 1e-9) - 1
    if allowed < 0:
        return None
    wrong = np.sort(rows.sure[~rows.right & (rows.sure > 0)])[::-1]
    if len(wrong) <= allowed:
        return 0.0
    # Above the surest answer that may not be given, by half the way to the next that was seen.
    surer = np.unique(rows.sure[rows.sure > wrong[allowed]])
    return float((wrong[allowed] + surer[0]) / 2) if len(surer) else None


def rows_needed(max_wrong: float) -> int:
    """How many rows would do, were none of them answered wrongly.

    >>> rows_needed(0.05), rows_needed(0.01)
    (19, 99)
    """
    return ceil(1 / max_wrong - 1e-9) - 1
