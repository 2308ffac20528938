"""A trained model in this process: what a study recommends, or an exported folder."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from suite.contracts.limits import several
from suite.contracts.strategy import Predictor as Trained
from suite.contracts.strategy import Probabilities
from suite.data.joining import Joining
from suite.errors import DataError, ModelError
from suite.machine import surroundings


@dataclass(frozen=True)
class Predictor:
    """A trained classifier, from raw text to labels.

    Args:
        labels: the classes' names, by class index: the columns of `predict_proba`.
        arm: model/strategy that made it.
        study: the study it comes from; "" where an exported folder does not say.
        folder: where it lies.
        joining: the columns that a text is made of, where a row is given in its place.
    """

    labels: list[str]
    arm: str
    study: str
    folder: Path
    joining: Joining
    _trained: Trained

    def predict(self, texts: Sequence[str | Mapping[str, Any]]) -> list[str | None]:
        """The label of each text, or row (column -> text); None where a model that is asked gave no
        answer."""
        probabilities = self.predict_proba(texts)
        return [self.labels[int(row.argmax())] if row.any() else None for row in probabilities]

    def predict_proba(self, texts: Sequence[str | Mapping[str, Any]]) -> Probabilities:
        """Class probabilities, float32 [texts, classes]; each row sums to 1, or is all 0 where
        a model that is asked gave no answer.

        Raises:
            DataError: it was given one string instead of several, or a row without the columns.
        """
        if isinstance(texts, str):
            raise DataError("texts are a list of strings, not one string", fix="Give [text].")
        if not len(texts):
            return np.zeros((0, len(self.labels)), dtype=np.float32)
        return self._trained.predict_proba(list(map(self.joining.text, texts)))


def load_predictor(
    name: str | Path,
    *,
    arm: str | None = None,
    storage: str | None = None,
    allow_endpoint: Sequence[str] = (),
) -> Predictor:
    """The arm that a study recommends, or an exported folder, loaded into this process.

    Args:
        name: the study's name, or the path of a folder that `suite export` wrote. A `Path`, a
            name with a separator, and a folder that holds a predictor are paths.
        arm: an arm of the study; the recommended one where none is named.
        storage: a database URL; `studies/suite.db` in the working folder where none is given.
        allow_endpoint: servers that may be asked although you named them nowhere, as in
            `run_study`. For a folder it holds for this call alone.

    Raises:
        StudyError: no such study or arm, or nothing of it is kept on this machine.
        ModelError: the folder holds no predictor, an arm is named for one, or the model is behind
            a server that was not allowed.

    Example:
        predictor = load_predictor("agnews", arm="tfidf/classic")
        predictor.predict(["Oil prices fall as supply grows"])
    """
    from suite import strategies
    from suite.endpoint.consent import Consent, held

    several("allow_endpoint", allow_endpoint)
    with surroundings.restored():
        if _is_folder(name):
            from suite.handover.export import read_exported

            if arm is not None:
                raise ModelError(
                    f"an exported folder holds one arm; '{arm}' can't be asked of it",
                    where=str(name),
                    fix="Leave arm away, or name a study.",
                )
            found = read_exported(Path(name))
            with held(Consent(named=allow_endpoint)):
                trained = strategies.load_predictor(found.folder, classes=len(found.labels))
            return Predictor(
                found.labels, found.arm, found.study, found.folder, found.joining, trained
            )
        from suite.study.storage import place
        from suite.study.winner import winner

        kept = winner(str(name), arm, storage)
        with held(Consent(place(storage), allow_endpoint)):
            trained = strategies.load_predictor(kept.folder)
        return Predictor(
            kept.labels, kept.arm, kept.definition.name, kept.folder, kept.joining, trained
        )


def _is_folder(name: str | Path) -> bool:
    from suite.strategies import MARK

    return not isinstance(name, str) or os.sep in name or (Path(name) / MARK).is_file()
