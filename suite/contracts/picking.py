"""The ways of picking texts to label next, by name."""

from __future__ import annotations

from typing import Literal, get_args

Way = Literal["diverse", "uncertain", "random"]
WAYS: tuple[Way, ...] = get_args(Way)
