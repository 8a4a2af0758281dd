"""The model cards of the two models that ship, filled from their manifests."""

from models.manifest import Manifest

_TITANIC = """\
# {name}

{description}

* **Input**: {fields}. {ignored} are accepted and ignored.
* **Output**: {outputs}.
* **Net**: dense layers of 32, 128, 32 and 8 units with ReLU and a dropout of a quarter, softmax over two outputs.
* **Preprocessing**, learned from the training set and stored in `manifest.json`: a missing age or fare is replaced by
  the mean, a missing port by the most frequent one; sex as 0 or 1; one column per port; every column standardised.

## Data and training
{training}

## Metrics
{metrics}

`cross_validated_accuracy` is the mean over the folds, each with preprocessing of its own; the net that ships is trained
on all passengers.

## Background
{background}

## Intended use and known biases
For demonstrating explanations. The passengers are those of one ship in 1912: sex and
class dominate because of who was let into the boats. The labels say nothing about anybody alive, and no decision about
people should rest on this model. Age is missing for a fifth of the passengers; the mean that replaces it makes those
records look alike.

Made by `shapserve train {name}`; `make train` repeats it.
"""

_FASHION_MNIST = """\
# {name}

{description}

* **Input**: a grey image of 28 x 28 pixels, a light garment on black.
* **Output**: {outputs}.
* **Net**: convolutions of 32 and 64 filters (3 x 3, ReLU), max pooling, 128 units, dropout, softmax over ten outputs.

## Data and training
{training}

## Metrics
{metrics}

The validation images are split from the training set; the test images took no part in training.

## Background
{background}

## Intended use and known biases
For demonstrating explanations of image models. The pictures are a shop's product
photographs, centred, upright and cut out on black: a photograph taken elsewhere, a garment on white, or anything that
is no garment gets a confident and meaningless answer. Shirts are confused with T-shirts, pullovers and coats.

Made by `shapserve train {name}`; `make train` repeats it.
"""


def titanic_card(manifest: Manifest) -> str:
    """README.md of the Titanic model folder."""
    return _fill(_TITANIC, manifest)


def fashion_mnist_card(manifest: Manifest) -> str:
    """README.md of the Fashion-MNIST model folder."""
    return _fill(_FASHION_MNIST, manifest)


def _fill(template: str, manifest: Manifest) -> str:
    return template.format(
        name=manifest.name,
        description=manifest.description,
        fields=", ".join(f"`{field.name}`" for field in manifest.fields),
        ignored=", ".join(f"`{name}`" for name in manifest.ignored_fields),
        outputs=", ".join(f"`{name}`" for name in manifest.output_names),
        training="\n".join(f"* {name}: {value}" for name, value in manifest.training.items()),
        metrics="\n".join(f"* {name}: {value:.4f}" for name, value in manifest.metrics.items()),
        background=manifest.background,
    )
