"""A network's compiled functions."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from models.folder import TRAINED, read_manifest
from models.network import Network, direct


def compiled(weight: Any) -> Any:
    """Of a vector, and a list of two in a list; two results."""
    made = tf.function(lambda x, pairs: (weight * x, [pairs[0][0] - pairs[0][1]]), jit_compile=True, autograph=False)
    vector = tf.TensorSpec((3,), tf.float32)
    return made.get_concrete_function(vector, [[vector, vector]])


def test_a_direct_call_answers_what_the_function_answers() -> None:
    """Structures go in and come out; a variable is read as it is now."""
    weight = tf.Variable(2.0)
    function = compiled(weight)
    given = [tf.constant(np.arange(3) + k, tf.float32) for k in range(3)]
    arguments = given[0], [given[1:]]
    weight.assign(3.0)
    product, (difference,) = direct(function)(*arguments)
    assert np.array_equal(product, [0, 3, 6])
    assert np.array_equal(difference, [-1, -1, -1])
    tf.nest.map_structure(np.testing.assert_array_equal, direct(function)(*arguments), function(*arguments))


def test_without_tensorflows_own_way_it_is_the_function_itself() -> None:
    def function() -> None: ...

    assert direct(function) is function


def test_rows_that_matter_to_each_other_are_those_of_one_request() -> None:
    """Whoever was answered before leaves nothing behind."""
    manifest = read_manifest(TRAINED / "titanic")
    layers = [
        keras.layers.Input(manifest.input_shape),
        keras.layers.Dense(len(manifest.output_names)),
        keras.layers.Softmax(axis=0),
    ]
    network = Network(keras.Sequential(layers), manifest)
    mine, others = np.split(np.random.default_rng(0).normal(size=(505, *manifest.input_shape)).astype(np.float32), [5])
    answers = network.evaluate(mine)
    network.evaluate(others)
    assert np.array_equal(network.evaluate(mine), answers)
