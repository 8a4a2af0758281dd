"""Models as the API describes them."""

from explainers.game import player_names
from models.manifest import FieldSpec, Manifest
from schemas.catalog import (
    Audit,
    FieldDescription,
    ImageDescription,
    MethodDescription,
    ModelDetail,
    ModelList,
    ModelSummary,
    OutputDescription,
)
from service.catalog import Catalog, Entry, Model, Snapshot


def summarise(catalog: Catalog | Snapshot) -> ModelList:
    """GET /models"""
    return ModelList(models=[_summary(name, entry) for name, entry in catalog.entries().items()])


def describe(model: Model) -> ModelDetail:
    """GET /models/{name}"""
    manifest = model.manifest
    return ModelDetail(
        name=manifest.name,
        version=manifest.version,
        kind=manifest.kind,
        description=manifest.description,
        fields=[_field(field) for field in manifest.fields],
        ignored_fields=manifest.ignored_fields,
        columns=[column.name for column in manifest.columns],
        image=_image(manifest),
        outputs=OutputDescription(
            names=manifest.output_names,
            class_names=manifest.class_names,
            probabilities=manifest.probabilities and manifest.class_names is not None,
            default=manifest.default_outputs,
        ),
        players=player_names(manifest.kind),
        methods=_methods(model),
        max_evaluations=manifest.max_evaluations,
        background={"rows": len(model.backgrounds.named("default").background.x), "made": manifest.background},
        backgrounds=model.backgrounds.names(),
        training=manifest.training,
        metrics=manifest.metrics,
    )


def _summary(name: str, entry: Entry) -> ModelSummary:
    manifest = entry.model.manifest if entry.model else None
    return ModelSummary(
        name=name,
        state=entry.state,
        version=manifest.version if manifest else None,
        kind=manifest.kind if manifest else None,
        description=manifest.description if manifest else "",
        reason=entry.reason,
        checked=bool(entry.model and entry.model.receipt),
    )


def _methods(model: Model) -> list[MethodDescription]:
    measured = model.manifest.audit or (model.receipt.methods if model.receipt else {})
    audits = {name: Audit(**audit.model_dump()) for name, audit in measured.items()}
    kind = player_names(model.manifest.kind)
    served = [
        MethodDescription(
            name=name,
            players=[players for players in kind if players in explainer.players],
            available=True,
            reason=None,
            audit=audits.get(name),
        )
        for name, explainer in model.explainers.items()
    ]
    refused = [
        MethodDescription(name=name, players=[], available=False, reason=reason, audit=None)
        for name, reason in model.unsupported.items()
    ]
    return served + refused


def _field(field: FieldSpec) -> FieldDescription:
    return FieldDescription(required=field.missing is None, **field.model_dump())


def _image(manifest: Manifest) -> ImageDescription | None:
    spec = manifest.image
    return None if spec is None else ImageDescription(height=spec.height, width=spec.width, channels=spec.channels)
