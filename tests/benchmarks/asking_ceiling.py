"""Option scoring beside the products it can't do without, in the same run: what share it reaches.

The ceiling is the model's own weights multiplied by as many tokens as its prompts leave to read,
in the batches that scoring makes: every product of every layer, in the last one keys and values
of all tokens and the rest of the last tokens alone. No attention, no norm, no embedding, no output.
SUITE_BENCH_DECODER names a folder; else a decoder of Qwen3-0.6B's shape has random weights.
"""

import os
import tempfile
from pathlib import Path

from suite.config.task import find_task
from suite.contracts.strategy import Rows
from suite.data.sample import generate, sample_task
from tests.benchmarks.common import Side, alternate, report, timed
from tests.benchmarks.option_scoring import LAYERS, REPEATS, ROWS, qwen3_shaped
from tests.benchmarks.shapes import rows

DECODER = os.environ.get("SUITE_BENCH_DECODER")
PRECISIONS = os.environ.get("SUITE_BENCH_PRECISIONS", "float32,bfloat16").split(",")


def predictor_of(source, task, precision):
    """A decoder asked in a precision, whatever would be chosen here."""
    from suite.prompting.chat import Prompter
    from suite.prompting.layout import Variant
    from suite.strategies.asking import option_scoring, prompted
    from suite.strategies.network import transformer

    where = transformer.device()
    config = transformer.load_config(source)
    codec = transformer.load_codec(source, config)
    model = prompted.load_language_model(source, where).model
    option_scoring.settle(option_scoring.decoder_of(model), precision)
    prompter = Prompter.build(codec.tokenizer, task, limit=codec.max_tokens, variant=Variant())
    return prompted.OptionPredictor(
        model, prompter, where=where, precision=precision, strategy="zero_shot",
        label_names=task.label_names, frozen=True,
    )  # fmt: skip


def batches_of(predictor, texts):
    """(tokens read, texts) of each batch that scoring makes of these texts."""
    from suite.strategies.asking import option_scoring

    prefix = len(predictor.scorer.prefix)
    prompts = [ids[prefix:] for ids in predictor.prompter.encode(texts).ids]
    found = []
    option_scoring.in_batches(
        prompts,
        predictor.batch,
        lambda chosen: found.append((sum(len(prompts[i]) for i in chosen), len(chosen))),
        tokens=option_scoring.tokens_at_once(predictor.where.type),
    )
    return found


def products(decoder, batches):
    """A function that multiplies every weight of a decoder by as many tokens as are read, and the
    operations that makes."""
    import torch

    layers = [
        [
            (name, part.weight)
            for name, part in layer.named_modules()
            if hasattr(part, "in_features")
        ]
        for layer in decoder.layers
    ]
    last = len(layers) - 1
    work, operations = [], 0
    for tokens, count in batches:
        inputs = {}
        for index, weights in enumerate(layers):
            for name, weight in weights:
                few = index == last and not name.endswith(("k_proj", "v_proj"))
                shape = (count if few else tokens, weight.shape[1])
                if shape not in inputs:
                    inputs[shape] = torch.randn(shape).to(weight.device, weight.dtype)
                work.append((inputs[shape], weight))
                operations += 2 * shape[0] * weight.numel()

    def multiply():
        with torch.inference_mode():
            for values, weight in work:
                torch.nn.functional.linear(values, weight)

    return multiply, operations


def main():
    import torch

    from suite.strategies.network.sources import Source

    task = sample_task(find_task("agnews")[0])
    with tempfile.TemporaryDirectory() as folder:
        if DECODER:
            source, what = Source(DECODER), Path(DECODER).name
            texts, _, origin = rows(ROWS)
        else:
            whole, _, _ = generate("en")
            train = Rows(whole.texts[:512], whole.labels[:512])
            texts, origin = list(whole.texts[512 : 512 + ROWS]), "sample texts"
            source = Source(str(qwen3_shaped(folder, train)))
            what = f"Qwen3-0.6B's shape ({LAYERS} layers)"
        for precision in PRECISIONS:
            predictor = predictor_of(source, task, precision)
            predictor.predict_proba(texts)
            multiply, operations = products(predictor._decoder(), batches_of(predictor, texts))
            multiply()
            ours, ceiling = alternate(
                (
                    Side("option scoring", "texts/s"),
                    lambda: len(texts) / timed(lambda: predictor.predict_proba(texts)),  # noqa: B023
                ),
                (
                    Side("its products alone", "texts/s"),
                    lambda: len(texts) / timed(multiply),  # noqa: B023
                ),
                REPEATS,
            )
            facts = predictor.facts
            report(
                f"asking_ceiling_{precision}",
                ours,
                ceiling,
                note=f"{what}, {len(texts)} {origin}, {precision}, {torch.get_num_threads()} "
                f"threads; a prompt has {facts['prompt_tokens_per_text']} tokens, "
                f"{facts['tokens_read_per_text']} of them read anew; the products alone: "
                f"{operations / len(texts) * ceiling.median / 1e12:.3f}e12 operations a second",
            )


if __name__ == "__main__":
    main()
