"""What is counted, in Prometheus's format: for one process, or for all workers together."""

import os
from collections import Counter as Tally
from collections.abc import Callable, Sequence
from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from explainers.game import Attribution
from explainers.proof import Proof

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The library's own: the folder by which workers add up what they count. Set before the library is imported."""
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SIZES = tuple(4.0**k for k in range(9))
_SMALL = tuple(10.0**k for k in range(-12, 1))
_STATES = ("loading", "ready", "refused")


class Metrics:
    """The counters of one application. Labels are routes, and names of models and methods that exist: never a client's words."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter("shapserve_requests", "Requests answered.", ["route", "method", "status"], registry=registry)
        self._seconds = Histogram(
            "shapserve_request_seconds",
            "From the request's first line to its answer.",
            ["route"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._phases = Histogram(
            "shapserve_phase_seconds",
            "Parts of that time, of requests that compute.",
            ["phase"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.waiting = Gauge("shapserve_waiting", "Requests in the queue.", multiprocess_mode="livesum", registry=registry)
        self.computing = Gauge("shapserve_computing", "Requests on a thread.", multiprocess_mode="livesum", registry=registry)
        self._rows = Histogram(
            "shapserve_batch_rows", "Rows of one compiled call.", ["model", "call"], buckets=_SIZES, registry=registry
        )
        self._calls = Histogram(
            "shapserve_batch_requests",
            "Requests that share one compiled call.",
            ["model", "call"],
            buckets=(1, 2, 3, 4, 8, 16, 32),
            registry=registry,
        )
        of_method = ["model", "method"]
        self._explanations = Counter(
            "shapserve_explanations", "Explanations, by whether they add up.", [*of_method, "ok"], registry=registry
        )
        self._choices = Counter(
            "shapserve_choices",
            "Requests, by the method asked for and the one that answered.",
            ["model", "asked", "method"],
            registry=registry,
        )
        self._stopped = Counter(
            "shapserve_stopped", "Explanations whose sampling a limit ended early.", [*of_method, "by"], registry=registry
        )
        self._residual = Histogram(
            "shapserve_residual",
            "Largest |residual| of an explanation, in output units.",
            of_method,
            buckets=_SMALL,
            registry=registry,
        )
        self._stderr = Histogram(
            "shapserve_stderr", "Largest standard error of an explanation.", of_method, buckets=_SMALL, registry=registry
        )
        self._models = Gauge("shapserve_models", "Model folders.", ["state"], multiprocess_mode="livemin", registry=registry)
        self._ready = Gauge("shapserve_ready", "Processes that are ready.", multiprocess_mode="livesum", registry=registry)
        self._again = Gauge("shapserve_retried", "Models to be tried again.", multiprocess_mode="livesum", registry=registry)
        if SHARED not in os.environ:
            ProcessCollector(registry=registry)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """One request."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def timed(self, phases: list[tuple[str, float]]) -> None:
        """The parts of one request, in milliseconds."""
        for phase, milliseconds in phases:
            self._phases.labels(phase).observe(milliseconds / 1000)

    def batches(self, model: str, call: str) -> Callable[[int, int], None]:
        """Counts the rows and the requests of each compiled call."""
        rows, calls = self._rows.labels(model, call), self._calls.labels(model, call)

        def count(n: int, of: int) -> None:
            rows.observe(n)
            calls.observe(of)

        return count

    def explained(self, model: str, asked: str, method: str, attribution: Attribution, proofs: list[Proof]) -> None:
        """One answer: a proof for each instance."""
        good = sum(proof.ok for proof in proofs)
        for ok, count in (("true", good), ("false", len(proofs) - good)):
            self._explanations.labels(model, method, ok).inc(count)
        self._choices.labels(model, asked, method).inc()
        for by, count in Tally(filter(None, attribution.stopped_by or [])).items():
            self._stopped.labels(model, method, by).inc(count)
        residual, stderr = self._residual.labels(model, method), self._stderr.labels(model, method)
        for i, proof in enumerate(proofs):
            residual.observe(float(abs(proof.residual).max()))
            if attribution.stderr is not None:
                stderr.observe(float(attribution.stderr[i].max()))

    def loaded(self, states: Sequence[str], *, ready: bool, again: int) -> None:
        """What became of the model folders; again: how many are to be tried once more."""
        for state in _STATES:
            self._models.labels(state).set(states.count(state))
        self._ready.set(ready)
        self._again.set(again)

    def ends(self) -> None:
        """The process is not ready any more."""
        self._ready.set(0)

    def text(self) -> bytes:
        """GET /metrics"""
        return _of_all_workers() if SHARED in os.environ else generate_latest(self._registry)


def _of_all_workers() -> bytes:
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    while True:
        with suppress(FileNotFoundError):  # the files of a worker that has just ended
            return generate_latest(registry)
