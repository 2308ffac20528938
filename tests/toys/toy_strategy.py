"""A strategy of somebody's own, found by its entry point: learns word votes, misbehaves on demand.

It takes no heavy library and no time, so that what is tested is the study around it.
"""

import gc
import json
import os
import signal
import sys
import time
import zlib
from collections import Counter, defaultdict
from pathlib import Path
from typing import ClassVar

import numpy as np

from suite.protocols import Refused
from suite.space import Choice, Fixed, Float, Space


class ToyPredictor:
    precision = "float32"
    batch = 64

    def __init__(self, votes, classes, noise, answer_seconds=0.0):
        self.votes = votes
        self.classes = classes
        self.noise = noise
        self.answer_seconds = answer_seconds
        self.serving_shape = "toy"
        self.facts = {}
        self.forgets = False

    def predict_proba(self, texts):
        time.sleep(self.answer_seconds * len(texts))
        self.facts = {"answered": len(texts)}
        out = np.full((len(texts), self.classes), 0.1, dtype=np.float32)
        for row, text in enumerate(texts):
            total = Counter()
            for word in set(text.split()) or {""}:
                total.update(self.votes.get(word, {}))
            best = max(total, key=lambda c: (total[c], c), default=0)
            # A share of the texts, always the same ones, is answered wrongly.
            if zlib.crc32(text.encode()) % 1000 < self.noise * 1000:
                best = (best + 1) % self.classes
            out[row, best] = 1.0
        return out / out.sum(axis=1, keepdims=True)

    def save(self, folder: Path):
        content = {
            "votes": self.votes,
            "classes": self.classes,
            "noise": 0.0 if self.forgets else self.noise,
            "answer_seconds": self.answer_seconds,
        }
        (folder / "toy.json").write_text(json.dumps(content))


class ToyStrategy:
    name = "toy"
    variants: ClassVar = {"twin": {"behaviour": ["good"]}}

    def preload(self, model):
        return ()

    def refuses(self, model, task):
        return "the toy does not like textcnn" if model.name == "textcnn" else None

    def space(self, model, task):
        return Space(
            {
                "noise": Float(0.0, 0.9),
                "behaviour": Choice(("good",)),
                "seconds": Fixed(0.0),
                "answer_seconds": Fixed(0.0),
                "hold": Fixed(""),
            },
            ({"noise": 0.3, "behaviour": "good"},),
        )

    def fit(self, run):
        behaviour = str(run.params["behaviour"])
        if behaviour == "crash":
            raise ValueError("the toy broke on purpose")
        if behaviour == "oom":
            raise MemoryError
        if behaviour == "refuse":
            raise Refused("the toy refuses this point")
        if behaviour == "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        votes = defaultdict(Counter)
        for text, label in zip(run.train.texts, run.train.labels):
            for word in set(text.split()):
                votes[word][label] += 1
        plain = {w: {int(c): n for c, n in v.items()} for w, v in votes.items()}
        noise = float(run.params["noise"])
        predictor = None
        for step in range(1, run.checkpoints + 1):
            time.sleep(float(run.params["seconds"]) / run.checkpoints)
            fraction = step / run.checkpoints
            predictor = ToyPredictor(
                plain,
                len(run.task.labels),
                noise + 0.1 * (1 - fraction),
                float(run.params["answer_seconds"]),
            )
            predictor.forgets = behaviour == "forgets"
            run.progress(fraction)
            run.note(precision="float32", device="cpu", truncated=0.0, frozen=gc.get_freeze_count())
            run.note(heavy=sorted({"torch", "transformers"} & set(sys.modules)))
            run.checkpoint(predictor, 1.0 if step == run.checkpoints else fraction)
            # Half-way, for as long as a file is there: what must happen meanwhile has all the time.
            while step == 2 and os.path.isfile(str(run.params["hold"])):
                time.sleep(0.02)
        # The same over folds: in the second, which the file has the name of.
        inside = Path(f"{run.params['hold']}-{run.folder.parent.name}")
        while inside.is_file():
            time.sleep(0.02)
        return predictor

    def load(self, folder):
        content = json.loads((folder / "toy.json").read_text())
        votes = {w: {int(c): n for c, n in v.items()} for w, v in content["votes"].items()}
        return ToyPredictor(votes, content["classes"], content["noise"], content["answer_seconds"])
