"""Engines that take no time to open and behave as their names say, for whatever was kept."""

import os
import signal
import sys
import time
from dataclasses import dataclass

import numpy as np

from suite.protocols import Refused
from suite.strategies import load_predictor


@dataclass(frozen=True)
class Candidate:
    engine: str
    precision: str
    refused: str | None = None


def candidates(folder):
    """Two that serve, one that is wrong, one that is not installed."""
    return [
        Candidate("slow", "float32"),
        Candidate("quick", "int8"),
        Candidate("liar", "int8"),
        Candidate("absent", "float32", "absent is not installed; pip install absent"),
    ]


def broken(folder):
    """Those that end in some other way."""
    names = ("dies", "raises", "raises_later", "declines")
    return [Candidate(name, "float32") for name in names]


def one_hangs(folder):
    return [Candidate("quick", "int8"), Candidate("hangs", "float32")]


class Engine:
    batch = 32
    serving_shape = "toy"
    device = "toy-device"

    def __init__(self, kept, engine, precision):
        self.kept, self.engine, self.precision = kept, engine, precision
        self.load_seconds, self.prepare_seconds = 0.25, 1.5
        self.calls = 0

    def predict_proba(self, texts):
        self.calls += 1
        if self.engine == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.engine == "raises" or (self.engine == "raises_later" and self.calls > 20):
            raise RuntimeError("no weights left")
        time.sleep((0.0005 + 1e-5 * len(texts)) * (4 if self.engine == "slow" else 1))
        found = self.kept.predict_proba(texts)
        return np.roll(found, 1, axis=1) if self.engine == "liar" else found

    def save(self, folder):
        raise AssertionError("an engine is not saved")


def open_engine(folder, engine, precision, *, texts, scratch):
    assert scratch.is_dir() and 0 < len(texts) <= 512 and all(isinstance(t, str) for t in texts)
    (scratch / "converted.bin").write_bytes(b"x" * 1000)
    if engine == "declines":
        raise Refused("this model has an operation that the engine lacks")
    if engine == "hangs":
        print("hanging", file=sys.stderr, flush=True)
        time.sleep(600)
    return Engine(load_predictor(folder), engine, precision)
