"""Time to the same best validation F1: a study against `Trainer.hyperparameter_search`.

Both search the same space on the same rows with the same epochs, each side and seed in a fresh
process, timed from its start, imports and all. Ours as it comes: known-good points first, pruning
within the arm, cached tokens, a forkserver; without the preflight and the serving measurement,
which are no search. Theirs as documented: the Optuna backend, its default sampler (seeded), no
pruning, scored once at the end of a trial. Validation is carved from train; test is not used.

    python -m tests.benchmarks search

Sized by SUITE_BENCH_TRAIN, SUITE_BENCH_SCORED, SUITE_BENCH_TRIALS, SUITE_BENCH_EPOCHS,
SUITE_BENCH_SEEDS. The model is the folder that SUITE_BENCH_MINILM names, else a tiny one.
"""

import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from suite.config.task import find_task
from suite.contracts.space import Choice, Float
from suite.machine import facts
from suite.models.catalogue import local_model
from suite.strategies.heads.linear_head import LinearHeadStrategy
from tests.benchmarks.common import RESULTS
from tests.benchmarks.shapes import MINILM, rows

TRAIN = int(os.environ.get("SUITE_BENCH_TRAIN", "500"))
SCORED = int(os.environ.get("SUITE_BENCH_SCORED", "250"))
TRIALS = int(os.environ.get("SUITE_BENCH_TRIALS", "6"))
EPOCHS = float(os.environ.get("SUITE_BENCH_EPOCHS", "2"))
SEEDS = int(os.environ.get("SUITE_BENCH_SEEDS", "3"))
CHECKPOINTS = 5

#: Ours -> what `TrainingArguments` calls it; a warm-up below 1 is a share of the steps there too.
NAMES = {
    "learning_rate": "learning_rate",
    "batch": "per_device_train_batch_size",
    "warmup": "warmup_steps",
    "schedule": "lr_scheduler_type",
    "weight_decay": "weight_decay",
}


def ours(home, model, seed, begun):
    """[(seconds since the start, macro-F1 on all validation rows)] of a study."""
    from suite.cli.progress import Watching
    from suite.study.create import Wanted, create
    from suite.study.work import Limits, Work

    found = []

    class Stopwatch(Watching):
        def scored(self, number, checkpoint):
            if checkpoint.rows in (None, SCORED):
                found.append((time.time() - begun, checkpoint.macro_f1))

        def ended(self, trial):
            assert trial.arm == "benchmarked/linear_head"
            if trial.state == "COMPLETE":
                found.append((time.time() - begun, trial.macro_f1))

    with contextlib.chdir(home):
        recipe = {
            "name": f"search-{seed}",
            "arms": ["benchmarked/linear_head"],
            "trials": TRIALS,
            "seed": seed,
            "budget": {"epochs": EPOCHS, "checkpoints": CHECKPOINTS},
            "preflight": False,
            "measure": {"seconds": 0},
        }
        Path(f"search-{seed}.yaml").write_text(json.dumps(recipe))
        wanted = Wanted(
            task="agnews", data=Path("data"), recipe=f"search-{seed}.yaml", name=f"search-{seed}",
            models=[f"benchmarked={model}"],
            # By name: else a model that is added brings all of its arms.
            arms=["benchmarked/linear_head"],
        )  # fmt: skip
        create(wanted)
        watch = Stopwatch()
        work = Work(None, f"search-{seed}", watch, Limits())
        watch.study(work.ledger, 1)
        work.run()
    return found


def theirs(home, model, seed, begun):
    """The same of `Trainer.hyperparameter_search`."""
    import optuna
    from sklearn.metrics import f1_score
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
    )

    task = find_task("agnews")[0]
    tokenizer = AutoTokenizer.from_pretrained(model)
    encoded = {}
    for split in ("train", "validation"):
        lines = (Path(home) / "data" / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
        encoded[split] = [
            {
                **tokenizer(row["text"], truncation=True, max_length=task.max_tokens),
                "labels": row["label"],
            }
            for row in map(json.loads, lines)
        ]
    dimensions = LinearHeadStrategy().space(local_model(f"benchmarked={model}"), task).dimensions
    found = []

    def space(trial):
        asked = {}
        for name, argument in NAMES.items():
            match dimensions[name]:
                case Float(low=low, high=high, log=log):
                    asked[argument] = trial.suggest_float(argument, low, high, log=log)
                case Choice(options=options):
                    asked[argument] = trial.suggest_categorical(argument, list(options))
        return asked

    def objective(metrics):
        found.append((time.time() - begun, metrics["eval_macro_f1"]))
        return metrics["eval_macro_f1"]

    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(
            model_init=lambda: AutoModelForSequenceClassification.from_pretrained(
                model, num_labels=len(task.labels)
            ),
            args=TrainingArguments(
                output_dir=scratch, num_train_epochs=EPOCHS, seed=seed, report_to="none",
                save_strategy="no", logging_strategy="no", disable_tqdm=True,
            ),
            train_dataset=encoded["train"],
            eval_dataset=encoded["validation"],
            data_collator=DataCollatorWithPadding(tokenizer),
            compute_metrics=lambda p: {
                "macro_f1": f1_score(p.label_ids, p.predictions.argmax(axis=1), average="macro")
            },
        )  # fmt: skip
        trainer.hyperparameter_search(
            hp_space=space, compute_objective=objective, n_trials=TRIALS, direction="maximize",
            backend="optuna", sampler=optuna.samplers.TPESampler(seed=seed),
            pruner=optuna.pruners.NopPruner(),
        )  # fmt: skip
    return found


def first_reached(events, target):
    """Seconds until a score was first reached, or None.

    >>> first_reached([(1.0, 0.5), (2.0, 0.7)], 0.6)
    2.0
    """
    return next((seconds for seconds, score in events if score >= target - 1e-9), None)


def median(values):
    """The median, None (never) counting as longer than anything; None where it is that."""
    middle = statistics.median_high([math.inf if v is None else v for v in values])
    return None if middle == math.inf else middle


def _side(name, home, model, seed):
    """One side's events, from a process of its own."""
    words = ["-m", "tests.benchmarks.search", name, str(home), str(model), str(seed)]
    output = home / f"{name}-{seed}.json"
    subprocess.run([sys.executable, *words, repr(time.time()), str(output)], check=True)
    return [tuple(event) for event in json.loads(output.read_text())]


def _prepare(home):
    """Rows as files, and the model's folder; where they are from."""
    texts, labels, origin = rows(TRAIN + SCORED + 40, "train")
    data = home / "data"
    data.mkdir()
    begin = 0
    for split, count in (("train", TRAIN), ("validation", SCORED), ("test", 40)):
        chosen = zip(texts[begin : begin + count], labels[begin : begin + count], strict=True)
        lines = [json.dumps({"text": text, "label": label}) for text, label in chosen]
        (data / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        begin += count
    if MINILM:
        return MINILM, origin
    from tests.benchmarks.shapes import _built

    return _built(home, texts[:TRAIN]), origin


def main():
    seeds = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        os.environ["SUITE_CACHE"] = str(home / "cache")  # Nothing is found ready but by ourselves.
        model, origin = _prepare(home)
        for seed in range(SEEDS):
            order = ("ours", "theirs") if seed % 2 == 0 else ("theirs", "ours")
            events = {name: _side(name, home, model, seed) for name in order}
            best = {name: max(score for _, score in found) for name, found in events.items()}
            mine = first_reached(events["ours"], best["theirs"])
            other = first_reached(events["theirs"], best["theirs"])
            seeds.append(
                {
                    "seed": seed,
                    "best_f1": best,
                    "seconds_to_their_best": {"ours": mine, "theirs": other},
                    "ratio": None if mine is None else mine / other,
                    "seconds_to_our_best": {
                        name: first_reached(events[name], best["ours"]) for name in events
                    },
                    "seconds_in_all": {name: found[-1][0] for name, found in events.items()},
                    "events": events,
                }
            )
            print(f"search, seed {seed}: best F1 ours {best['ours']:.4f}, theirs "
                  f"{best['theirs']:.4f}; theirs was reached by them after {other:.1f} s, by ours "
                  f"{'never' if mine is None else f'after {mine:.1f} s'}")  # fmt: skip
    shown = {
        "benchmark": "search",
        "date": time.strftime("%Y-%m-%d"),
        "seeds": seeds,
        "median_seconds_to_their_best": {
            name: median([s["seconds_to_their_best"][name] for s in seeds])
            for name in ("ours", "theirs")
        },
        "median_ratio": median([s["ratio"] for s in seeds]),
        "never": sum(s["ratio"] is None for s in seeds),
        "note": f"{'MiniLM' if MINILM else 'a tiny model'}, {TRAIN} training and {SCORED} "
        f"validation rows of {origin}, {EPOCHS:g} epochs, {TRIALS} trials a side",
        "environment": facts.environment(),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "search.json").write_text(json.dumps(shown, indent=1, ensure_ascii=False))
    ratio = shown["median_ratio"]
    print(f"  median of ours / theirs: {'never' if ratio is None else f'{ratio:.2f}'}; never in "
          f"{shown['never']} of {SEEDS} seeds; {shown['note']}")  # fmt: skip


if __name__ == "__main__":
    side, home, model, seed, begun, output = sys.argv[1:]
    events = {"ours": ours, "theirs": theirs}[side](home, model, int(seed), float(begun))
    Path(output).write_text(json.dumps(events))
