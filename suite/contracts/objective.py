"""By which metrics a study may be searched, and its arms ranked."""

from __future__ import annotations

from typing import Literal

#: Metrics that a study can search by and rank arms by.
ObjectiveName = Literal[
    "macro_f1",
    "accuracy",
    "balanced_accuracy",
    "micro_f1",
    "weighted_f1",
    "mcc",
    "log_loss",
    "brier",
    "value",
]
#: What it goes by where its recipe names none.
DEFAULT_OBJECTIVE: ObjectiveName = "macro_f1"
