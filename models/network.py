"""A Keras network and its compiled forward pass. Imports TensorFlow."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

from models.imports import without

with without("matplotlib", "pandas", "sklearn"):  # Keras imports them where it finds them, and is nearly twice as slow to come
    import keras
    import tensorflow as tf

from models.archive import InvalidArchive
from models.arrays import Inputs, Outputs
from models.blocks import blocks
from models.folder import InvalidFolder, ModelFolder
from models.fusion import Fusion, is_blind
from models.keras_file import check_keras_file
from models.manifest import Manifest
from models.predictor import Engine, nobody_left

_ONE_ELEMENTS = 2**17
"""Elements that the widest value may have for one block of `predict`."""
_MANY_ELEMENTS = 2**19
"""Elements that the widest value may have for one block of `evaluate`: 2 MiB in float32, which the caches hold."""
_MOST_ELEMENTS = 2**22
"""And for one call of it."""


class Network:
    """The forward pass in blocks of one shape: a row's answer depends on the row alone. Safe to share between threads."""

    engine: Engine = "keras"

    def __init__(self, model: Any, manifest: Manifest) -> None:
        """Compiles and warms. Raises InvalidFolder when the network's shapes are not the manifest's."""
        self.model = model
        self.outputs = len(manifest.output_names)
        shape = manifest.input_shape
        if len(model.inputs) != 1 or tuple(model.inputs[0].shape[1:]) != shape:
            received = ", ".join(str(tuple(tensor.shape)) for tensor in model.inputs)
            raise InvalidFolder(
                f"model.keras: expected one input of shape (None, {', '.join(map(str, shape))}), received {received}"
            )
        expected = [(None, self.outputs), (None,)] if self.outputs == 1 else [(None, self.outputs)]
        if len(model.outputs) != 1 or tuple(model.outputs[0].shape) not in expected:
            received = ", ".join(str(tuple(tensor.shape)) for tensor in model.outputs)
            raise InvalidFolder(f"model.keras: expected one output of shape {expected[0]}, received {received}")
        self.input_shape = shape
        self._kept = threading.local()
        """A thread's own block of inputs: to make one anew takes longer than to fill it."""
        self.shared: dict[Any, Any] = {}
        """What methods have compiled for this network and share with each other."""
        self.dtype = tf.as_dtype(model.inputs[0].dtype)
        plain = tf.function(self.forward, autograph=False).get_concrete_function(tf.TensorSpec((None, *shape), self.dtype))
        self.widest = _widest(plain)
        """Elements of the largest value in the network, per instance."""
        self._block = _in_fours(_ONE_ELEMENTS // self.widest, 64)
        self._many = _in_fours(_MANY_ELEMENTS // self.widest, 512)
        self._blocks = int(np.clip(_MOST_ELEMENTS // (self.widest * self._many), 1, 32))
        given = tf.TensorSpec((self._block, *shape), self.dtype)
        fast = self._compile(self.forward, given, xla=True)
        self.xla = _answers_alike(fast, plain, given)
        """Whether XLA can be trusted with this network."""
        self._forward = fast if self.xla else self._compile(self.forward, given, xla=False)
        many = tf.TensorSpec((self._blocks, self._many, *shape), self.dtype)
        self._evaluate = self._compile(self._loop, many, tf.TensorSpec((), tf.int32), xla=self.xla)
        row = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        alone = computes_on_one_core()  # cores that share a block differ in their last bits
        mixes_one = alone and is_blind(self._answer_one, row, given.shape)
        mixes_many = alone and is_blind(self._answer_many, row, many.shape)
        rows = self._blocks * self._many
        self.fusions = {
            "predict": Fusion(self._run_one, block=self._block, most=self._block, mixes=mixes_one),
            "evaluate": Fusion(self._run_many, block=self._many, most=rows, mixes=mixes_many),
        }
        """By what they are for; their rows are those of every request that computes at the moment."""

    def _compile(self, function: Any, *given: tf.TensorSpec, xla: bool) -> Any:
        return direct(tf.function(function, jit_compile=xla, autograph=False).get_concrete_function(*given))

    @classmethod
    def load(cls, folder: ModelFolder) -> "Network":
        """Open the Keras file, which was looked at; no code is loaded from it. Raises InvalidFolder."""
        use_one_core_per_call()
        try:
            model = _open(folder.model_path)
        except InvalidArchive as error:
            raise InvalidFolder(f"model.keras: {error}") from error
        return cls(model, folder.manifest)

    def predict(self, x: Inputs, check: Callable[[], None] = nobody_left) -> Outputs:
        """(n, ...) to (n, outputs), any n; check is called between blocks and raises when nobody waits any more."""
        return self._fused("predict", x, check)

    def evaluate(self, x: Inputs, check: Callable[[], None] = nobody_left) -> Outputs:
        """(n, ...) to (n, outputs) for many inputs at once: larger blocks, and several of them in one compiled call."""
        return self._fused("evaluate", x, check)

    def _fused(self, call: str, x: Inputs, check: Callable[[], None]) -> Outputs:
        return self.fusions[call](None, [x], check) if len(x) else np.empty((0, self.outputs), np.float32)

    def _run_one(self, _: Any, rows: list[Inputs]) -> Outputs:
        (block,) = blocks(rows[0], self._block)
        return self._answer_one(block)[: len(rows[0])]

    def _answer_one(self, block: Inputs) -> Outputs:
        """(block, outputs)"""
        return self._forward(tf.constant(block, self.dtype)).numpy().astype(np.float32)

    def _run_many(self, _: Any, rows: list[Inputs]) -> Outputs:
        (x,) = rows
        if (padded := getattr(self._kept, "padded", None)) is None:
            padded = self._kept.padded = np.zeros((self._blocks, self._many, *self.input_shape), np.float32)
        count, all_rows = -(-len(x) // self._many), padded.reshape(-1, *self.input_shape)
        all_rows[: len(x)], all_rows[len(x) : count * self._many] = x, 0  # others' rows may matter to a network
        return self._answer_many(padded, count).reshape(-1, self.outputs)[: len(x)]

    def _answer_many(self, padded: Inputs, count: int | None = None) -> Outputs:
        """(blocks, rows, outputs), of the first `count` blocks."""
        n = self._blocks if count is None else count
        return self._evaluate(tf.constant(padded, self.dtype), tf.constant(n)).numpy().astype(np.float32)

    def forward(self, x: Any) -> Any:
        """Answers (n, outputs) to x (n, ...), tensors both; for code that is compiled."""
        return tf.cast(tf.reshape(self.model(x, training=False), (-1, self.outputs)), self.dtype)

    def _loop(self, x: Any, n: Any) -> Any:
        """Answers (blocks, rows, outputs) to the first n blocks of x (blocks, rows, ...)."""

        def body(i: Any, made: Any) -> tuple[Any, Any]:
            return i + 1, tf.tensor_scatter_nd_update(made, [[i]], self.forward(tf.gather(x, i))[None])

        made = tf.zeros((*x.shape[:2], self.outputs), self.dtype)
        return tf.while_loop(lambda i, _: i < n, body, (0, made), parallel_iterations=1)[1]


def read_network(path: Path) -> Any:
    """The Keras model in a `.keras` file. Raises InvalidArchive."""
    check_keras_file(path)
    return _open(path)


def direct(function: Any) -> Callable[..., Any]:
    """A concrete function, called with tensors of the right shapes and types, which are not looked at again.

    TensorFlow compares each of them with the signature in Python, and for a small network that takes longer than the network.
    Its own way around that is public, but not promised: where it is missing, the function itself is returned.
    """
    if not hasattr(function, "inference_fn"):
        return cast(Callable[..., Any], function)
    call, captured = function.inference_fn.call_preflattened, function.captured_inputs
    return lambda *tensors: call([*tf.nest.flatten(tensors), *captured])


def use_one_core_per_call() -> None:
    """Several calls at once take the cores; one that took them all would wait for itself at every step.

    What a call computes then depends on no number of cores either. Who sets TF_NUM_INTRAOP_THREADS has decided.
    """
    if "TF_NUM_INTRAOP_THREADS" not in os.environ:
        with suppress(RuntimeError):  # TensorFlow computes already
            tf.config.threading.set_intra_op_parallelism_threads(1)


def computes_on_one_core() -> bool:
    """Whether each call does."""
    decided = int(os.environ.get("TF_NUM_INTRAOP_THREADS") == "1")
    return bool((tf.config.threading.get_intra_op_parallelism_threads() or decided) == 1)


def _in_fours(rows: int, most: int) -> int:
    """Rows for a block: kernels take four at once, and add up those that are left over in another order."""
    rows = int(np.clip(rows, 1, most))
    return rows if rows < 4 else rows - rows % 4


def _open(path: Path) -> Any:
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many types on files that were tampered with
        raise InvalidArchive("Keras cannot load it in safe mode") from error


def _answers_alike(fast: Any, plain: Any, given: tf.TensorSpec) -> bool:
    """Not where XLA has no kernel, or resizes images wrongly (TensorFlow 2.21)."""
    probe = tf.cast(np.random.default_rng(0).normal(size=given.shape), given.dtype)
    try:
        return bool(np.allclose(fast(probe), plain(probe), rtol=0.01, atol=0.01, equal_nan=True))
    except tf.errors.OpError:
        return False


def _widest(forward: Any) -> int:
    """Of what is made per instance, inside models in the model too: every operation's results that have the batch's axis."""
    shapes = [tensor.shape.as_list() for op in forward.graph.get_operations() for tensor in op.outputs if tensor.shape.rank]
    return max(int(np.prod(shape[1:])) for shape in shapes if shape[0] is None and None not in shape[1:])
