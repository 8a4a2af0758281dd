"""shap.DeepExplainer on the nets of a folder, in a process of its own: it rewrites TensorFlow's gradient registry.

python -m tests.explainers.shap_reference FOLDER: for every NAME.keras with NAME.npz (x, background) writes NAME.shap.npy.
"""

import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import shap


def main(folder: Path) -> None:
    """Explain everything."""
    for path in sorted(folder.glob("*.keras")):
        data = np.load(path.with_suffix(".npz"))
        explainer = shap.DeepExplainer(keras.models.load_model(path, compile=False), data["background"])
        values = explainer.shap_values(data["x"], check_additivity=False)
        np.save(path.with_suffix(".shap.npy"), values)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]))
