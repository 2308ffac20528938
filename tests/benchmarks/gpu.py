"""Training, asking and serving at full size on one GPU, beside what its products alone would take.

BERT-base's and Qwen3-0.6B's shapes with random weights: `linear_head`, `sft` by LLaMA-Factory,
option scoring, serving, and a memory too small for the batch. Beside training stand `Trainer` at
its defaults and `Trainer` as somebody would set it up who knows the card (bfloat16, the same batch,
fused AdamW). Each part runs in a process of its own; parts: SUITE_BENCH_PARTS (all).
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from suite.contracts.model import Model
from suite.contracts.strategy import Rows
from tests.benchmarks.common import Side, alternate, report, timed

ROWS = int(os.environ.get("SUITE_BENCH_ROWS", "2048"))
REPEATS = int(os.environ.get("SUITE_BENCH_REPEATS", "3"))
#: Rows of a decoder's trainings: a quarter of the encoder's.
TAUGHT = max(64, ROWS // 4)
#: Forward, and twice as much backward: gradients of what went in, and of the weights.
TRAINING = 3
#: Rows that are trained under the profiler, which takes long to read what it recorded.
PROFILED = 256


def ceiling(width, numbers="bfloat16", rows=16_384):
    """Operations a second of a feed-forward product of a width, once it is warm."""
    from suite.machine.arithmetic import operations_per_second

    operations_per_second(numbers, rows=rows, width=width, where="cuda")
    found = [operations_per_second(numbers, rows=rows, width=width, where="cuda") for _ in range(3)]
    return statistics.median(found)


def peak(work):
    """GiB that a call held on the card at most, and what it returned."""
    import torch

    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    returned = work()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() / 2**30, returned


def cards(folder):
    """What the card multiplies, by numbers and width."""
    import torch

    from suite.strategies.network import packed_attention

    name = torch.cuda.get_device_name()
    print(f"gpu: {name}, torch {torch.__version__}, CUDA {torch.version.cuda}")
    for numbers in ("float32", "float16", "bfloat16"):
        speeds = {width: ceiling(width, numbers) for width in (384, 768, 1024)}
        print(f"  {numbers}: { {w: f'{s / 1e12:.0f}e12/s' for w, s in speeds.items()} }")
    where = torch.device("cuda", 0)
    print(f"  kernel of ragged rows: {packed_attention._ragged_kernel(where, torch.bfloat16)}")


def qwen3_operations(folder, tokens):
    """Multiplications and additions of one text's products, forward, without the vocabulary's."""
    config = json.loads((Path(folder) / "config.json").read_text())
    width, wide, layers = (
        config[n] for n in ("hidden_size", "intermediate_size", "num_hidden_layers")
    )
    inner = config["num_attention_heads"] * config["head_dim"]
    narrow = config["num_key_value_heads"] * config["head_dim"]
    weights = layers * (2 * width * inner + 2 * width * narrow + 3 * width * wide)
    return 2 * (weights * tokens + layers * 2 * tokens * tokens * inner / 2)


def fitted(strategy, run, repeats):
    """Texts a second of each training, loading apart where the strategy sets it apart."""
    seconds = [timed(lambda: strategy.fit(run)) for _ in range(repeats)]
    return [len(run.train) / s for s in seconds]


def encoder_training(folder):
    """BERT-base by `linear_head` and by `Trainer`, twice."""
    from suite.strategies.heads.linear_head import LinearHeadStrategy
    from tests.benchmarks.neural import Run, by_trainer
    from tests.benchmarks.shapes import BERT_BASE, bert_shaped, matrix_operations, mean_tokens, rows

    texts, labels, origin = rows(ROWS)
    train = Rows(tuple(texts), tuple(labels))
    shaped = bert_shaped(folder, BERT_BASE, texts)
    tokens = mean_tokens(shaped, texts)
    model = Model(name="bert-base", family="encoder", path=str(shaped), parameters=109.5)
    strategy = LinearHeadStrategy()
    run = Run(model, train, folder, dict(strategy.space(model, None).known_good[0]))
    batch = int(run.params["batch"])
    by_trainer(shaped, Rows(train.texts[:64], train.labels[:64]))
    held, _ = peak(lambda: strategy.fit(run))
    most = ceiling(BERT_BASE["hidden_size"])
    plain = {
        "its defaults (batch 8, float32)": {},
        f"bfloat16, batch {batch}, fused AdamW": {
            "bf16": True, "per_device_train_batch_size": batch, "optim": "adamw_torch_fused",
        },
    }  # fmt: skip
    for number, (told, changes) in enumerate(plain.items()):
        ours, _ = sides = alternate(
            (Side("linear_head", "texts/s"), lambda: ROWS / timed(lambda: strategy.fit(run))),
            (
                Side(f"Trainer, {told}", "texts/s"),
                lambda: ROWS / timed(lambda: by_trainer(shaped, train, **changes)),  # noqa: B023
            ),
            REPEATS if number == 0 else max(1, REPEATS - 1),
        )
        share = TRAINING * matrix_operations(BERT_BASE, tokens) * ours.median / most
        theirs, _ = peak(lambda: by_trainer(shaped, train, **changes))  # noqa: B023
        report(
            f"gpu_training_bert_{number}",
            *sides,
            note=f"BERT-base's shape, {ROWS} {origin} of {tokens:.1f} tokens, batch {batch}, "
            f"{run.notes['precision']}, {run.notes['feeding']}, loading and all; {share:.0%} of a "
            f"large product; {held:.1f} GiB held, Trainer {theirs:.1f}",
        )
    steady(strategy, run, TRAINING * matrix_operations(BERT_BASE, tokens) / most)


def steady(strategy, run, seconds_each):
    """Texts a second between the first tenth of a training and its end, and their share; where
    the card's time goes; and the rate where all texts are of one length: products are then as
    large in one step as in the next, which some libraries choose a way for only once."""
    whole = run.train
    for told, train in (
        ("as they are", whole),
        ("of one length", Rows((median_text(whole),) * len(whole), whole.labels)),
    ):
        rate = rate_of(strategy, run, train)
        share = rate * seconds_each
        print(f"  steady state, texts {told}: {rate:.0f} texts/s, {share:.0%} of a large product")
    run.train, run.fingerprint = (
        Rows(whole.texts[:PROFILED], whole.labels[:PROFILED]),
        f"{run.fingerprint}-profiled",
    )
    profiled(lambda: strategy.fit(run))
    run.train = whole


def median_text(rows_):
    """The text of middling length."""
    return sorted(rows_.texts, key=len)[len(rows_) // 2]


def rate_of(strategy, run, train):
    """Texts a second of a training, its first tenth left out."""
    import torch

    marks = []

    def progress(fraction):
        torch.cuda.synchronize()
        marks.append((fraction, time.perf_counter()))

    run.train, run.progress = train, progress
    run.fingerprint = f"benchmark-{hash(train.texts)}"
    strategy.fit(run)
    run.progress = lambda fraction: None
    first = next(m for m in marks if m[0] >= 0.1)
    return (marks[-1][0] - first[0]) * len(train) / (marks[-1][1] - first[1])


def profiled(work):
    """Prints the kernels that keep the card longest, and how long it is busy at all."""
    import torch

    kinds = torch.profiler.ProfilerActivity
    with torch.profiler.profile(activities=[kinds.CPU, kinds.CUDA]) as profile:
        spent = timed(work)
    events = [e for e in profile.key_averages() if e.self_device_time_total > 0]
    busy = sum(e.self_device_time_total for e in events) / 1e6
    print(f"  profiled: {spent:.1f} s, the card busy for {busy:.1f}")
    for event in sorted(events, key=lambda e: -e.self_device_time_total)[:12]:
        seconds = event.self_device_time_total / 1e6
        print(f"    {seconds:>7.3f} s  {event.count:>6}  {event.key[:90]}")


def decoder(folder):
    """A run of Qwen3-0.6B's shape without a strategy, its tokens, where its texts are from."""
    from suite.models.catalogue import local_model
    from tests.benchmarks.neural import Run
    from tests.benchmarks.option_scoring import qwen3_shaped
    from tests.benchmarks.shapes import mean_tokens, rows

    texts, labels, origin = rows(TAUGHT)
    train = Rows(tuple(texts), tuple(labels))
    shaped = qwen3_shaped(folder, train)
    model = local_model(f"qwen3-shaped={shaped}")
    return Run(model, train, folder, {}), mean_tokens(shaped, texts), origin


def decoder_head(folder):
    """`linear_head` on Qwen3-0.6B's shape, all weights and LoRA, and `Trainer`."""
    from suite.strategies.heads.linear_head import LinearHeadStrategy
    from tests.benchmarks.neural import by_trainer

    run, tokens, origin = decoder(folder)
    shaped = run.model.path
    strategy = LinearHeadStrategy()
    good = dict(strategy.space(run.model, None).known_good[0])
    most = ceiling(1024)
    operations = qwen3_operations(run.model.path, tokens)
    for tuning in ("full", "lora"):
        run.params = {**good, "tuning": tuning}
        if tuning == "lora":
            run.params = {**run.params, "lora_rank": 16, "lora_dropout": 0.05}
        batch = int(run.params["batch"])
        strategy.fit(run)
        held, _ = peak(lambda: strategy.fit(run))
        ours = Side(f"linear_head, {tuning}", "texts/s")
        theirs = None
        times = TRAINING if tuning == "full" else TRAINING - 1
        if tuning == "full":
            plain = partial(
                by_trainer, shaped, run.train, bf16=True, per_device_train_batch_size=batch
            )
            _, theirs = alternate(
                (ours, lambda: TAUGHT / timed(lambda: strategy.fit(run))),
                (
                    Side(f"Trainer, bfloat16, batch {batch}", "texts/s"),
                    lambda: TAUGHT / timed(plain),  # noqa: B023
                ),
                max(1, REPEATS - 1),
            )
        else:
            ours.values += fitted(strategy, run, max(1, REPEATS - 1))
        share = times * operations * ours.median / most
        report(
            f"gpu_training_decoder_head_{tuning}",
            ours,
            theirs,
            note=f"Qwen3-0.6B's shape, {TAUGHT} {origin} of {tokens:.1f} tokens, batch {batch}, "
            f"{run.notes['precision']}, {run.notes['feeding']}, loading and all; {share:.0%} of a "
            f"large product; {held:.1f} GiB held",
        )
        steady(strategy, run, times * operations / most)


def taught(folder):
    """`sft` by LLaMA-Factory on Qwen3-0.6B's shape, all weights and LoRA."""
    from suite.strategies.teaching.sft import SftStrategy

    run, _, origin = decoder(folder)
    strategy = SftStrategy()
    most = ceiling(1024)
    good = strategy.space(run.model, None).known_good
    run.epochs = 2.0  # All weights are trained in batches of 96: that there are steps to time.
    for tuning in ("full", "lora"):
        run.params = dict(next(p for p in good if p.get("tuning", "lora") == tuning))
        strategy.fit(run)
        marks = []
        run.progress = lambda fraction: marks.append((fraction, time.perf_counter()))  # noqa: B023
        side = Side(f"sft, {tuning}", "texts/s")
        held, seconds = peak(lambda: timed(lambda: strategy.fit(run)))
        side.values.append(TAUGHT * run.epochs / seconds)
        first = next(m for m in marks if m[0] >= 0.1)
        rate = (marks[-1][0] - first[0]) * TAUGHT * run.epochs / (marks[-1][1] - first[1])
        prompt = sum(map(len, run.predictor.prompter.encode(run.train.texts[:64]).ids)) / 64
        times = TRAINING if tuning == "full" else TRAINING - 1
        share = times * qwen3_operations(run.model.path, prompt) * rate / most
        notes = {k: run.notes.get(k) for k in ("precision", "feeding", "batch", "device_batch",
                                               "gradient_checkpointing")}  # fmt: skip
        report(
            f"gpu_sft_{tuning}",
            side,
            note=f"Qwen3-0.6B's shape, {TAUGHT} {origin}, prompts of {prompt:.0f} tokens, {notes}; "
            f"in steady state {rate:.1f} texts/s, {share:.0%} of a large product; {held:.1f} GiB",
        )


def memory(folder):
    """Trainings on a card that seems small: what is halved, and that it ends."""
    import torch

    from suite.strategies.heads.linear_head import LinearHeadStrategy
    from tests.benchmarks.neural import Run
    from tests.benchmarks.shapes import BERT_BASE, bert_shaped, rows

    texts, labels, origin = rows(256)
    texts = [" ".join([text] * 12) for text in texts]
    train = Rows(tuple(texts), tuple(labels))
    shaped = bert_shaped(folder, BERT_BASE, texts)
    model = Model(name="bert-base", family="encoder", path=str(shaped), parameters=109.5)
    strategy = LinearHeadStrategy()
    whole = torch.cuda.get_device_properties(0).total_memory / 2**30
    for room in (None, 8, 5, 3):
        run = Run(model, train, folder, dict(strategy.space(model, None).known_good[0]))
        run.params |= {"batch": 64}
        run.task = run.task.model_copy(update={"max_tokens": 512})
        if room is not None:
            torch.cuda.set_per_process_memory_fraction(room / whole)
        torch.cuda.empty_cache()
        try:
            held, _ = peak(lambda: strategy.fit(run))  # noqa: B023
            told = f"{held:.1f} GiB held, {run.notes['tokens_at_once']} tokens at once"
        except Exception as error:
            told = f"{type(error).__name__}: {error}"
        print(f"  memory of {room or f'{whole:.0f}'} GiB, 256 {origin} of 512 tokens: {told}")
    torch.cuda.set_per_process_memory_fraction(1.0)


def other(name, **settings):
    """Another benchmark as it stands, in a process of its own."""

    def run(folder):
        environment = {**os.environ, **settings}
        subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "tests.benchmarks", name],
            env=environment, check=True,
        )  # fmt: skip

    return run


PARTS = {
    "cards": cards,
    "encoder_training": encoder_training,
    "decoder_head": decoder_head,
    "sft": taught,
    "memory": memory,
    "option_scoring": other("option_scoring", SUITE_BENCH_ROWS=str(TAUGHT // 4)),
    "serving": other(
        "serving",
        SUITE_BENCH_ROWS=str(ROWS // 2),
        SUITE_BENCH_ENGINES="torch/float32,torch/bfloat16,torch/float16,compile/bfloat16",
    ),
}


def main():
    import torch

    if not torch.cuda.is_available():
        print("gpu: left out; no GPU that torch can use is here")
        return
    for name in os.environ.get("SUITE_BENCH_PARTS", ",".join(PARTS)).split(","):
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.gpu", name],
            check=False, timeout=600,
        )  # fmt: skip
        told = "" if done.returncode == 0 else f", ended with {done.returncode}"
        print(f"  ({name}: {time.perf_counter() - begun:.0f} s{told})", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        PARTS[sys.argv[1]](scratch)
