"""What one writes by hand: FastAPI, Keras, and one lock around shap.DeepExplainer."""

import argparse
import threading
import warnings
from base64 import b64decode
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from models.arrays import Inputs


def create(folder: Path, background: Inputs) -> FastAPI:
    """POST /explain with the instances of one model; its Shapley values for all outputs or, of an image, the predicted one."""
    import keras
    import numpy as np
    import shap

    from models.folder import read_folder
    from models.images import read_image, scale_pixels
    from models.tabular import RecordReader

    opened = read_folder(folder)
    manifest, model = opened.manifest, keras.models.load_model(opened.model_path, compile=False)
    explainer, lock, app = shap.DeepExplainer(model, background), threading.Lock(), FastAPI()

    def encoded(instances: list[dict[str, Any]]) -> Inputs:
        if manifest.image is None:
            return RecordReader(manifest).read(instances, lambda: None).inputs
        pixels = [read_image(b64decode(one["b64"]), manifest.image)[0] for one in instances]
        return scale_pixels(np.stack(pixels), manifest.image)

    @app.post("/explain")
    def explain(body: dict[str, Any]) -> dict[str, Any]:
        x = encoded(body["instances"])
        options = {} if manifest.image is None else {"ranked_outputs": 1}
        with lock:
            values = explainer.shap_values(x, check_additivity=False, **options)
        return {"shap_values": np.asarray(values[0] if manifest.image else values).tolist()}

    return app


def main() -> None:
    """Serve."""
    import numpy as np

    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--background", type=Path, required=True, help="rows as .npy")
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    uvicorn.run(create(given.folder, np.load(given.background)), port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
