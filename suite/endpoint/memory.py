"""What one model was asked before, and what it answered: kept by what was really asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from suite.endpoint.answer import Answer
from suite.endpoint.kept import Kept
from suite.endpoint.manners import Body, Wish


class Memory:
    """The answers of one model behind one server.

    Args:
        folder: where answers are kept; None keeps none.
    """

    def __init__(self, base_url: str, model: str, folder: Path | None) -> None:
        self._base_url = base_url
        self._model = model
        self._folder = folder
        self._file: Kept | None = None

    def find(self, bodies: Sequence[Body]) -> list[Answer | None]:
        """The kept answer to each request; None where there is none."""
        if self._folder is None:
            return [None] * len(bodies)
        keys = [self._key(body) for body in bodies]
        there = self._opened(self._folder).read(keys)
        return [there.get(key) for key in keys]

    def of_wishes(self, asked: Sequence[tuple[Wish, Body]]) -> list[Answer | None]:
        """As `find`, also by what version 0.1 kept chat completions by."""
        if self._folder is None:
            return [None] * len(asked)
        pairs = [(self._key(body), self._earlier_key(wish)) for wish, body in asked]
        there = self._opened(self._folder).read([key for pair in pairs for key in pair])
        answers: list[Answer | None] = []
        for (_, body), (key, earlier) in zip(asked, pairs, strict=True):
            answer = there.get(key)
            if answer is None and (answer := there.get(earlier)) is not None:
                poorer = "logprobs" in body and answer.top_logprobs is None
                answer = None if poorer else answer
            answers.append(answer)
        return answers

    def keep(self, body: Body, answer: Answer) -> None:
        """Keeps an answer at once: it was paid for."""
        if self._folder is not None:
            self._opened(self._folder).write(self._key(body), answer)

    def learnt(self) -> dict[str, Any]:
        """What was found out about the server; empty where nothing was, or long ago."""
        if self._folder is None:
            return {}
        return self._opened(self._folder).learnt(_digest([self._base_url, self._model]))

    def learn(self, found: dict[str, Any]) -> None:
        """Keeps what was found out about the server."""
        if self._folder is not None:
            self._opened(self._folder).learn(_digest([self._base_url, self._model]), found)

    def close(self) -> None:
        """Closes the file; the next question opens it again."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _opened(self, folder: Path) -> Kept:
        if self._file is None:
            self._file = Kept(folder)
        return self._file

    def _key(self, body: Body) -> str:
        """The key of an answer: of what was really asked."""
        return _digest([self._base_url, body])

    def _earlier_key(self, wish: Wish) -> str:
        """The key up to version 0.1: of what was wished for, whatever the server let us ask."""
        return _digest([self._base_url, self._model, asdict(wish)])


def _digest(content: list[Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("ascii")).hexdigest()
