"""What a machine and the servers that are asked cost, as a user says it in the settings."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from suite.contracts.task import Closed

#: An amount of the currency; free is a price.
Price = Annotated[float, Field(ge=0, le=1e9)]
#: A currency as it stands behind an amount: a code, or a sign.
Currency = Annotated[str, Field(pattern=r"^\S{1,8}$")]

MILLION = 1_000_000
SECONDS_OF_AN_HOUR = 3600
HOURS_OF_A_DAY = 24


class Tariff(Closed):
    """What a server takes: by the tokens that it reads and writes, by the call, or, where it is a
    machine of one's own, by the hour. None is no part of what is paid."""

    model_config = ConfigDict(strict=True)

    per_million_in: Price | None = None
    per_million_out: Price | None = None
    per_call: Price | None = None
    per_hour: Price | None = None

    @property
    def by_use(self) -> bool:
        """Whether what is asked is paid for, and not the time alone."""
        return any(
            price is not None
            for price in (self.per_million_in, self.per_million_out, self.per_call)
        )

    def of_use(
        self, calls: float | None, tokens_in: float | None, tokens_out: float | None
    ) -> float | None:
        """What calls and their tokens cost; None where what is paid for was not counted.

        >>> Tariff(per_million_in=0.5, per_million_out=2.0).of_use(1, 40.0, 1.0)
        2.2e-05
        >>> Tariff(per_million_in=0.5).of_use(1, None, 1.0)
        """
        total = 0.0
        for price, count, of in (
            (self.per_call, calls, 1),
            (self.per_million_in, tokens_in, MILLION),
            (self.per_million_out, tokens_out, MILLION),
        ):
            if price is None:
                continue
            if count is None:
                return None
            total += price * count / of
        return total


class Prices(Closed):
    """All prices of a folder's studies, in one currency.

    Args:
        per_hour: of a machine that trains and serves.
        hosts: of single machines, by host name, where they differ.
        models: of served models, by the name that their server knows them by.
        endpoints: of servers, as `HOST`, `HOST:PORT` or an address; a model's own price goes first.
    """

    model_config = ConfigDict(strict=True)

    currency: Currency = "USD"
    per_hour: Price | None = None
    hosts: dict[str, Price] = Field(default_factory=dict)
    models: dict[str, Tariff] = Field(default_factory=dict)
    endpoints: dict[str, Tariff] = Field(default_factory=dict)

    def hourly(self, host: str = "") -> float | None:
        """What an hour of a machine costs; None where nobody said."""
        return self.hosts.get(host, self.per_hour)

    def __str__(self) -> str:
        """As `suite doctor` shows it."""
        parts = [] if self.per_hour is None else [f"{self.per_hour:g} {self.currency}/h"]
        parts += [f"{host}: {price:g} {self.currency}/h" for host, price in self.hosts.items()]
        parts += [*self.models, *self.endpoints]
        return ", ".join(parts) or self.currency
