"""Why a search ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EndedBy = Literal["trials", "time", "target_f1", "patience"]


@dataclass(frozen=True)
class Ended:
    """Why a search ended.

    `by` is what ended it: its trials were there (`trials`), the command's time was up (`time`), or
    one of `stop`; `why` says it as a sentence; `finished` are the trials that it had by then.
    """

    by: EndedBy
    why: str
    finished: int

    @property
    def early(self) -> bool:
        """Whether it ended before its trials were there, though there was time."""
        return self.by not in ("trials", "time")
