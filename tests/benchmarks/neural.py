"""A MiniLM-sized encoder with random weights: our training and scoring against the defaults that
a user of transformers would write. Random weights train and serve at the speed of real ones."""

import tempfile
from contextlib import nullcontext
from pathlib import Path

from suite.catalog import Model, load_catalogue
from suite.protocols import Rows
from suite.sample import generate, sample_task
from suite.task import find_task
from tests.benchmarks.common import Side, alternate, report, timed

ROWS = 256
REPEATS = 3


class Run:
    """`protocols.Run` without a study around it."""

    def __init__(self, model, train, folder, params):
        self.task = sample_task(find_task("agnews")[0])
        self.model, self.train, self.folder, self.params = model, train, Path(folder), params
        self.seed, self.epochs, self.checkpoints = 0, 1.0, 1
        self.shrink_batch, self.fingerprint = False, f"benchmark-{len(train)}"

    def checkpoint(self, predictor, fraction):
        self.predictor = predictor

    def loading(self):
        return nullcontext()

    def saved(self, seconds):
        pass

    def progress(self, fraction):
        pass

    def note(self, **facts):
        pass


def minilm_shaped(folder, train):
    """A transformers folder of all-MiniLM-L6's shape over a vocabulary of the sample."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    from suite.strategies import tiny

    built = tiny.folder(Run(load_catalogue()["tiny-bert"], train, folder, {}))
    tokenizer = AutoTokenizer.from_pretrained(built)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=30522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12,
        intermediate_size=1536, num_labels=4, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    target = Path(folder) / "minilm-shaped"
    BertForSequenceClassification(config).save_pretrained(target)
    tokenizer.save_pretrained(target)
    return target


def main():
    import torch
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
        pipeline,
    )

    from suite.strategies.linear_head import LinearHeadStrategy

    whole, _, _ = generate("en")
    train = Rows(whole.texts[:ROWS], whole.labels[:ROWS])
    with tempfile.TemporaryDirectory() as folder:
        shaped = minilm_shaped(folder, train)
        model = Model(name="minilm-shaped", family="encoder", path=str(shaped), parameters=22.7)
        strategy = LinearHeadStrategy()
        params = dict(strategy.space(model, None).known_good[0])
        run = Run(model, train, folder, params)

        def ours():
            return ROWS / timed(lambda: strategy.fit(run))

        tokenizer = AutoTokenizer.from_pretrained(shaped)

        def theirs():
            net = AutoModelForSequenceClassification.from_pretrained(shaped)
            arguments = TrainingArguments(
                output_dir=str(Path(folder) / "plain"), num_train_epochs=1, report_to="none",
                save_strategy="no", logging_strategy="no", disable_tqdm=True,
            )  # fmt: skip

            def work():
                rows = [
                    {**tokenizer(text, truncation=True), "labels": label}
                    for text, label in zip(train.texts, train.labels, strict=True)
                ]
                Trainer(
                    model=net, args=arguments, train_dataset=rows,
                    data_collator=DataCollatorWithPadding(tokenizer),
                ).train()  # fmt: skip

            return ROWS / timed(work)

        report(
            "training",
            *alternate(
                (Side("linear_head, batch 32", "texts/s"), ours),
                (Side("Trainer, its defaults (batch 8, float32)", "texts/s"), theirs),
                REPEATS,
            ),
            note=f"MiniLM shape (22.7M), {ROWS} sample texts, {torch.get_num_threads()} threads",
        )
        predictor = run.predictor
        plain = pipeline("text-classification", model=str(shaped), batch_size=32)
        texts = list(whole.texts[:1024])
        report(
            "offline",
            *alternate(
                (
                    Side("TransformerPredictor", "texts/s"),
                    lambda: len(texts) / timed(lambda: predictor.predict_proba(texts)),
                ),
                (
                    Side("transformers pipeline, batches of 32", "texts/s"),
                    lambda: len(texts) / timed(lambda: plain(texts)),
                ),
                REPEATS,
            ),
            note="MiniLM shape, 1,024 sample texts at once, from raw text",
        )
        report(
            "single",
            *alternate(
                (
                    Side("TransformerPredictor", "ms a text"),
                    lambda: 10 * timed(lambda: [predictor.predict_proba([t]) for t in texts[:100]]),
                ),
                (
                    Side("transformers pipeline", "ms a text"),
                    lambda: 10 * timed(lambda: [plain(t) for t in texts[:100]]),
                ),
                REPEATS,
            ),
            note="MiniLM shape, 100 sample texts, one at a time (lower is better)",
        )
