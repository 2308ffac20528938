"""A trained predictor under load, driven by MLPerf's own LoadGen.

`loadgen.py` runs SingleStream and Offline in the process it is called in, `server_load.py` Server,
through the batcher of `batcher.py`. `measure.py` runs a trial's scenarios on a kept predictor,
meant for a child process of its own, and holds the lock under which a machine measures one thing
at a time; `bench.py` does so for one engine of `engines/`, after checking that it agrees. None of
them imports torch.
"""
