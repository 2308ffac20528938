"""What a study's arms tell about each other's spread over trainings.

Three trainings know little of their own spread, and with two degrees of freedom no arm of forty
could be told from the rest. So a variance is shrunk towards those of the study's other arms, as
far as these agree: Smyth, "Linear models and empirical Bayes methods for assessing differential
expression in microarray experiments", 2004; an arm whose spread is not like the others' stands by
its own (Phipson et al., "Robust hyperparameter estimation protects against hypervariable genes",
2016). How far is bounded by the number of arms, for a few arms that happen to agree prove little;
with these bounds, and without any borrowing at all no more so, simulated levels are kept also where
spreads differ by a factor of ten or thirty (`make verdicts`).
"""

from __future__ import annotations

import numpy as np

from suite.verdict.confusions import Array

#: Degrees of freedom that an arm borrows at most: one for so many arms that agree, and in all.
_ARMS_EACH, _MOST = 3, 4.0
#: How often, in studies of like arms, any is taken for unlike.
_UNLIKE = 0.2


def shrunk(variances: Array, df: Array) -> tuple[Array, Array]:
    """Variances shrunk towards each other, and the degrees of freedom they have then.

    Args:
        variances: of arms that are trained at random, [arms]; 0 where scores fell together, which
            tells nothing of the others'.
        df: of each, [arms], 1 or more.
    """
    from scipy.special import digamma, fdtri, polygamma

    telling = variances > 0
    if telling.sum() < 2:
        return variances, df
    logs = np.log(np.where(telling, variances, 1)) - digamma(df / 2) + np.log(df / 2)
    count = int(telling.sum())
    others = np.exp((logs[telling].sum() - logs) / (count - 1))
    like = variances <= fdtri(df, _MOST, 1 - _UNLIKE / count) * others
    used = telling & like
    count = int(used.sum())
    if count < 2:
        return variances, df
    middle = logs[used].mean()
    scatter = logs[used].var(ddof=1) - polygamma(1, df[used] / 2).mean()
    if scatter > 0:
        known = 2 * _trigamma_inverse(float(scatter))
        centre = float(np.exp(middle + digamma(known / 2) - np.log(known / 2)))
    else:
        known, centre = np.inf, float(variances[used].mean())
    borrowed = np.where(like, min(known, _MOST, count / _ARMS_EACH), 0.0)
    return (borrowed * centre + df * variances) / (borrowed + df), borrowed + df


def _trigamma_inverse(value: float) -> float:
    """The number whose trigamma is this."""
    from scipy.optimize import brentq
    from scipy.special import polygamma

    found = brentq(lambda log: np.log(polygamma(1, np.exp(log)) / value), -18.0, 18.0)
    return float(np.exp(found))
