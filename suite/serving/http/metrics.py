"""What a server counts of itself, for Prometheus: a registry of its own, nothing global."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

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
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from suite.serving.http.connection import Doors

CONTENT_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
)  # fmt: skip
_TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class _Closed(Collector):
    """Connections that were closed on a client: its request was late, its answer was not taken, or
    others needed the room."""

    def __init__(self, doors: Doors) -> None:
        self.doors = doors

    def collect(self) -> Iterable[CounterMetricFamily]:
        """The counts so far."""
        found = CounterMetricFamily(
            "suite_connections_closed", "Connections closed on a client.", labels=["reason"]
        )
        for reason in ("late", "unread", "room"):
            found.add_metric([reason], self.doors.closed[reason])
        yield found


class Metrics:
    """Counters of one server.

    Args:
        model: what is served, as labels of `suite_model_info`.
        waiting: texts that wait now.
        doors: the open connections.
    """

    def __init__(
        self, model: Mapping[str, str], waiting: Callable[[], float], doors: Doors
    ) -> None:
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
        connections = Gauge(
            "suite_connections",
            "Open connections, and those of them whose request is not wholly here.",
            ["state"],
            registry=registry,
        )
        connections.labels("open").set_function(lambda: len(doors.open))
        connections.labels("coming").set_function(lambda: len(doors.coming))
        registry.register(_Closed(doors))
        self.open = Gauge(
            "suite_requests_in_progress", "Requests being answered.", registry=registry
        )
        Info("suite_model", "The model that is served.", registry=registry).info(dict(model))

    def page(self) -> bytes:
        """Everything counted, in Prometheus' text format."""
        return generate_latest(self.registry)
