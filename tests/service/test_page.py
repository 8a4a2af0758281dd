"""The page and the documentation as files: whole, from here alone, behind a policy that lets nothing else in."""

import re
from typing import Any

import httpx
import pytest

from benchmarks.process import Server
from service.page import STATIC
from tests.service.test_api import problem

POLICY = "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/docs", "text/html"),
        ("/docs/swagger-ui.css", "text/css"),
        ("/docs/swagger-ui-bundle.js", "text/javascript"),
        ("/docs/init.js", "text/javascript"),
        ("/favicon.svg", "image/svg+xml"),
    ],
)
def test_files_are_served_under_the_policy(client: httpx.Client, path: str, kind: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(kind)
    assert response.headers["content-security-policy"] == POLICY
    assert response.headers["x-content-type-options"] == "nosniff"
    assert client.head(path).headers["content-length"] == str(len(response.content))
    again = client.get(path, headers={"if-none-match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == POLICY
    for part in ("bytes=abc", "bytes=0-1", "bytes=99999999-"):
        assert client.get(path, headers={"range": part}).content == response.content


def test_what_the_pages_name_is_there(client: httpx.Client) -> None:
    """Scripts, styles and pictures of both pages come from this service, and none stands in the page itself."""
    for path in ("/", "/docs"):
        html = client.get(path).text
        named = re.findall(r'(?:src|href)="([^"]+)"', html)
        assert any(name.endswith(".js") for name in named)
        for name in named:
            assert name.startswith("/"), name
            assert client.get(name).status_code == 200, name
        assert not re.search(r"<script(?![^>]*src=)|<style|style=|https?://(?!www\.w3\.org)", html)


@pytest.mark.parametrize(
    "path",
    [
        "/assets/nothing.js",
        "/assets/..%2f..%2fpage.py",
        "/assets/%2e%2e%2findex.html",
        "/docs/..%2f..%2fapp.py",
        "/assets/",
        "/docs/",
    ],
)
def test_nothing_else_is_served(client: httpx.Client, path: str) -> None:
    assert problem(client.get(path), 404).type == "/problems/not-found"


def test_only_reading(client: httpx.Client) -> None:
    assert problem(client.post("/"), 405).type == "/problems/method-not-allowed"


def test_licences_of_what_is_bundled_ship_with_it() -> None:
    text = (STATIC / "THIRD-PARTY.txt").read_text("utf-8")
    for name in ("svelte", "d3-array"):
        assert name in text
    assert (STATIC / "docs" / "LICENSE").exists()


def test_every_example_of_the_documentation_runs(server: Server) -> None:
    """As it stands, and as a picture where it says which."""
    document = httpx.get(f"{server.url}/openapi.json").json()
    tried = 0
    for path, operations in document["paths"].items():
        content: dict[str, Any] = operations.get("post", {}).get("requestBody", {}).get("content", {})
        for parameter in operations.get("post", {}).get("parameters", []):
            path = path.replace(f"{{{parameter['name']}}}", parameter["schema"]["examples"][0])
        for name, example in content.get("application/json", {}).get("examples", {}).items():
            plot = example["value"].get("plot")
            accept = {"accept": "image/svg+xml" if plot else "application/json"}
            response = httpx.post(server.url + path, json=example["value"], headers=accept, timeout=60)
            assert response.status_code == 200, (path, name, response.text)
            assert response.headers["content-type"] == accept["accept"]
            tried += 1
    assert tried >= 20
