"""How to pack."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from models.backgrounds import parse_background
from models.packing.fields import Given
from models.packing.transformers import Unpackable


@dataclass(frozen=True)
class Options:
    """How to pack; what is None is read from the model and the data."""

    transformer: Any = None
    """Fitted; a Pipeline's own steps need none."""
    columns: Sequence[str] | None = None
    """The data's columns that the model takes, in its order; None: as it was fitted, or all."""
    background: str = "kmeans:100"
    """all, N or kmeans:N."""
    output_names: Sequence[str] | None = None
    class_names: Sequence[str] | None = None
    """Of a single sigmoid output: the two classes, the second being the output's."""
    fields: Given = field(default_factory=dict)
    """By field: description, unit, minimum, maximum, missing, type."""
    description: str = ""
    version: str = "1"
    scale: float | None = None
    """Images: byte * scale + offset is what the model sees. None: 1/255, or 1 where the model rescales by itself."""
    offset: float = 0.0
    examples: Sequence[Mapping[str, Any]] = ()
    """Instances worth a look, as `{"name", "instance"}`."""
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    default_outputs: Literal["all", "predicted"] | None = None
    max_evaluations: int | None = None
    """Model inputs per explanation; None: about a second's worth on this machine."""
    seed: int = 0

    def reference(self) -> tuple[str, int]:
        """The background as (how, number). Raises Unpackable."""
        try:
            return parse_background(self.background)
        except ValueError as error:
            raise Unpackable(str(error)) from None
