"""Every method against the truth."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from benchmarks import truth
from benchmarks.data import images, passengers
from explainers.game import players_of
from explainers.methods import methods_for
from models.arrays import Inputs, Outputs
from models.network import Network


def errors(data: Path) -> list[str]:
    """One row per model and method."""
    lines = [
        "## Error against the truth",
        "",
        "Passengers: the likelier output, fields, against the exact values by enumeration. Images: the predicted class,",
        "16 patches, against sampled orderings; methods that run coalitions on the first ten. What costs more than the model's",
        "`max_evaluations` is left out. Clear signs are those of values above 0.01.",
        "",
        "| model | on | method | mean value | mean error | relative | worst | clear signs wrong | top wrong | correlation |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for subject, players in ((passengers(data), "fields"), (images(data), "patches")):
        network = Network.load(subject.folder)
        who = players_of(subject.folder.manifest, players, 4)
        asked = subject.question(network, len(subject.x), "predicted", players)
        if players == "fields":
            right = truth.enumerate_values(_compiled(network), subject.x, who, subject.background)
            known = "exact"
        else:
            right, stderr = truth.sample_values(_compiled(network), subject.x, who, subject.background, replicates=8)
            known = f"with a mean standard error of {np.take_along_axis(stderr, asked.outputs[:, None], 2).mean():.4f}"
        right = np.take_along_axis(right, asked.outputs[:, None], axis=2)[..., 0]
        for method, build in methods_for(network).items():
            explainer = build.build(network, subject.background)
            if players not in explainer.players or explainer.cost(asked) > asked.effort.max_evaluations:
                continue
            n = len(right) if "pixels" in explainer.players or players == "fields" else 10
            values = explainer.attribute(asked.part(0, n)).values.reshape(n, -1)
            c = truth.compare(values, right[:n])
            lines.append(
                f"| {subject.folder.manifest.name} | {n} of {subject.source}, truth {known} | `{method}` |"
                f" {c['mean value']:.4f} | {c['mean error']:.4f} | {c['relative']:.2f} | {c['worst']:.2f} |"
                f" {c['wrong signs']:.1%} | {c['top wrong']:.0%} | {c['correlation']:.2f} |"
            )
    return lines


def _compiled(network: Network) -> truth.Predict:
    """The forward pass in large blocks."""
    tabular = len(network.input_shape) == 1
    forward = tf.function(lambda x: network.model(x, training=False), jit_compile=tabular, autograph=False)
    block = 16_384 if tabular else 100

    def predict(x: Inputs) -> Outputs:
        padded = np.concatenate([x, np.zeros((-len(x) % block, *x.shape[1:]), np.float32)])
        return np.concatenate([forward(part).numpy() for part in np.split(padded, len(padded) // block)])[: len(x)]

    return predict
