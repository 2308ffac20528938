"""What a model may write for each class, as token ids: its code, its words, or either.

A small model that is asked for a letter often answers in words. So an option can be scored as the
model would write it: every wording of a class is a sequence of tokens behind the prompt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suite.contracts.strategy import Refused
from suite.contracts.task import Label, Task
from suite.prompting.codes import Codes, tokens_after

#: What is scored: the option's code, the words of its label, or whichever of both is written.
CODE, WORDS, BOTH = "code", "words", "both"
SCORES = (CODE, WORDS, BOTH)

#: Joins two names in one label ("Sci/Tech"): a model writes either.
_JOINT = "/"


@dataclass(frozen=True)
class Wordings:
    """Every wording with its class.

    Args:
        tokens: ids of each wording; none is the beginning of another class's.
        classes: the class of each, by index; every class has one.
        mean: whether a wording's score is its mean log-probability per token, and a class counts by
            its likeliest wording: words of different lengths are then compared. Else it is the
            log-probability of the whole, and those of a class add up.
    """

    tokens: tuple[tuple[int, ...], ...]
    classes: tuple[int, ...]
    mean: bool = False

    @classmethod
    def of_codes(cls, codes: Codes) -> Wordings:
        """The code of each class alone."""
        return cls(codes.tokens, tuple(range(len(codes.tokens))))

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> Wordings:
        """Reads back what `dataclasses.asdict` gave.

        Raises:
            KeyError, TypeError: it is something else.
        """
        tokens = tuple(tuple(int(i) for i in ids) for ids in value["tokens"])
        return cls(tokens, tuple(int(i) for i in value["classes"]), bool(value["mean"]))

    @property
    def single(self) -> bool:
        """Whether each class is one token, so that one forward pass scores them all."""
        ordered = self.classes == tuple(range(len(self.classes)))
        return ordered and all(len(ids) == 1 for ids in self.tokens)

    @property
    def count(self) -> int:
        """Classes."""
        return 1 + max(self.classes)

    def combined(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores of classes [rows, classes] from those of wordings [rows, wordings].

        >>> found = Wordings(((1,), (2, 3), (4,)), (0, 0, 1), mean=True)
        >>> found.combined(np.array([[-3.0, -2.0, -1.5]], dtype=np.float32)).tolist()
        [[-1.0, -1.5]]
        """
        if self.mean:
            lengths = np.array([len(ids) for ids in self.tokens], dtype=np.float32)
            scores = (scores / lengths).astype(np.float32)
        found: NDArray[np.float32]
        found = np.full((len(scores), self.count), -np.inf, dtype=np.float32)
        for index, owner in enumerate(self.classes):
            own, other = found[:, owner], scores[:, index]
            found[:, owner] = np.maximum(own, other) if self.mean else np.logaddexp(own, other)
        return found

    @classmethod
    def choose(
        cls,
        tokenizer: Any,
        task: Task,
        codes: Codes,
        before: str,
        *,
        prefix: str,
        score: str,
        words: Sequence[str],
    ) -> Wordings:
        """The wordings of a task for a tokenizer.

        Args:
            codes: by class index.
            before: the end of the prompt; a wording's tokens are those that it adds to this.
            prefix: what stands between prompt and answer.
            score: one of `SCORES`.
            words: how the question names each class, by class index.

        Raises:
            Refused: words that can't be scored behind this prompt; says which.
        """
        if score == CODE:
            return cls.of_codes(codes)
        texts = of_labels(task.labels, words)
        flat = [text for own in texts for text in own]
        ids = tokens_after(tokenizer, flat, before, prefix=prefix)
        spoken: dict[tuple[int, ...], int] = {}
        for index, own in enumerate(texts):
            spoken |= {ids[text]: index for text in own if ids.get(text)}
        found = _parted(spoken, tokenizer.eos_token_id)
        if score == BOTH:
            named = {tokens: index for index, tokens in enumerate(codes.tokens)}
            found = _once(named | {t: index for t, index in found.items() if t not in named})
        silent = set(range(len(words))) - set(found.values())
        if silent:
            raise Refused(
                f"'{words[min(silent)]}' has no tokens of its own behind this prompt for the "
                "model's tokenizer, and can't be scored by its words; score: code would work"
            )
        return cls(tuple(found), tuple(found.values()), mean=score == WORDS)


def of_labels(labels: Sequence[Label], words: Sequence[str]) -> list[list[str]]:
    """The words that may stand for each class, its own first. What may stand for two is that one's
    whose own word it is, before another name's, and before a part of a name; else it is left out.

    >>> labels = [Label(name="World"), Label(name="Sci/Tech", aliases=["Gadgets"])]
    >>> of_labels(labels, ["World", "Science/Technology"])[1]
    ['Science/Technology', 'Sci/Tech', 'Gadgets', 'Science', 'Technology', 'Sci', 'Tech']
    """
    found: list[list[str]] = []
    #: Of each text, case aside: the places of the classes that have it, by how nearly it is theirs.
    owners: dict[str, dict[int, set[int]]] = {}
    for place, (label, own) in enumerate(zip(labels, words, strict=True)):
        named = [own, label.shown, label.name, *label.aliases]
        parts = [part.strip() for text in named for part in text.split(_JOINT)]
        found.append([text for text in dict.fromkeys([*named, *parts]) if text])
        for rank, texts in enumerate(([own], named, parts)):
            for text in texts:
                owners.setdefault(text.casefold(), {}).setdefault(rank, set()).add(place)
    mine = {text: ranks[min(ranks)] for text, ranks in owners.items()}
    return [
        [text for text in own if mine[text.casefold()] == {place}] or [word]
        for place, (own, word) in enumerate(zip(found, words, strict=True))
    ]


def _once(found: dict[tuple[int, ...], int]) -> dict[tuple[int, ...], int]:
    """Wordings of which none begins another, so that their probabilities may be added: who writes
    the longer one has written the shorter."""
    kept: dict[tuple[int, ...], int] = {}
    for tokens in sorted(found, key=len):
        if not any(tokens[:end] in kept for end in range(1, len(tokens))):
            kept[tokens] = found[tokens]
    return kept


def _parted(found: dict[tuple[int, ...], int], closing: int | None) -> dict[tuple[int, ...], int]:
    """Wordings of which none begins another class's: where one does, the end of the answer is
    written behind each."""
    ordered = sorted(found)
    begins = any(
        found[other] != found[ids] and other[: len(ids)] == ids
        for place, ids in enumerate(ordered)
        for other in ordered[place + 1 :]
        if other[:1] == ids[:1]
    )
    if not begins:
        return found
    if closing is None:
        raise Refused(
            "one class's words begin another's, and this model's tokenizer has no end of an answer "
            "to tell them apart by; score: code would work"
        )
    return {(*ids, int(closing)): index for ids, index in found.items()}
