"""A decoder of Qwen3-0.6B's shape with random weights, asked the same rows in four ways.

The article's way: the prompt with each option in its place, one forward pass each, the loss of
the whole as transformers computes it, the least perplexity wins. Another that people write:
`generate` a few tokens and read them. Ours: option scoring, and the head converted from it. The
folder is in bfloat16 as Qwen3 is published, so transformers' own default loads it so; where float32
is quicker on the machine, the other side gets float32.
"""

import os
import tempfile
from pathlib import Path

from suite.config.task import find_task
from suite.contracts.strategy import Rows
from suite.data.sample import generate, sample_task
from suite.models.catalogue import load_catalogue
from tests.benchmarks.common import Side, alternate, report, timed
from tests.benchmarks.neural import Run

#: A whole figure of the article's way on two cores takes about half a minute.
ROWS = int(os.environ.get("SUITE_BENCH_ROWS", "16"))
LAYERS = int(os.environ.get("SUITE_BENCH_LAYERS", "28"))
REPEATS = int(os.environ.get("SUITE_BENCH_REPEATS", "3"))
GENERATED = 8


def qwen3_shaped(folder, train):
    """A transformers folder of Qwen3-0.6B's shape over a vocabulary of the sample."""
    import torch
    from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

    from suite.strategies.network import tiny

    built = tiny.folder(Run(load_catalogue()["tiny-qwen3"], train, folder, {}))
    tokenizer = AutoTokenizer.from_pretrained(built)
    config = Qwen3Config(
        vocab_size=151_936, hidden_size=1024, intermediate_size=3072, num_hidden_layers=LAYERS,
        num_attention_heads=16, num_key_value_heads=8, head_dim=128, tie_word_embeddings=True,
        max_position_embeddings=40_960, pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None, eos_token_id=tokenizer.eos_token_id, dtype=torch.bfloat16,
    )  # fmt: skip
    torch.manual_seed(0)
    target = Path(folder) / "qwen3-shaped"
    Qwen3ForCausalLM(config).to(torch.bfloat16).save_pretrained(target)
    tokenizer.model_max_length = config.max_position_embeddings
    tokenizer.save_pretrained(target)
    return target


def in_turn(sides, repeats):
    """Measures all sides in turn, there and back again, as `alternate` does two."""
    for turn in range(repeats):
        for side, measure in sides if turn % 2 == 0 else reversed(sides):
            side.values.append(measure())
    return [side for side, _ in sides]


def quicker(shaped, where, ids):
    """The model in bfloat16 as published or in float32, whichever reads a prompt sooner."""
    import torch
    from transformers import AutoModelForCausalLM

    found = {}
    for numbers in (torch.bfloat16, torch.float32):
        model = AutoModelForCausalLM.from_pretrained(shaped, dtype=numbers).to(where)
        prompt = torch.tensor([ids], device=where)
        with torch.no_grad():
            seconds = [timed(lambda: model(prompt).logits.sum().item()) for _ in range(4)]  # noqa: B023
        found[min(seconds)] = (str(numbers).removeprefix("torch."), model)
    return found[min(found)]


def asked_options(folder):
    """A model of Qwen3's shape, in a folder; it as zero_shot asks it; texts to ask it about."""
    from suite.models.catalogue import local_model
    from suite.strategies.asking.zero_shot import ZeroShotStrategy

    whole, _, _ = generate("en")
    train, texts = Rows(whole.texts[:512], whole.labels[:512]), list(whole.texts[512 : 512 + ROWS])
    shaped = qwen3_shaped(folder, train)
    run = Run(local_model(f"qwen3-shaped={shaped}"), train, folder, {})
    run.task = sample_task(find_task("agnews")[0])
    return shaped, ZeroShotStrategy().fit(run), texts


def main():
    import torch
    from transformers import AutoTokenizer

    from suite.serving.engines import int8
    from suite.strategies.asking import prompted
    from suite.strategies.network import transformer

    where = transformer.device()
    with tempfile.TemporaryDirectory() as folder:
        shaped, options, texts = asked_options(folder)
        options.save(Path(folder) / "kept")
        head = prompted.load(Path(folder) / "kept", "zero_shot")
        short = prompted.load(Path(folder) / "kept", "zero_shot")
        short.predict_proba(texts[:2])  # Its way of reading is proven before rounding.
        if where.type == "cpu" and short.precision == "float32":
            int8.quantise(short.model)
        else:
            short = None

        numbers, model = quicker(shaped, where, options.prompter.encode(texts).ids[0])
        tokenizer = AutoTokenizer.from_pretrained(shaped)
        prompter = options.prompter
        prompts = [prompter.prompt(content) for content in prompter.encode(texts).contents]
        codes = prompter.question.codes

        def by_perplexity():
            found = []
            for prompt in prompts:
                perplexities = []
                for code in codes:
                    inputs = tokenizer(prompt + code, return_tensors="pt").to(where)
                    with torch.no_grad():
                        loss = model(**inputs, labels=inputs["input_ids"]).loss
                    perplexities.append(loss.exp().item())
                found.append(perplexities.index(min(perplexities)))
            return found

        def by_generation():
            for prompt in prompts:
                inputs = tokenizer(prompt, return_tensors="pt").to(where)
                # All 8 tokens: random weights would else end at any.
                new = model.generate(
                    **inputs, max_new_tokens=GENERATED, min_new_tokens=GENERATED, do_sample=False
                )
                tokenizer.decode(new[0, inputs["input_ids"].shape[1] :])

        def synchronised(work):
            def both():
                work()
                if where.type == "cuda":
                    torch.cuda.synchronize()

            return both

        def speed(work):
            return lambda: ROWS / timed(synchronised(work))

        def one_by_one(predictor):
            return lambda: [predictor.predict_proba([text]) for text in texts]

        for work in (lambda: options.predict_proba(texts), lambda: head.predict_proba(texts)):
            work()
        same = sum(
            int(a == b)
            for a, b in zip(
                by_perplexity(), options.predict_proba(texts).argmax(axis=1), strict=True
            )
        )
        heads = (
            head.predict_proba(texts).argmax(1) == options.predict_proba(texts).argmax(1)
        ).sum()
        note = (
            f"Qwen3-0.6B's shape ({LAYERS} layers), {ROWS} sample texts of {len(codes)} classes, "
            f"prompts of about {sum(map(len, prompter.encode(texts).ids)) // ROWS} tokens, "
            f"{where.type}, ours in {options.precision}, {torch.get_num_threads()} threads"
        )
        found = in_turn(
            [
                (
                    Side("OptionPredictor, all texts at once", "texts/s"),
                    speed(lambda: options.predict_proba(texts)),
                ),
                (Side(f"perplexity per option, {numbers}", "texts/s"), speed(by_perplexity)),
                *(
                    (Side(f"HeadPredictor in int8, {how}", "texts/s"), speed(work))
                    for how, work in (
                        ("all texts at once", lambda: short.predict_proba(texts)),
                        ("one text at a time", one_by_one(short)),
                    )
                    if short is not None
                ),
            ],
            REPEATS,
        )
        report(
            "option_scoring",
            *found[:2],
            note=f"{note}; the same option in {same} of {ROWS} (random weights)",
        )
        if short is not None:
            rounded = short.predict_proba(texts).argmax(1)
            agreed = (rounded == options.predict_proba(texts).argmax(1)).sum()
            for name, side in zip(("batch", "single"), found[2:], strict=True):
                report(
                    f"option_scoring_int8_{name}",
                    side,
                    found[1],
                    note=f"{note}; the same option as unrounded in {agreed} of {ROWS}: random "
                    "weights tell options apart by little",
                )
        report(
            "converted_head",
            *alternate(
                (
                    Side("HeadPredictor, one text at a time", "texts/s"),
                    speed(one_by_one(head)),
                ),
                (
                    Side("HeadPredictor, all texts at once", "texts/s"),
                    speed(lambda: head.predict_proba(texts)),
                ),
                REPEATS,
            ),
            note=f"{note}; the same option as OptionPredictor in {heads} of {ROWS}",
        )
        report(
            "option_scoring_generation",
            *alternate(
                (
                    Side("OptionPredictor, one text at a time", "texts/s"),
                    speed(one_by_one(options)),
                ),
                (
                    Side(f"generate {GENERATED} tokens, {numbers}", "texts/s"),
                    speed(by_generation),
                ),
                REPEATS,
            ),
            note=note,
        )
