"""What to draw, for answers that are asked for as a picture."""

from typing import Literal

Plot = Literal["waterfall", "force", "decision", "bar", "beeswarm", "image"]
Palette = Literal["shap", "colour_blind"]
JSON, SVG, PNG = MEDIA_TYPES = ("application/json", "image/svg+xml", "image/png")
"""What /explain and /summary can answer; the first is meant when the client does not say."""
SINGLE: tuple[Plot, ...] = ("waterfall", "force")
"""Of one instance."""
OVERALL: tuple[Plot, ...] = ("bar", "beeswarm")
"""Of several."""
