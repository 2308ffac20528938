"""What the suite's engines for networks have in common."""

from __future__ import annotations

from suite.contracts.engine import Kept
from suite.contracts.package import Package, missing
from suite.machine import facts


class NetworkEngine:
    """An engine for what transformers' networks predict.

    `numbers` are the precisions it can compute in; `uses_gpu` says whether it does so on the GPU
    where there is one.
    """

    name: str
    numbers: tuple[str, ...]
    packages: tuple[Package, ...] = ()
    versions: tuple[str, ...] = ("torch", "transformers")
    uses_gpu = True

    def precisions(self, kept: Kept) -> tuple[str, ...]:
        """All it can compute in, where the predictor is a network."""
        return self.numbers if kept.kind == "network" else ()

    def needs(self, precision: str) -> tuple[Package, ...]:
        """What it can't be opened without."""
        return self.packages

    def refuses(self, kept: Kept, precision: str) -> str | None:
        """Predictors that are no networks or can't be converted, packages that are not there,
        numbers it does not compute in or that the CPU would only imitate."""
        if kept.kind != "network":
            return f"{self.name} serves networks; this predictor serves as it is"
        reason = kept.fixed or missing(self.needs(precision))
        if reason is not None:
            return reason
        if precision not in self.numbers:
            return f"{self.name} serves {', '.join(self.numbers)} here, not {precision}"
        on_gpu = self.uses_gpu and facts.has_gpu()
        lacks = facts.CPUINFO.is_file() and not facts.cpu_bf16_flags()
        if precision == "bfloat16" and not on_gpu and lacks:
            return (
                "this CPU has no bfloat16 arithmetic (avx512_bf16, amx_bf16 or Arm's bf16), and "
                "would only imitate it"
            )
        return None
