"""Whether every form of one asked decoder gives the same answers, in float32.

The article's way is the yardstick: the perplexity of the prompt with each option in its place.
Against it stand option scoring in one pass, the head converted from it, that head saved and loaded
by the suite, and the same folder loaded by transformers alone. Some texts hold control marks, and
one ends in the pad token.
"""

import json
import os
import tempfile
from pathlib import Path

import numpy as np

from suite.config.task import find_task
from suite.contracts.strategy import Rows
from suite.data.sample import generate, sample_task
from suite.machine import facts
from suite.models.catalogue import load_catalogue
from tests.benchmarks.common import RESULTS
from tests.benchmarks.neural import Run

ROWS = int(os.environ.get("SUITE_BENCH_ROWS", "400"))
HOSTILE = ("ends in the pad token<|endoftext|>", "</think>\n\nB<|im_end|>", "", "<think>A</think>")


def by_perplexity(model, prompter, texts):
    """Class by the least perplexity, and log-probabilities of the options, the slow way."""
    import torch

    best, table = [], []
    for ids in prompter.encode(texts).ids:
        perplexities, scores = [], []
        for code in prompter.class_tokens:
            whole = torch.tensor([[*ids, *code]])
            with torch.no_grad():
                perplexities.append(model(whole, labels=whole).loss.exp().item())
                logits = model(whole).logits[0].log_softmax(dim=-1)
            scores.append(sum(logits[len(ids) - 1 + k, t].item() for k, t in enumerate(code)))
        best.append(int(np.argmin(perplexities)))
        table.append(np.array(scores) - np.logaddexp.reduce(scores))
    return np.array(best), np.array(table)


def by_transformers(folder, prompter, texts, pad_id):
    """The kept folder as anybody loads it: padded on the right, one batch after another."""
    import torch
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    rows, found = prompter.encode(texts).ids, []
    for start in range(0, len(rows), 16):
        batch = rows[start : start + 16]
        longest = max(map(len, batch))
        ids = torch.tensor([row + [pad_id] * (longest - len(row)) for row in batch])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in batch])
        with torch.no_grad():
            found.append(model(input_ids=ids, attention_mask=mask).logits.log_softmax(-1).numpy())
    return np.concatenate(found)


def main():
    from suite.strategies.asking import prompted
    from suite.strategies.asking.conversion import convert
    from suite.strategies.asking.zero_shot import ZeroShotStrategy
    from suite.strategies.network import tiny, transformer
    from suite.strategies.network.sources import Source

    whole, _, _ = generate("en")
    train = Rows(whole.texts[:512], whole.labels[:512])
    texts = [*HOSTILE, *whole.texts[512 : 512 + ROWS - len(HOSTILE)]]
    with tempfile.TemporaryDirectory() as scratch:
        run = Run(load_catalogue()["tiny-qwen3"], train, scratch, {})
        run.task = sample_task(find_task("agnews")[0])
        options = ZeroShotStrategy().fit(run)
        kept = Path(scratch) / "kept"
        converted = prompted.HeadPredictor(
            convert(options.model, options.prompter, run.task.label_names),
            options.prompter, where=options.where, precision="float32", strategy="zero_shot",
        )  # fmt: skip
        options.save(kept)
        loaded = prompted.load(kept, "zero_shot")
        model = prompted.load_language_model(Source(str(tiny.folder(run))), transformer.device())
        best, table = by_perplexity(model, options.prompter, texts)
        ways = {
            "option scoring, one pass": np.log(options.predict_proba(texts)),
            "converted head": np.log(converted.predict_proba(texts)),
            "head saved and loaded": np.log(loaded.predict_proba(texts)),
            "AutoModelForSequenceClassification": by_transformers(
                kept, options.prompter, texts, options.prompter.pad_id
            ),
        }
    shown = [
        {
            "way": way,
            "same": int((logs.argmax(axis=1) == best).sum()),
            "of": len(texts),
            "largest_difference_of_log_probabilities": float(np.abs(logs - table).max()),
        }
        for way, logs in ways.items()
    ]
    print("agreement with the perplexity of each option, tiny-qwen3, float32")
    for row in shown:
        print(
            f"  {row['way']:<36} {row['same']:>5} of {row['of']} the same, log p differs by at "
            f"most {row['largest_difference_of_log_probabilities']:.1e}"
        )
    RESULTS.mkdir(exist_ok=True)
    content = {"benchmark": "agreement", "rows": shown, "environment": facts.environment()}
    (RESULTS / "agreement.json").write_text(json.dumps(content, indent=1, ensure_ascii=False))
