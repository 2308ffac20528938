"""The sentence about what arms that ask read for each text, and what is read once for all."""

from __future__ import annotations

from typing import Any

from suite.contracts.results import StudyResults
from suite.report import formats
from suite.report.data.rows import Leaderboard
from suite.report.words import Words


def read_tokens(results: StudyResults, board: Leaderboard, words: Words) -> str:
    """Tokens of a prompt by arm; "" where none of the best trials asked."""
    facts = {(trial.number, trial.arm): trial.circumstances for trial in results.trials}
    told = []
    for row in board.rows:
        found = facts.get((row.trial, row.arm), {})
        whole, read = (_number(found.get(key)) for key in _KEYS)
        if whole is None:
            continue
        key = "tokens_of_prompt" if read is None else "tokens_read_anew"
        values = {"whole": formats.quantity(whole), "read": formats.quantity(read)}
        told.append(words(key, arm=formats.name(row.arm), **values))
    return words("tokens_of_prompts", arms=words.join(told)) if told else ""


_KEYS = ("prompt_tokens_per_text", "tokens_read_per_text")


def _number(value: Any) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if known else None
