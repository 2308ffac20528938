"""A step of `sft`, all weights trained and LoRA: its seconds, what it holds, and where time goes.

Needs the folder of a decoder in SUITE_BENCH_DECODER. The model is made as LLaMA-Factory makes it
and read as the suite reads it there: SUITE_BENCH_ROWS AG News prompts (8) in one batch, its labels
the code and the end of the turn. Beside it stands the batch as one row that LLaMA-Factory packed
(its `neat_packing`), and the ceiling: every weight's products by as many tokens, forward and
backward, in the same numbers. Told are seconds of the processor, which other work on the machine
changes least. More settings: SUITE_BENCH_PRECISIONS (float32), SUITE_BENCH_TUNINGS (full,lora),
SUITE_BENCH_REPEATS (3).
"""

import collections
import os
import time
from pathlib import Path

import torch

from suite.config.task import find_task
from suite.data.sample import sample_task
from tests.benchmarks.common import Side, report
from tests.benchmarks.shapes import rows

DECODER = os.environ.get("SUITE_BENCH_DECODER")
PRECISIONS = os.environ.get("SUITE_BENCH_PRECISIONS", "float32").split(",")
ROWS = int(os.environ.get("SUITE_BENCH_ROWS", "8"))
REPEATS = int(os.environ.get("SUITE_BENCH_REPEATS", "3"))
RANK = 16
TUNINGS = os.environ.get("SUITE_BENCH_TUNINGS", "full,lora").split(",")

#: Kinds of operators, by what stands in their names; the first that fits.
KINDS = {
    "products": ("aten::mm", "aten::addmm", "aten::bmm", "aten::linear", "mkldnn"),
    "attention": ("scaled_dot", "flash"),
    "dropout": ("dropout", "bernoulli"),
    "copies": ("copy_", "aten::cat", "aten::clone"),
    "AdamW": ("adam",),
    "norms": ("norm",),
}
ADAM_BYTES, GRADIENT_BYTES = 8, 4


def lessons(texts, labels):
    """Token ids of each prompt with its answer, and how many of them at its end are the answer."""
    from suite.prompting.chat import Prompter
    from suite.prompting.layout import Variant
    from suite.strategies.network import transformer
    from suite.strategies.network.sources import Source

    source = Source(DECODER)
    codec = transformer.load_codec(source, transformer.load_config(source))
    task = sample_task(find_task("agnews")[0])
    prompter = Prompter.build(codec.tokenizer, task, limit=codec.max_tokens, variant=Variant())
    end = codec.tokenizer.eos_token_id
    asked = prompter.encode(texts).ids
    answers = [[*prompter.class_tokens[label], end] for label in labels]
    return [
        ([*prompt, *answer], len(answer)) for prompt, answer in zip(asked, answers, strict=True)
    ]


def padded(rows_, pad_id):
    """The batch that a collator makes."""
    longest = max(len(ids) for ids, _ in rows_)
    ids = torch.full((len(rows_), longest), pad_id)
    mask, labels = torch.zeros_like(ids), torch.full_like(ids, -100)
    for place, (row, answer) in enumerate(rows_):
        ids[place, : len(row)] = torch.tensor(row)
        mask[place, : len(row)] = 1
        labels[place, len(row) - answer : len(row)] = ids[place, len(row) - answer : len(row)]
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def neatly_packed(rows_, precision):
    """The same texts as one row, which do not see each other."""
    whole = torch.tensor([[token for row, _ in rows_ for token in row]])
    labels = torch.full_like(whole, -100)
    owner = torch.cat([torch.full((len(row),), place) for place, (row, _) in enumerate(rows_)])
    end = 0
    for row, answer in rows_:
        end += len(row)
        labels[0, end - answer : end] = whole[0, end - answer : end]
    sees = (owner[:, None] == owner) & torch.tril(torch.ones(end, end, dtype=torch.bool))
    numbers = getattr(torch, precision)
    mask = torch.zeros(1, 1, end, end, dtype=numbers)
    return {
        "input_ids": whole,
        "position_ids": torch.cat([torch.arange(len(row)) for row, _ in rows_])[None],
        "attention_mask": mask.masked_fill(~sees, torch.finfo(numbers).min),
        "labels": labels,
    }


def model_of(tuning, precision):
    """The model as LLaMA-Factory loads it, with the suite's way of reading it."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from suite.strategies.network import lora
    from suite.strategies.teaching.answers_alone import answers_alone

    narrow = tuning == "lora" and precision == "bfloat16"
    numbers = torch.bfloat16 if narrow else torch.float32
    model = AutoModelForCausalLM.from_pretrained(DECODER, dtype=numbers)
    model.config.use_cache = False
    if tuning == "lora":
        config = LoraConfig(
            task_type="CAUSAL_LM", r=RANK, lora_alpha=2 * RANK, lora_dropout=0.0,
            target_modules="all-linear",
        )  # fmt: skip
        model = get_peft_model(model, config)
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.float()
    model.train()
    lora.without_copies(model, precision)
    return model, answers_alone(model) or "padded"


def stepping(model, batch, precision):
    """A function that takes one step."""
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=0.0, fused=True)

    def step():
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        optimiser.zero_grad()

    return step


def held(model, batch, precision):
    """Bytes of weights, gradients and AdamW's moments, and of what the backward pass needs."""
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with (
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
        torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"),
    ):
        loss = model(**batch).loss
    states = sum(
        p.numel() * (p.element_size() + (GRADIENT_BYTES + ADAM_BYTES) * p.requires_grad)
        for p in model.parameters()
    )
    del loss
    return states, sum(kept.values())


def shares(step):
    """Kind of operator -> its part of a step, the largest first."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        step()
    events = profile.key_averages()
    found = collections.Counter()
    for event in events:
        name = event.key.lower()
        kind = next((k for k, parts in KINDS.items() if any(p in name for p in parts)), "others")
        found[kind] += event.self_cpu_time_total
    whole = sum(found.values())
    return ", ".join(f"{kind} {value / whole:.0%}" for kind, value in found.most_common())


def products(decoder, tokens, tuning, precision):
    """A function that makes every product of the base weights that a step needs: what they are
    multiplied with, its gradient, and where they are trained, theirs."""
    numbers = getattr(torch, precision)
    weights = [
        part.weight.detach().to(numbers)
        for part in decoder.layers.modules()
        if type(part) is torch.nn.Linear and "lora" not in type(part).__module__
        and min(part.weight.shape) > RANK
    ]  # fmt: skip
    sizes = {size for weight in weights for size in weight.shape}
    given = {size: torch.randn(tokens, size).to(numbers) for size in sizes}

    def multiply():
        for weight in weights:
            after, before = weight.shape
            torch.nn.functional.linear(given[before], weight)
            given[after] @ weight
            if tuning == "full":
                given[after].T @ given[before]

    return multiply


def main():
    if not DECODER:
        print("sft_step: left out; SUITE_BENCH_DECODER names no folder of a decoder")
        return
    from transformers import AutoTokenizer

    from suite.strategies.asking import option_scoring

    texts, labels, origin = rows(ROWS, "train")
    taught = lessons(texts, labels)
    tokens = sum(len(ids) for ids, _ in taught)
    tokenizer = AutoTokenizer.from_pretrained(DECODER)
    batch = padded(taught, tokenizer.pad_token_id or tokenizer.eos_token_id)
    for precision in PRECISIONS:
        packed = neatly_packed(taught, precision)
        found = {}
        for tuning in TUNINGS:
            model, feeding = model_of(tuning, precision)
            decoder = option_scoring.decoder_of(option_scoring.unwrapped(model))
            works = {
                "a step": stepping(model, batch, precision),
                "packed by LLaMA-Factory": stepping(model, packed, precision),
                "products alone": products(decoder, tokens, tuning, precision),
            }
            for work in works.values():
                work()
            sides = {name: Side(f"{tuning}, {name}", "s of the processor") for name in works}
            for _ in range(REPEATS):
                for name, work in works.items():
                    begun = time.process_time()
                    work()
                    sides[name].values.append(time.process_time() - begun)
            states, kept = held(model, batch, precision)
            _, kept_packed = held(model, packed, precision)
            found[tuning] = sides["a step"].median
            note = (
                f"{Path(DECODER).name}, {ROWS} {origin}, {tokens} tokens, {precision}, {feeding}, "
                f"{torch.get_num_threads()} threads; weights, gradients and moments "
                f"{states / 2**20:.0f} MiB, kept for the backward pass {kept / 2**20:.0f} MiB "
                f"({kept_packed / 2**20:.0f} packed); {shares(works['a step'])}"
            )
            report(
                f"sft_step_{tuning}_{precision}",
                sides["a step"],
                sides["products alone"],
                note=note,
            )
            report(
                f"sft_step_packed_{tuning}_{precision}",
                sides["packed by LLaMA-Factory"],
                sides["a step"],
            )
            del model, decoder, works
        if len(found) == len({"full", "lora"}):
            print(f"  LoRA's step is {found['lora'] / found['full']:.2f} of the full one's")


if __name__ == "__main__":
    main()
