"""LoRA as peft builds it, without what it does for nothing in mixed precision.

In front of each of its matrices, seven times in a layer, peft copies what the layer was given to
the matrices' own float32; autocast takes that back to bfloat16 at once, and the backward pass keeps
the copies. From 16 bits to 32 and back nothing changes, so the copies are left out.
"""

from __future__ import annotations

from typing import Any, TypeVar

ModelT = TypeVar("ModelT", bound=Any)


def without_copies(model: ModelT, precision: str) -> ModelT:
    """The model, whose LoRA layers take their input as it is where autocast sees to its numbers.

    Args:
        model: maybe wrapped by peft, or not.
        precision: "bfloat16" is computed in autocast; in float32 nothing is copied anyway.
    """
    if precision == "bfloat16":
        for module in model.modules():
            if hasattr(module, "cast_input_dtype_enabled"):
                module.cast_input_dtype_enabled = False
    return model
