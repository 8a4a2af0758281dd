"""Methods over HTTP, around a model with known values: which one answers, when it stops, and how they compare."""

import threading
from dataclasses import replace
from typing import Any, get_args

import httpx
import numpy as np
import pytest

from explainers.exact import Exact
from explainers.game import Attribution, Question
from explainers.permutation import Permutation
from models.backgrounds import Background, equal_weights
from models.manifest import ColumnSpec, FieldSpec
from models.tabular import RecordReader
from schemas.compare import CompareRequest, CompareResponse
from schemas.explain import ExplainResponse, Method
from service.app import create_app
from service.backgrounds import Backgrounds
from service.catalog import Catalog
from service.compare import differences
from service.settings import Settings
from tests.conftest import serving
from tests.explainers.games import Model as Function
from tests.fakes import MANIFEST, LinearExplainer, linear_model
from tests.service.test_api import COLUMN_VALUES, RECORD, ask, problem

FIELD_VALUES = np.stack([COLUMN_VALUES[0], COLUMN_VALUES[1], COLUMN_VALUES[2:].sum(axis=0)])


@pytest.mark.parametrize("method", ["exact", "permutation", "monte_carlo", "kernel", "deep"])
def test_every_method_gives_the_known_values(client: httpx.Client, method: str) -> None:
    """Within four standard errors where there are any."""
    answer = ask(client, method=method)
    ExplainResponse.model_validate(answer)
    (explanation,) = answer["explanations"]
    proof = explanation["proof"]
    assert (answer["method"], answer["why"]) == (method, "the request names it")
    allowed = 1e-6 + 4 * np.array(proof["stderr"] or np.zeros((3, 2)))
    assert (np.abs(np.array(explanation["shap_values"]) - FIELD_VALUES) <= allowed).all()
    assert (proof["stderr"] is not None) == (method in ("permutation", "monte_carlo"))
    assert proof["seed"] == (0 if method in ("permutation", "monte_carlo") else None)
    assert proof["ok"]


@pytest.mark.parametrize(
    ("options", "method", "why"),
    [
        ({}, "exact", "8 coalitions x 3 rows are within 10000 evaluations"),
        ({"players": "columns", "max_evaluations": 96}, "exact", "32 coalitions x 3 rows are within 96 evaluations"),
        ({"max_evaluations": 23}, "deep", "2^3 coalitions x 3 rows are not within 23 evaluations, nor are sampled orderings"),
    ],
)
def test_auto_takes_the_best_that_is_affordable(client: httpx.Client, options: Any, method: str, why: str) -> None:
    """And says why."""
    answer = ask(client, **options)
    assert answer["method"] == method
    assert why in answer["why"]


def test_auto_samples_where_enumeration_costs_too_much() -> None:
    """Twelve fields: 4096 coalitions. A layer without rule is named."""
    names = [f"x{k}" for k in range(12)]
    fields, columns = [FieldSpec(name=n, type="number") for n in names], [ColumnSpec(name=n, field=n) for n in names]
    manifest = MANIFEST.model_copy(update={"fields": fields, "columns": columns, "ignored_fields": [], "output_names": ["y"]})
    total = Function(lambda x: x.sum(axis=1, keepdims=True))
    background = Background(np.eye(12, dtype=np.float32)[:3], equal_weights(3))
    model = replace(
        linear_model(),
        manifest=manifest,
        reader=RecordReader(manifest),
        predict=total.evaluate,
        backgrounds=Backgrounds({"default": (background, np.ones((3, 1)))}),
        explainers={"exact": Exact(total), "permutation": Permutation(total)},
        unsupported={"deep": "layer odd has no rule"},
    )
    with serving(create_app(Settings(), Catalog({"linear": model}))) as client:
        answer = ask(client, instances=[dict.fromkeys(names, 2.0)])
    assert answer["method"] == "permutation"
    assert answer["why"] == "2^12 coalitions x 3 rows are not within 10000 evaluations: orderings are sampled"
    assert "`deep` cannot explain this model: layer odd has no rule" in answer["warnings"]
    expected = 2 - np.array([1 / 3] * 3 + [0] * 9)
    np.testing.assert_allclose(answer["explanations"][0]["shap_values"], expected[:, None], atol=1e-6)


def test_what_is_too_dear_says_the_cost_and_what_to_do(client: httpx.Client) -> None:
    body = {"model": "linear", "instances": [RECORD], "method": "exact", "max_evaluations": 10}
    detail = problem(client.post("/explain", json=body), 422).errors[0].detail
    assert detail == (
        "`max_evaluations`: `exact` needs 24 evaluations per instance, more than it may spend; "
        "allow more, or take `permutation`, fewer players or a smaller background"
    ).removeprefix("`max_evaluations`: ")


def test_auto_that_cannot_sample_warns_and_keeps_to_its_evaluations(client: httpx.Client) -> None:
    """`deep` is biased, and costs something too."""
    assert any("`deep` is biased" in warning for warning in ask(client, max_evaluations=23)["warnings"])
    body = {"model": "linear", "instances": [RECORD], "max_evaluations": 2}
    assert "needs 3 evaluations" in problem(client.post("/explain", json=body), 422).errors[0].detail


def one_way(x: np.ndarray) -> np.ndarray:
    """relu(x0 - x1), which is 0 at (1, 1) and at (0, 0)."""
    return np.maximum(x[:, :1] - x[:, 1:2], 0)


def test_small_answers_do_not_hide_large_values() -> None:
    """Prediction and base value are 0, and yet the players push against each other."""
    names = ["a", "b"]
    fields, columns = [FieldSpec(name=n, type="number") for n in names], [ColumnSpec(name=n, field=n) for n in names]
    manifest = MANIFEST.model_copy(update={"fields": fields, "columns": columns, "ignored_fields": [], "output_names": ["y"]})
    run = Function(one_way)
    background = Background(np.zeros((1, 2), np.float32), equal_weights(1))
    model = replace(
        linear_model(),
        manifest=manifest,
        reader=RecordReader(manifest),
        predict=run.evaluate,
        backgrounds=Backgrounds({"default": (background, np.zeros((1, 1)))}),
        explainers={"exact": Exact(run), "permutation": Permutation(run)},
    )
    with serving(create_app(Settings(), Catalog({"linear": model}))) as client:
        for method in ("exact", "permutation"):
            (explanation,) = ask(client, instances=[{"a": 1.0, "b": 1.0}], method=method)["explanations"]
            np.testing.assert_allclose(explanation["shap_values"], [[0.5], [-0.5]])
            assert explanation["proof"]["ok"]


def test_what_is_exact_has_converged(client: httpx.Client) -> None:
    """Whenever that is asked."""
    assert ask(client, max_stderr=0.1)["explanations"][0]["proof"]["converged"] is True
    assert ask(client, method="deep", max_stderr=0.1)["explanations"][0]["proof"]["converged"] is True


def test_compare_leaves_time_for_all(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that would sample for ever share what the others leave."""
    monkeypatch.setattr("explainers.sampling._MARGIN", 3.5)
    options = {"max_stderr": 1e-9, "max_evaluations": 10**9, "deadline_ms": 8000}
    answer = ask(client, "/compare", methods=["monte_carlo", "kernel", "permutation", "exact"], players="columns", **options)
    stopped = {name: body["explanations"][0]["proof"]["stopped_by"] for name, body in answer["explanations"].items()}
    assert (stopped["monte_carlo"], stopped["exact"]) == ("deadline", None)
    assert list(answer["explanations"]) == ["monte_carlo", "kernel", "permutation", "exact"]


def test_all_methods_fit_into_a_comparison() -> None:
    names = list(get_args(Method))
    assert CompareRequest(model="m", instances=[{}], methods=names).methods == names


def test_interactions(client: httpx.Client) -> None:
    """A linear model has none: the Shapley values stand on the diagonal."""
    for method in ("auto", "exact"):
        (explanation,) = ask(client, method=method, interactions=True)["explanations"]
        pairs = np.array(explanation["shap_interaction_values"])
        np.testing.assert_allclose(pairs.sum(axis=1), explanation["shap_values"], atol=1e-8)
        np.testing.assert_allclose(pairs[~np.eye(3, dtype=bool)], 0, atol=1e-6)
    assert ask(client)["explanations"][0]["shap_interaction_values"] is None


def test_sampling_stops_when_it_is_told_to(client: httpx.Client) -> None:
    """At a standard error, or at the evaluations that it may spend."""
    (good,) = ask(client, method="monte_carlo", max_stderr=0.1)["explanations"]
    assert good["proof"]["converged"]
    assert np.max(good["proof"]["stderr"]) <= 0.1
    (poor,) = ask(client, method="monte_carlo", max_stderr=1e-6)["explanations"]
    assert (poor["proof"]["converged"], poor["proof"]["stopped_by"]) == (False, "max_evaluations")
    assert poor["proof"]["evaluations"] <= 10_000
    (plain,) = ask(client, method="permutation")["explanations"]
    assert (plain["proof"]["converged"], plain["proof"]["stopped_by"]) == (None, None)


def test_a_deadline_ends_sampling_in_time(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """200 with what there is; other methods have no half answers."""
    monkeypatch.setattr("explainers.sampling._MARGIN", 4.5)
    options: dict[str, Any] = {"method": "monte_carlo", "max_stderr": 1e-9, "max_evaluations": 10**9, "deadline_ms": 5000}
    (explanation,) = ask(client, **options)["explanations"]
    assert (explanation["proof"]["converged"], explanation["proof"]["stopped_by"]) == (False, "deadline")


def test_the_seed_is_echoed_and_decides(client: httpx.Client) -> None:
    first, same, other = (ask(client, method="monte_carlo", seed=seed) for seed in (1, 1, 2))
    assert first == same
    assert first["explanations"][0]["proof"]["seed"] == 1
    assert first["explanations"][0]["shap_values"] != other["explanations"][0]["shap_values"]


def test_a_background_by_name(client: httpx.Client) -> None:
    """Of the model's folder."""
    answer = ask(client, background="first")
    assert answer["background"] == {"name": "first", "rows": 1}
    assert answer["explanations"][0]["base_values"] == [11.5, 0.0]


def test_what_is_said_about_a_background_is_passed_on(client: httpx.Client) -> None:
    answer = ask(client, background={"instances": [RECORD | {"Size": 500.0}]})
    assert any(w.startswith("background: `Size` lies outside") for w in answer["warnings"])


def test_compare(client: httpx.Client) -> None:
    """The notebook's closing section: by sampling and by enumeration, and how far they are apart."""
    answer = ask(client, "/compare", methods=["exact", "monte_carlo", "auto"])
    CompareResponse.model_validate(answer)
    assert list(answer["explanations"]) == ["exact", "monte_carlo", "auto"]
    assert answer["explanations"]["auto"]["method"] == "exact"
    values = {name: np.array(body["explanations"][0]["shap_values"]) for name, body in answer["explanations"].items()}
    first, same, last = answer["differences"]
    assert [(d["a"], d["b"]) for d in (first, same, last)] == [
        ("exact", "monte_carlo"),
        ("exact", "auto"),
        ("monte_carlo", "auto"),
    ]
    apart = np.abs(values["exact"] - values["monte_carlo"])
    assert (first["mean"], first["max"]) == pytest.approx((apart.mean(), apart.max()))
    assert same == {"a": "exact", "b": "auto", "mean": 0, "max": 0, "sign_flips": 0, "rank_correlation": 1}


def test_differences() -> None:
    """Signs that differ are counted; ranks are those within one explanation; ties have none."""

    def body(*values: list[list[float]]) -> dict[str, Any]:
        return {"explanations": [{"shap_values": value} for value in values]}

    (found,) = differences({"a": body([[3], [2], [1]]), "b": body([[3], [-2], [0]])})
    assert (found["mean"], found["max"], found["sign_flips"]) == (pytest.approx(5 / 3), 4, 1)
    assert found["rank_correlation"] == pytest.approx(0.5)
    (flat,) = differences({"a": body([[1], [1]]), "b": body([[1], [2]])})
    assert flat["rank_correlation"] is None


@pytest.mark.parametrize(
    ("change", "pointer", "says"),
    [
        ({"methods": ["exact"]}, "/methods", "at least 2"),
        ({"methods": ["exact", "exact"]}, "/methods", "no method twice"),
        ({"methods": ["exact", "deep_shap"]}, "/methods/1", "it is not written"),
        ({"methods": ["exact", "guess"]}, "/methods/1", "'auto', 'exact'"),
        ({"methods": ["deep", "exact"], "max_evaluations": 5}, "/max_evaluations", "needs 24"),
        ({"methods": ["deep", "exact"], "method": "deep"}, "/method", "unknown key"),
    ],
)
def test_what_cannot_be_compared_is_pointed_at(client: httpx.Client, change: Any, pointer: str, says: str) -> None:
    response = client.post("/compare", json={"model": "linear", "instances": [RECORD]} | change)
    (error,) = problem(response, 422).errors
    assert error.pointer == pointer
    assert says in error.detail


class Wrong(LinearExplainer):
    """Does not add up."""

    def attribute(self, question: Question) -> Attribution:
        """See Explainer."""
        found = super().attribute(question)
        return replace(found, values=found.values * 1.01)


def test_values_that_do_not_add_up_are_said_so_and_counted() -> None:
    """Never an exception."""
    model = replace(linear_model(), explainers={"deep": Wrong()})
    with serving(create_app(Settings(), Catalog({"linear": model}))) as client:
        answer = ask(client, method="deep", instances=[RECORD] * 3)
        assert [e["proof"]["ok"] for e in answer["explanations"]] == [False] * 3
        assert "the values of 3 of 3 instances do not add up within the tolerance" in answer["warnings"]
        metrics = client.get("/metrics")
        assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert 'shapserve_explanations_total{method="deep",model="linear",ok="false"} 3.0' in metrics.text


def test_bytes_are_the_same_whatever_runs_beside(client: httpx.Client) -> None:
    """Eight threads, all methods, own backgrounds: the answers of one thread."""
    own = {"instances": [RECORD | {"Size": k} for k in range(5)]}
    bodies: list[dict[str, Any]] = [
        {"method": method, "background": background, "instances": [RECORD] * n}
        for method in ("auto", "exact", "permutation", "kernel", "deep")
        for background in ("default", "first", own)
        for n in (1, 3)
    ]

    def answer(k: int) -> bytes:
        return client.post("/explain", json={"model": "linear", **bodies[k]}).content

    serial = [answer(k) for k in range(len(bodies))]
    wrong: list[int] = []

    def work(first: int) -> None:
        wrong.extend(k for k in (*range(first, len(bodies)), *range(first)) if answer(k) != serial[k])

    threads = [threading.Thread(target=work, args=(3 * t,)) for t in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
