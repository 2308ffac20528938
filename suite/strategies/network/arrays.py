"""The arrays of a kept predictor that are not a network of transformers', held to what they are.

A safetensors file says names, types and shapes itself, so each is compared before a byte of it is
used: an array that is missing, too many, of another type or shape, or not finite is refused by
name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suite.errors import ModelError
from suite.strategies.network.settings import FIX

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Form:
    """What an array has to be.

    Args:
        shape: of each dimension its size, or a word: dimensions of one word are equally long.
        dtype: as safetensors names it.
    """

    shape: tuple[int | str, ...]
    dtype: str = "F32"


def write(file: Path, arrays: Arrays) -> None:
    """Writes arrays, each in the order of its indices, whatever its order in memory."""
    from safetensors.numpy import save_file

    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, file)


def read(
    file: Path, expected: Mapping[str, Form], sizes: Mapping[str, int] | None = None
) -> dict[str, NDArray[Any]]:
    """Arrays by name.

    Args:
        sizes: words of shapes whose length is known from elsewhere.

    Raises:
        ModelError: the file is no safetensors file, or an array is not what is expected.
    """
    from safetensors import SafetensorError, safe_open

    def refused(reason: str) -> ModelError:
        return ModelError(reason, where=str(file), fix=FIX)

    if not file.is_file():
        raise refused("it is missing" if not file.exists() else "it is no regular file")
    known = dict(sizes or {})
    found: dict[str, NDArray[Any]] = {}
    try:
        with safe_open(file, framework="numpy") as stored:
            names = set(stored.keys())
            for name in sorted(names ^ set(expected)):
                raise refused(
                    f"the array '{name}' is {'missing' if name in expected else 'none of its own'}"
                )
            for name, wanted in expected.items():
                part = stored.get_slice(name)
                if part.get_dtype() != wanted.dtype:
                    raise refused(
                        f"the array '{name}' holds {part.get_dtype()}, and {wanted.dtype} is "
                        "expected"
                    )
                shape = tuple(part.get_shape())
                sized = tuple(
                    known.setdefault(size, there) if isinstance(size, str) else size
                    for size, there in zip(wanted.shape, shape, strict=False)
                )
                if len(shape) != len(wanted.shape) or shape != sized:
                    raise refused(
                        f"the array '{name}' has the shape {_told(shape)}, and by the rest of the "
                        f"folder it is {_told(sized or wanted.shape)}"
                    )
                found[name] = stored.get_tensor(name)
    except (OSError, SafetensorError, ValueError, TypeError) as error:
        raise refused(f"no arrays can be read there: {error}") from None
    for name, array in found.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise refused(f"the array '{name}' holds numbers that are none (NaN or infinity)")
    return found


def _told(shape: tuple[int | str, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"
