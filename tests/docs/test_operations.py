"""docs/operations.md names what there is."""

import re

import pytest

from benchmarks.process import ROOT
from service.settings import Settings
from tests.test_deploy_compose import OWN, QUERIES, RULES

PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")


def test_every_metric_that_is_shown_is_described() -> None:
    """And no other."""
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for query in QUERIES for name in re.findall(OWN, query)}
    assert set(re.findall(OWN, PAGE)) == shown


def test_every_alert_is_described() -> None:
    assert set(re.findall(r"Shapserve[A-Z]\w+", PAGE)) == {rule["alert"] for rule in RULES}


def test_every_setting_exists() -> None:
    assert {name.lower() for name in re.findall(r"SHAPSERVE_(\w+)", PAGE)} <= Settings.model_fields.keys()


def test_every_file_exists() -> None:
    for name in re.findall(r"\]\(\.\./(\S+?)\)", PAGE):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize(
    ("setting", "said"),
    [("client_header_timeout", "5 s for all"), ("client_body_timeout", "10 s between"), ("limit_conn addresses", "512 requests")],
)
def test_the_numbers_are_those_of_nginx(setting: str, said: str) -> None:
    (value,) = re.findall(rf"{setting} (\d+)", (ROOT / "deploy" / "nginx.conf").read_text())
    assert said.startswith(value)
    assert said in PAGE
