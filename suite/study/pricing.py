"""Which price holds for which arm of a study: the settings have them, the arms name the servers."""

from __future__ import annotations

from suite.config import settings
from suite.contracts.model import Model
from suite.contracts.money import Money
from suite.contracts.prices import Prices, Tariff
from suite.contracts.results import StudyResults
from suite.endpoint import address
from suite.errors import EndpointError, SettingsError
from suite.study.definition import Definition
from suite.verdict.money import money
from suite.verdict.standing import Standing


def priced(found: StudyResults, stood: Standing, definition: Definition) -> Money | None:
    """What a study's arms cost at today's prices; None where none is set.

    Raises:
        SettingsError: the settings can't be read, or price what is no server.
    """
    setting = settings.settings()["price"]
    if not isinstance(setting.value, Prices):
        return None
    prices = setting.value
    servers = _servers(prices, setting.origin)
    tariffs = {
        arm.name: _tariff(arm.model, arm.model.endpoint, prices, servers)
        for arm in definition.arms
        if arm.model.endpoint is not None
    }
    return money(found, stood, prices, tariffs)


def _servers(prices: Prices, where: str) -> dict[str, Tariff]:
    """The prices of servers, each server in its one spelling."""
    try:
        return {address.named_host(name): own for name, own in prices.endpoints.items()}
    except EndpointError as error:
        raise SettingsError(f"price.endpoints: {error.what}", where=where, fix=error.fix) from None


def _tariff(model: Model, url: str, prices: Prices, servers: dict[str, Tariff]) -> Tariff | None:
    """A served model's own price, else its server's, the port's before the host's."""
    own = prices.models.get(model.endpoint_model or model.name)
    server = address.server(url)
    return own or servers.get(server) or servers.get(server.rpartition(":")[0])
