"""Where the time goes: one training step and one Offline batch at BERT-base's shape, as
transformers runs them and as the suite does. Shares are of the operators' own time, by torch's
profiler."""

import json
import os
import tempfile
import time

import torch

from suite.machine import facts
from tests.benchmarks.common import RESULTS
from tests.benchmarks.shapes import BERT_BASE, bert_shaped, rows

BATCH = 32
SHOWN = 8
SHORT = os.environ.get("SUITE_BENCH_LAYERS")


def shares(work):
    """Seconds, and the operators that take most of them."""
    work()
    kinds = [torch.profiler.ProfilerActivity.CPU]
    begun = time.perf_counter()
    with torch.profiler.profile(activities=kinds) as profile:
        work()
    seconds = time.perf_counter() - begun
    events = sorted(profile.key_averages(), key=lambda e: -e.self_cpu_time_total)
    total = sum(e.self_cpu_time_total for e in events)
    top = {e.key: round(e.self_cpu_time_total / total, 3) for e in events[:SHOWN]}
    return {"seconds": round(seconds, 3), "shares": top}


def main():
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from suite.serving.engines import int8
    from suite.strategies.network.feeding import Classifier, pad

    shape = {**BERT_BASE, **({"num_hidden_layers": int(SHORT)} if SHORT else {})}
    texts, labels, origin = rows(BATCH)
    where = torch.device("cpu")
    target = torch.tensor(labels)
    with tempfile.TemporaryDirectory() as folder:
        shaped = bert_shaped(folder, shape, texts)
        ids = AutoTokenizer.from_pretrained(shaped)(texts, truncation=True, max_length=128)[
            "input_ids"
        ]
        model = AutoModelForSequenceClassification.from_pretrained(shaped)
        ours = Classifier(model, 0, where, limit=128)
        packed, padded = ours.batch(ids), pad(ids, 0, where, 128)
        plain_optimiser = torch.optim.AdamW(model.parameters(), lr=0.0, foreach=True)
        optimiser = torch.optim.AdamW(model.parameters(), lr=0.0, fused=True)

        def step(forward, optimiser):
            def work():
                model.train()
                torch.nn.functional.cross_entropy(forward(), target).backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimiser.step()
                model.zero_grad()

            return work

        def scored(forward):
            def work():
                model.eval()
                with torch.inference_mode():
                    forward()

            return work

        found = {
            "training step, transformers": shares(
                step(lambda: model(**padded).logits, plain_optimiser)
            ),
            "training step, the suite": shares(step(lambda: ours(packed), optimiser)),
            "Offline batch, transformers": shares(scored(lambda: model(**padded).logits)),
            "Offline batch, the suite": shares(scored(lambda: ours(packed))),
        }
        int8.quantise(model)
        found["Offline batch, the suite, int8"] = shares(scored(lambda: ours(packed)))
    print(f"profile: BERT-base's shape, one batch of {BATCH} {origin}, float32 but the last")
    for name, one in found.items():
        parts = ", ".join(f"{k} {v:.0%}" for k, v in one["shares"].items())
        print(f"  {name}: {one['seconds']} s: {parts}")
    RESULTS.mkdir(exist_ok=True)
    content = {"benchmark": "profile", "found": found, "environment": facts.environment()}
    (RESULTS / "profile.json").write_text(json.dumps(content, indent=1, ensure_ascii=False))
