"""The bounds of whole numbers that a person may name, wherever they come in."""

#: Seeds are what NumPy's and Optuna's generators take: 32 bits.
MOST_SEED = 2**32 - 1

#: Trials of a study: far beyond what a search profits from; each is reckoned with wherever the
#: time left is told.
MOST_TRIALS = 100_000
