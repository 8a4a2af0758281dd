"""What stands on the page, as numbers; and what the service says without a page."""

import re
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.sync_api import Locator, Page, expect

from benchmarks.process import Server

MAN = {"Pclass": 3, "Sex": "male", "Age": 22, "SibSp": 1, "Parch": 0, "Fare": 7.25, "Embarked": "S"}
"""The first example of the notebook, which the page begins with."""


def settled(page: Page) -> None:
    """Wait until what is drawn is what was asked last."""
    expect(page.locator("main")).to_have_attribute("data-state", "ready")


def number(text: str) -> float:
    """The first number of a text; people's minus is a minus."""
    found = re.search(r"[+-]?\d+(\.\d+)?", text.replace("\N{MINUS SIGN}", "-"))
    assert found, f"no number in {text!r}"
    return float(found[0])


def rounding(text: str) -> float:
    """How far the number of a text may be from what it was before it was rounded."""
    found = re.search(r"\d+(?:\.(\d+))?", text)
    assert found, f"no number in {text!r}"
    return 0.5001 * 10.0 ** -len(found[1] or "")


def says(text: str, value: float) -> bool:
    """Whether the text shows this value, rounded to as many digits as it has."""
    return abs(number(text) - value) <= rounding(text)


def chart(page: Page) -> Locator:
    return page.get_by_test_id("chart")


def beside(page: Page, label: str) -> str:
    """The text that follows a label of the chart: its number."""
    texts = chart(page).locator("svg text").all_text_contents()
    assert label in texts, texts
    return texts[texts.index(label) + 1]


@dataclass(frozen=True)
class Explained:
    """What the service says of a record, by output and by field."""

    prediction: dict[str, float]
    base: dict[str, float]
    values: dict[str, dict[str, float]]
    proof: dict[str, Any]


def explained(server: Server, instance: dict[str, Any], **asked: Any) -> Explained:
    """POST /explain for one record of Titanic, all outputs."""
    body = {"model": "titanic", "instances": [instance], "outputs": "all", **asked}
    answer = httpx.post(f"{server.url}/explain", json=body, timeout=60).raise_for_status().json()
    (one,) = answer["explanations"]
    outputs, names = one["outputs"], answer["feature_names"]
    return Explained(
        dict(zip(outputs, one["prediction"], strict=True)),
        dict(zip(outputs, one["base_values"], strict=True)),
        {output: {name: row[o] for name, row in zip(names, one["shap_values"], strict=True)} for o, output in enumerate(outputs)},
        one["proof"],
    )


def verdict(prediction: dict[str, float]) -> str:
    """The prediction as the page says it."""
    best = max(prediction, key=lambda name: prediction[name])
    return f"{best} {100 * prediction[best]:.1f} %"


def expect_explained(page: Page, truth: Explained, instance: dict[str, Any], output: str = "survived") -> None:
    """Wait until the large words are those of `truth`; then the waterfall shows its base value, Shapley values and prediction."""
    expect(page.get_by_test_id("prediction")).to_have_text(verdict(truth.prediction))
    settled(page)
    assert says(beside(page, "base value"), truth.base[output])
    assert says(beside(page, output), truth.prediction[output])
    for name, value in truth.values[output].items():
        label = label_of(page, name)
        stands = instance[name]
        assert label == f"{name} = {stands}" if isinstance(stands, str) else says(label, stands), label
        assert says(beside(page, label), value), (label, beside(page, label), value)


def label_of(page: Page, name: str) -> str:
    """What the chart calls a field: its name and what it stands at."""
    return next(text for text in chart(page).locator("svg text").all_text_contents() if text.startswith(f"{name} "))
