"""One request and its tries: how long a server is waited for, and when it is given up."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from suite.endpoint.answer import Answer
from suite.endpoint.exchange import OPENAI, Kind, TryAgain
from suite.errors import EndpointError

#: Proxies send an odd page now and then; a server that always does is no such server.
UNCLEAR_RETRIES = 2
LONGEST_WAIT = 30.0


@dataclass
class Patience:
    """What one server is granted. Belongs to one event loop.

    Args:
        url: that is asked, for messages.
        retries: of one request after failures that may pass.
        deadline: seconds for one request with all its tries and waits.
        backoff: seconds before the first retry; doubled at each, up to 30, with jitter.
        kind: of server, for messages.
    """

    url: str
    retries: int
    deadline: float
    backoff: float
    kind: Kind = OPENAI
    _until: float = 0.0

    async def answer(
        self,
        ask: Callable[[float], Awaitable[Answer]],
        *,
        again: Callable[[TryAgain], None],
    ) -> Answer:
        """The answer to a request that is tried again within bounds.

        Args:
            ask: one try, which is to end at a time of the steady clock.
            again: told of each failure after which it is tried again.

        Raises:
            EndpointError: it failed for good, or too often.
        """
        await self._wait_for_all()
        begun = time.monotonic()
        tries = failures = unclear = 0
        while True:
            tries += 1
            try:
                return await ask(begun + self.deadline)
            except TryAgain as trouble:
                # Where a server says when to come back, coming back is no failure; the
                # deadline still holds. At once is no time.
                failures += not trouble.wait
                unclear += trouble.unclear
                wait = self._wait(failures, trouble)
                left = begun + self.deadline - time.monotonic()
                if trouble.busy:
                    self._until = max(self._until, time.monotonic() + wait)
                if failures > self.retries or unclear > UNCLEAR_RETRIES or wait >= left:
                    raise self._given_up(trouble, tries, begun, wait >= left) from None
                again(trouble)
            await asyncio.sleep(wait)

    def _wait(self, failures: int, trouble: TryAgain) -> float:
        wait = min(LONGEST_WAIT, self.backoff * 2.0 ** max(0, failures - 1))
        wait *= random.uniform(0.5, 1.5)
        if trouble.wait:
            # Not all at the same moment.
            wait = trouble.wait + min(wait, 0.1 * trouble.wait + 0.05)
        return wait

    async def _wait_for_all(self) -> None:
        """Waits while the server has asked everyone to wait."""
        while (left := self._until - time.monotonic()) > 0:
            await asyncio.sleep(left * random.uniform(1.0, 1.2))

    def _given_up(
        self, trouble: TryAgain, tries: int, begun: float, out_of_time: bool
    ) -> EndpointError:
        spent = time.monotonic() - begun
        times = "once" if tries == 1 else f"{tries} times"
        fix = (
            f"Check that the address is that of {self.kind.named} "
            "(GET …/v1/models lists its models)."
            if trouble.unclear
            else "Start the server or mend the address, then run the same command again: answers "
            "that came before are kept."
        )
        if trouble.busy:
            fix = "Run the same command again later: answers that came before are kept."
        asked = f" (and asks to wait {trouble.wait:,.0f} s)" if trouble.wait else ""
        bound = f" of at most {self.deadline:,.0f} s" if out_of_time else ""
        return EndpointError(
            f"the server {trouble}{asked}; asked {times} in {spent:,.1f} s{bound}",
            where=self.url,
            fix=fix,
        )
