"""What V1 and V2 say of the service and of its models."""

from models.folder import KERAS, SKOPS
from schemas.v1 import ModelReady
from schemas.v2 import ModelMetadata, ServerMetadata, TensorMetadata
from service import __version__
from service.catalog import Catalog, Model, Snapshot
from service.errors import UnknownVersion
from service.protocols.images import IMAGE
from service.protocols.records import DATATYPES

_PLATFORMS = {KERAS: "keras", SKOPS: "sklearn_skops"}
"""By the model's file, as <project>_<format>; Keras has one format."""


def about_server() -> ServerMetadata:
    """GET /v2"""
    return ServerMetadata(name="shapserve", version=__version__, extensions=["explain"])


def find(catalog: Catalog | Snapshot, name: str, version: str | None) -> Model:
    """The model in this version, or in the one that is served. Raises UnknownModel, UnknownVersion, Loading."""
    model = catalog.get(name)
    if version not in (None, model.manifest.version):
        raise UnknownVersion(f"expected the version `{model.manifest.version}`")
    return model


def about_model(model: Model) -> ModelMetadata:
    """GET /v2/models/{name}"""
    manifest = model.manifest
    fields = [TensorMetadata(name=field.name, datatype=DATATYPES[field.type], shape=[-1]) for field in manifest.fields]
    images = [TensorMetadata(name=IMAGE, datatype="BYTES", shape=[-1])]
    predictions = TensorMetadata(name="predictions", datatype="FP32", shape=[-1, len(manifest.output_names)])
    return ModelMetadata(
        name=manifest.name,
        versions=[manifest.version],
        platform=next((_PLATFORMS[file] for file in manifest.files if file in _PLATFORMS), "shapserve"),
        inputs=images if manifest.image else fields,
        outputs=[predictions],
    )


def readiness(catalog: Catalog | Snapshot, name: str, version: str | None = None) -> ModelReady:
    """GET /v1/models/{name}, GET /v2/models/{name}/ready. Raises UnknownModel, UnknownVersion, Loading."""
    entry = catalog.entries().get(name)
    if entry is not None and entry.model is None:
        return ModelReady(name=name, ready=False)
    return ModelReady(name=find(catalog, name, version).manifest.name, ready=True)
