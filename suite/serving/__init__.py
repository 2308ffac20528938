"""A trained predictor under load, driven by MLPerf's own LoadGen.

`loadgen.py` runs one scenario in the process it is called in; `measure.py` runs a trial's
scenarios on a kept predictor, meant for a child process of its own, and holds the lock under
which a machine measures one thing at a time. Neither imports torch.
"""
