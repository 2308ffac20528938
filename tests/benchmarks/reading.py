"""A decoder of Qwen3-0.6B's shape with random weights reads the same prompts in three ways.

The suite's lean way, which reuses what all prompts begin with; transformers' own forward pass on
a padded batch behind the same beginning; and the packed way that classifiers take, which reads
each prompt whole. All give the hidden state at each prompt's last token, and scores from it.
"""

import tempfile

from tests.benchmarks.common import Side, report, timed
from tests.benchmarks.option_scoring import LAYERS, REPEATS, ROWS, asked_options, in_turn


def main():
    import torch

    from suite.strategies.asking import option_scoring
    from suite.strategies.network.packed_models import packed_encoder
    from suite.strategies.network.packing import pack

    with tempfile.TemporaryDirectory() as folder:
        _, options, texts = asked_options(folder)
        prompts = [list(ids) for ids in options.prompter.encode(texts).ids]
        scorer, readout = options.scorer, options._read()
        scorer.scores(readout, prompts)
        lean, packed = scorer._lean, packed_encoder(readout.decoder)

        def scored(way):
            def read(rows):
                scorer._lean = way
                scorer.scores(readout, rows)

            return read

        def whole_packed(rows):
            computing = option_scoring.computing(readout.decoder, options.precision, scorer.where)
            with torch.inference_mode(), computing():
                batch = pack(rows, scorer.where)
                readout(batch.given_order(packed(batch)[batch.ends])).cpu()

        ways = {
            "the lean way": scored(lean),
            "transformers' own forward pass": scored(None),
            "packed, each prompt whole": whole_packed,
        }
        for read in ways.values():
            read(prompts)

        def speed(read, batches):
            return lambda: len(texts) / timed(lambda: [read(rows) for rows in batches])

        note = (
            f"Qwen3-0.6B's shape ({LAYERS} layers), {ROWS} prompts of about "
            f"{sum(map(len, prompts)) // ROWS} tokens, {len(scorer.prefix)} of them common; "
            f"{options.precision}, {torch.get_num_threads()} threads"
        )
        for how, batches in (("at once", [prompts]), ("one at a time", [[ids] for ids in prompts])):
            ours, *others = in_turn(
                [
                    (Side(f"{name}, {how}", "texts/s"), speed(read, batches))
                    for name, read in ways.items()
                ],
                REPEATS,
            )
            for which, other in zip(("own", "packed"), others, strict=True):
                report(f"reading_{which}_{how.replace(' ', '_')}", ours, other, note=note)
