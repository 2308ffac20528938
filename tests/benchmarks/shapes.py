"""Models of full size with random weights, and texts of real length.

Random weights train and serve at the speed of trained ones. Texts are AG News's test rows where
they lie beside the checkout (`../shared/data`), else the bundled sample's; the vocabulary is that
of the folder that SUITE_BENCH_MINILM names (all-MiniLM-L6-v2, whose vocabulary is BERT's), else
one built from the texts.
"""

import gzip
import json
import os
import random
from pathlib import Path

from suite.data.sample import generate
from suite.models.catalogue import load_catalogue

REAL = Path(__file__).parents[3] / "shared/data/ag_news"
MINILM = os.environ.get("SUITE_BENCH_MINILM")

BERT_BASE = {
    "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
    "intermediate_size": 3072,
}  # fmt: skip
MINILM_SHAPE = {
    "hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12,
    "intermediate_size": 1536,
}  # fmt: skip


def rows(count, split="test"):
    """(texts, labels, where they are from), in a seeded order."""
    file = REAL / f"{split}.jsonl.gz"
    if file.is_file():
        with gzip.open(file, "rt", encoding="utf-8") as stream:
            found = [json.loads(line) for line in stream]
        random.Random(0).shuffle(found)
        found = found[:count]
        return [r["text"] for r in found], [r["label"] for r in found], f"AG News {split} rows"
    whole, _, _ = generate("en")
    return list(whole.texts[:count]), list(whole.labels[:count]), "sample texts"


def bert_shaped(folder, shape, texts, classes=4):
    """A folder of `BertForSequenceClassification` of a shape, and its tokenizer."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    tokenizer = AutoTokenizer.from_pretrained(MINILM or _built(folder, texts))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=30522, num_labels=classes, pad_token_id=tokenizer.pad_token_id, **shape
    )
    target = Path(folder) / f"bert-{shape['num_hidden_layers']}x{shape['hidden_size']}"
    BertForSequenceClassification(config).save_pretrained(target)
    tokenizer.save_pretrained(target)
    return target


def _built(folder, texts):
    from suite.contracts.strategy import Rows
    from suite.strategies.network import tiny
    from tests.benchmarks.neural import Run

    train = Rows(tuple(texts), (0,) * len(texts))
    return tiny.folder(Run(load_catalogue()["tiny-bert"], train, folder, {}))


def mean_tokens(folder, texts):
    """Tokens of a text, on average."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(texts, truncation=True, max_length=512)["input_ids"]
    return sum(map(len, ids)) / len(ids)


def matrix_operations(shape, tokens, classes=4):
    """Multiplications and additions of one text's matrix products, forward, as transformers does
    them: 2 × weights × tokens, attention's products with themselves, the pooler."""
    width, wide, layers = (
        shape["hidden_size"],
        shape["intermediate_size"],
        shape["num_hidden_layers"],
    )
    weights = layers * (4 * width * width + 2 * width * wide)
    attention = layers * 2 * tokens * tokens * width
    return 2 * (weights * tokens + attention + width * (width + classes))
