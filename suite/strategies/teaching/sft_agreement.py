"""Whether LLaMA-Factory's rows are what the model will be asked, token by token.

It frames turns by templates of its own, chosen by name. One that differs from the model's chat
format by a line break would train a model on prompts that nobody asks it, and nothing would say
so but a poor score.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from suite.contracts.strategy import Refused
from suite.errors import counted
from suite.strategies.teaching.sft_rows import EMPTY, ENDING, Lesson

#: Rows that are compared.
_COMPARED = 64
#: Packed rows that are unpacked and compared.
_UNPACKED = 16
_IGNORED = -100


def compare(rows: Any, lessons: Sequence[Lesson], tokenizer: Any, template: str | None) -> None:
    """Whether LLaMA-Factory's rows are the prompts and answers that they should be.

    Args:
        rows: its encoded rows: `input_ids`, `labels`, and `position_ids` where they are packed.
        lessons: the rows as they should be, in the same order unless packed.

    Raises:
        Refused: they are not, with the first difference and what to set.
    """
    if "position_ids" in rows.column_names:
        known = {tuple(lesson.ids): lesson for lesson in lessons}
        for row in rows.select(range(min(_UNPACKED, len(rows)))):
            for ids, labels in _unpacked(row):
                cuts = range(1, min(ENDING + 1, len(ids)))
                found = (known.get(tuple(ids[: len(ids) - cut])) for cut in cuts)
                lesson = next(filter(None, found), None)
                if lesson is None:
                    raise Refused(_disagreement("a packed row is none of ours", template))
                _compare_one(ids, labels, lesson, tokenizer, template)
        return
    if len(rows) != len(lessons):
        raise Refused(
            _disagreement(
                f"it reads {len(rows)} of {counted(len(lessons), 'training row')}", template
            )
        )
    for row, lesson in zip(rows.select(range(min(_COMPARED, len(rows)))), lessons, strict=False):
        _compare_one(row["input_ids"], row["labels"], lesson, tokenizer, template)


def _compare_one(
    ids: list[int], labels: list[int], lesson: Lesson, tokenizer: Any, template: str | None
) -> None:
    asked, whole = lesson.asked, len(lesson.ids)
    if ids[:whole] != lesson.ids:
        place = next(
            (i for i, (a, b) in enumerate(zip(ids, lesson.ids, strict=False)) if a != b),
            min(len(ids), whole),
        )
        theirs, ours = (tokenizer.decode(part[place : place + 8]) for part in (ids, lesson.ids))
        part = "prompt" if place < asked else "answer"
        raise Refused(
            _disagreement(f"in the {part} it has {theirs!r} where {ours!r} is meant", template)
        )
    if any(label != _IGNORED for label in labels[:asked]) or labels[asked:] != ids[asked:]:
        trained = sum(label != _IGNORED for label in labels)
        raise Refused(
            _disagreement(
                f"its loss is on {counted(trained, 'token')} of a row and not on the answer's "
                f"{len(ids) - asked} alone",
                template,
            )
        )
    special = tokenizer.added_tokens_decoder
    ending = ids[whole:]
    ends = any(i == tokenizer.eos_token_id or (i in special and special[i].special) for i in ending)
    if not ends:
        raise Refused(
            _disagreement(f"its answers end in {tokenizer.decode(ending)!r}, no end mark", template)
        )


def _unpacked(row: Any) -> Iterator[tuple[list[int], list[int]]]:
    """The texts of a packed row: each starts again at position 0; the filling has no labels."""
    positions = row["position_ids"]
    starts = [i for i, position in enumerate(positions) if position == 0]
    for start, end in zip(starts, [*starts[1:], len(positions)], strict=True):
        ids, labels = row["input_ids"][start:end], row["labels"][start:end]
        if any(label != _IGNORED for label in labels):
            yield ids, labels


def _disagreement(what: str, template: str | None) -> str:
    named = f"template '{template}'" if template else "template, parsed from the tokenizer's"
    return (
        f"LLaMA-Factory's {named} disagrees with the model's own chat format: {what}. Set "
        f"template: {EMPTY} in the recipe, then the suite writes the whole prompt itself"
        if template != EMPTY
        else f"LLaMA-Factory encodes the prompt otherwise than it will be asked: {what}"
    )
