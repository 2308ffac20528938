"""The hyperparameters of a fine-tuned head, as a trial has them."""

from __future__ import annotations

from dataclasses import dataclass

from suite.contracts.hyperparameters import Declared, declared


@dataclass(frozen=True)
class Knobs(Declared):
    """The hyperparameters of one trial."""

    learning_rate: float = declared(5e-5, "the highest step size", above=0)
    batch: int = declared(32, "texts behind one optimiser step", low=1)
    warmup: float = declared(0.1, "part of the steps in which the step size rises", low=0, below=1)
    schedule: str = declared(
        "linear", "how the step size falls", options=("linear", "cosine", "constant")
    )
    weight_decay: float = declared(0.01, "of AdamW", low=0)
    label_smoothing: float = declared(0.0, "probability given to other classes", low=0, below=1)
    max_grad_norm: float = declared(1.0, "length to which a gradient is cut; 0: not", low=0)
    tuning: str = declared("full", "what is trained", options=("full", "lora"))
    lora_rank: int = declared(16, "of LoRA's matrices", low=1)
    lora_dropout: float = declared(0.0, "part of what LoRA reads left out", low=0, below=1)
    freeze: float = declared(
        0.0,
        "share of the layers, from the lowest on, that stay as they are, and with them the word "
        "vectors; 0: none",
        low=0,
        high=1,
    )
