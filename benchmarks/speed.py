"""`deep` against shap.DeepExplainer, in process."""

from functools import partial
from pathlib import Path

from benchmarks.data import images, passengers
from benchmarks.peer import Peer
from benchmarks.timing import alternate, matmul_rate
from explainers.methods import METHODS
from models.network import Network

PAIR = {
    "passenger": 2 * (8 * 32 + 32 * 128 + 128 * 32 + 32 * 9),
    "image": 2 * (24 * 24 * 64 * 32 * 9 + 26 * 26 * 32 * 9 + 128 * 9216 + 10 * 128),
}
"""Floating-point operations of one backward pass's matrix products and convolutions."""

GOALS = [
    ("passenger", 1, "all", "40x"),
    ("passenger", 100, "all", "50x"),
    ("image", 1, "predicted", "40x, 60x"),
    ("image", 1, "all", "6x, 8x"),
]


def speed(data: Path) -> list[str]:
    """The first four rows of the goals."""
    peak = matmul_rate()
    lines = [
        "## Speed of `deep` against shap.DeepExplainer",
        "",
        f"Best `tf.matmul` rate of this run: {peak / 1e9:.0f} GFLOP/s; the last column is the share of it that the matrix",
        "products and convolutions of the backward passes reach.",
        "",
        "| work | on | ours | shap | faster | goal | of the machine |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for what, subject in (("passenger", passengers(data)), ("image", images(data))):
        network = Network.load(subject.folder)
        explainer = METHODS["deep"].build(network, subject.background)
        peer = Peer(subject.folder.network_path, subject.background.x)
        rows = len(subject.background.x)
        for _, n, outputs, goal in (row for row in GOALS if row[0] == what):
            asked = subject.question(network, n, outputs)
            ours, theirs = alternate(partial(explainer.attribute, asked), partial(peer.seconds, asked.x))
            passes = n * rows * (1 if outputs == "predicted" else network.outputs - 1)
            share = passes * PAIR[what] / ours / peak
            lines.append(
                f"| {n} {what}{'s' * (n > 1)}, outputs: {outputs} | {rows} background rows, {subject.source} |"
                f" {ours * 1e3:.2f} ms | {theirs * 1e3:.1f} ms | {theirs / ours:.1f}x | {goal} | {share:.0%} |"
            )
        peer.close()
    return lines
