"""Records: what is taken, what is filled in, what is refused and with which words."""

import numpy as np
import pytest

from models.manifest import ColumnSpec, FieldSpec, Manifest
from models.tabular import Instances, InvalidInstances, RecordReader
from tests.fakes import MANIFEST

READER = RecordReader(MANIFEST)
GOOD = {"Size": 6.0, "Count": 3, "Colour": "blue"}


def reading(*records: object) -> Instances:
    return READER.read(records, lambda: None)


def flaws(*records: object) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(InvalidInstances) as caught:
        READER.read(records, lambda: None)
    return [(flaw.path, flaw.detail) for flaw in caught.value.flaws]


def test_a_record_becomes_columns() -> None:
    """(value - mean) / scale, one column per category."""
    read = reading(GOOD)
    np.testing.assert_array_equal(read.inputs, np.array([[1, 3, 0, 0, 1]], np.float32))
    assert read.data == [[6.0, 3, "blue"]]
    assert read.imputed == [[]]
    assert read.warnings == []


def test_column_values_are_exact() -> None:
    """Whatever the unit: nothing is rounded on the way."""
    np.testing.assert_array_equal(reading(GOOD | {"Size": 2.5e-6}).columns, [[2.5e-6, 3, 0, 0, 1]])


def test_a_number_that_float32_cannot_hold_is_a_flaw() -> None:
    field = FieldSpec(name="a", type="number")
    manifest = MANIFEST.model_copy(update={"fields": [field], "columns": [ColumnSpec(name="a", field="a")]})
    with pytest.raises(InvalidInstances, match="expected a smaller number"):
        RecordReader(manifest).read([{"a": 1e300}], lambda: None)


@pytest.mark.parametrize("value", [2**64, -(1.5 * 2**63), 1e25])
def test_an_integer_that_json_cannot_carry_is_a_flaw(value: float) -> None:
    """It would come back as the record's data."""
    field = FieldSpec(name="a", type="integer")
    manifest = MANIFEST.model_copy(update={"fields": [field], "columns": [ColumnSpec(name="a", field="a")]})
    with pytest.raises(InvalidInstances, match="at most 64 bits"):
        RecordReader(manifest).read([{"a": value}], lambda: None)


def test_reading_stops_at_twenty_flaws() -> None:
    """However many there are, and however many keys one record has."""
    read: list[None] = []
    with pytest.raises(InvalidInstances) as caught:
        READER.read([{"Count": -1}] * 100, lambda: read.append(None))
    assert (len(caught.value.flaws), len(read)) == (20, 20)
    assert len(flaws({f"k{i}": 1 for i in range(5000)})) == 20


def test_reading_stops_when_nobody_waits() -> None:
    def gone() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        READER.read([GOOD] * 2, gone)


@pytest.mark.parametrize("record", [{"Count": 0}, {"Count": 0, "Size": None, "Colour": None}])
def test_what_is_absent_is_filled_in_and_said(record: dict[str, object]) -> None:
    """Null means absent."""
    read = reading(record)
    assert read.data == [[4.0, 0, "red"]]
    assert read.imputed == [["Size", "Colour"]]


def test_ignored_fields_may_hold_anything() -> None:
    assert reading(GOOD | {"Note": {"any": ["thing"]}}).warnings == []


def test_three_point_zero_is_an_integer() -> None:
    assert reading(GOOD | {"Count": 3.0}).data == [[6.0, 3, "blue"]]


def test_outside_the_observed_range_is_a_warning() -> None:
    read = reading(GOOD | {"Size": 200}, GOOD)
    assert read.warnings == ["`Size` lies outside the training data's 0 to 100 in 1 of 2 instances"]


@pytest.mark.parametrize(
    ("change", "path", "says"),
    [
        ({"Size": "6"}, (0, "Size"), "valid number"),
        ({"Size": True}, (0, "Size"), "valid number"),
        ({"Size": 1001}, (0, "Size"), "less than or equal to 1000"),
        ({"Size": 10**400}, (0, "Size"), "number"),
        ({"Size": float("nan")}, (0, "Size"), "finite number"),
        ({"Count": 2.5}, (0, "Count"), "whole number"),
        ({"Count": None}, (0, "Count"), "valid number"),
        ({"Colour": "Blue"}, (0, "Colour"), "'red', 'green' or 'blue'"),
        ({"colour": "blue"}, (0, "colour"), "did you mean `Colour`?"),
        ({"zzz": 1}, (0, "zzz"), "expected Size, Count, Colour"),
    ],
)
def test_what_is_wrong_is_named_with_what_would_be_right(change: dict[str, object], path: tuple[int, str], says: str) -> None:
    ((where, detail),) = flaws(GOOD | change)
    assert where == path
    assert says in detail


def test_a_required_field_is_required() -> None:
    assert flaws({"Size": 1}) == [((0, "Count"), "this field is required")]


@pytest.mark.parametrize("record", [None, 3, [], "x"])
def test_an_instance_is_an_object(record: object) -> None:
    ((where, detail),) = flaws(record)
    assert where == (0,)
    assert "object" in detail


def test_all_flaws_of_all_records_are_found() -> None:
    found = flaws(GOOD, {"Count": -1, "Size": "?"}, {"Count": 99})
    assert [path for path, _ in found] == [(1, "Size"), (1, "Count"), (2, "Count")]


def test_a_manifest_whose_codes_miss_a_category_is_refused() -> None:
    """The order and the names of categories are never guessed."""
    field = FieldSpec(name="Sex", type="category", categories=["f", "m"])
    with pytest.raises(ValueError, match="a code for each category of 'Sex'"):
        Manifest(
            name="m",
            version="1",
            kind="tabular",
            output_names=["y"],
            class_names=None,
            fields=[field],
            columns=[ColumnSpec(name="Sex", field="Sex", codes={"f": 1.0})],
        )


@pytest.mark.parametrize(
    "value", [2**64, -(10**5000), 10**5000, 1e300, np.int64(7)], ids=["64", "less", "more", "float", "numpy"]
)
def test_a_number_where_a_category_is_expected_is_a_flaw(value: object) -> None:
    """However large."""
    assert flaws(GOOD | {"Colour": value}) == [((0, "Colour"), "expected 'red', 'green' or 'blue'")]
