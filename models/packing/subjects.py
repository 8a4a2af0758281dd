"""What is packed: a Keras model or an estimator of scikit-learn, ready to be written and to be compared with itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from models.archive import InvalidArchive
from models.arrays import Array, Floats
from models.folder import KERAS, SKOPS
from models.packing.transformers import Unpackable


@dataclass(frozen=True)
class Outputs:
    """What the model answers, as the manifest says it."""

    output_names: list[str]
    class_names: list[str] | None
    probabilities: bool = True


class Subject(Protocol):
    """A model to be packed."""

    file: str
    """What its file is called."""

    @property
    def columns(self) -> int:
        """Numbers that it takes per instance."""

    @property
    def names(self) -> list[str] | None:
        """The columns' names, where it was fitted to a frame."""

    def outputs(self, output_names: Sequence[str] | None, class_names: Sequence[str] | None) -> Outputs:
        """Named by hand, or as the model has them. Raises Unpackable."""

    def image_shape(self) -> tuple[int, int, int] | None:
        """(height, width, channels), where the model says so."""

    def fit_to(self, shape: tuple[int, ...]) -> None:
        """Take instances of this shape from now on: the same numbers, in row-major order."""

    def answer(self, x: Array) -> Floats:
        """(n, outputs) of what the original answers to columns or images x (n, ...)."""

    def save(self, path: Path) -> None:
        """Write the model's file. Raises Unpackable for what must not be in it."""

    def versions(self) -> dict[str, str]:
        """Of the libraries that the model depends on."""

    @property
    def rescales(self) -> bool:
        """Whether the model scales its input itself."""


class KerasSubject:
    """A Functional or Sequential model with one input and one output."""

    file = KERAS

    def __init__(self, model: Any) -> None:
        import keras

        if type(model).__module__ not in ("keras.src.models.functional", "keras.src.models.sequential"):
            raise Unpackable(f"{type(model).__name__} has a call of its own; expected a Functional or Sequential model")
        if not getattr(model, "built", False) or not model.inputs:
            raise Unpackable("the model is not built; expected one that knows its input's shape")
        if len(model.inputs) != 1:
            names = ", ".join(tensor.name for tensor in model.inputs)
            raise Unpackable(f"the model has {len(model.inputs)} inputs ({names}); expected one: join them in front of it")
        if len(model.outputs) != 1 or len(model.outputs[0].shape) > 2 or None in model.outputs[0].shape[1:]:
            received = ", ".join(str(tuple(tensor.shape)) for tensor in model.outputs)
            raise Unpackable(f"expected one output of shape (None, K) or (None,), received {received}")
        self._original, self._keras = model, keras
        self._packed = keras.Model(model.inputs, model.outputs)  # without optimizer, loss and metrics
        self._shape = tuple(model.inputs[0].shape[1:])

    names = None

    @property
    def columns(self) -> int:
        """See Subject. Raises Unpackable where an axis is open."""
        if None in self._shape:
            raise Unpackable(f"the model takes instances of shape {self._shape}; expected no open axis for records")
        return int(np.prod(self._shape))

    def outputs(self, output_names: Sequence[str] | None, class_names: Sequence[str] | None) -> Outputs:
        """Softmax: the classes; one sigmoid: two classes, named by hand; else a regression."""
        shape = self._original.outputs[0].shape
        count = 1 if len(shape) == 1 else int(shape[1])
        last = _last_activation(self._original)
        classes = list(class_names) if class_names else None
        if classes is None and count > 1 and last == "softmax":
            classes = list(output_names) if output_names else [str(k) for k in range(count)]
        if classes is None and count == 1 and last == "sigmoid":
            classes = ["0", "1"]
        named = list(output_names) if output_names else None
        if named is None and classes is not None:
            named = classes if count > 1 else classes[1:2]
        return _checked(named or (["prediction"] if count == 1 else [f"output {k}" for k in range(count)]), classes, count)

    def image_shape(self) -> tuple[int, int, int] | None:
        """See Subject."""
        shape = self._shape
        if None in shape or len(shape) not in (2, 3):
            return None
        return (*shape, 1) if len(shape) == 2 else shape

    def fit_to(self, shape: tuple[int, ...]) -> None:
        """See Subject: a Reshape in front of the model, where the shapes differ."""
        if shape == self._shape and "float" in self._original.inputs[0].dtype:
            return
        inside = shape if None in self._shape else self._shape
        if int(np.prod(inside)) != int(np.prod(shape)) or len(inside) != len(self._shape):
            raise Unpackable(f"the model takes instances of shape {self._shape}, and is given {shape}")
        given = self._keras.Input(shape)
        x = given if inside == shape else self._keras.layers.Reshape(inside)(given)
        self._packed = self._keras.Model(given, self._packed(x))

    def answer(self, x: Array) -> Floats:
        """See Subject."""
        shape = [-1, *x.shape[1:]] if None in self._shape else [-1, *self._shape]
        blocks = np.array_split(x, max(1, len(x) // 256))
        made = [np.asarray(self._original(block.reshape(shape), training=False), np.float64) for block in blocks if len(block)]
        return np.concatenate(made).reshape(len(x), -1)

    def save(self, path: Path) -> None:
        """See Subject."""
        from models.keras_file import check_keras_file

        self._packed.save(path)
        try:
            check_keras_file(path)
        except InvalidArchive as error:
            raise Unpackable(str(error)) from None

    def versions(self) -> dict[str, str]:
        """See Subject."""
        import tensorflow as tf

        return {"keras": self._keras.__version__, "tensorflow": tf.__version__}

    @property
    def rescales(self) -> bool:
        """Whether the model scales its input itself."""
        return any(type(layer).__name__ in ("Rescaling", "Normalization") for layer in self._original.layers[:3])


class SklearnSubject:
    """A fitted classifier or regressor, perhaps behind steps that scale or mix its columns."""

    file = SKOPS

    def __init__(self, model: Any) -> None:
        from models.estimator import answers_of
        from models.folder import InvalidFolder

        try:
            self._answers = answers_of(model)
        except InvalidFolder as error:
            raise Unpackable(str(error).removeprefix("model.skops: ")) from None
        if not hasattr(model, "n_features_in_"):
            raise Unpackable(f"{type(model).__name__} is not fitted")
        self._model = model

    @property
    def columns(self) -> int:
        """See Subject."""
        return int(self._model.n_features_in_)

    @property
    def names(self) -> list[str] | None:
        """See Subject."""
        known = getattr(self._model, "feature_names_in_", None)
        return None if known is None else [str(name) for name in known]

    def outputs(self, output_names: Sequence[str] | None, class_names: Sequence[str] | None) -> Outputs:
        """The classes as they were fitted, a margin between two of them, or values."""
        if self._answers == "values":
            if class_names:
                raise Unpackable("a regressor has no classes; expected names of outputs")
            count = self.answer(np.zeros((1, self.columns))).shape[1]
            return _checked(list(output_names or ["prediction"] if count == 1 else output_names or _numbered(count)), None, count)
        classes = list(class_names or output_names or [_text(label) for label in self._model.classes_])
        if self._answers == "margins" and len(self._model.classes_) == 2:
            classes = list(class_names or [_text(label) for label in self._model.classes_])
            margin = _checked(list(output_names or [f"margin of {classes[-1]}"]), classes, 1)
            return Outputs(margin.output_names, classes, probabilities=False)
        if self._answers == "margins" and self._pairwise():
            raise Unpackable("one margin for each pair of classes says no class; expected decision_function_shape='ovr'")
        named = _checked(list(output_names or classes), classes, len(self._model.classes_))
        return Outputs(named.output_names, classes, probabilities=self._answers == "probabilities")

    def _pairwise(self) -> bool:
        parts = [step for _, step in getattr(self._model, "steps", [("", self._model)])]
        return getattr(parts[-1], "decision_function_shape", "") == "ovo"

    def image_shape(self) -> tuple[int, int, int] | None:
        """See Subject: an estimator does not know."""
        return None

    def fit_to(self, shape: tuple[int, ...]) -> None:
        """See Subject. Instances are laid flat when they are served."""
        if int(np.prod(shape)) != self.columns:
            raise Unpackable(f"the model takes {self.columns} numbers, and is given {shape}")

    def answer(self, x: Array) -> Floats:
        """See Subject."""
        from models.estimator import answer, for_serving

        return answer(for_serving(self._model), x.reshape(len(x), -1).astype(np.float64))

    def save(self, path: Path) -> None:
        """See Subject."""
        from models.estimator import write_estimator

        try:
            write_estimator(self._model, path)
        except InvalidArchive as error:
            raise Unpackable(f"the estimator cannot be written: {error}") from None

    def versions(self) -> dict[str, str]:
        """See Subject."""
        import sklearn

        return {"scikit-learn": sklearn.__version__}

    rescales = False


def subject_of(model: Any) -> Subject:
    """A Keras model or an estimator. Raises Unpackable."""
    if hasattr(model, "best_estimator_"):
        raise Unpackable(f"{type(model).__name__} is a search; expected its `best_estimator_`")
    if any(kind.__module__.startswith("keras.") for kind in type(model).__mro__):
        return KerasSubject(model)
    if any(kind.__module__.startswith("sklearn.") for kind in type(model).__mro__):
        return SklearnSubject(model)
    raise Unpackable(f"expected a Keras model or an estimator of scikit-learn, received {type(model).__name__}")


def _checked(names: list[str], classes: list[str] | None, count: int) -> Outputs:
    if len(names) != count:
        raise Unpackable(f"expected {count} names of outputs, received {len(names)}: {', '.join(names)}")
    if classes is not None and len(classes) != max(2, count):
        raise Unpackable(f"expected {max(2, count)} names of classes, received {len(classes)}: {', '.join(classes)}")
    return Outputs(names, classes)


def _numbered(count: int) -> list[str]:
    return [f"output {k}" for k in range(count)]


def _text(label: Any) -> str:
    from models.tabular import category_text

    return str(category_text(label))


def _last_activation(model: Any) -> str:
    """The name of what makes the model's output."""
    layer = model.outputs[0]._keras_history[0]
    if hasattr(layer, "layers"):
        return _last_activation(layer)
    kind = type(layer).__name__
    if kind in ("Softmax", "Sigmoid"):
        return kind.lower()
    return str(getattr(getattr(layer, "activation", None), "__name__", ""))
