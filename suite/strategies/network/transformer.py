"""What the neural strategies share: weights and tokenizer, device and precision, and scoring.

Training and serving pad on the same side, cut at the same limit and compute in the same
precision, because the same code does it for both. Imported by strategies inside `fit` and
`load` only: it brings torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from suite.contracts.cutting import AS_EVER, HEAD, Cutting
from suite.contracts.strategy import Beside, Probabilities, TextLength
from suite.errors import ModelError, WeightsError, counted
from suite.machine import arithmetic, computing
from suite.models import checkpoint
from suite.strategies.network import chunks, feeding, settings, shrinking, weights
from suite.strategies.network.chunk_pooling import ChunkPooling, last_layer
from suite.strategies.network.chunks import Row
from suite.strategies.network.feeding import Classifier
from suite.strategies.network.settings import CutSettings
from suite.strategies.network.softmax import softmax
from suite.strategies.network.sources import Source, readable

#: Below this width bfloat16 does not pay on a CPU: casting costs more than the products save.
_BF16_WIDTH = 256

#: Tokens of a vocabulary that are read as texts, to see that it reads them.
_WORDS_TRIED = 64

_TOKENS_AT_ONCE = 2000  # Texts; bounds what the tokenizer keeps of cut ones.

Ids = list[int]


class Diverged(ModelError, RuntimeError):
    """Numbers stopped being finite; the message says where, and what to change."""


def device() -> torch.device:
    """Where models run: the first CUDA GPU, else Apple's, else the CPU; or that, as asked for."""
    if computing.on_cpu():
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def precision_for(where: torch.device, width: int) -> str:
    """The numbers to compute in: "bfloat16" where it pays, on a CPU as measured there.

    Args:
        width: the model's hidden size; narrow models are quicker in float32 on a CPU.
    """
    if where.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    if where.type == "cpu" and width >= _BF16_WIDTH and arithmetic.bfloat16_pays():
        return "bfloat16"
    return "float32"


@contextmanager
def computing_in(precision: str, where: torch.device) -> Iterator[None]:
    """Autocast to bfloat16, or nothing for float32."""
    if precision == "bfloat16":
        with torch.autocast(where.type, dtype=torch.bfloat16):
            yield
    else:
        yield


def width_of(config: Any) -> int:
    """The hidden size of a transformers config, of its text model where it has others beside."""
    text = config.get_text_config()
    width: Any = getattr(text, "hidden_size", None) or getattr(text, "dim", 0)
    return int(width)


def layers_of(config: Any) -> int:
    """How many layers, likewise; 12 where the config does not say."""
    return int(getattr(config.get_text_config(), "num_hidden_layers", None) or 12)


def freeze(model: Any, precision: str) -> None:
    """Makes a model ready to serve: no gradients, linear weights kept in the precision used.

    Autocast would cast the same weights at every call; the results are the same to the bit.
    """
    model.eval().requires_grad_(False)
    if precision == "bfloat16":
        for module in model.modules():
            if isinstance(module, torch.nn.Linear):
                module.to(torch.bfloat16)


@dataclass(frozen=True)
class Encoded:
    """Token ids per text, `Chunks` of one that is read in several rows; and of how many texts a
    part is left out."""

    ids: list[Row]
    cut: int


@dataclass(frozen=True)
class Codec:
    """A tokenizer with its limit; pads right, and reads special tokens in a text as text."""

    tokenizer: Any
    max_tokens: int
    cutting: Cutting = AS_EVER

    @property
    def pad_id(self) -> int:
        """The id that fills short rows."""
        return int(self.tokenizer.pad_token_id)

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Token ids, at least one per text, at most `max_tokens` a row."""
        whole = self.cutting.cutting != HEAD
        ids: list[Row] = []
        cut = 0
        for start in range(0, len(texts), _TOKENS_AT_ONCE):
            batch = self._tokens(list(texts[start : start + _TOKENS_AT_ONCE]), whole=whole)
            if whole:
                before, after = self._marks
                for row in batch["input_ids"]:
                    kept, left_out = chunks.cut(row, self.cutting, self.max_tokens, before, after)
                    ids.append(kept)
                    cut += left_out
                continue
            ids += batch["input_ids"]
            if batch.encodings:
                cut += sum(bool(encoding.overflowing) for encoding in batch.encodings)
            else:
                cut += sum(len(row) >= self.max_tokens for row in batch["input_ids"])
        return Encoded([row or [self._stand_in()] for row in ids], cut)

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as it is, nothing cut."""
        found: list[int] = []
        for start in range(0, len(texts), _TOKENS_AT_ONCE):
            batch = self._tokens(list(texts[start : start + _TOKENS_AT_ONCE]), whole=True)
            found += map(len, batch["input_ids"])
        around = sum(self._marks)
        return [length - around for length in found]

    @property
    def text_length(self) -> TextLength:
        """Of what is read whole: in one row, or in as many as its chunks may be."""
        rows = 1 if self.cutting.pooling is None else self.cutting.chunks
        return TextLength(self.lengths, rows * (self.max_tokens - sum(self._marks)), "token")

    @cached_property
    def _marks(self) -> tuple[int, int]:
        """How many tokens of its own the tokenizer puts before a text, and after it."""
        framed = self._tokens(["a"], whole=True)["input_ids"][0]
        bare = self.tokenizer(["a"], add_special_tokens=False)["input_ids"][0]
        starts = range(len(framed) - len(bare) + 1)
        before = next((s for s in starts if framed[s : s + len(bare)] == bare), 0)
        return before, len(framed) - len(bare) - before

    def _tokens(self, texts: list[str], *, whole: bool) -> Any:
        return self.tokenizer(
            texts,
            padding=False,
            # A text that spells "<|endoftext|>" must not become padding.
            split_special_tokens=True,
            return_attention_mask=False,
            return_token_type_ids=False,
            # That a whole text is longer than the model takes is known.
            **{"verbose": False} if whole else {"truncation": True, "max_length": self.max_tokens},
        )

    def _stand_in(self) -> int:
        """The one token of a text that has none: decoders add no marks of their own."""
        end = self.tokenizer.eos_token_id
        return int(end) if end is not None else self.pad_id

    def pad(self, rows: Sequence[Row], where: torch.device) -> dict[str, torch.Tensor]:
        """`input_ids` and `attention_mask`, int64 [rows, longest], padded on the right."""
        return feeding.pad(rows, self.pad_id, where, self.max_tokens)


def load_codec(
    source: Source, config: Any, *limits: int | None, cutting: Cutting = AS_EVER
) -> Codec:
    """A tokenizer, and the least of these limits and the architecture's own.

    Args:
        cutting: what is read of a longer text.

    Raises:
        WeightsError: it can't be loaded, reads every word as unknown, has more tokens than the
            model, or neither a pad nor an end token.
    """
    checkpoint.check_tokenizer(Path(source.where))
    with readable(source):
        tokenizer = transformers.AutoTokenizer.from_pretrained(source.where, **source.arguments)
        _check_vocabulary(tokenizer, config, source)
    tokenizer.padding_side = "right"
    tokenizer.truncation_side = "right"
    if tokenizer.pad_token_id is None:
        if tokenizer.eos_token_id is None:
            raise WeightsError(
                "the tokenizer has neither a pad nor an end token",
                where=source.where,
                fix="Add a pad_token to its tokenizer_config.json.",
            )
        tokenizer.pad_token = tokenizer.eos_token
    known = [*limits, _positions(config), tokenizer.model_max_length]
    return Codec(tokenizer, min(limit for limit in known if limit is not None), cutting)


def _check_vocabulary(tokenizer: Any, config: Any, source: Source) -> None:
    """Refuses ids that the embedding has no row for, and a vocabulary that knows no word."""
    ids = tokenizer.get_vocab()
    highest = max(ids.values(), default=-1)
    rows = config.get_text_config().vocab_size
    if highest >= rows:
        raise checkpoint.too_many_tokens(highest + 1, rows, Path(source.where))
    own = set(tokenizer.all_special_ids)
    words = [token for token, number in ids.items() if number not in own]
    sample = words[:: max(1, len(words) // _WORDS_TRIED)]
    texts = [tokenizer.convert_tokens_to_string([word]) for word in sample]
    if not any(set(row) - own for row in (tokenizer(texts)["input_ids"] if texts else ())):
        raise WeightsError(
            f"the tokenizer knows no word: of its {counted(len(ids), 'token')} none is found in a "
            "text",
            where=source.where,
            fix="Save the tokenizer that the model was trained with beside the weights.",
        )


def _positions(config: Any) -> int | None:
    limit = getattr(config.get_text_config(), "max_position_embeddings", None)
    if not isinstance(limit, int) or limit < 1:
        return None
    if "roberta" in str(config.model_type):  # Its positions are counted from after the pad id.
        return limit - int(config.pad_token_id or 0) - 1
    return limit


def load_config(source: Source) -> Any:
    """The model's configuration.

    Raises:
        WeightsError: there is none that transformers knows.
    """
    facts = checkpoint.config(Path(source.where))
    kind = facts.get("model_type")
    if isinstance(kind, str) and kind not in transformers.CONFIG_MAPPING:
        by = facts.get("transformers_version")
        raise WeightsError(
            f"the installed transformers {transformers.__version__} knows no model of the kind "
            f"'{kind[:100]}'",
            where=source.where,
            fix=f"A newer one may{f': {by} wrote its config.json' if by else ''}.",
        )
    with readable(source):
        return transformers.AutoConfig.from_pretrained(source.where, **source.arguments)


def scoring_batch(where: torch.device) -> int:
    """Texts scored at once: a GPU wants many, a CPU's caches few."""
    return 512 if where.type == "cuda" else 64


def scoring_tokens(where: torch.device) -> int:
    """Most tokens scored at once, whatever the number of texts.

    On two CPU cores BERT-base is quickest with 1,536 of 768 to 14,000 (BENCHMARKS.md).
    """
    return 65_536 if where.type == "cuda" else 1_536


def shape(strategy: str, model: Any, codec: Codec | int, precision: str, classes: int) -> str:
    """What decides serving speed, as one string: `linear_head|bert|22.7M|256|bfloat16|4`.

    LoRA's own matrices, and the head it set aside, are not counted: a merged model has none.

    Args:
        codec: what cuts texts; or the most tokens that are read at once.
    """
    millions = sum(
        weights.numel()
        for name, weights in model.named_parameters()
        if "lora_" not in name and "original_module" not in name
    )
    kind = model.config.model_type
    read = str(codec) if isinstance(codec, int) else f"{codec.max_tokens}{codec.cutting.word}"
    return f"{strategy}|{kind}|{millions / 1e6:.1f}M|{read}|{precision}|{classes}"


def probabilities(logits: NDArray[np.float32]) -> Probabilities:
    """Class probabilities of logits [texts, classes]; each row sums to 1.

    Raises:
        Diverged: a logit is not finite.
    """
    if not np.isfinite(logits).all():
        raise Diverged("the model's outputs are not finite numbers: lower learning_rate")
    return softmax(logits.astype(np.float64)).astype(np.float32)


class TransformerPredictor:
    """A sequence classifier behind its tokenizer.

    During training it is a live view of the model: it predicts with, and saves, the weights as
    they stand.
    """

    def __init__(
        self,
        model: Any,
        codec: Codec,
        *,
        where: torch.device,
        precision: str,
        strategy: str,
        batch: int | None = None,
        pooling: ChunkPooling | None = None,
    ) -> None:
        self.codec = codec
        self.pooling = pooling
        self.where = where
        self.precision = precision
        self.strategy = strategy
        self.batch = batch or scoring_batch(where)
        self.model = model
        self.classes = int(model.config.num_labels)
        self.serving_shape = shape(strategy, model, codec, precision, self.classes)

    @property
    def model(self) -> Any:
        """The classifier of transformers; another one may take its place."""
        return self.classifier.model

    @model.setter
    def model(self, model: Any) -> None:
        self.classifier = Classifier(
            model,
            self.codec.pad_id,
            self.where,
            limit=self.codec.max_tokens,
            pooling=self.pooling,
        )

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as it is."""
        return self.codec.lengths(texts)

    @property
    def text_length(self) -> TextLength:
        """As its tokenizer counts."""
        return self.codec.text_length

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Class probabilities, float32 [texts, classes], in the order of the texts.

        Raises:
            Diverged: the weights are no longer finite.
        """
        return probabilities(self.beside(texts).scores)

    def beside(self, texts: Sequence[str]) -> Beside:
        """Its scores. What lies below its head was learnt, with the training rows' own classes
        drawn apart: distances to these say little of other texts."""
        rows = self.codec.encode(texts).ids
        self.batch, logits = shrinking.scored(self.batch, lambda batch: self._logits(rows, batch))
        return Beside(logits)

    def _logits(self, rows: Sequence[Row], batch: int) -> NDArray[np.float32]:
        logits = np.zeros((len(rows), self.classes), dtype=np.float32)
        model, classifier = self.model, self.classifier
        tokens = scoring_tokens(self.where)
        was_training = model.training
        if was_training:
            model.eval()
        try:
            with torch.inference_mode(), computing_in(self.precision, self.where):
                for positions in classifier.parts(rows, tokens, batch):
                    part = classifier.batch([rows[i] for i in positions])
                    logits[positions] = classifier(part).float().cpu().numpy()
        finally:
            if was_training:
                model.train()
        return logits

    def save(self, folder: Path) -> None:
        """Writes a plain transformers folder (LoRA merged) and `settings.json`."""
        folder.mkdir(parents=True, exist_ok=True)
        merged(self.model).save_pretrained(folder)
        self.codec.tokenizer.save_pretrained(folder)
        settings.write(
            folder,
            {
                "max_tokens": self.codec.max_tokens,
                "precision": self.precision,
                **self.codec.cutting.kept,
            },
        )
        if self.pooling is not None:
            self.pooling.write(folder)

    @classmethod
    def load(cls, folder: Path, strategy: str) -> TransformerPredictor:
        """Reads what `save` wrote; computes in the precision it was scored in.

        Raises:
            WeightsError: the folder is not that.
        """
        kept = settings.read(folder, CutSettings)
        source = Source(str(folder))
        where = device()
        model = weights.load("classifier", source, kept=True).model
        codec = load_codec(source, model.config, kept.max_tokens, cutting=kept.how_cut)
        precision = supported(kept.precision, where, width_of(model.config))
        pooling = None
        if (way := codec.cutting.pooling) is not None:
            width = int(last_layer(model).in_features)
            pooling = ChunkPooling.read(folder, way, width).to(where).requires_grad_(False)
        freeze(model.to(where), precision)
        return cls(
            model, codec, where=where, precision=precision, strategy=strategy, pooling=pooling
        )


def supported(precision: str, where: torch.device, width: int) -> str:
    """A kept model's precision where this machine has it, else float32."""
    return precision if precision_for(where, width) == precision else "float32"


def merged(model: Any) -> Any:
    """A model with its LoRA matrices added in; the given one is left as it is."""
    if not hasattr(model, "merge_and_unload"):
        return model
    import copy

    return copy.deepcopy(model).merge_and_unload()
