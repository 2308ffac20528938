"""What a transformers folder holds, told from its small files and the headers of its weights.

No tensor is read and no torch is imported, so a folder that can't be used is refused before
anything is started. Whether names and shapes are the architecture's, and whether the numbers are
finite, is told where the weights are loaded: `suite.strategies.network.weights`.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from suite.config import jsonfile
from suite.errors import WeightsError, counted

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INDEX = f"{WEIGHTS}.index.json"
TOKENIZER = "tokenizer.json"

#: What of a repository is fetched: one or the other of the two ways to keep weights, and all that
#: a tokenizer is read from.
WANTED = (WEIGHTS, INDEX, "model-*-of-*.safetensors", "*.json", "*.txt", "*.model", "*.jinja")

#: What model2vec calls its models in config.json.
STATIC = "model2vec"

#: The numbers that weights may be kept in.
FLOATS = ("F64", "F32", "F16", "BF16")

#: Files of which each tokenizer of transformers has one at least.
_TOKENIZERS = (
    TOKENIZER, "tokenizer.model", "vocab.txt", "vocab.json", "*.model", "*.spm",
    "*.tiktoken", "bpe.codes", "tekken.json", "prophetnet.tokenizer",
)  # fmt: skip

#: Encoder-decoders that make the decoder's input from the text themselves.
_FED_BY_THE_TEXT = ("bart", "mbart")

#: Decoders by model_type: a folder saved under another head than a language model's is one too.
_DECODERS = (
    "bloom", "cohere", "cohere2", "exaone4", "falcon", "gemma", "gemma2", "gemma3_text", "glm",
    "glm4", "gpt2", "gpt_neo", "gpt_neox", "gptj", "granite", "lfm2", "llama", "mistral",
    "modernbert-decoder", "mpt", "olmo", "olmo2", "olmo3", "opt", "phi", "phi3", "qwen2", "qwen3",
    "qwen3_5_text", "smollm3", "stablelm", "starcoder2", "xglm",
)  # fmt: skip
#: Language models whose next token isn't told by those before it alone.
_NOT_CAUSAL = ("xlm", "xlnet")

#: The numbers of a static model's table; what it may have beside it, one for each word piece.
_TABLES = ("F64", "F32", "F16", "I8")
_PER_PIECE = {"mapping": ("I64", "I32"), "weights": ("F64", "F32", "F16")}
_AS_MODEL2VEC = "Expected a folder as `suite model distil-static` or model2vec itself writes it."

_LAYERS = re.compile(r"(num|n)_(\w+_)?(layers?|blocks|groups)$|(\w+_)?layers$")
#: Layers an architecture may have whatever it shares between them (ALBERT has one for all).
_MOST_LAYERS = 512
MOST_CONFIG_BYTES, MOST_INDEX_BYTES = 10_000_000, 100_000_000


@dataclass(frozen=True)
class Tensor:
    """A tensor as the header of its file describes it.

    Args:
        file: the file's name in the folder.
        dtype: as safetensors says it: "F32", "I64", ...
    """

    file: str
    dtype: str
    shape: tuple[int, ...]


def config(folder: Path) -> dict[str, Any]:
    """The folder's config.json.

    Raises:
        WeightsError: it is missing, or no JSON object.
    """
    if not (folder / CONFIG).is_file():
        raise WeightsError(f"{folder} has no config.json", fix=_whose_config(folder))
    return jsonfile.read(folder / CONFIG, most=MOST_CONFIG_BYTES)


def of_text(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """What config.json says of the model that reads texts, where others lie around it."""
    inner = facts.get("text_config")
    return inner if isinstance(inner, dict) else facts


def architectures(facts: Mapping[str, Any]) -> list[str]:
    """The classes that config.json says the weights were saved as."""
    named = facts.get("architectures")
    return [str(name) for name in named] if isinstance(named, list) else []


def _whose_config(folder: Path) -> str:
    """What would help a folder without a config.json."""
    if (folder / "adapter_config.json").is_file():
        return (
            "It holds an adapter alone: add it to its model (peft's merge_and_unload), and give "
            "the folder that save_pretrained then writes."
        )
    inside = sorted(file.parent.name for file in folder.glob("*/config.json"))
    if inside:
        return f"It is in a folder inside: give {folder / inside[-1]}."
    return "Give the folder that transformers' save_pretrained wrote."


def family(facts: Mapping[str, Any]) -> Literal["static", "encoder", "decoder"]:
    """What a folder's model is by its config.json: a static one is a table of vectors, a decoder
    reads from left to right."""
    text = of_text(facts)
    kind = text.get("model_type")
    if kind == STATIC:
        return "static"
    # EmbeddingGemma is a decoder's architecture that was made to look both ways.
    both_ways = text.get("use_bidirectional_attention") in (True, "all")
    if facts.get("is_encoder_decoder") or both_ways or kind in _NOT_CAUSAL:
        return "encoder"
    named = " ".join(architectures(facts))
    if "CausalLM" in named or "LMHead" in named or kind in _DECODERS:
        return "decoder"
    return "encoder"


def tensors(folder: Path) -> dict[str, Tensor]:
    """Name -> tensor of the weights that transformers reads from a folder.

    Raises:
        WeightsError: there are none, pickled ones alone, or files that are not what the index says.
    """
    if (folder / WEIGHTS).is_file():
        return dict(_header(folder / WEIGHTS))
    if (folder / INDEX).is_file():
        return _sharded(folder)
    pickled = sorted(f.name for f in folder.glob("pytorch_model*.bin"))
    if pickled:
        raise WeightsError(
            f"{folder} has only pickled weights ({pickled[0]}), whatever lies beside them",
            fix=f"Reading them is unpickling, which can run code. {converted(str(folder))}",
        )
    raise WeightsError(
        f"{folder} has no weights",
        fix=f"Expected {WEIGHTS}, or {INDEX} with its files, beside config.json.",
    )


def converted(source: str) -> str:
    """What turns pickled weights into a folder that is loaded, as a sentence with a command."""
    name = shlex.quote(source)
    return (
        f"Where you trust them, convert them, and name the new folder with --model NAME=PATH: "
        f'python -c "import sys, transformers as t; s, d = sys.argv[1:]; '
        f"c = t.AutoConfig.from_pretrained(s); "
        f"getattr(t, c.architectures[0]).from_pretrained(s).save_pretrained(d); "
        f't.AutoTokenizer.from_pretrained(s).save_pretrained(d)" {name} PATH'
    )


def _header(file: Path) -> Iterator[tuple[str, Tensor]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as stored:
            # The reader itself holds every offset to the file's length.
            for name in stored.keys():  # noqa: SIM118 - it is no mapping
                part = stored.get_slice(name)
                yield name, Tensor(file.name, part.get_dtype(), tuple(part.get_shape()))
    except (OSError, SafetensorError, ValueError, TypeError, OverflowError) as error:
        raise WeightsError(
            f"no safetensors can be read there: {error}",
            where=str(file),
            fix="It is damaged, or its download was interrupted: fetch it again.",
        ) from None


def _sharded(folder: Path) -> dict[str, Tensor]:
    where = folder / INDEX
    index = jsonfile.read(where, most=MOST_INDEX_BYTES).get("weight_map")
    if not isinstance(index, dict) or not index:
        raise WeightsError("it has no weight_map", where=str(where))
    files: dict[Any, list[str]] = {}
    for name, file in index.items():
        files.setdefault(file if isinstance(file, str) else repr(file), []).append(name)
    found: dict[str, Tensor] = {}
    for file, names in sorted(files.items()):
        if Path(file).name != file or not file.endswith(".safetensors"):
            raise WeightsError(
                f"it names {file!r}, which is no safetensors file of this folder", where=str(where)
            )
        if not (folder / file).is_file():
            raise WeightsError(
                f"it names {file}, which is not there: {counted(len(names), 'tensor')} of "
                f"{len(index):,} are missing, '{names[0]}' the first",
                where=str(where),
                fix="The download was interrupted, or the folder copied in part: fetch it again.",
            )
        there = dict(_header(folder / file))
        for name in names:
            if name not in there:
                raise WeightsError(
                    f"it looks for '{name}' in {file}, which has none", where=str(where)
                )
        for name in there:
            if index.get(name) != file:
                raise WeightsError(
                    f"{file} holds '{name}', which is not said to be there", where=str(where)
                )
        found |= there
    return found


def check(folder: Path) -> dict[str, Tensor]:
    """The tensors of a folder that transformers can load without running code of others.

    Raises:
        WeightsError: what stands against it, with what would help.
    """
    facts = config(folder)
    if facts.get("auto_map") and not _known(facts):
        raise WeightsError(
            f"{folder} wants code of its own run (auto_map)",
            fix="Only architectures that transformers itself knows are loaded; a newer one may "
            "know this one.",
        )
    for key in ("attn_implementation", "experts_implementation"):
        value = facts.get(key, facts.get(f"_{key}"))
        if value is not None and "/" in json.dumps(value):
            raise WeightsError(
                f"{folder} wants code of others run ({key}: {value!r})",
                fix=f"Take {key} out of its config.json.",
            )
    if facts.get("transformers_weights"):
        raise WeightsError(
            f"config.json names other weights ({facts['transformers_weights']!r})",
            where=str(folder),
            fix=f"Only {WEIGHTS} and the files of its index are read: take transformers_weights "
            "out.",
        )
    if (folder / "adapter_config.json").is_file():
        raise WeightsError(
            "adapter_config.json lies beside the model: other weights would be loaded in its place",
            where=str(folder),
            fix="Add the adapter to its model (peft's merge_and_unload) and save that, or take the "
            "file away.",
        )
    if facts.get("quantization_config"):
        raise WeightsError(
            "its weights are quantised, and what is measured here starts from 16 or 32 bits",
            where=str(folder),
            fix="Give the folder of the model they were made from.",
        )
    kind = facts.get("model_type")
    if facts.get("is_encoder_decoder") and kind not in _FED_BY_THE_TEXT:
        raise WeightsError(
            f"{folder} is an encoder with a decoder ({kind}): its decoder has to be told what to "
            "begin with, and no strategy here does that",
            fix="Give an encoder (BERT and the like) or a decoder (Qwen and the like).",
        )
    found = tensors(folder)
    if family(facts) == "static":
        _check_static(found, folder)
    _refuse_too_deep(facts, len(found), folder)
    return found


def _check_static(there: Mapping[str, Tensor], folder: Path) -> None:
    """Refuses arrays that are not those of a model2vec model."""

    def refused(what: str) -> WeightsError:
        return WeightsError(what, where=str(folder), fix=_AS_MODEL2VEC)

    for name in sorted(set(there) - {"embeddings", *_PER_PIECE}):
        raise refused(f"'{name}' is no array of a model2vec model")
    table = there.get("embeddings")
    if table is None or len(table.shape) != 2 or 0 in table.shape:
        raise refused("it has no table 'embeddings' with a vector for each word piece")
    if table.dtype not in _TABLES:
        raise refused(f"its 'embeddings' are {table.dtype}, and {', '.join(_TABLES)} are read")
    for name, kinds in _PER_PIECE.items():
        found = there.get(name)
        if found is not None and (found.dtype not in kinds or found.shape != (pieces(there),)):
            raise refused(f"its '{name}' are no {' or '.join(kinds)} for each word piece")
    if not (folder / TOKENIZER).is_file():
        raise refused(f"it has no {TOKENIZER}, which model2vec reads texts with")


def pieces(there: Mapping[str, Tensor]) -> int:
    """How many word pieces a static model knows; where some share a vector, `mapping` says which
    each one has."""
    shape = there["mapping" if "mapping" in there else "embeddings"].shape
    return shape[0] if shape else 0


def _known(facts: Mapping[str, Any]) -> bool:
    """Whether the installed transformers has every class that `auto_map` names, under the same
    name and for the same kind of model: then its own are loaded, and the code beside the weights
    is not."""
    found = importlib.util.find_spec("transformers")
    if found is None or found.origin is None or not isinstance(facts["auto_map"], dict):
        return False
    kind = str(facts.get("model_type")).replace("-", "_")
    if not kind.isidentifier():
        return False
    files = (Path(found.origin).parent / "models" / kind).glob("*.py")
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    named = [
        str(one).rpartition(".")[2]
        for value in facts["auto_map"].values()
        for one in (value if isinstance(value, list) else [value])
        if one is not None
    ]
    return all(re.search(rf"^class {re.escape(name)}\b", source, re.MULTILINE) for name in named)


def _refuse_too_deep(facts: Mapping[str, Any], count: int, folder: Path) -> None:
    """Refuses a number of layers that the weights can't have: building them would take forever."""
    for key, value in facts.items():
        if not _LAYERS.fullmatch(key) or not isinstance(value, int | float):
            continue
        if value > max(count, _MOST_LAYERS):
            raise WeightsError(
                f"config.json says {key}: {value:,}, and the weights are "
                f"{counted(count, 'tensor')}",
                where=str(folder),
            )


def too_many_tokens(tokens: int, rows: int, folder: Path) -> WeightsError:
    """What is said of a tokenizer that grew after its model."""
    return WeightsError(
        f"the tokenizer has {counted(tokens, 'token')} and the model's embedding "
        f"{counted(rows, 'row')}",
        where=str(folder),
        fix="Give the tokenizer that the model was trained with, or resize the model to it "
        "(resize_token_embeddings) and train it on.",
    )


def too_few_tokens(tokens: int, rows: int, folder: Path) -> WeightsError:
    """What is said of a static model some of whose vectors have no word piece."""
    return WeightsError(
        f"the tokenizer has {counted(tokens, 'token')} and the model {counted(rows, 'vector')}",
        where=str(folder),
        fix="Give the tokenizer that the model was made with.",
    )


def check_tokenizer(folder: Path) -> None:
    """Refuses a folder without a tokenizer, which transformers would take for an empty one.

    Raises:
        WeightsError: none of a tokenizer's files is there.
    """
    if not any(file.is_file() for pattern in _TOKENIZERS for file in folder.glob(pattern)):
        raise WeightsError(
            f"{folder} has no tokenizer: without tokenizer.json (or vocab.txt, or what its kind "
            "has) every word would be unknown",
            fix="Save it beside the weights: AutoTokenizer.from_pretrained(ORIGIN)"
            f".save_pretrained({str(folder)!r}).",
        )
