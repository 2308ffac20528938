"""A prompter as plain JSON, without its tokenizer and the rows that its texts choose among."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from suite.prompting.chat import Prompter
from suite.prompting.codes import Codes
from suite.prompting.frame import Frame
from suite.prompting.layout import ExampleForm, Question, Variant
from suite.prompting.own_examples import Chooser, OwnExamples
from suite.prompting.wordings import Wordings


def to_json(prompter: Prompter) -> dict[str, Any]:
    """Plain JSON from which `of_json` makes the same prompts."""
    own = prompter.own
    return {
        "question": prompter.question.to_json(),
        "code_tokens": [list(ids) for ids in prompter.codes.tokens],
        "wordings": asdict(prompter.wordings),
        "frame": asdict(prompter.frame),
        "think": prompter.think,
        "marks": list(prompter.marks),
        "fixed": prompter.fixed,
        "allowance": prompter.allowance,
        "variant": asdict(prompter.variant),
        "shots": prompter.shots,
        "own": None if own is None else own.settings(),
    }


def of_json(tokenizer: Any, kept: Mapping[str, Any], chooser: Chooser | None = None) -> Prompter:
    """Reads back what `to_json` gave.

    Args:
        chooser: where each text has examples of its own.
    """
    question = Question.from_json(kept["question"])
    tokens = tuple(tuple(int(i) for i in ids) for ids in kept["code_tokens"])
    codes, wordings, own = Codes(question.codes, tokens), kept["wordings"], kept["own"]
    think, examples = bool(kept["think"]), None
    if own is not None and chooser is not None:
        examples = OwnExamples(
            chooser,
            ExampleForm(**own["form"]),
            tuple(own["answers"]),
            turns=bool(own["turns"]),
            think=think,
        )
    return Prompter(
        tokenizer=tokenizer,
        question=question,
        codes=codes,
        wordings=Wordings.of_json(wordings) if wordings else Wordings.of_codes(codes),
        frame=Frame(**kept["frame"]),
        think=think,
        marks=tuple(kept["marks"]),
        fixed=int(kept["fixed"]),
        allowance=int(kept["allowance"]),
        variant=Variant(**kept["variant"]),
        shots=int(kept["shots"]),
        own=examples,
    )
