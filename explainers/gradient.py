"""`gradient`: expected gradients (Erion et al. 2021, eq. 3), the Aumann-Shapley values of the straight lines from the rows.

phi_e = sum_b w_b E_t [(x_e - b_e) df/dx_e (b + t (x - b))], t uniform on [0, 1]; every background row draws its own t, and
1 - t with it, in replicates, from which the standard errors come. Imports TensorFlow.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from explainers.game import ELEMENTS, Attribution, Indices, Question
from explainers.sampling import Round, generator, least_replicates, over_replicates, sample
from models.arrays import Array, Floats
from models.backgrounds import exact_weights
from models.blocks import blocks
from models.fusion import Fusion
from models.network import Network, direct

_BLOCK_ELEMENTS = 2**21
"""Elements that the widest value may have for one block of rows: 8 MiB in float32."""
_DRAWN = 2**21
"""Contributions that are held at once."""


class Gradient:
    """Gradients of the network, compiled for blocks of rows."""

    players = ELEMENTS
    elementwise = True
    sampling = True

    def __init__(self, network: Network) -> None:
        """Compiles and warms."""
        self._network = network
        self._rows = int(np.clip(_BLOCK_ELEMENTS // network.widest, 1, 256))
        size, shape = (self._rows,), network.input_shape
        xla = network.xla and len(network.input_shape) == 1  # convolutions are faster as TensorFlow's own operations
        compiled = tf.function(self._contributions, jit_compile=xla, autograph=False)
        given = (tf.TensorSpec(of, network.dtype) for of in (shape, (*size, *shape), size, (network.outputs,)))
        self._compiled = direct(compiled.get_concrete_function(*given))
        network.fusions["gradient"] = self._fusion = Fusion(self._run, block=self._rows, most=self._rows, mixes=False)
        zeros = np.zeros(shape)
        self._contribute(zeros, np.zeros((self._rows, *shape)), np.zeros(self._rows), np.zeros(network.outputs))

    def cost(self, question: Question) -> int:
        """Gradients of one round, for each output asked for."""
        return 2 * len(question.background.x) * least_replicates(question.background.weights) * question.outputs.shape[1]

    def attribute(self, question: Question) -> Attribution:
        """See Explainer. Values per element of the input, added up per player."""

        def one_round(i: int, number: int) -> Round:
            estimates = [self._estimate(question, i, output, number) for output in question.outputs[i]]
            values, variance, of_sum = (np.stack(part, axis=-1) for part in zip(*estimates, strict=True))
            flat = (question.players.count, -1)
            return Round(values.reshape(flat), variance.reshape(flat), of_sum, self.cost(question))

        return sample(question, one_round, self.cost(question))

    def _estimate(self, question: Question, i: int, output: int, number: int) -> tuple[Floats, Floats, Floats]:
        """Values and variances, (*players.shape), and the variance of their sum, ()."""
        background, players = question.background, question.players
        weights, n = exact_weights(background.weights), len(background.x)
        replicates = least_replicates(background.weights)
        random = [generator(question.effort.seed, number * replicates + r) for r in range(replicates)]
        t = np.stack([draw.random(n) for draw in random], axis=1)  # (rows, replicates)
        values = variance = np.zeros(players.shape)
        of_sum = np.zeros(())
        step = max(1, _DRAWN // (replicates * players.count))
        for begin in range(0, n, step):
            rows = np.arange(begin, min(begin + step, n))
            both = np.stack([t[rows], 1 - t[rows]], axis=2)  # (rows, replicates, 2)
            drawn = self._draw(question, i, output, np.repeat(rows, 2 * replicates), both.ravel())
            draws = drawn.reshape(*both.shape, *players.shape).mean(axis=2)
            mean, spread = over_replicates(draws, weights[rows])
            values, variance = values + mean, variance + spread
            of_sum = of_sum + over_replicates(draws.reshape(*draws.shape[:2], -1).sum(axis=2), weights[rows])[1]
        return values, variance, of_sum

    def _draw(self, question: Question, i: int, output: int, rows: Indices, t: Floats) -> Floats:
        """Contributions (draws, *players.shape) at the points t (draws,) of the lines from these rows (draws,)."""
        return self._fusion((question, i, output), [rows, t], question.effort.check)

    def _run(self, key: tuple[Question, int, int], draws: list[Array]) -> Floats:
        """Contributions (draws, *players.shape) of at most a block of draws: rows and points, (draws,) each."""
        (question, i, output), (rows, t) = key, draws
        (b,), (at,) = blocks(question.background.x[rows], self._rows), blocks(t, self._rows)
        made = self._contribute(question.x[i], b, at, np.eye(1, self._network.outputs, output)[0])
        return question.players.add_up(made[: len(rows), :, None])[..., 0]

    def _contribute(self, x: Array, rows: Array, t: Array, seed: Array) -> Floats:
        """(rows, input size)"""
        arguments = (tf.constant(values, self._network.dtype) for values in (x, rows, t, seed))
        return np.asarray(self._compiled(*arguments).numpy(), np.float64)

    def _contributions(self, x: Any, rows: Any, t: Any, seed: Any) -> Any:
        """(x - b) times the gradient at b + t (x - b), (rows, input size); seed (outputs,) says of which output."""
        difference = x[None] - rows
        point = rows + tf.reshape(t, (-1, *[1] * len(x.shape))) * difference  # (rows, ...)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(point)
            answers = self._network.forward(point)  # (rows, outputs)
        gradient = tape.gradient(answers, point, tf.tile(seed[None], (self._rows, 1)))
        return tf.reshape(difference * gradient, (self._rows, -1))
