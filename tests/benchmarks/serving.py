"""Every engine at every precision on BERT-base's shape, against the `transformers` pipeline.

Each engine is opened in a process of its own, where it and the pipeline (at the batch size that
suits it best here) take turns. Beside the ratio stands the share of what this machine's products
alone would allow: the operations of the matrix products that transformers' forward pass makes, by
the speed of a large product in float32, bfloat16 and int8.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from suite.machine import facts
from tests.benchmarks.common import RESULTS, Side, alternate, timed
from tests.benchmarks.shapes import BERT_BASE, bert_shaped, matrix_operations, mean_tokens, rows

ROWS = int(os.environ.get("SUITE_BENCH_ROWS", "192"))
SINGLES = int(os.environ.get("SUITE_BENCH_SINGLES", "30"))
REPEATS = int(os.environ.get("SUITE_BENCH_REPEATS", "3"))
BATCHES = (1, 8, 32, 64, 256)
#: Only these ("torch/int8,openvino/int8"); all where it is not set.
ONLY = os.environ.get("SUITE_BENCH_ENGINES", "").split(",")
MARK = "figures: "


def kept_folder(folder, texts):
    """A BERT-base-shaped predictor as a trial keeps it."""
    import torch
    from transformers import AutoModelForSequenceClassification

    from suite.strategies import save_predictor
    from suite.strategies.network import transformer
    from suite.strategies.network.sources import Source

    shaped = bert_shaped(folder, BERT_BASE, texts)
    where = torch.device("cpu") if not torch.cuda.is_available() else torch.device("cuda")
    model = AutoModelForSequenceClassification.from_pretrained(shaped).to(where)
    codec = transformer.load_codec(Source(str(shaped)), model.config, 128)
    precision = transformer.precision_for(where, BERT_BASE["hidden_size"])
    transformer.freeze(model, precision)
    predictor = transformer.TransformerPredictor(
        model, codec, where=where, precision=precision, strategy="linear_head"
    )
    kept = Path(folder) / "kept"
    save_predictor(predictor, "linear_head", kept)
    return kept, shaped


def plain_pipeline(folder, batch):
    """What a user would write first."""
    from transformers import pipeline

    return pipeline("text-classification", model=str(folder), batch_size=batch)


def best_batch(folder, texts):
    """The pipeline's quickest batch size here, and its speeds."""
    speeds = {}
    for batch in BATCHES:
        plain = plain_pipeline(folder, batch)
        some = texts[: max(16, len(texts) // 4)]
        plain(some[:4])
        speeds[batch] = len(some) / timed(lambda: plain(some))  # noqa: B023
    return max(speeds, key=speeds.get), speeds


def one_engine(kept, shaped, engine, precision, batch):
    """In a process of its own: both sides in turn; prints the figures as JSON."""
    from suite.contracts.strategy import Refused
    from suite.serving.engines import open_engine

    texts, _, _ = rows(ROWS)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            served = open_engine(
                Path(kept), engine, precision, texts=texts[:64], scratch=Path(scratch)
            )
        except Refused as reason:
            print(MARK + json.dumps({"refused": str(reason)}))
            return
        many, single = plain_pipeline(shaped, batch), plain_pipeline(shaped, 1)
        for work in (served.predict_proba, many):
            work(texts[:16])
        some = texts[:SINGLES]
        before = ceilings()
        offline = alternate(
            (Side("engine", "texts/s"), lambda: ROWS / timed(lambda: served.predict_proba(texts))),
            (Side("pipeline", "texts/s"), lambda: ROWS / timed(lambda: many(texts))),
            REPEATS,
        )
        after = ceilings()
        one = alternate(
            (Side("engine", "ms"), lambda: _median_ms(lambda t: served.predict_proba([t]), some)),
            (Side("pipeline", "ms"), lambda: _median_ms(single, some)),
            REPEATS,
        )
    print(
        MARK
        + json.dumps(
            {
                "offline": [s.median for s in offline],
                "offline_range": [[min(s.values), max(s.values)] for s in offline],
                "single_ms": [s.median for s in one],
                # Beside the run, since a shared machine's speed drifts.
                "products": {n: (before[n] + after[n]) / 2 for n in before},
                "prepare_seconds": served.prepare_seconds,
                "load_seconds": served.load_seconds,
            }
        )
    )


def _median_ms(predict, texts):
    spent = sorted(timed(lambda: predict(text)) for text in texts)  # noqa: B023
    return 1000 * spent[len(spent) // 2]


def ceilings():
    """Operations a second of one large product, by precision, where models are served."""
    import torch

    from suite.machine.arithmetic import operations_per_second
    from suite.serving.engines.int8 import Int8Linear
    from suite.strategies.network import transformer

    if (where := transformer.device().type) != "cpu":
        for _ in range(2):  # The first warms it.
            found = {
                n: operations_per_second(n, rows=16_384, where=where)
                for n in ("float32", "float16", "bfloat16")
            }
        return found

    found = {n: operations_per_second(n, rows=2048) for n in ("float32", "bfloat16")}
    linear = Int8Linear(torch.nn.Linear(768, 3072))
    values = torch.randn(2048, 768)
    linear(values)
    spent = sorted(timed(lambda: linear(values)) for _ in range(9))
    return {**found, "int8": 2 * 2048 * 768 * 3072 / spent[4]}


def main():
    from suite.serving.engines import candidates

    texts, _, origin = rows(ROWS)
    with tempfile.TemporaryDirectory() as folder:
        kept, shaped = kept_folder(folder, texts)
        tokens = mean_tokens(shaped, texts)
        batch, speeds = best_batch(shaped, texts)
        most = ceilings()
        operations = matrix_operations(BERT_BASE, tokens)
        print(f"serving: BERT-base's shape, {ROWS} {origin} of {tokens:.1f} tokens")
        print(f"  pipeline by batch: { {b: round(s, 1) for b, s in speeds.items()} }")
        print(f"  a large product: { {n: f'{o / 1e12:.3f}e12/s' for n, o in most.items()} }")
        found = []
        for candidate in candidates(kept):
            if ONLY != [""] and f"{candidate.engine}/{candidate.precision}" not in ONLY:
                continue
            figures = {"refused": candidate.refused}
            if candidate.refused is None:
                words = (str(kept), str(shaped), candidate.engine, candidate.precision, str(batch))
                done = subprocess.run(
                    [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.serving", *words],
                    capture_output=True, text=True, check=False,
                    env={**os.environ, "GOMP_SPINCOUNT": "10000"},  # as `suite bench` has it
                )  # fmt: skip
                lines = [x for x in done.stdout.splitlines() if x.startswith(MARK)]
                figures = (
                    json.loads(lines[-1].removeprefix(MARK))
                    if lines
                    else {"refused": (done.stderr.strip().splitlines() or ["no figures"])[-1]}
                )
            found.append({"engine": candidate.engine, "precision": candidate.precision, **figures})
            _show(found[-1], operations, most)
    RESULTS.mkdir(exist_ok=True)
    content = {
        "benchmark": "serving", "date": time.strftime("%Y-%m-%d"), "rows": ROWS, "texts": origin,
        "mean_tokens": tokens, "pipeline_by_batch": speeds, "pipeline_batch": batch,
        "ceilings": most, "operations_per_text": operations, "engines": found,
        "environment": facts.environment(),
    }  # fmt: skip
    (RESULTS / "serving.json").write_text(json.dumps(content, indent=1, ensure_ascii=False))


def _show(row, operations, most):
    name = f"{row['engine']}/{row['precision']}"
    if row.get("refused"):
        print(f"  {name:<22} refused: {row['refused'][:100]}")
        return
    (ours, theirs), (ms, plain_ms) = row["offline"], row["single_ms"]
    products = row.get("products", most)
    shares = ", ".join(f"{ours * operations / o:.0%} of {n}" for n, o in products.items())
    print(
        f"  {name:<22} {ours:>7.1f} texts/s = {ours / theirs:.2f} × {theirs:.1f}   single "
        f"{ms:>6.1f} ms = {ms / plain_ms:.2f} × {plain_ms:.1f}   {shares}   made ready in "
        f"{row['prepare_seconds']:.0f} s"
    )


if __name__ == "__main__":
    one_engine(*sys.argv[1:5], int(sys.argv[5]))
