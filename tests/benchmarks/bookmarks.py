"""What a bookmark takes: bytes, seconds to write it, seconds until a training goes on from it.

A head on MiniLM's and BERT-base's shape with random weights, and on the decoder that
SUITE_BENCH_DECODER names, all weights and LoRA. One training of SUITE_BENCH_ROWS AG News rows (64)
each; a bookmark is written in the middle, SUITE_BENCH_REPEATS times (3), and another training goes
on from it. Told too: after how many seconds of training the first would be written, and how far
apart the others.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path

from suite.child.bookmarks import _BYTES_PER_SECOND, SHARE
from suite.contracts.bookmark import Bookmark
from suite.contracts.model import Model
from suite.contracts.strategy import Rows
from suite.machine import bookmarkstore
from suite.study.jobs import BOOKMARK_SECONDS
from tests.benchmarks.common import Side, report
from tests.benchmarks.neural import Run

ROWS = int(os.environ.get("SUITE_BENCH_ROWS", "64"))
REPEATS = int(os.environ.get("SUITE_BENCH_REPEATS", "3"))
OF = "0" * 64


class Halfway:
    """Writes the bookmark of the middle, and ends there; or goes on from it."""

    def __init__(self, place):
        self.place, self.written, self.bytes, self.read = place, [], 0, None
        self.begun = self.first = None

    def begin(self, facts, steps):
        self.middle = max(1, steps // 2)
        self.begun = time.perf_counter()
        found = bookmarkstore.read(self.place, OF)
        self.read = time.perf_counter() - self.begun
        return found and Bookmark(found.step, found.tensors, found.values)

    def at(self, step, whole, *, scored):
        if self.first is None:
            self.first = time.perf_counter() - self.begun
        if self.written or step != self.middle:
            return
        for _ in range(REPEATS):
            begun = time.perf_counter()
            mark = whole()
            bookmarkstore.write(self.place, OF, step, mark.tensors, mark.values, {})
            self.written.append(time.perf_counter() - begun)
        self.bytes = sum(f.stat().st_size for f in self.place.rglob("*") if f.is_file())


def one(name, model, train, **params):
    from suite import strategies

    with tempfile.TemporaryDirectory() as folder:
        sides = []
        for turn in ("first", "second"):
            place = Path(folder) / turn
            place.mkdir()
            run = Run(model, train, place, {"learning_rate": 2e-5, "batch": 16, **params})
            run.bookmarks = Halfway(Path(folder) / "mark")
            strategies.get("linear_head").fit(run)
            sides.append(run.bookmarks)
        wrote, went_on = sides
    took = statistics.median(wrote.written)
    early = max(BOOKMARK_SECONDS, wrote.bytes / _BYTES_PER_SECOND / SHARE)
    report(
        f"bookmark_{name}",
        Side("written", "s", wrote.written),
        note=f"{wrote.bytes / 1e6:,.1f} MB; read and held to its hashes in {went_on.read:.2f} s, "
        f"the next step done {went_on.first:.2f} s after it was asked for; the first after "
        f"{early:,.0f} s of training, others {max(BOOKMARK_SECONDS, took / SHARE):,.0f} s apart",
    )


def main():
    from tests.benchmarks.shapes import BERT_BASE, MINILM_SHAPE, bert_shaped, rows

    texts, labels, _ = rows(ROWS)
    train = Rows(tuple(texts), tuple(labels))
    for name, shape in (("minilm", MINILM_SHAPE), ("bert_base", BERT_BASE)):
        with tempfile.TemporaryDirectory() as folder:
            path = str(bert_shaped(folder, shape, texts))
            one(name, Model(name=name, family="encoder", path=path), train)
    decoder = os.environ.get("SUITE_BENCH_DECODER")
    if decoder:
        model = Model(name="decoder", family="decoder", path=decoder)
        for tuning in ("full", "lora"):
            one(f"decoder_{tuning}", model, train, tuning=tuning)
