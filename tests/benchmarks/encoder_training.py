"""`linear_head` on encoders of full size, whole and in steady state, beside `Trainer` and beside
the products alone.

MiniLM's and BERT-base's shapes with random weights, SUITE_BENCH_ROWS texts (2,048) in one pass.
Whole: loading, tokenising and all. Steady state: from a tenth of the training to its end. The
ceiling is every weight's product by a step's tokens, forward and backward, in the numbers that
the training computes in, as the packed way needs them (in the last layer only keys and values of
every token), measured before and after each training; it knows no attention, norm, dropout,
optimiser or copy. SUITE_BENCH_SHAPES: MiniLM,BERT-base; SUITE_BENCH_REPEATS: 3.
"""

import os
import statistics
import tempfile
import time

import torch

from suite.contracts.model import Model
from suite.contracts.strategy import Rows
from tests.benchmarks.common import Side, report, timed
from tests.benchmarks.neural import Run, by_trainer
from tests.benchmarks.shapes import BERT_BASE, MINILM_SHAPE, bert_shaped, mean_tokens, rows

ROWS = int(os.environ.get("SUITE_BENCH_ROWS", "2048"))
REPEATS = int(os.environ.get("SUITE_BENCH_REPEATS", "3"))
SHAPES = {"MiniLM": (MINILM_SHAPE, 22.7), "BERT-base": (BERT_BASE, 109.5)}
WANTED = os.environ.get("SUITE_BENCH_SHAPES", ",".join(SHAPES)).split(",")
#: A training's beginning, of which steady state takes no account.
LEFT_OUT = 0.1


def steady(marks, texts):
    """Texts a second of a training whose (part done, moment) of each step are known."""
    first = next(mark for mark in marks if mark[0] >= LEFT_OUT)
    return (marks[-1][0] - first[0]) * texts / (marks[-1][1] - first[1])


def products(shape, tokens, texts, numbers):
    """A function that makes all products of one packed step of so many tokens and texts."""
    width, wide, layers = (
        shape["hidden_size"],
        shape["intermediate_size"],
        shape["num_hidden_layers"],
    )
    whole = [(width, width)] * 4 + [(width, wide), (wide, width)]
    last = [(width, width)] * 2
    alone = [(width, width)] * 2 + [(width, wide), (wide, width)]
    made = [(tokens, s) for s in whole] * (layers - 1)
    made += [(tokens, s) for s in last] + [(texts, s) for s in alone]
    work = []
    # Weights of their own for each, as a model has: they don't stay in a cache.
    for count, (before, after) in made:
        work.append(
            (
                torch.randn(count, before).to(numbers),
                torch.randn(after, before).to(numbers),
                torch.randn(count, after).to(numbers),
            )
        )

    def multiply():
        with torch.inference_mode():
            for given, weight, gradient in work:
                torch.nn.functional.linear(given, weight)
                gradient @ weight
                gradient.T @ given

    return multiply


def by_plain_trainer(shaped, train):
    """`Trainer` at its defaults: seconds of the whole, and its rate in steady state."""
    from transformers import TrainerCallback

    marks = []

    class Watch(TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            marks.append((state.global_step / state.max_steps, time.perf_counter()))

    seconds = timed(lambda: by_trainer(shaped, train, callbacks=[Watch()]))
    return len(train) / seconds, steady(marks, len(train))


def measure(name, folder):
    """Both sides in turn, the products around ours."""
    from suite.strategies.heads.linear_head import LinearHeadStrategy

    shape, millions = SHAPES[name]
    texts, labels, origin = rows(ROWS, "train")
    train = Rows(tuple(texts), tuple(labels))
    shaped = bert_shaped(folder, shape, texts)
    tokens = mean_tokens(shaped, texts)
    model = Model(name=name.lower(), family="encoder", path=str(shaped), parameters=millions)
    strategy = LinearHeadStrategy()
    run = Run(model, train, folder, dict(strategy.space(model, None).known_good[0]))
    batch = int(run.params["batch"])
    few = Run(model, Rows(train.texts[:64], train.labels[:64]), folder, dict(run.params))
    strategy.fit(few)
    by_trainer(shaped, few.train)
    numbers = getattr(torch, few.notes["precision"])
    multiply = products(shape, round(tokens * batch), batch, numbers)
    multiply()

    def ceiling():
        return batch / statistics.median(timed(multiply) for _ in range(5))

    whole, calm = Side("linear_head", "texts/s"), Side("linear_head, steady", "texts/s")
    plain, plain_calm = Side("Trainer, defaults", "texts/s"), Side("Trainer, steady", "texts/s")
    most = Side("products alone", "texts/s")

    def ours():
        marks = []
        run.progress = lambda part: marks.append((part, time.perf_counter()))
        before = ceiling()
        whole.values.append(ROWS / timed(lambda: strategy.fit(run)))
        most.values.append((before + ceiling()) / 2)
        calm.values.append(steady(marks, ROWS))

    def theirs():
        rate, steadily = by_plain_trainer(shaped, train)
        plain.values.append(rate)
        plain_calm.values.append(steadily)

    for turn in range(REPEATS):
        for side in (ours, theirs) if turn % 2 == 0 else (theirs, ours):
            side()
    told = (
        f"{name}'s shape, {ROWS} {origin} of {tokens:.1f} tokens, batches of {batch} "
        f"({run.notes['precision']}, {run.notes['feeding']}) against 8 (float32), "
        f"{torch.get_num_threads()} threads"
    )
    report(f"encoder_training_{name}", whole, plain, note=f"{told}; loading and all")
    report(f"encoder_training_steady_{name}", calm, plain_calm, note=f"{told}; steady state")
    shares = [a / b for a, b in zip(calm.values, most.values, strict=True)]
    report(
        f"encoder_training_share_{name}",
        calm,
        most,
        note=f"{told}; share in each training {[round(s, 2) for s in shares]}",
    )


def main():
    for name in WANTED:
        with tempfile.TemporaryDirectory() as folder:
            measure(name, folder)
