"""`probe` against what a SetFit-style user writes: sentence embeddings in float32, a regression.

Theirs: `AutoModel` in float32, batches of 32 in the given order, padded, mean over real tokens,
scikit-learn's `LogisticRegression`. Ours: `probe`, with embeddings made and with embeddings found
in the cache (a trial after the first). Texts a second from raw text, of fitting and of predicting.
"""

import os
import tempfile
from pathlib import Path

from suite.contracts.model import Model
from suite.contracts.strategy import Rows
from tests.benchmarks.common import Side, alternate, report, timed
from tests.benchmarks.neural import Run
from tests.benchmarks.shapes import MINILM, MINILM_SHAPE, bert_shaped, rows

ROWS = int(os.environ.get("SUITE_BENCH_ROWS", "512"))
REPEATS = int(os.environ.get("SUITE_BENCH_REPEATS", "3"))


def main():
    import torch
    from sklearn.linear_model import LogisticRegression
    from transformers import AutoModel, AutoTokenizer

    from suite.machine import cache
    from suite.strategies.heads.probe import ProbeStrategy

    texts, labels, origin = rows(2 * ROWS, "train")
    train = Rows(tuple(texts[:ROWS]), tuple(labels[:ROWS]))
    unseen, truth = texts[ROWS:], labels[ROWS:]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SUITE_CACHE"] = str(Path(folder) / "cache")
        home = MINILM or bert_shaped(folder, MINILM_SHAPE, texts)
        model = Model(name="minilm", family="encoder", path=str(home), parameters=22.7)
        run = Run(model, train, folder, {"C": 10.0, "pooling": "mean", "scaling": "l2"})
        tokenizer = AutoTokenizer.from_pretrained(home)
        net = AutoModel.from_pretrained(home).eval()
        limit = run.task.max_tokens

        def embed(some):
            parts = []
            for start in range(0, len(some), 32):
                inputs = tokenizer(
                    list(some[start : start + 32]), padding=True, truncation=True,
                    max_length=limit, return_tensors="pt",
                )  # fmt: skip
                with torch.no_grad():
                    hidden = net(**inputs).last_hidden_state
                mask = inputs["attention_mask"].unsqueeze(-1)
                mean = (hidden * mask).sum(1) / mask.sum(1)
                parts.append(torch.nn.functional.normalize(mean, dim=1))
            return torch.cat(parts).numpy()

        regression = LogisticRegression(C=10.0, max_iter=2000)

        def plain_fit():
            return ROWS / timed(lambda: regression.fit(embed(train.texts), train.labels))

        def fit(cached):
            def once():
                if not cached:
                    for entry in cache.entries():
                        entry.file.unlink()
                return ROWS / timed(lambda: ProbeStrategy().fit(run))

            return once

        plain = Side("embeddings by transformers, LogisticRegression", "texts/s")
        name = "MiniLM" if MINILM else "MiniLM's shape"
        note = f"{name}, {ROWS} {origin}, {torch.get_num_threads()} threads"
        report(
            "setfit_probe_fit",
            *alternate(
                (Side("probe, nothing cached, loading included", "texts/s"), fit(cached=False)),
                (plain, plain_fit),
                REPEATS,
            ),
            note=f"{note}, {run.notes['precision']}",
        )
        report(
            "setfit_probe_fit_cached",
            *alternate(
                (Side("probe, embeddings cached, loading included", "texts/s"), fit(cached=True)),
                (Side(plain.name, plain.unit), plain_fit),
                REPEATS,
            ),
            note=note,
        )
        predictor = run.predictor
        mine = predictor.predict_proba(unseen).argmax(1)
        theirs = regression.predict(embed(unseen))
        report(
            "setfit_probe_predict",
            *alternate(
                (
                    Side("probe", "texts/s"),
                    lambda: ROWS / timed(lambda: predictor.predict_proba(unseen)),
                ),
                (
                    Side(plain.name, plain.unit),
                    lambda: ROWS / timed(lambda: regression.predict(embed(unseen))),
                ),
                REPEATS,
            ),
            note=f"{note}; the same class for {(mine == theirs).mean():.1%} of the texts; accuracy "
            f"of ours {(mine == truth).mean():.3f}, of theirs {(theirs == truth).mean():.3f}",
        )
