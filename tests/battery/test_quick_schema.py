"""The server against its document: some requests to it, and answers that are not as declared."""

import pytest

from benchmarks.battery.schema import PART, added, attack, settings
from benchmarks.process import Server


def test_answers_are_as_declared(server: Server) -> None:
    tally = attack(server.url, 1, 100, "^/(predict|models|livez|v2/models/{name}/infer)")
    assert PART.figure([tally]).reached, tally["flaws"]
    assert tally["cases"] >= 100
    assert tally["checks"] > 5 * tally["cases"]
    assert {"200", "422"} <= tally["statuses"].keys()


def test_a_status_that_is_not_expected_fails(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were 4xx and 5xx the only right answers, the health of the process would be a failure."""
    strange = settings(1, 2, once=False)
    strange["checks"]["not_a_server_error"]["expected-statuses"] = ["5xx"]
    monkeypatch.setattr("benchmarks.battery.schema.settings", lambda *_, **__: strange)
    tally = attack(server.url, 1, 1, "^/livez")
    assert tally["failures"] == {"not_a_server_error GET /livez": 1}
    assert "200" in tally["flaws"][0]["answer"]
    assert not PART.figure([tally]).reached


def test_processes_and_steps_add_up() -> None:
    one = {"cases": 2, "checks": 9, "statuses": {"200": 2}, "phases": {"fuzzing": 2}, "failures": {}, "flaws": []}
    other = one | {"statuses": {"500": 1, "200": 1}}
    assert added([one, other])["statuses"] == {"200": 3, "500": 1}
    assert PART.figure([one, one]).reached
    assert not PART.figure([one, other]).reached
