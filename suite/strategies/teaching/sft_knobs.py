"""The hyperparameters of `sft`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from suite.contracts.hyperparameters import Declared, declared
from suite.contracts.space import Params

#: Chosen by what fits: the template by the chat format, inference by what was taught.
AUTO = "auto"


@dataclass(frozen=True)
class Knobs(Declared):
    """The hyperparameters of one trial, without those of the prompt's wording."""

    learning_rate: float = declared(1e-5, "the highest step size", above=0)
    batch: int = declared(32, "texts behind one optimiser step", low=1)
    warmup: float = declared(0.01, "part of the steps in which the step size rises", low=0, below=1)
    schedule: str = declared(
        "cosine", "how the step size falls", options=("cosine", "linear", "constant")
    )
    weight_decay: float = declared(0.0, "of AdamW", low=0)
    max_grad_norm: float = declared(1.0, "length to which a gradient is cut; 0: not", low=0)
    tuning: str = declared("full", "what is trained", options=("full", "lora", "freeze"))
    lora_rank: int = declared(16, "of LoRA's matrices", low=1)
    lora_dropout: float = declared(0.0, "part of what LoRA reads left out", low=0, below=1)
    freeze_layers: int = declared(2, "last layers that `tuning: freeze` trains", low=1)
    cutoff: int = declared(
        0, "tokens of a prompt with its answer; 0: room for the task's `max_tokens`", low=0
    )
    packing: bool = declared(False, "whether several texts share a row")
    template: str = declared(AUTO, "LLaMA-Factory's; auto: the one of the chat format")
    think: str = declared(
        "prompt",
        "where the think block stands: in the prompt (no loss on it), in the answer (trained on), "
        "or in the answer with a thinking trace in it",
        options=("prompt", "answer", "distilled"),
    )
    inference: str = declared(
        AUTO,
        "how it is scored and served: by the options alone, or by thinking first; auto: as taught",
        options=(AUTO, "no_think", "think"),
    )
    max_new_tokens: int = declared(
        256, "tokens that `inference: think` generates for a text", low=1
    )

    @classmethod
    def of(cls, params: Params) -> Self:
        """The trial's parameters, typed, `inference` decided.

        Raises:
            RecipeError: a value that the hyperparameter can't have.
        """
        knobs = super().of(params)
        if knobs.inference != AUTO:
            return knobs
        return replace(knobs, inference="think" if knobs.think == "distilled" else "no_think")
