"""A row's columns as the one text that a model reads: one rule for training, files and requests."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from suite.contracts.task import Task
from suite.errors import DataError, counted, nearest


@dataclass(frozen=True)
class Joining:
    """Which columns a model was trained on.

    Args:
        columns: of texts, in order.
        join: what stands between them.
        id: a column that is kept beside the answers.
    """

    columns: tuple[str, ...] = ("text",)
    join: str = " "
    id: str | None = None

    @classmethod
    def of(cls, task: Task) -> Joining:
        """As a task says."""
        return cls(tuple(task.data.text), task.data.join, task.data.id)

    @property
    def several(self) -> bool:
        """Whether a text is made of more than one column."""
        return len(self.columns) > 1

    def text(self, texts: str | Mapping[str, Any]) -> str:
        """A text as it is, and a row (column -> text or None) as its columns joined.

        Raises:
            DataError: a column is missing, or none of them has a text.
        """
        if isinstance(texts, str):
            return texts
        for column in self.columns:
            if column not in texts:
                raise DataError(
                    f"the row has no '{column}'",
                    fix=f"{nearest(column, texts)} The model reads {self.named}.",
                )
        found = joined([texts[column] for column in self.columns], self.join)
        if found is None:
            raise DataError(f"the row has no text in {self.named}")
        return found

    @property
    def named(self) -> str:
        """The columns, for messages: "'subject' and 'body', joined"."""
        *some, last = map(repr, self.columns)
        return f"{', '.join(some)} and {last}, joined" if some else last

    def given(self, columns: Sequence[str]) -> tuple[str, ...]:
        """The columns of a file that stand for these: the same where none is named or the same are,
        else as many, in this order.

        Raises:
            DataError: more or fewer are named.
        """
        if columns and len(columns) != len(self.columns):
            every = " ".join(f"--column {shlex.quote(column)}" for column in self.columns)
            raise DataError(
                f"--column names {counted(len(columns), 'column')}, and the model reads "
                f"{len(self.columns)}: {self.named}",
                where="--column",
                fix=f"Name one for each, in this order ({every}), or none where the file calls "
                "them so.",
            )
        # Who names the same ones in another order means these, and not each other's places.
        same = not columns or set(columns) == set(self.columns)
        return self.columns if same else tuple(columns)


def joined(texts: Sequence[str | None], join: str) -> str | None:
    """The texts of one row's columns as one; empty ones are left out, so that no separator stands
    alone. None where no column has a value."""
    if all(text is None for text in texts):
        return None
    return join.join(text for text in texts if text)
