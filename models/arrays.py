"""The arrays that pass between the rooms, named by what their axes mean."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Inputs = NDArray[np.float32]
"""(n, columns) or (n, height, width, channels): encoded instances, what the network sees, in the manifest's order."""

Outputs = NDArray[np.float32]
"""(n, outputs): what the network answers."""

Weights = NDArray[np.float32]
"""(n,): non-negative, summing to 1."""

Bytes = NDArray[np.uint8]
"""(height, width, channels): an image before scaling."""

Floats = NDArray[np.float64]
"""Any shape: exact enough for statistics and proofs."""

Array = NDArray[Any]
"""Any shape and type; the docstring says which."""
