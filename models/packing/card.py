"""The model card of a packed model, from its manifest."""

from collections.abc import Sequence

from models.manifest import Manifest

_CARD = """\
# {name}

{description}

* **Input**: {given}
* **Output**: {outputs}
* **Packed**: its answers differ from the original's by {difference:.1g} at most, on the background and some of the data.
{notes}
## Training
{training}

## Metrics
{metrics}

## Background
{background}

## Intended use and known biases
Not written yet: say here what the model is for, whom its data stand for, and where it is wrong.

`shapserve check` measures how far its explanations can be trusted.
"""


def card(manifest: Manifest, notes: Sequence[str], difference: float) -> str:
    """README.md of the folder."""
    image = manifest.image
    fields = ", ".join(f"`{field.name}`" + (f" ({field.unit})" if field.unit else "") for field in manifest.fields)
    return _CARD.format(
        name=manifest.name,
        description=manifest.description or "No description was given.",
        given=f"an image of {image.height} x {image.width} x {image.channels}." if image else f"{fields}.",
        outputs=", ".join(f"`{name}`" for name in manifest.output_names),
        difference=difference,
        notes="".join(f"* {note}\n" for note in notes),
        training="\n".join(f"* {name}: {value}" for name, value in manifest.training.items()),
        metrics="\n".join(f"* {name}: {value:.4f}" for name, value in manifest.metrics.items()) or "None were given.",
        background=manifest.background,
    )
