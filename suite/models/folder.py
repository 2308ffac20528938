"""What a transformers folder can be used for, told before anything of it is loaded.

One judgement for `suite model check`, for the arms of a study and for recipe `auto`: from
config.json, the headers of the weights and the tokenizer's files. That names and shapes are the
architecture's is told where it is built: `suite.strategies.network.weights`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from suite.config import jsonfile
from suite.contracts.model import Model
from suite.errors import ModelError
from suite.models import checkpoint, hub

#: What a folder is read as: a body under a head that is trained, a body alone, or a causal
#: language model.
Use = Literal["classifier", "body", "language model"]

#: The last part of a classification head's class name, as `architectures` has it.
_JUDGE = "ForSequenceClassification"
#: How the output layers of language models are called.
_OUTPUTS = ("lm_head.", "embed_out.", "output.weight", "lm_loss.", "decoder.weight")
_MOST_TOKENIZER_BYTES = 200_000_000


def here(model: Model) -> Path | None:
    """The folder that a model's weights lie in on this machine, or None."""
    if model.path is not None:
        return Path(model.path)
    return None if model.hub is None else hub.cached_snapshot(model.hub, model.revision)


def refuses(folder: Path, use: Use) -> str | None:
    """Why a folder can't be used so, and what would help; or None."""
    try:
        there = checkpoint.check(folder)
        checkpoint.check_tokenizer(folder)
        facts = checkpoint.config(folder)
    except ModelError as error:
        return error.what
    text, tokens = checkpoint.of_text(facts), _tokens(folder)
    static = checkpoint.family(facts) == "static"
    rows: Any = checkpoint.pieces(there) if static else text.get("vocab_size")
    if isinstance(rows, int) and tokens is not None and tokens > rows:
        return checkpoint.too_many_tokens(tokens, rows, folder).what
    if static and tokens is not None and tokens < rows:
        return checkpoint.too_few_tokens(tokens, rows, folder).what
    tied = text.get("tie_word_embeddings", facts.get("tie_word_embeddings", True))
    if use == "language model" and not tied and not any(_is_output(name) for name in there):
        kind = ", ".join(checkpoint.architectures(facts)) or "?"
        return (
            f"it was saved as {kind}: it has no output layer (lm_head), and none is tied to its "
            "embeddings; use linear_head or probe"
        )
    return None


def classes(folder: Path) -> int | None:
    """How many classes the classification head that lies in a folder tells apart, or None where
    none does."""
    facts = checkpoint.config(folder)
    if not any(name.endswith(_JUDGE) for name in checkpoint.architectures(facts)):
        return None
    named = facts.get("id2label")
    return len(named) if isinstance(named, dict) else 2  # transformers' own default


def embeds(folder: Path) -> bool:
    """Whether sentence-transformers made it: a model that was taught to embed."""
    return (folder / "modules.json").is_file()


def _is_output(name: str) -> bool:
    return any(name.startswith(part) or f".{part}" in name for part in _OUTPUTS)


def _tokens(folder: Path) -> int | None:
    """The tokenizer's highest id and one; None where no small file tells."""
    file = folder / checkpoint.TOKENIZER
    try:
        return _of_file(file, file.stat().st_mtime_ns)
    except (OSError, ModelError):
        return None  # Another kind, or a damaged one: loading tells.


@lru_cache(maxsize=32)
def _of_file(file: Path, changed: int) -> int | None:
    del changed  # part of the key: a file that was written anew is read anew
    stored = jsonfile.read(file, most=_MOST_TOKENIZER_BYTES)
    added = stored.get("added_tokens") or []
    ids = [one.get("id") for one in added if isinstance(one, dict)]
    kept: Any = stored.get("model")
    words = kept.get("vocab") if isinstance(kept, dict) else None
    if isinstance(words, dict):
        ids += words.values()
    elif isinstance(words, list):  # Unigram's: a token's place is its id
        ids.append(len(words) - 1)
    known = [number for number in ids if isinstance(number, int)]
    return max(known) + 1 if known else None
