"""Our methods against shap's explainers, in process."""

from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from benchmarks.data import Subject, images, passengers
from benchmarks.peer import Peer
from benchmarks.timing import alternate, matmul_rate
from explainers.methods import METHODS
from models.network import Network


class Row(NamedTuple):
    """One line of the table."""

    what: str
    method: str
    n: int
    outputs: str
    players: str
    peer: str
    grouped: bool
    goal: str


ROWS = [
    Row("passenger", "deep", 1, "all", "columns", "DeepExplainer", False, "40x"),
    Row("passenger", "deep", 100, "all", "columns", "DeepExplainer", False, "50x"),
    Row("image", "deep", 1, "predicted", "pixels", "DeepExplainer", False, "40x, 60x"),
    Row("image", "deep", 1, "all", "pixels", "DeepExplainer", False, "6x, 8x"),
    Row("passenger", "exact", 1, "all", "fields", "ExactExplainer", True, "20x"),
    Row("passenger", "exact", 1, "all", "columns", "ExactExplainer", False, ""),
    Row("passenger", "exact", 1, "all", "fields", "DeepExplainer", False, "5x"),
    Row("passenger", "permutation", 1, "all", "fields", "DeepExplainer", False, "5x"),
    Row("passenger", "permutation", 1, "all", "fields", "PermutationExplainer", True, "30x"),
    Row("passenger", "permutation", 1, "all", "columns", "PermutationExplainer", False, ""),
]


def forward_operations(model: Any) -> float:
    """Floating-point operations of the matrix products and convolutions of one forward pass."""
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dense | keras.layers.Conv2D):
            positions = np.prod(layer.output.shape[1:-1]) if isinstance(layer, keras.layers.Conv2D) else 1
            total += 2 * int(positions) * int(np.prod(layer.kernel.shape))
    return float(total)


def speed(data: Path) -> list[str]:
    """The first seven rows of the goals, and shap's explainers of the same name."""
    peak = matmul_rate()
    lines = [
        "## Speed against shap",
        "",
        f"Best `tf.matmul` rate of this run: {peak / 1e9:.0f} GFLOP/s; the last column is the share of it that the matrix",
        "products and convolutions reach (`deep`: of the backward passes). ExactExplainer and PermutationExplainer get the",
        "network as a compiled function, all rows, and our fields as players where it says so; otherwise columns are players.",
        "",
        "| work | on | ours | shap | | faster | goal | of the machine |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for what, subject in (("passenger", passengers(data)), ("image", images(data))):
        network = Network.load(subject.folder)
        for row in (row for row in ROWS if row.what == what):
            lines.append(_measure(row, subject, network, peak))
    return lines


def _measure(row: Row, subject: Subject, network: Network, peak: float) -> str:
    explainer = METHODS[row.method].build(network, subject.background)
    question = subject.question(network, row.n, row.outputs, row.players)
    groups = question.players.groups if row.grouped else None
    peer = Peer(row.peer, subject.folder.model_path, subject.background.x, groups)
    ours, theirs = alternate(partial(explainer.attribute, question), partial(peer.seconds, question.x))
    peer.close()
    passes = sum(explainer.attribute(question).evaluations)
    share = passes * forward_operations(network.model) / ours / peak
    rows = len(subject.background.x)
    work = f"`{row.method}`, {row.n} {row.what}{'s' * (row.n > 1)}, {row.players}, outputs: {row.outputs}"
    peers = f"{row.peer}{', same players' * row.grouped}"
    return (
        f"| {work} | {rows} rows, {subject.source} | {ours * 1e3:.2f} ms | {theirs * 1e3:.1f} ms | {peers} |"
        f" {theirs / ours:.1f}x | {row.goal} | {share:.0%} |"
    )
