"""Weights into an architecture, and nothing drawn at random without a word.

transformers fills a tensor that it does not find with random numbers, and leaves out one that it
has no place for; both are usual for a head, and for nothing else. So every load goes through
here: names and shapes are held to the architecture before a number is read, and the numbers are
looked at before they are used.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

from suite.errors import WeightsError, counted
from suite.models import checkpoint
from suite.models.checkpoint import FLOATS, Tensor
from suite.models.folder import Use
from suite.strategies.network.sources import Source, readable

#: A head may be new in the first, and in all of them a pooler, which is trained with that head or
#: read by nobody.
_AUTO: dict[Use, Any] = {
    "classifier": transformers.AutoModelForSequenceClassification,
    "body": transformers.AutoModel,
    "language model": transformers.AutoModelForCausalLM,
}

#: What is said of a new classification head.
_OF_A_HEAD = ("num_labels", "id2label", "label2id", "problem_type", "pad_token_id")

_POOLER = re.compile(r"(^|\.)pooler(\.|$)")
#: Buffers that older versions of transformers kept with the weights.
_BUFFERS = ("position_ids", "token_type_ids", "masked_bias", "bias", "inv_freq")
_SHOWN = 3
_FIX = "Save the model anew by save_pretrained, with the config.json that belongs to it."


@dataclass(frozen=True)
class Loaded:
    """A model with its weights.

    Args:
        new: modules that the weights do not hold, whose numbers were drawn.
        ignored: modules that the weights hold and the model has not.
    """

    model: Any
    new: tuple[str, ...]
    ignored: tuple[str, ...]

    @property
    def notes(self) -> dict[str, str]:
        """The same as circumstances of a trial."""
        said = {"weights_new": self.new, "weights_ignored": self.ignored}
        return {key: ", ".join(names) for key, names in said.items() if names}


def load(use: Use, source: Source, *, kept: bool = False, **how: Any) -> Loaded:
    """A model on the CPU, in float32 where nothing else is said, its weights checked.

    Args:
        kept: whether a predictor saved it: then nothing is new, and nothing ignored.
        how: further arguments of `from_pretrained`.

    Raises:
        WeightsError: names, shapes or numbers are not the architecture's; tensors are named.
    """
    fitted = fit(use, source, kept=kept, **how)
    with readable(source):
        how = _headed(source, how)
        model = _AUTO[use].from_pretrained(
            source.where,
            key_mapping=_tied(source, checkpoint.tensors(Path(source.where))),
            **({"dtype": torch.float32} | _arguments(source) | how),
        )
    refuse_unfinite(model, source)
    return Loaded(model, fitted.new, fitted.ignored)


def fit(use: Use, source: Source, *, kept: bool = False, **how: Any) -> Loaded:
    """As `load`, on the meta device: names, shapes and dtypes are checked, and no numbers kept."""
    folder = Path(source.where)
    there = checkpoint.check(folder)
    # The head of the model that will be used is drawn after this, from the caller's random state.
    with readable(source, holding=False), torch.random.fork_rng(devices=[]):
        how = _headed(source, how)
        model, told = _AUTO[use].from_pretrained(
            source.where,
            key_mapping=_tied(source, there),
            **(_arguments(source) | how),
            device_map="meta",
            output_loading_info=True,
        )
    return _Judged(model, there, told, source, kept=kept, headed=use == "classifier").result()


def _arguments(source: Source) -> dict[str, Any]:
    # A head of another size is a new one; of everything else the shapes are compared here.
    return {"use_safetensors": True, "ignore_mismatched_sizes": True, **source.arguments}


def _headed(source: Source, how: dict[str, Any]) -> dict[str, Any]:
    """The arguments, with what they say of a head said to the text model: where others lie around
    it, transformers says it to what is around alone."""
    said = {key: value for key, value in how.items() if key in _OF_A_HEAD}
    config = transformers.AutoConfig.from_pretrained(source.where, **source.arguments)
    text = config.get_text_config()
    if text is config or not said:
        return how
    for key, value in said.items():
        setattr(text, key, value)
    return {key: value for key, value in how.items() if key not in said} | {"config": text}


def _tied(source: Source, there: Mapping[str, Tensor]) -> dict[str, str] | None:
    """Where the weights hold a tensor under the name of one that is tied to it alone, what
    transformers is to read it as: so the Hub's conversion to safetensors leaves it."""
    facts = checkpoint.config(Path(source.where))
    if not checkpoint.of_text(facts).get("tie_word_embeddings", True):
        return None
    found = {}
    for name in checkpoint.architectures(facts):
        kind = getattr(transformers, name, None)
        ties = getattr(kind, "_tied_weights_keys", None)
        for other, own in ties.items() if isinstance(ties, dict) else ():
            if other in there and own not in there:
                found[f"^{re.escape(other)}$"] = own
    return found or None


def refuse_unfinite(model: Any, source: Source) -> None:
    """Refuses numbers that are none: one pass over the weights, without a copy of them.

    Raises:
        WeightsError: a tensor holds NaN or infinity.
    """
    for name, tensor in model.state_dict().items():
        if not tensor.is_floating_point() or not tensor.numel():
            continue
        low, high = torch.aminmax(tensor)
        if not (torch.isfinite(low) and torch.isfinite(high)):
            raise WeightsError(
                f"the weights hold numbers that are none (NaN or infinity), in '{name}'",
                where=source.where,
                fix="A training that diverged leaves such weights: take an earlier checkpoint.",
            )


class _Judged:
    """What transformers said of a load, against what may be missing."""

    def __init__(
        self,
        model: Any,
        there: dict[str, Tensor],
        told: dict[str, Any],
        source: Source,
        *,
        kept: bool,
        headed: bool,
    ) -> None:
        self.model = model
        self.there = there
        self.source = source
        self.kept = kept
        self.headed = headed
        self.missing = sorted(told["missing_keys"])
        self.unused = sorted(told["unexpected_keys"])
        self.misshapen = sorted(told["mismatched_keys"])
        #: Before the names of the body's tensors; in the weights also where it is loaded alone.
        self.prefix = f"{model.base_model_prefix}."
        self.alone = not hasattr(model, model.base_model_prefix)
        self.body = model if self.alone else getattr(model, model.base_model_prefix)
        parts = [name for name, _ in (*self.body.named_children(), *self.body.named_parameters())]
        self.parts = {name.partition(".")[0] for name in parts}
        self.floating = {n for n, t in model.state_dict().items() if t.is_floating_point()}

    def result(self) -> Loaded:
        """The model with what is new and ignored, or a refusal."""
        self._refuse_dtypes()
        self._refuse_two_names()
        misshapen = [found for found in self.misshapen if not self._may_be_new(found[0])]
        if misshapen:
            name, stored, wanted = misshapen[0]
            raise self._refused(
                f"'{name}' is {_sized(stored)} in the weights and {_sized(wanted)} by config.json"
                f"{_more(len(misshapen))}"
            )
        missing = [name for name in self.missing if not self._may_be_new(name)]
        if missing:
            raise self._refused(
                f"{counted(len(missing), 'tensor')} it needs "
                f"{'is' if len(missing) == 1 else 'are'} missing: {_listed(missing)}"
            )
        beyond = [n for n in self.unused if self.kept or self._belongs_to_body(n)]
        if beyond:
            raise self._refused(
                f"the weights hold {counted(len(beyond), 'tensor')} it has no place for: "
                f"{_listed(beyond)}"
            )
        new = (*self.missing, *(name for name, _, _ in self.misshapen))
        return Loaded(self.model, _modules(new), _modules(self.unused))

    def _refuse_dtypes(self) -> None:
        for name, tensor in self.there.items():
            if tensor.dtype in FLOATS:
                continue
            short = name.removeprefix(self.prefix)
            if {name, short, self.prefix + short} & self.floating:
                raise self._refused(
                    f"'{name}' holds {tensor.dtype} where numbers of 16, 32 or 64 bits with a "
                    "fraction are expected"
                )

    def _refuse_two_names(self) -> None:
        """Refuses what is there under another name: drawn anew, it would be lost."""
        unused = [name for name in self.unused]
        for name in self.missing:
            same = [other for other in unused if _decorated(name, other)]
            if not same and unused and not self._may_be_new(name):
                same = difflib.get_close_matches(name, unused, n=1, cutoff=0.8)
            if same:
                raise self._refused(
                    f"'{name}' is missing, and '{same[0]}' is used nowhere"
                    f"{_more(len(self.missing), 'missing')}: the names are not transformers'"
                )

    def _may_be_new(self, name: str) -> bool:
        if self.kept:
            return False
        if _POOLER.search(name):
            # One of another shape is one that was trained for another body.
            return name in self.missing
        return self.headed and not self.alone and not name.startswith(self.prefix)

    def _belongs_to_body(self, name: str) -> bool:
        short = name.removeprefix(self.prefix)
        if short.partition(".")[0] not in self.parts or _POOLER.search(name):
            return False
        holder, _, last = short.rpartition(".")
        if last not in _BUFFERS or not holder:
            return True
        return holder not in dict(self.body.named_modules())

    def _refused(self, what: str) -> WeightsError:
        kind = type(self.model).__name__
        return WeightsError(
            f"the weights do not fit {kind}: {what}", where=self.source.where, fix=_FIX
        )


def _decorated(one: str, other: str) -> bool:
    """Whether a name is another with something put before or behind it.

    >>> _decorated("pooler.dense.weight", "module.pooler.dense.weight")
    True
    >>> _decorated("classifier.weight", "pre_classifier.weight")
    False
    """
    short, long = sorted((one, other), key=len)
    return long.endswith(f".{short}") or (long.startswith(short) and not long[len(short)].isalnum())


def _modules(names: Iterable[str]) -> tuple[str, ...]:
    """The modules of tensors, each once: `classifier` for its weight and bias."""
    return tuple(dict.fromkeys(name.rpartition(".")[0] or name for name in sorted(names)))


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:_SHOWN])
    return shown + (" …" if len(names) > _SHOWN else "")


def _more(count: int, what: str = "like it") -> str:
    return f" ({count - 1:,} more {what})" if count > 1 else ""


def _sized(shape: Sequence[int]) -> str:
    return "×".join(str(size) for size in shape) or "a single number"
