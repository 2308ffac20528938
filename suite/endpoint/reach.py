"""Whether a model can be had at all: its server asked, or its weights looked for."""

from __future__ import annotations

from functools import cache

from suite.contracts.model import Model
from suite.endpoint import consent
from suite.endpoint.client import Endpoint
from suite.endpoint.decider import Decider
from suite.models import hub


def unavailable(model: Model) -> str | None:
    """Why a model can't be asked or loaded, and what would help; None if it can.

    Raises:
        ModelError: the Hub says that there is no such model or revision, or its server may not be
            asked.
    """
    if model.endpoint is None:
        return hub.unavailable(model)
    consent.current().require(model.endpoint)
    return _unreachable(model.endpoint, str(model.endpoint_model), model.family == "decision")


def forget() -> None:
    """Asks every server anew from here on: one that was away may be back."""
    _unreachable.cache_clear()


@cache
def _unreachable(url: str, name: str, decides: bool) -> str | None:
    """Why a served model can't be asked; asked once per process, whatever its arms are."""
    with Decider(url, name) if decides else Endpoint(url, name) as server:
        return server.check()
