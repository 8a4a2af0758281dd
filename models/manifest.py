"""`manifest.json`: everything the service knows about a model, as data."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Value = float | str
"""A field's value as a client sends it: a number, or a category."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class FieldSpec(_Part):
    """A column of the raw record, as the client sends it."""

    name: str
    type: Literal["number", "integer", "category"]
    description: str = ""
    unit: str | None = None
    categories: list[str] | None = None
    minimum: float | None = Field(None, description="Hard limit, set by hand: below it a value is refused.")
    maximum: float | None = Field(None, description="Hard limit, set by hand: above it a value is refused.")
    observed: tuple[float, float] | None = Field(None, description="Range in the training data: outside it, a warning.")
    missing: Value | None = Field(None, description="What stands in for an absent value; null: it may not be absent.")

    @model_validator(mode="after")
    def _categories_go_with_category(self) -> Self:
        if (self.type == "category") != bool(self.categories):
            raise ValueError(f"field {self.name!r}: `categories` are expected for type category, and for no other")
        if len(set(self.categories or [])) < len(self.categories or []):
            raise ValueError(f"field {self.name!r}: `categories`: expected no name twice")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"field {self.name!r}: `minimum` is expected not to be above `maximum`")
        if self.type != "category" and isinstance(self.missing, str):
            raise ValueError(f"field {self.name!r}: `missing` is expected to be a number")
        if self.categories and self.missing is not None and self.missing not in self.categories:
            raise ValueError(f"field {self.name!r}: `missing` is expected to be one of the categories")
        return self


class ColumnSpec(_Part):
    """One number of the encoded input: (value - mean) / scale, where a category's value is its code."""

    name: str
    field: str
    codes: dict[str, float] | None = Field(None, description="Category to code; null for numbers.")
    mean: float = 0.0
    scale: float = Field(1.0, gt=0)


class ImageSpec(_Part):
    """What the model takes: bytes of this size, as byte * scale + offset."""

    height: int = Field(gt=0)
    width: int = Field(gt=0)
    channels: Literal[1, 3]
    scale: float = Field(gt=0)
    offset: float = 0.0


class Example(_Part):
    """An instance worth a look, as a client would send it."""

    name: str = Field(min_length=1)
    instance: dict[str, Any]


class MethodAudit(_Part):
    """What `shapserve audit` measured of a method: errors in output units, shares from 0 to 1, cost per instance."""

    players: str
    instances: int
    truth: str
    mean_value: float
    mean_error: float
    worst_error: float
    sign_errors: float
    top_errors: float
    largest_residual: float
    evaluations: float
    milliseconds: float


class Manifest(_Part):
    """One model: its outputs, its inputs, where it comes from, and the files beside the manifest."""

    name: Name
    version: Name
    kind: Literal["tabular", "image"]
    description: str = ""
    output_names: list[str] = Field(min_length=1)
    class_names: list[str] | None = Field(None, description="Labels; one output: the two classes. Null: regression.")
    fields: list[FieldSpec] = []
    ignored_fields: list[str] = []
    columns: list[ColumnSpec] = []
    image: ImageSpec | None = None
    probabilities: bool = Field(True, description="Whether outputs of classes are probabilities; otherwise they are margins.")
    default_outputs: Literal["all", "predicted"] = "all"
    max_evaluations: int = Field(2_000_000, gt=0)
    background: str = Field("", description="How the background was made.")
    samples: bool = Field(False, description="Whether the background's rows stand for groups, so that they may be shown.")
    examples: list[Example] = []
    training: dict[str, Any] = {}
    metrics: dict[str, float] = {}
    audit: dict[str, MethodAudit] = Field({}, description="By method.")
    files: dict[str, str] = Field({}, description="File name to sha256, in hexadecimal.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind == "image" and (self.image is None or self.fields or self.columns):
            raise ValueError("kind image: `image` is expected, and neither `fields` nor `columns`")
        if self.kind == "tabular" and (self.image is not None or not self.fields or not self.columns):
            raise ValueError("kind tabular: `fields` and `columns` are expected, and no `image`")
        for part, names in {
            "output_names": self.output_names,
            "class_names": self.class_names or [],
            "columns": [column.name for column in self.columns],
            "examples": [example.name for example in self.examples],
            "fields and ignored_fields": [field.name for field in self.fields] + self.ignored_fields,
        }.items():
            if len(set(names)) != len(names):
                raise ValueError(f"`{part}`: expected no name twice")
        if not all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) for name in self.files):
            raise ValueError("`files`: expected names of files in this folder")
        outputs = len(self.output_names)
        if self.class_names is not None and len(self.class_names) != max(2, outputs):
            raise ValueError(f"`class_names`: expected {max(2, outputs)} for {outputs} outputs")
        _check_columns({field.name: field for field in self.fields}, self.columns)
        return self

    @property
    def threshold(self) -> float:
        """Of a single output of two classes: from here on it is the second."""
        return 0.5 if self.probabilities else 0.0

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one encoded instance: (columns,) or (height, width, channels)."""
        if self.image is not None:
            return (self.image.height, self.image.width, self.image.channels)
        return (len(self.columns),)


def _check_columns(fields: dict[str, FieldSpec], columns: list[ColumnSpec]) -> None:
    if missing := fields.keys() - {column.field for column in columns}:
        raise ValueError(f"`columns`: no column is made from {sorted(missing)}")
    for column in columns:
        if column.field not in fields:
            raise ValueError(f"column {column.name!r}: expected a field of the manifest, not {column.field!r}")
        categories = fields[column.field].categories
        if (categories and set(categories)) != (column.codes and set(column.codes)):
            raise ValueError(f"column {column.name!r}: expected a code for each category of {column.field!r}")
