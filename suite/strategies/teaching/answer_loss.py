"""The loss of taught answers where rare classes are made up for.

An answer's tokens are its code and what stands around it: the end of the turn, a think block, a
thought. A class' weight holds for all of them. Which class it is, the code decides: the focal loss
and the adjustment of logits are of the code's tokens alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Self

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from suite.contracts.strategy import Refused, Run
from suite.errors import counted
from suite.strategies.network.balance import Balance
from suite.strategies.teaching.sft_rows import ENDING, Lesson

Tokens = tuple[int, ...]


class AnswerLoss:
    """What each token of some answers costs.

    Args:
        balance: of the classes.
        codes: token ids of each class' code, by class index; none begins another.
        answers: the class of each answer that is taught, by its tokens up to the end of its code.
    """

    def __init__(
        self, balance: Balance, codes: Sequence[Tokens], answers: Mapping[Tokens, int]
    ) -> None:
        self._weights = balance.weights.tolist()
        self._gamma = balance.gamma
        self._codes = codes
        self._answers = answers
        self._added = _added(codes, balance) if balance.priors.any() else {}

    @classmethod
    def of(cls, run: Run, lessons: Sequence[Lesson], codes: Sequence[Tokens]) -> Self | None:
        """As a trial has it; None where an answer's tokens cost what they do by themselves.

        Args:
            codes: as above.

        Raises:
            Refused: an answer that does not end in its class' code.
        """
        balance = Balance.of(run)
        if balance.plain and (balance.weights == 1).all():
            return None
        answers: dict[Tokens, int] = {}
        for lesson in lessons:
            answer, code = tuple(lesson.ids[lesson.asked :]), codes[lesson.label]
            if answer[-len(code) :] != code:
                raise Refused(
                    "behind a thought this model's tokenizer writes the options in other tokens "
                    "than elsewhere; of what makes up for rare classes it can have balance: "
                    "oversampled"
                )
            answers[answer] = lesson.label
        return cls(balance, codes, answers)

    def __call__(self, logits: Tensor, wanted: Tensor, begins: Tensor) -> Tensor:
        """The loss of each token, float32 [tokens].

        The focal loss is that of the code as a whole: what is missing of its probability among all
        that the model might write, to the power gamma. Adjusted are the options alone, by how
        their shares differ from an even one: that leaves them where they are against all other
        tokens, and classes of even shares as without.

        Args:
            logits: float32 [tokens, vocabulary]; what predicts the answers' tokens, one answer
                behind the other.
            wanted: these tokens, int64 [tokens].
            begins: whether a token is an answer's first, bool [tokens].

        Raises:
            Refused: an answer that was not taught.
        """
        tokens, starts = wanted.tolist(), begins.nonzero().flatten().tolist()
        weights: list[float] = []
        places: list[int] = []  # of the codes' tokens
        owners: list[int] = []  # the answer of each
        nodes: defaultdict[Tokens, list[int]] = defaultdict(list)
        for answer, (start, end) in enumerate(zip(starts, [*starts[1:], len(tokens)], strict=True)):
            label, ended = self._known(tuple(tokens[start:end]))
            weights += [self._weights[label]] * (end - start)
            code = self._codes[label]
            for depth in range(len(code)):
                place = start + ended - len(code) + depth
                nodes[code[:depth]].append(place)
                places.append(place)
                owners.append(answer)
        if self._added:
            for before, own in nodes.items():
                ids, added = (part.to(logits.device) for part in self._added[before])
                rows = torch.tensor(own, device=logits.device)[:, None]
                where = rows.expand(-1, len(ids)), ids.expand(len(own), -1)
                logits = logits.index_put(where, added.expand(len(own), -1), accumulate=True)
        losses = cross_entropy(logits, wanted, reduction="none")
        if self._gamma:
            at, whose = (torch.tensor(one, device=logits.device) for one in (places, owners))
            of_codes = losses.new_zeros(len(starts)).index_add(0, whose, losses[at])
            missing = (1 - torch.exp(-of_codes)).clamp(min=0) ** self._gamma
            losses = losses * torch.ones_like(losses).index_put((at,), missing[whose])
        return losses * losses.new_tensor(weights)

    def _known(self, tokens: Tokens) -> tuple[int, int]:
        """The class of an answer, and how many of its tokens lead to the end of its code."""
        for cut in range(min(ENDING, len(tokens)) + 1):
            end = len(tokens) - cut
            label = self._answers.get(tokens[:end])
            if label is not None:
                return label, end
        raise Refused(
            f"LLaMA-Factory trains on an answer of {counted(len(tokens), 'token')} that is none of "
            "the suite's"
        )


def _added(codes: Sequence[Tokens], balance: Balance) -> dict[Tokens, tuple[Tensor, Tensor]]:
    """What is added to logits behind each beginning of a code: token ids and numbers, [tokens].

    A token stands for all classes whose code goes on with it; where codes are one token, for one.
    """
    relative = torch.from_numpy(balance.priors).double().exp() * len(codes)
    classes: defaultdict[Tokens, defaultdict[int, list[int]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for label, code in enumerate(codes):
        for depth, token in enumerate(code):
            classes[code[:depth]][token].append(label)
    return {
        before: (
            torch.tensor([*after]),
            torch.tensor([float(relative[own].mean().log()) for own in after.values()]),
        )
        for before, after in classes.items()
    }
