"""A convolutional network over words or characters, trained from scratch.

After Kim 2014, "Convolutional Neural Networks for Sentence Classification" (arXiv:1408.5882):
embeddings, convolutions of several widths, the maximum over time, dropout, a linear layer. The
embeddings start at random, for there is nothing to download; Chinese is read by characters.

Every token of a text opens one window of each width, the last ones reaching into padding, and
padding opens none: so a text gets the same answer whatever it shares a batch with, and texts
shorter than the widest window, or empty, need no special case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from suite.contracts.cutting import HEAD, Plain
from suite.contracts.language import LanguageCode
from suite.contracts.strategy import Probabilities, Run, TextLength
from suite.strategies.classic import settings as files
from suite.strategies.classic.knobs import TextCnnKnobs, parse_widths
from suite.strategies.classic.settings import TextCnnSettings
from suite.strategies.classic.tokens import unit_cutter
from suite.strategies.network import continuing, loop, shrinking, soft_loss
from suite.strategies.network.arrays import Form
from suite.strategies.network.balance import oversampled
from suite.strategies.network.lazy_adamw import LazyAdamW
from suite.strategies.network.soft_loss import LossBalance

FORMAT = "textcnn"

#: Passes over the rows for one epoch of the recipe's budget.
PASSES_PER_EPOCH = 2

#: The vocabulary's bound, most frequent units first.
MOST_UNITS = 100_000

PADDING, UNKNOWN = 0, 1
WARM_UP = 0.05
LARGEST_GRADIENT = 5.0


class Network(nn.Module):
    """Token ids -> logits."""

    def __init__(
        self,
        units: int,
        dim: int,
        filters: int,
        widths: Sequence[int],
        dropout: float,
        classes: int,
    ) -> None:
        super().__init__()
        self.widths = tuple(widths)
        self.embedding = nn.Embedding(units, dim, padding_idx=PADDING)
        self.convolutions = nn.ModuleList(nn.Conv1d(dim, filters, width) for width in widths)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(filters * len(widths), classes)
        with torch.no_grad():
            # A unit that training never meets should say nothing.
            self.embedding.weight.mul_(0.25)
            self.embedding.weight[UNKNOWN].zero_()

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Logits.

        Args:
            ids: int64 [texts, tokens], padded at the end.
            lengths: int64 [texts], real tokens of each.

        Returns:
            float32 [texts, classes].
        """
        return self.read(self.embedding(ids), lengths)

    def read(self, vectors: Tensor, lengths: Tensor) -> Tensor:
        """Logits of units' vectors, float32 [texts, tokens, dim]; the rest as `forward`."""
        embedded = vectors.transpose(1, 2)
        starts = torch.arange(vectors.shape[1], device=vectors.device)
        # An empty text opens one window, on padding.
        outside = (starts[None, :] >= lengths.clamp(min=1)[:, None])[:, None, :]
        pooled = []
        for width, convolution in zip(self.widths, self.convolutions, strict=True):
            reached = functional.pad(embedded, (0, width - 1))
            windows = functional.relu(convolution(reached))
            pooled.append(windows.masked_fill(outside, 0.0).amax(dim=2))
        logits: Tensor = self.output(self.dropout(torch.cat(pooled, dim=1)))
        return logits


class Encoder:
    """Text -> unit ids.

    Args:
        language: decides what a unit is.
        vocabulary: units, whose ids start after padding and unknown.
        max_tokens: longer texts are cut here.
        cutting: what is read of them. (Chunks would say nothing else: the maximum over time is
            over all windows in any case.)
    """

    def __init__(
        self,
        language: LanguageCode,
        vocabulary: Sequence[str],
        max_tokens: int,
        cutting: Plain,
    ) -> None:
        self.language: LanguageCode = language
        self.vocabulary = list(vocabulary)
        self.max_tokens = max_tokens
        self.cutting = cutting
        self._ids = {unit: position + 2 for position, unit in enumerate(self.vocabulary)}
        self._cut = unit_cutter(language)

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Units of each text as it is."""
        return [len(self._cut(text)) for text in texts]

    def ids(self, text: str) -> list[int]:
        """At most `max_tokens` ids."""
        units = self._cut(text)
        if len(units) > self.max_tokens:
            (spans,) = self.cutting.rows(len(units), self.max_tokens)
            units = [unit for span in spans for unit in units[span]]
        return [self._ids.get(unit, UNKNOWN) for unit in units]


def pad(rows: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ids [texts, longest] padded at the end, at least one wide, and lengths [texts]."""
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    ids = np.full((len(rows), max(1, int(lengths.max(initial=0)))), PADDING, dtype=np.int64)
    for position, row in enumerate(rows):
        ids[position, : len(row)] = row
    return ids, lengths


def build_vocabulary(units: Sequence[Sequence[str]], min_count: int) -> list[str]:
    """Units seen at least so often, most frequent first, ties in order of text."""
    counted = Counter(unit for row in units for unit in row)
    return [u for u, n in counted.most_common(MOST_UNITS) if n >= min_count]


def device() -> torch.device:
    """The GPU, where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class TextCnnPredictor:
    """A trained network with its vocabulary."""

    precision = "float32"
    batch = 256

    def __init__(self, encoder: Encoder, shape: dict[str, Any], weights: dict[str, Tensor]) -> None:
        self._encoder = encoder
        self._shape = shape
        self._device = device()
        self._network = Network(**shape)
        self._network.load_state_dict(weights)
        self._network.to(self._device).eval()
        widths = "-".join(str(w) for w in shape["widths"])
        self.serving_shape = (
            f"textcnn|{encoder.language}|{shape['dim']}|{shape['filters']}|{widths}"
            f"|{shape['classes']}|{encoder.max_tokens}{encoder.cutting.word}"
        )

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Class probabilities, float32 [texts, classes]; each row sums to 1."""
        rows = [self._encoder.ids(text) for text in texts]
        self.batch, found = shrinking.scored(self.batch, partial(self._probabilities, rows))
        return found

    @property
    def text_length(self) -> TextLength:
        """In its units."""
        return TextLength(self._encoder.lengths, self._encoder.max_tokens, "word")

    def _probabilities(self, rows: Sequence[Sequence[int]], batch: int) -> Probabilities:
        probabilities = np.zeros((len(rows), self._shape["classes"]), dtype=np.float32)
        by_length = sorted(range(len(rows)), key=lambda position: len(rows[position]))
        with torch.inference_mode():
            for start in range(0, len(rows), batch):
                chosen = by_length[start : start + batch]
                ids, lengths = pad([rows[position] for position in chosen])
                logits = self._network(
                    torch.from_numpy(ids).to(self._device),
                    torch.from_numpy(lengths).to(self._device),
                )
                probabilities[chosen] = torch.softmax(logits, dim=1).cpu().numpy()
        return probabilities

    def save(self, folder: Path) -> None:
        """Vocabulary and settings as JSON, weights as safetensors."""
        files.write(
            folder,
            {
                "format": FORMAT,
                "language": self._encoder.language,
                "max_tokens": self._encoder.max_tokens,
                **self._encoder.cutting.kept,
                "shape": self._shape,
                "vocabulary": self._encoder.vocabulary,
            },
            {
                name: weight.detach().cpu().numpy()
                for name, weight in self._network.state_dict().items()
            },
        )

    @property
    def classes(self) -> int:
        """How many there are."""
        return int(self._shape["classes"])

    @classmethod
    def restore(cls, folder: Path) -> TextCnnPredictor:
        """From what `save` wrote.

        Raises:
            ModelError: something is missing or contradicts the rest.
        """
        kept = files.read(folder, TextCnnSettings)
        shape = kept.shape
        expected = {
            "embedding.weight": Form((shape.units, shape.dim)),
            "output.weight": Form((shape.classes, shape.filters * len(shape.widths))),
            "output.bias": Form((shape.classes,)),
        }
        for place, width in enumerate(shape.widths):
            expected |= {
                f"convolutions.{place}.weight": Form((shape.filters, shape.dim, width)),
                f"convolutions.{place}.bias": Form((shape.filters,)),
            }
        found = files.read_arrays(folder, expected, {})
        return cls(
            Encoder(kept.language, kept.vocabulary, kept.max_tokens, Plain(kept.cutting or HEAD)),
            shape.model_dump(),
            {name: torch.from_numpy(array) for name, array in found.items()},
        )


def fit(run: Run) -> TextCnnPredictor:
    """Builds the vocabulary, trains, and reports checkpoints on the way.

    Raises:
        RecipeError: a hyperparameter is out of bounds.
        Pruned: from a checkpoint.
    """
    knobs = TextCnnKnobs.of(run.params)
    run = oversampled(run)
    place = device()

    cut = unit_cutter(run.task.language)
    units = [cut(text) for text in run.train.texts]
    vocabulary = build_vocabulary(units, knobs.min_count)
    if not vocabulary and knobs.min_count > 1:
        vocabulary = build_vocabulary(units, 1)
        run.note(min_count_used=1)
    encoder = Encoder(run.task.language, vocabulary, run.task.max_tokens, Plain.of(run.params))
    rows = [encoder.ids(text) for text in run.train.texts]
    run.note(
        precision="float32",
        device=place.type,
        **encoder.cutting.kept,
        truncated=sum(len(row) > run.task.max_tokens for row in units) / len(rows),
        features=len(vocabulary),
        deterministic=place.type == "cpu",
    )
    del units
    run.progress(0.05)

    shape: dict[str, Any] = {
        "units": len(vocabulary) + 2,
        "dim": knobs.dim,
        "filters": knobs.filters,
        "widths": list(parse_widths(knobs.widths)),
        "dropout": knobs.dropout,
        "classes": len(run.task.labels),
    }
    lengths = [len(row) for row in rows]
    labels = soft_loss.targets(run, place)
    balance = LossBalance.of(run, place)

    def begin(at_once: int) -> _Learner:
        torch.manual_seed(run.seed)
        return _Learner(encoder, shape, knobs, rows, labels, balance, at_once=at_once)

    # The seed is the trial's alone: whatever else draws from torch here is left as it was.
    with torch.random.fork_rng():
        return loop.train(
            run,
            "classic",
            passes=run.epochs * PASSES_PER_EPOCH,
            batch=knobs.batch,
            begin=begin,
            advice="a smaller dim, fewer filters or a smaller max_tokens would help",
            lengths=lengths,
            warm_up=WARM_UP,
            begins=0.05,
        )


class _Learner:
    """The network while it learns.

    Args:
        shape: of the network.
        rows: unit ids of the training texts.
        labels: of the texts, as `soft_loss.targets` has them, where the network is.
        balance: what rare classes get in the loss, where the network is.
        at_once: rows that go through the network at once.
    """

    def __init__(
        self,
        encoder: Encoder,
        shape: dict[str, Any],
        knobs: TextCnnKnobs,
        rows: Sequence[Sequence[int]],
        labels: Tensor,
        balance: LossBalance,
        *,
        at_once: int,
    ) -> None:
        self._encoder = encoder
        self._shape = shape
        self._rows = rows
        self._labels = labels
        self._balance = balance
        self._at_once = at_once
        self._learning_rate = knobs.learning_rate
        self._network = Network(**shape).to(labels.device).train()
        # A step meets some hundred of the vocabulary's tens of thousands of vectors.
        self._table = self._network.embedding.weight.detach()
        self._vectors = LazyAdamW(
            self._table, learning_rate=knobs.learning_rate, weight_decay=knobs.weight_decay
        )
        self._others = [
            weight
            for name, weight in self._network.named_parameters()
            if not name.startswith("embedding.")
        ]
        self._optimiser = torch.optim.AdamW(
            self._others, lr=knobs.learning_rate, weight_decay=knobs.weight_decay
        )

    def snapshot(self) -> TextCnnPredictor:
        """A predictor with the weights as they are now."""
        self._vectors.rows(torch.arange(len(self._table), device=self._table.device))
        return TextCnnPredictor(self._encoder, self._shape, self._network.state_dict())

    def remembered(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """See `loop.Learner`."""
        drawn, values = continuing.chance()
        tensors = (
            continuing.under("weights", continuing.learnt(self._network))
            | continuing.under("vectors", self._vectors.remembered())
            | continuing.under("moments", continuing.moments(self._optimiser))
            | continuing.under("chance", drawn)
        )
        return tensors, {"chance": values, "rates": continuing.rates(self._optimiser)}

    def remember(self, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
        """See `loop.Learner`."""
        continuing.take(continuing.below("weights", tensors), into=continuing.learnt(self._network))
        self._vectors.remember(continuing.below("vectors", tensors))
        moments = continuing.below("moments", tensors)
        continuing.restore_optimiser(self._optimiser, moments, values["rates"])
        continuing.restore_chance(continuing.below("chance", tensors), values["chance"])

    def step(self, indices: loop.Indices, factor: float) -> float:
        """One update on these rows; their loss."""
        self._optimiser.zero_grad(set_to_none=True)
        ids, lengths = (
            torch.from_numpy(array).to(self._table.device)
            for array in pad([self._rows[int(i)] for i in indices])
        )
        touched, places = torch.unique(ids, return_inverse=True)
        vectors = self._vectors.rows(touched).requires_grad_()
        total = 0.0
        for part in loop.parts(len(indices), self._at_once):
            found = functional.embedding(places[part], vectors)
            loss = self._loss(found, lengths[part], indices[part]) / len(indices)
            torch.autograd.backward(loss)
            total += loss.item()
        slope = vectors.grad
        assert slope is not None
        slope[touched == PADDING] = 0.0
        nn.utils.clip_grad_norm_([*self._others, vectors], LARGEST_GRADIENT)
        for group in self._optimiser.param_groups:
            group["lr"] = self._learning_rate * factor
        self._optimiser.step()
        self._vectors.step(touched, slope, factor)
        return total

    def _loss(self, vectors: Tensor, lengths: Tensor, indices: loop.Indices) -> Tensor:
        """The sum over some rows, of whose units these are the vectors."""
        logits = self._network.read(vectors, lengths)
        chosen = self._labels[torch.from_numpy(indices).to(self._labels.device)]
        return soft_loss.summed(logits, chosen, self._balance)
