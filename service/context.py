"""What a request needs besides its body and its clock."""

from dataclasses import dataclass

from service.catalog import Catalog, Snapshot
from service.metrics import Metrics
from service.settings import Settings


@dataclass(frozen=True)
class Context:
    """Lives as long as the application; a request has one of its own."""

    settings: Settings
    catalog: Catalog | Snapshot
    """Of one request: the models as they were when it was accepted."""
    metrics: Metrics
