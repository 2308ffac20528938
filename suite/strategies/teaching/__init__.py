"""A decoder taught to answer its question, by LLaMA-Factory, also from distilled thoughts.

`sft` declares the strategy, `sft_knobs` its hyperparameters. `sft_training` is the training:
`sft_rows` writes what is taught, `llamafactory_files` what LLaMA-Factory reads, `sft_agreement`
compares what it made of that, `answers_alone` spares it the logits of prompts. `distil` collects
the thoughts that a row may be taught with (`suite distil`), and `distil_static` makes a static
model of an encoder (`suite model distil-static`).
"""
