"""`transformers.Trainer` that goes on from a bookmark by its own way of resuming.

Trainer knows which rows come next, in which pass; what it loads is read here from a bookmark: its
own files are pickles, and nothing of a trial is unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor
from transformers.trainer_callback import TrainerState

from suite.contracts.bookmark import Bookmark
from suite.strategies.network import continuing

#: The file of its own that Trainer reads.
_STATE = "trainer_state.json"


class Continued:
    """Before `Trainer` among a class' bases.

    `bookmark` is where it goes on from; None where it begins. `parts` are what it trains beside its
    model, by name; `drawn` are numpy's generators that it draws from, by name.
    """

    bookmark: Bookmark | None = None
    parts: Mapping[str, Any] = {}
    drawn: Mapping[str, np.random.Generator] = {}

    def goes_on(self, folder: Path) -> str | None:
        """What `train` is to be told as `resume_from_checkpoint`.

        Args:
            folder: an empty one of this training.
        """
        if self.bookmark is None:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _STATE).write_text(json.dumps(self.bookmark.values["trainer"]), encoding="utf-8")
        return str(folder)

    def get_train_dataloader(self: Any) -> Any:
        """As Trainer's; the pass that it goes on in is the one that was broken off."""
        found = super().get_train_dataloader()  # type: ignore[misc]
        if self.bookmark is not None and hasattr(found, "set_epoch"):
            # What skips the rows of a pass that are done does not hand this on.
            found.set_epoch(int(self.bookmark.values["trainer"]["epoch"]))
        return found

    def marked(self: Any, state: TrainerState, values: Mapping[str, Any]) -> Bookmark:
        """Where it is now, after a step.

        Args:
            values: of whoever trains, as JSON.
        """
        drawn, chance = continuing.chance()
        tensors: dict[str, Tensor] = continuing.under(
            "weights", continuing.learnt(self.model)
        ) | continuing.under("moments", continuing.moments(self.optimizer))
        for name, part in self.parts.items():
            tensors |= continuing.under(f"part {name}", continuing.learnt(part))
        told = {
            "trainer": asdict(state),
            "schedule": continuing.schedule(self.lr_scheduler),
            "rates": continuing.rates(self.optimizer),
            "chance": chance,
            "drawn": {name: continuing.generator(each) for name, each in self.drawn.items()},
            "own": dict(values),
        }
        tensors |= continuing.under("chance", drawn)
        return Bookmark(int(state.global_step), tensors, told)

    def _load_from_checkpoint(self: Any, resume_from_checkpoint: str, model: Any = None) -> None:
        found = self.bookmark.tensors
        continuing.take(
            continuing.below("weights", found), into=continuing.learnt(model or self.model)
        )
        for name, part in self.parts.items():
            own = continuing.below(f"part {name}", found)
            continuing.take(own, into=continuing.learnt(part))

    def _load_optimizer_and_scheduler(self: Any, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        values = self.bookmark.values
        moments = continuing.below("moments", self.bookmark.tensors)
        continuing.restore_optimiser(self.optimizer, moments, values["rates"])
        continuing.restore_schedule(self.lr_scheduler, values["schedule"])

    def _load_scaler(self, checkpoint: str | None) -> None:
        """Gradients are not scaled: nothing is trained in float16."""

    def _load_rng_state(self: Any, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        values = self.bookmark.values
        drawn = continuing.below("chance", self.bookmark.tensors)
        continuing.restore_chance(drawn, values["chance"])
        for name, each in self.drawn.items():
            continuing.restore_generator(each, values["drawn"][name])
