"""How cost grows: with players, background, instances and outputs; and where the time goes."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import numpy as np

from benchmarks.data import images, passengers
from benchmarks.speed import forward_operations
from benchmarks.timing import matmul_rate, median
from explainers.game import Effort, Explainer, Players, Question
from explainers.methods import METHODS
from models.arrays import Inputs, Outputs
from models.backgrounds import Background, equal_weights
from models.manifest import ColumnSpec, FieldSpec, Manifest
from models.network import Network

COLUMNS = 16
METHOD_NAMES = ("exact", "permutation", "deep")


class Timed:
    """A network that notes how long it ran."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.seconds = 0.0

    def evaluate(self, x: Inputs, check: Callable[[], None]) -> Outputs:
        """See Runs."""
        begin = time.perf_counter()
        try:
            return self._network.evaluate(x, check)
        finally:
            self.seconds += time.perf_counter() - begin


def scaling(data: Path) -> list[str]:
    """One table per axis."""
    network = _network()
    lines = [
        "## How cost grows",
        "",
        f"Milliseconds per call. A net of {COLUMNS} columns with the layers of the Titanic net and random weights, rows and",
        "instances drawn from a normal distribution: no player is a dummy and no two rows agree, the worst case for `exact`.",
        "",
        *_table("players (50 rows, 1 instance)", (6, 8, 10, 12, 14, 16), lambda m: _question(network, m, 50, 1), network),
        *_table("background rows (8 players, 1 instance)", (50, 100, 300, 1000), lambda n: _question(network, 8, n, 1), network),
        *_table("instances (8 players, 50 rows)", (1, 4, 16, 64, 256), lambda n: _question(network, 8, 50, n), network),
        *_outputs(data),
        *_shares(data),
    ]
    return lines


def _table(axis: str, sizes: tuple[int, ...], ask: Callable[[int], Question], network: Network) -> list[str]:
    lines = [f"| {axis} | {' | '.join(map(str, sizes))} |", f"| --- |{' --- |' * len(sizes)}"]
    for method in METHOD_NAMES:
        cells = []
        for size in sizes:
            question = ask(size)
            explainer = METHODS[method].build(network, question.background)
            cells.append(f"{1e3 * median(partial(explainer.attribute, question)):.2f}")
        lines.append(f"| `{method}` | {' | '.join(cells)} |")
    return [*lines, ""]


def _outputs(data: Path) -> list[str]:
    subject = images(data)
    network = Network.load(subject.folder)
    explainer, sizes = METHODS["deep"].build(network, subject.background), (1, 2, 5, 9, 10)
    cells = []
    for k in sizes:
        question = subject.question(network, 1, "all", "pixels")
        some = Question(**{**vars(question), "outputs": question.outputs[:, :k]})
        cells.append(f"{1e3 * median(partial(explainer.attribute, some)):.1f}")
    heads = " | ".join(map(str, sizes))
    return [
        f"| outputs (1 image, 100 rows) | {heads} |",
        f"| --- |{' --- |' * len(sizes)}",
        f"| `deep` | {' | '.join(cells)} |",
        "",
    ]


def _shares(data: Path) -> list[str]:
    """Of the time of one passenger: the network's part, and the part that matrix products would take at the machine's best."""
    subject = passengers(data)
    network, peak = Network.load(subject.folder), matmul_rate()
    lines = [
        f"1 passenger, 7 fields, {len(subject.background.x)} rows; best `tf.matmul` rate {peak / 1e9:.0f} GFLOP/s.",
        "",
        "| method | ms | inputs run | network | at the best rate | the rest |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for method in ("exact", "permutation"):
        timed = Timed(network)
        explainer: Explainer = METHODS[method].build(timed, subject.background)
        question = subject.question(network, 1, "all", "fields")
        inputs = explainer.attribute(question).evaluations[0]
        repeats = 20
        timed.seconds = 0.0
        begin = time.perf_counter()
        for _ in range(repeats):
            explainer.attribute(question)
        total, inside = (time.perf_counter() - begin) / repeats, timed.seconds / repeats
        best = inputs * forward_operations(network.model) / peak
        shares = " | ".join(f"{share:.0%}" for share in (inside / total, best / total, 1 - inside / total))
        lines.append(f"| `{method}` | {total * 1e3:.2f} | {inputs} | {shares} |")
    return lines


def _network() -> Network:
    layers = [keras.Input((COLUMNS,)), *(keras.layers.Dense(width, activation="relu") for width in (32, 128, 32, 8))]
    keras.utils.set_random_seed(0)
    model = keras.Sequential([*layers, keras.layers.Dense(2, activation="softmax")])
    names = [f"x{i}" for i in range(COLUMNS)]
    fields, columns = [FieldSpec(name=n, type="number") for n in names], [ColumnSpec(name=n, field=n) for n in names]
    return Network(
        model, Manifest(name="n", version="1", kind="tabular", output_names=["a", "b"], fields=fields, columns=columns)
    )


def _question(network: Network, players: int, rows: int, n: int) -> Question:
    rng = np.random.default_rng(0)
    x, background = (rng.normal(size=(size, COLUMNS)).astype(np.float32) for size in (n, rows))
    groups = np.arange(COLUMNS) % players
    predictions, answers = (network.predict(values).astype(np.float64) for values in (x, background))
    return Question(
        x,
        np.tile([0, 1], (n, 1)),
        Players(f"{players} of the columns", groups, (players,), None),
        Background(background, equal_weights(rows)),
        predictions,
        answers,
        Effort(10**9),
    )
