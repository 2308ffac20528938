"""What a process of its own writes to the cache: apart, for it imports nothing heavy."""

import os

import numpy as np

from suite.machine import cache


def write_often(home, value, done):
    os.environ["SUITE_CACHE"] = home
    file = cache.place("tokens", ["same"])
    for _ in range(50):
        cache.write(file, {"ids": np.full(10_000, value, dtype=np.int32)}, {"value": str(value)})
    done.put(value)
