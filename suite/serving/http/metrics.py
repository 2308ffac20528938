"""What a server counts of itself, for Prometheus: a registry of its own, nothing global."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
)  # fmt: skip
_TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics:
    """Counters of one server.

    Args:
        model: what is served, as labels of `suite_model_info`.
        waiting: texts that wait now.
    """

    def __init__(self, model: Mapping[str, str], waiting: Callable[[], float]) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests = Counter(
            "suite_requests",
            "Requests answered, by path and HTTP status.",
            ["path", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "suite_predict_request_seconds",
            "Seconds from a request to /predict to its answer, whatever its status.",
            registry=registry,
            buckets=_SECONDS,
        )
        self.texts = Counter("suite_texts", "Texts answered.", registry=registry)
        self.batches = Histogram(
            "suite_batch_texts",
            "Texts the model was given at once.",
            registry=registry,
            buckets=_TEXTS,
        )
        self.model_seconds = Histogram(
            "suite_batch_seconds",
            "Seconds the model took for a batch.",
            registry=registry,
            buckets=_SECONDS,
        )
        queue = Gauge("suite_queue_texts", "Texts that wait for the model.", registry=registry)
        queue.set_function(waiting)
        self.open = Gauge(
            "suite_requests_in_progress", "Requests being answered.", registry=registry
        )
        Info("suite_model", "The model that is served.", registry=registry).info(dict(model))

    def page(self) -> bytes:
        """Everything counted, in Prometheus' text format."""
        return generate_latest(self.registry)
