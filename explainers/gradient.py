"""`gradient`: expected gradients (Erion et al. 2021, eq. 3), the Aumann-Shapley values of the straight lines from the rows.

phi_e = sum_b w_b E_t [(x_e - b_e) df/dx_e (b + t (x - b))], t uniform on [0, 1]; every background row draws its own t, and
1 - t with it, in replicates, from which the standard errors come. Imports TensorFlow.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from explainers.game import ELEMENTS, Attribution, Question
from explainers.sampling import Round, generator, least_replicates, over_replicates, sample
from models.arrays import Array, Floats
from models.backgrounds import Background, exact_weights
from models.network import Network, blocks

_BLOCK_ELEMENTS = 2**22
"""Elements that the widest value may have for one block of rows: 16 MiB in float32."""


class Gradient:
    """Gradients of the network, compiled for blocks of rows."""

    players = ELEMENTS
    elementwise = True

    def __init__(self, network: Network, background: Background) -> None:
        """Compiles and warms."""
        self._network = network
        self._rows = int(np.clip(_BLOCK_ELEMENTS // network.widest, 1, len(background.x)))
        size, shape = (self._rows,), network.input_shape
        xla = network.xla and len(network.input_shape) == 1  # convolutions are faster as TensorFlow's own operations
        compiled = tf.function(self._contributions, jit_compile=xla, autograph=False)
        self._compiled = compiled.get_concrete_function(
            *(tf.TensorSpec(of, network.dtype) for of in (shape, (*size, *shape), size, (network.outputs,)))
        )
        zeros = np.zeros(shape)
        self._run(zeros, np.zeros((self._rows, *shape)), np.zeros(self._rows), np.zeros(network.outputs))

    def cost(self, question: Question) -> int:
        """Gradients of one round, for each output asked for."""
        return 2 * len(question.background.x) * least_replicates(question.background.weights) * question.outputs.shape[1]

    def attribute(self, question: Question) -> Attribution:
        """See Explainer. Values per element of the input, added up per player."""

        def one_round(i: int, number: int) -> Round:
            estimates = [self._estimate(question, i, output, number) for output in question.outputs[i]]
            values, variance, of_sum = (np.stack(part, axis=-1) for part in zip(*estimates, strict=True))
            return Round(values, variance, of_sum, self.cost(question))

        return sample(question, one_round, self.cost(question))

    def _estimate(self, question: Question, i: int, output: int, number: int) -> tuple[Floats, Floats, Floats]:
        """Values and variances, (*players.shape), and the variance of their sum, ()."""
        background, players = question.background, question.players
        weights = exact_weights(background.weights)
        replicates = least_replicates(background.weights)
        random = [generator(question.effort.seed, number * replicates + r) for r in range(replicates)]
        seed = np.eye(self._network.outputs)[output]
        values = variance = np.zeros(players.shape)
        of_sum = np.zeros(())
        for begin, rows in zip(range(0, len(weights), self._rows), blocks(background.x, self._rows), strict=True):
            w = weights[begin : begin + self._rows]
            t = np.stack([draw.random(self._rows) for draw in random])  # (replicates, rows)
            draws = []
            for both in t:
                question.effort.check()
                made = self._run(question.x[i], rows, both, seed) + self._run(question.x[i], rows, 1 - both, seed)
                draws.append(players.add_up(made[: len(w), :, None] / 2)[..., 0])
            stacked = np.stack(draws, axis=1)  # (rows, replicates, *players.shape)
            mean, spread = over_replicates(stacked, w)
            values, variance = values + mean, variance + spread
            of_sum = of_sum + over_replicates(stacked.reshape(*stacked.shape[:2], -1).sum(axis=2), w)[1]
        return values, variance, of_sum

    def _run(self, x: Array, rows: Array, t: Array, seed: Array) -> Floats:
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
