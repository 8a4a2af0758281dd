"""What is counted, in Prometheus's format."""

from prometheus_client import CollectorRegistry, Counter, generate_latest

from explainers.proof import Proof

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The counters of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._proofs = Counter(
            "shapserve_proofs", "Explanations, by whether they add up.", ["model", "method", "ok"], registry=self._registry
        )

    def count_proofs(self, model: str, method: str, proofs: list[Proof]) -> None:
        """One per instance."""
        good = sum(proof.ok for proof in proofs)
        for ok, count in (("true", good), ("false", len(proofs) - good)):
            self._proofs.labels(model, method, ok).inc(count)

    def text(self) -> bytes:
        """GET /metrics"""
        return generate_latest(self._registry)
