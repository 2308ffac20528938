"""Contrastive tuning before the head (SetFit's way) against a plain head, with few rows of a class.

Both tune the MiniLM that SUITE_BENCH_MINILM names over as many passes of the same rows, in batches
of 32 at a highest learning rate of 1e-4, as `linear_head` does. The plain one trains body and head
by cross-entropy. The contrastive one (Tunstall et al. 2022, arXiv:2209.11055) trains the body
alone: every two texts of a batch are to have the cosine 1 where they are of one class and 0 where
not (squared error, both kinds weighing alike); then a logistic regression is fitted on its
embeddings. SetFit draws its pairs one by one; all pairs of a batch are more of them in the same
passes. Beside both the regression on the embeddings as they were.

SUITE_BENCH_SHOTS names rows of a class and passes: `8:20,16:12`.
"""

import json
import os
import random
import statistics
import sys

from tests.benchmarks.common import RESULTS, timed
from tests.benchmarks.few_rows import read
from tests.benchmarks.shapes import MINILM, REAL

SHOTS = os.environ.get("SUITE_BENCH_SHOTS", "8:20,16:12,32:8,64:5")
SAMPLES = int(os.environ.get("SUITE_BENCH_SAMPLES", "3"))
TEST = int(os.environ.get("SUITE_BENCH_TEST", "400"))
BATCH, RATE, LIMIT = 32, 1e-4, 64


class Body:
    """A body with its tokenizer, which can be set back to what it was."""

    def __init__(self):
        from transformers import AutoModel, AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(MINILM)
        self.model = AutoModel.from_pretrained(MINILM)
        self.first = {name: part.clone() for name, part in self.model.state_dict().items()}

    def embed(self, texts):
        """Means over the tokens, with their gradient where one is asked for."""
        inputs = self.tokenizer(
            list(texts), padding=True, truncation=True, max_length=LIMIT, return_tensors="pt"
        )
        hidden = self.model(**inputs).last_hidden_state
        mask = inputs["attention_mask"].unsqueeze(-1)
        return (hidden * mask).sum(1) / mask.sum(1)

    def embedded(self, texts):
        """The same of many, of length 1, as NumPy's."""
        import torch

        self.model.eval()
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        parts = [order[i : i + 64] for i in range(0, len(order), 64)]
        found = torch.zeros(len(texts), self.model.config.hidden_size)
        with torch.inference_mode():
            for part in parts:
                vectors = self.embed([texts[i] for i in part])
                found[part] = torch.nn.functional.normalize(vectors)
        return found.numpy()


def apart(vectors, labels):
    """The contrastive loss of all pairs of a batch."""
    import torch

    cosine = torch.nn.functional.normalize(vectors)
    cosine = cosine @ cosine.T
    same = labels[:, None] == labels[None]
    others = same & ~torch.eye(len(labels), dtype=torch.bool)
    return ((1 - cosine[others]).square().mean() + cosine[~same].square().mean()) / 2


def tune(body, texts, labels, passes, seed, head=None):
    """Trains the body, and a head where one is given, for so many passes."""
    import torch

    torch.manual_seed(seed)
    body.model.train()
    parts = [*body.model.parameters(), *(head.parameters() if head else ())]
    optimiser = torch.optim.AdamW(parts, lr=RATE, weight_decay=0.01)
    steps = max(1, -(-passes * len(texts) // BATCH))
    rising, left, draw = round(0.1 * steps), [], random.Random(seed)
    for step in range(steps):
        while len(left) < BATCH:
            left += draw.sample(range(len(texts)), len(texts))
        drawn, left = left[:BATCH], left[BATCH:]
        share = (step + 1) / (rising + 1) if step < rising else (steps - step) / (steps - rising)
        optimiser.param_groups[0]["lr"] = RATE * share
        vectors = body.embed([texts[i] for i in drawn])
        wanted = torch.tensor([labels[i] for i in drawn])
        loss = torch.nn.functional.cross_entropy(head(vectors), wanted) if head else apart(
            vectors, wanted
        )  # fmt: skip
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parts, 1.0)
        optimiser.step()
    body.model.eval()


def compared(body, train, test, passes, seed, frozen):
    """Way -> macro-F1 on test."""
    import torch
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score

    texts, labels = [r["text"] for r in train], [r["label"] for r in train]
    asked, truth = [r["text"] for r in test], [r["label"] for r in test]

    def scored(answers):
        return float(f1_score(truth, answers, average="macro"))

    def regression(known, unknown, C):
        return scored(LogisticRegression(C=C, max_iter=2000).fit(known, labels).predict(unknown))

    found = {}
    body.model.load_state_dict(body.first)
    found["probe"] = regression(body.embedded(texts), frozen, 10.0)
    torch.manual_seed(seed)
    head = torch.nn.Linear(body.model.config.hidden_size, 4)
    found["head, s"] = timed(lambda: tune(body, texts, labels, passes, seed, head))
    with torch.inference_mode():
        answers = [head(body.embed(asked[i : i + 50])).argmax(1) for i in range(0, len(asked), 50)]
    found["head"] = scored(torch.cat(answers).numpy())
    body.model.load_state_dict(body.first)
    found["contrastive, s"] = timed(lambda: tune(body, texts, labels, passes, seed))
    found["contrastive"] = regression(body.embedded(texts), body.embedded(asked), 1.0)
    body.model.load_state_dict(body.first)
    return found


def main():
    if not MINILM or not REAL.is_dir():
        sys.exit("contrastive needs SUITE_BENCH_MINILM=FOLDER and AG News in ../shared/data")
    train, test = read("train"), random.Random(0).sample(read("test"), TEST)
    body, found = Body(), {}
    frozen = body.embedded([r["text"] for r in test])
    for shots in SHOTS.split(","):
        count, passes = map(int, shots.split(":"))
        for seed in range(SAMPLES):
            drawn = random.Random(seed).sample(train, len(train))
            rows = [r for c in range(4) for r in [d for d in drawn if d["label"] == c][:count]]
            told = compared(body, rows, test, passes, seed, frozen)
            found.setdefault(shots, []).append(told)
            shown = ", ".join(f"{way} {value:.4f}" for way, value in told.items())
            print(f"  {count} rows a class, {passes} passes, sample {seed}: {shown}", flush=True)
    print(f"contrastive: AG News, {SAMPLES} samples, {len(test):,} test rows")
    for shots, several in found.items():
        for way in ("probe", "head", "contrastive"):
            scores = [one[way] for one in several]
            spread = statistics.stdev(scores) if len(scores) > 1 else 0.0
            print(f"  {shots:<6} {way:<12} {statistics.mean(scores):.4f} ± {spread:.4f}")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "contrastive.json").write_text(json.dumps(found, indent=1))
