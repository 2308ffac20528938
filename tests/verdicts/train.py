"""`make verdicts-train DATA=FOLDER`: thirty trainings of each of three arms, and what they answer.

FOLDER holds AG News as gzip JSON lines, `train.jsonl.gz` and `test.jsonl.gz`, of {"text", "label"}.
Each arm is trained on the same 2,000 rows at the first known-good point of its space, with another
seed each time. Kept are class indices alone, the rows of test in a shuffled order.
"""

import argparse
import gzip
import hashlib
import json
import random
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from suite import strategies
from suite.config.task import find_task
from suite.contracts.strategy import Rows
from suite.models.catalogue import load_catalogue

RECORDED = Path(__file__).parent / "recorded"
ARMS = {
    "fasttext": ("fasttext", "classic"),
    "textcnn": ("textcnn", "classic"),
    "tiny-bert": ("tiny-bert", "linear_head"),
}
TRAINING_ROWS, TRAININGS, EPOCHS = 2000, 30, 2.0


class Run:
    """`contracts.strategy.Run` without a study around it; the last checkpoint is what is kept."""

    shrink_batch, halvings, checkpoints = True, 0, 1

    def __init__(self, task, model, params, train, seed, folder):
        self.task, self.model, self.params, self.train = task, model, params, train
        self.seed, self.epochs, self.folder = seed, EPOCHS, folder / "scratch"
        self.attached = folder / "attached"
        self.folder.mkdir()
        self.fingerprint = hashlib.sha256("\n".join(train.texts).encode()).hexdigest()

    def checkpoint(self, predictor, fraction):
        self.predictor = predictor

    def loading(self):
        return nullcontext()

    def saved(self, seconds):
        pass

    def progress(self, fraction):
        pass

    def note(self, **facts):
        pass


def rows(file, count, seed):
    """So many rows of a file, in a seeded order; all where `count` is None."""
    with gzip.open(file, "rt", encoding="utf-8") as stream:
        found = [json.loads(line) for line in stream]
    random.Random(seed).shuffle(found)
    found = found[:count]
    return Rows(tuple(r["text"] for r in found), tuple(int(r["label"]) for r in found))


def seed_of(arm, index):
    """A training's seed: every arm and every training has its own."""
    return int.from_bytes(hashlib.sha256(f"{arm}:{index}".encode()).digest()[:4], "big") >> 1


def trained(arm, train, texts):
    """Class indices, int8 [TRAININGS, texts]."""
    name, strategy = ARMS[arm]
    model, task = load_catalogue()[name], find_task("agnews")[0]
    params = dict(strategies.space(strategy, model, task, TRAINING_ROWS).known_good[0])
    answers = []
    for index in range(TRAININGS):
        begun = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            run = Run(task, model, params, train, seed_of(arm, index), Path(folder))
            strategies.get(strategy).fit(run)
            answers.append(run.predictor.predict_proba(texts).argmax(axis=1).astype(np.int8))
        print(f"{arm} {index + 1}/{TRAININGS}: {time.perf_counter() - begun:.0f} s", flush=True)
    return np.stack(answers)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of AG News as gzip JSON lines")
    parser.add_argument("--arm", choices=ARMS, action="append", help="these arms alone")
    asked = parser.parse_args()
    train = rows(asked.data / "train.jsonl.gz", TRAINING_ROWS, 0)
    test = rows(asked.data / "test.jsonl.gz", None, 1)
    RECORDED.mkdir(exist_ok=True)
    for arm in asked.arm or ARMS:
        answers = trained(arm, train, test.texts)
        labels = np.asarray(test.labels, np.int8)
        np.savez_compressed(RECORDED / f"{arm}.npz", labels=labels, answers=answers)


if __name__ == "__main__":
    main()
