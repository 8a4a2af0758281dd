"""Insertion and deletion curves: does the answer follow the pixels that a method calls important? (Petsiuk et al. 2018)"""

from pathlib import Path

import numpy as np

from benchmarks.data import Subject, images
from explainers.game import Question
from explainers.methods import METHODS
from models.arrays import Array, Floats
from models.network import Network

_STEPS = 28
_ROWS = 20
_CASES = [
    ("pixels", "deep"),
    ("pixels", "deep_paths"),
    ("pixels", "deep_shap"),
    ("pixels", "gradient"),
    ("patches", "deep"),
    ("patches", "deep_paths"),
    ("patches", "deep_shap"),
    ("patches", "permutation"),
    ("patches", "partition"),
]


def curves(data: Path) -> list[str]:
    """Mean area under both curves, per method; random values for comparison."""
    subject = images(data)
    network = Network.load(subject.folder)
    lines = [
        "## Insertion and deletion",
        "",
        f"{len(subject.x)} images of {subject.source}, predicted class: pixels (or patches) are put in, or taken out, in the",
        f"order of their values; what is missing comes from background rows, over {_ROWS} of which the answer is averaged. Area",
        "under the curve of the class's probability: high is good for insertion, low for deletion.",
        "",
        "| players | method | insertion | deletion |",
        "| --- | --- | --- | --- |",
    ]
    rng = np.random.default_rng(0)
    for players in ("pixels", "patches"):
        question = subject.question(network, len(subject.x), "predicted", players)
        random = rng.normal(size=(len(subject.x), question.players.count))
        cases = [(name, _explain(name, network, subject, question)) for who, name in _CASES if who == players]
        for name, values in [*cases, ("random", random)]:
            order = np.argsort(-values, axis=1, kind="stable")
            inserted, deleted = (_area(network, subject, question, o) for o in (order, order[:, ::-1]))
            lines.append(f"| {players} | {f'`{name}`' if name in METHODS else name} | {inserted:.3f} | {deleted:.3f} |")
    return lines


def _explain(name: str, network: Network, subject: Subject, question: Question) -> Floats:
    """(n, players)"""
    values = METHODS[name].build(network, subject.background).attribute(question).values
    return np.asarray(values.reshape(len(values), -1))


def _area(network: Network, subject: Subject, question: Question, order: Array) -> float:
    """Mean over the images of the mean over the steps: players join in this order (n, players)."""
    rows = subject.background.x[:_ROWS]
    steps = np.linspace(0, order.shape[1], min(_STEPS, order.shape[1]) + 1).astype(int)
    areas = []
    for x, joins, output in zip(question.x, order, question.outputs[:, 0], strict=True):
        rank = np.argsort(joins)[question.players.groups].reshape(x.shape)  # when each pixel joins
        mixed = np.concatenate([np.where(rank < k, x, rows) for k in steps])
        answers = network.evaluate(mixed)[:, output].reshape(len(steps), len(rows)).mean(axis=1)
        areas.append((answers[1:] + answers[:-1]).mean() / 2)
    return float(np.mean(areas))
