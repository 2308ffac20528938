"""Small real Qwen3 models for the tests of prompts: a tokenizer of toy texts, weights with a will.

Fresh weights are so small that every option is as likely as every other; these are drawn wide, so
that a wrong token, a wrong position or a wrong mask shows.
"""

import random

from remembering_run import RememberingRun

from suite.contracts.strategy import Rows
from suite.contracts.task import Task
from suite.strategies.network import tiny

WORDS = (
    "lunch friend garden music river kind".split(),
    "prize click offer cash urgent deal".split(),
    "比赛 球队 冠军 进球 教练 球迷".split(),
    "planet rocket atom comet laser orbit".split(),
)
SHARED = "the of to and now 今天 我们 for".split()


def rows(count, seed=0, classes=4):
    """Texts of three telling words and a few of everybody's, of mixed length."""
    generator = random.Random(seed)
    texts, labels = [], []
    for index in range(count):
        words = generator.choices(WORDS[index % classes], k=3) + generator.choices(SHARED, k=3)
        generator.shuffle(words)
        texts.append(" ".join(words * generator.randint(1, 3)))
        labels.append(index % classes)
    return Rows(tuple(texts), tuple(labels))


def task(classes=4, **changes):
    names = ("ham", "spam", "sport", "science")
    labels = [{"name": names[i] if classes <= 4 else f"class {i}"} for i in range(classes)]
    return Task.model_validate(
        {
            "name": "toy",
            "title": "Toy",
            "language": "en",
            "labels": labels,
            "max_tokens": 48,
            "data": {"folder": "data", "licence": "made for the tests"},
        }
        | changes
    )


def build(target, *, tied=True, width=64, spread=0.25, seed=0, chat=True, positions=2048):
    """A Qwen3 folder: `tiny`'s tokenizer, and weights drawn with a standard deviation."""
    import torch
    from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

    tiny._build_qwen3(rows(200).texts, target)
    tokenizer = AutoTokenizer.from_pretrained(target)
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=width // 4,
        max_position_embeddings=positions,
        tie_word_embeddings=tied,
        initializer_range=spread,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Qwen3ForCausalLM(config)
    if positions != tokenizer.model_max_length:
        tokenizer.model_max_length = positions
        tokenizer.save_pretrained(target)
    if not chat:
        tokenizer.chat_template = None
        (target / "chat_template.jinja").unlink(missing_ok=True)
        tokenizer.save_pretrained(target)
    model.save_pretrained(target)
    return target


class ToyRun(RememberingRun):
    """One pass over 48 rows, scored five times."""

    def __init__(self, folder, model, params=None, **changes):
        changes = {"task": task(), "train": rows(48), "epochs": 1.0, "checkpoints": 5} | changes
        super().__init__(folder, model, params=params, **changes)
