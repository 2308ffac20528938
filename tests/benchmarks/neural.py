"""Training and scoring of encoders at full size, against what a user of transformers would write.

Training: `linear_head` against `Trainer` at its defaults (batch 8, float32, padded), MiniLM's
and BERT-base's shape. Scoring: the trained predictor against the `transformers` pipeline.
"""

import os
import tempfile
from contextlib import nullcontext
from pathlib import Path

from suite.config.task import find_task
from suite.contracts.model import Model
from suite.contracts.strategy import Rows
from suite.data.sample import sample_task
from tests.benchmarks.common import Side, alternate, report, timed

ROWS = int(os.environ.get("SUITE_BENCH_ROWS", "256"))
REPEATS = int(os.environ.get("SUITE_BENCH_REPEATS", "3"))


class Run:
    """`protocols.Run` without a study around it."""

    def __init__(self, model, train, folder, params):
        self.task = sample_task(find_task("agnews")[0])
        self.model, self.train, self.folder, self.params = model, train, Path(folder), params
        self.attached = self.folder / "attached"
        self.seed, self.epochs, self.checkpoints = 0, 1.0, 1
        self.shrink_batch, self.fingerprint = True, f"benchmark-{hash(train.texts)}"
        self.halvings = 0
        self.pool, self.notes, self.companions, self.teacher = None, {}, {}, None

    def checkpoint(self, predictor, fraction):
        self.predictor = predictor

    def loading(self):
        return nullcontext()

    def saved(self, seconds):
        pass

    def progress(self, fraction):
        pass

    def note(self, **facts):
        self.notes |= facts


def by_trainer(folder, train, callbacks=(), **changes):
    """Trainer as its documentation shows it; the trained network, and the tokenizer."""
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
    )

    tokenizer = AutoTokenizer.from_pretrained(folder)
    net = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=4)
    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            output_dir=scratch, report_to="none", save_strategy="no", logging_strategy="no",
            disable_tqdm=True, **{"num_train_epochs": 1, **changes},
        )  # fmt: skip
        rows = [
            {**tokenizer(text, truncation=True, max_length=128), "labels": label}
            for text, label in zip(train.texts, train.labels, strict=True)
        ]
        Trainer(
            model=net, args=arguments, train_dataset=rows, callbacks=list(callbacks),
            data_collator=DataCollatorWithPadding(tokenizer),
        ).train()  # fmt: skip
    return net, tokenizer


def training(name, shape, folder):
    """Texts a second of one pass, loading and all, both sides."""
    import torch

    from suite.strategies.heads.linear_head import LinearHeadStrategy
    from tests.benchmarks.shapes import bert_shaped, rows

    texts, labels, origin = rows(ROWS)
    train = Rows(tuple(texts), tuple(labels))
    shaped = bert_shaped(folder, shape, texts)
    size = 22.7 if shape["hidden_size"] == 384 else 109.5
    model = Model(name=name.lower(), family="encoder", path=str(shaped), parameters=size)
    strategy = LinearHeadStrategy()
    run = Run(model, train, folder, dict(strategy.space(model, None).known_good[0]))
    report(
        f"training_{name}",
        *alternate(
            (
                Side("linear_head, batch 32", "texts/s"),
                lambda: ROWS / timed(lambda: strategy.fit(run)),
            ),
            (
                Side("Trainer, its defaults (batch 8, float32)", "texts/s"),
                lambda: ROWS / timed(lambda: by_trainer(shaped, train)),
            ),
            REPEATS,
        ),
        note=f"{name}'s shape, {ROWS} {origin}, {torch.get_num_threads()} threads, "
        f"{run.notes['precision']}, {run.notes['feeding']}",
    )
    return run.predictor, shaped


def scoring(predictor, shaped):
    """The trained predictor as trials measure it, many texts at once and one at a time."""
    from transformers import pipeline

    from tests.benchmarks.shapes import rows

    texts, _, origin = rows(1024, "test")
    plain = pipeline("text-classification", model=str(shaped), batch_size=32)
    report(
        "offline",
        *alternate(
            (
                Side("TransformerPredictor", "texts/s"),
                lambda: len(texts) / timed(lambda: predictor.predict_proba(texts)),
            ),
            (
                Side("transformers pipeline, batches of 32", "texts/s"),
                lambda: len(texts) / timed(lambda: plain(texts)),
            ),
            REPEATS,
        ),
        note=f"MiniLM's shape, 1,024 {origin} at once, from raw text",
    )
    report(
        "single",
        *alternate(
            (
                Side("TransformerPredictor", "ms a text"),
                lambda: 10 * timed(lambda: [predictor.predict_proba([t]) for t in texts[:100]]),
            ),
            (
                Side("transformers pipeline", "ms a text"),
                lambda: 10 * timed(lambda: [plain(t) for t in texts[:100]]),
            ),
            REPEATS,
        ),
        note=f"MiniLM's shape, 100 {origin}, one at a time (lower is better)",
    )


def main():
    from tests.benchmarks.shapes import BERT_BASE, MINILM_SHAPE

    with tempfile.TemporaryDirectory() as folder:
        scoring(*training("MiniLM", MINILM_SHAPE, folder))
        training("BERT-base", BERT_BASE, folder)
