"""The game that every method plays, and what a method is.

v(S) = sum_b w_b f(x_S, b_rest): the players in S come from the instance, the rest from the background (the interventional
game; Lundberg and Lee 2017; Janzing, Minorics and Bloebaum 2020).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.arrays import Floats, Inputs
from models.backgrounds import Background, exact_weights
from models.manifest import Manifest

Indices = NDArray[np.intp]
"""Any shape: positions along another array's axis."""


@dataclass(frozen=True)
class Players:
    """What a Shapley value is given to: a partition of the encoded input."""

    name: str
    groups: Indices
    """(input size,): the player of each element of the flattened input."""
    shape: tuple[int, ...]
    """How the players are laid out in the answer."""
    names: list[str] | None

    @property
    def count(self) -> int:
        """How many there are."""
        return int(np.prod(self.shape))

    def add_up(self, values: Floats) -> Floats:
        """Values per input element (n, input size, outputs) added up per player: (n, *shape, outputs)."""
        shape = (len(values), *self.shape, values.shape[-1])
        if np.array_equal(self.groups, np.arange(len(self.groups))):
            return values.reshape(shape)
        sums = np.zeros((len(values), self.count, values.shape[-1]))
        np.add.at(sums, (slice(None), self.groups), values)  # type: ignore[arg-type]  # NumPy types no tuples here
        return sums.reshape(shape)


@dataclass(frozen=True)
class Effort:
    """What may be spent on an answer."""

    max_evaluations: int = 2_000_000
    """Model inputs per instance."""
    max_stderr: float | None = None
    """Sampling goes on until no standard error is larger; None: it stops at its minimum."""
    seed: int = 0
    check: Callable[[], None] = lambda: None
    """Called between blocks of work; raises when nobody waits for the answer any more."""
    remaining: Callable[[], float] = lambda: float("inf")
    """Seconds until an answer is too late."""

    def until(self, seconds: float) -> "Effort":
        """The same with less time for sampling; `check` stays."""
        end = time.monotonic() + seconds
        return replace(self, remaining=lambda: end - time.monotonic())


@dataclass(frozen=True)
class Question:
    """What is to be explained."""

    x: Inputs
    """(n, ...): the instances."""
    outputs: Indices
    """(n, outputs asked for): which outputs, per instance."""
    players: Players
    background: Background
    predictions: Floats
    """(n, all outputs): what the model answers for the instances."""
    background_predictions: Floats
    """(rows, all outputs): and for the background."""
    effort: Effort = Effort()
    interactions: bool = False
    """Whether the values of pairs of players are asked for too."""

    def part(self, begin: int, end: int) -> "Question":
        """The same about some of the instances."""
        some = slice(begin, end)
        return replace(self, x=self.x[some], outputs=self.outputs[some], predictions=self.predictions[some])


@dataclass(frozen=True)
class Attribution:
    """The answer of a method."""

    values: Floats
    """(n, *players.shape, outputs asked for), in output units."""
    evaluations: list[int]
    """Model inputs run for each instance (deep: pairs)."""
    exact: bool = False
    """Whether these are the Shapley values of the players themselves, up to rounding."""
    stderr: Floats | None = None
    """In the shape of `values`."""
    sum_stderr: Floats | None = None
    """(n, outputs asked for): of the sum of the values, where they add up on average only."""
    converged: list[bool] | None = None
    """Per instance, whether `max_stderr` was reached; None when it was not asked for."""
    stopped_by: list[str | None] | None = None
    """Per instance, which limit ended the sampling early: max_evaluations or deadline."""
    seed: int | None = None
    """None when nothing was drawn at random."""
    interactions: Floats | None = None
    """(n, players, players, outputs asked for): pairs off the diagonal; rows add up to `values`."""


class Explainer(Protocol):
    """A method for one model. Built and warmed when the model loads; called from any thread."""

    @property
    def players(self) -> tuple[str, ...]:
        """The names of the players that it gives values to."""

    @property
    def elementwise(self) -> bool:
        """Whether it plays the game of single elements; values of larger players are sums of theirs."""

    @property
    def sampling(self) -> bool:
        """Whether it goes on until a limit is met, and stops in time."""

    def attribute(self, question: Question) -> Attribution:
        """Shapley values of every player, for every instance and the outputs asked for. Raises what `effort.check` raises."""

    def cost(self, question: Question) -> int:
        """Evaluations per instance that `attribute` cannot do without. Raises Unsuitable."""


def affordable(explainer: Explainer, question: Question) -> bool:
    """Whether the method answers within `max_evaluations`."""
    try:
        return explainer.cost(question) <= question.effort.max_evaluations
    except Unsuitable:
        return False


class Unsuitable(ValueError):
    """The method does not answer for so many players or outputs; the message says for how many it does."""


class Unruled(ValueError):
    """The method cannot explain this model; the message names the layer that has no rule."""


ELEMENTS = ("fields", "columns", "pixels", "patches")
"""The players of methods that find values per element."""
PLAYERS = ("fields", "columns", "patches")
"""The players of methods that let players join a coalition."""


def base_values(predictions: Floats, background: Background) -> Floats:
    """v(nobody) per output, (outputs,), from the network's answers for the background (rows, outputs)."""
    return np.asarray(exact_weights(background.weights) @ predictions, np.float64)


def player_names(kind: str) -> list[str]:
    """What `players_of` takes for a kind of model."""
    return list(_PLAYERS[kind])


def players_of(manifest: Manifest, name: str, patches: int) -> Players:
    """The players called `name` for this model. Raises KeyError when its kind has none of that name."""
    return _PLAYERS[manifest.kind][name](manifest, patches)


def _fields(manifest: Manifest, _: int) -> Players:
    names = [field.name for field in manifest.fields]
    return Players("fields", np.array([names.index(c.field) for c in manifest.columns]), (len(names),), names)


def _columns(manifest: Manifest, _: int) -> Players:
    names = [column.name for column in manifest.columns]
    return Players("columns", np.arange(len(names)), (len(names),), names)


def _pixels(manifest: Manifest, _: int) -> Players:
    return Players("pixels", np.arange(np.prod(manifest.input_shape)), manifest.input_shape, None)


def _patches(manifest: Manifest, patches: int) -> Players:
    height, width, channels = manifest.input_shape
    if patches > min(height, width):
        raise ValueError(f"expected at most {min(height, width)} patches per side for an image of {height} x {width}")
    row = np.arange(height) * patches // height
    column = np.arange(width) * patches // width
    groups = np.repeat((row[:, None] * patches + column[None, :])[..., None], channels, axis=-1)
    return Players("patches", groups.ravel(), (patches, patches), None)


_PLAYERS: dict[str, dict[str, Callable[[Manifest, int], Players]]] = {
    "tabular": {"fields": _fields, "columns": _columns},
    "image": {"pixels": _pixels, "patches": _patches},
}
