"""What a request needs besides its body and its clock."""

from dataclasses import dataclass

from service.catalog import Catalog
from service.metrics import Metrics
from service.settings import Settings


@dataclass(frozen=True)
class Context:
    """Lives as long as the application."""

    settings: Settings
    catalog: Catalog
    metrics: Metrics
