"""The manifest for KServe says what is true of the image and of the app; no cluster is needed to see it."""

import re
from pathlib import PurePosixPath
from string import Template
from typing import Any

import httpx
import pytest
import yaml

from benchmarks.process import ROOT
from service.settings import Settings

PLACES = {"IMAGE": "registry.example/shapserve:1", "STORAGE_URI": "s3://models/shapserve"}
MANIFEST: dict[str, Any] = yaml.safe_load(Template((ROOT / "deploy" / "inferenceservice.yaml").read_text()).substitute(PLACES))
PREDICTOR = MANIFEST["spec"]["predictor"]
(CONTAINER,) = PREDICTOR["containers"]
ENV = {variable["name"]: variable["value"] for variable in CONTAINER["env"]}
DOCKERFILE = (ROOT / "Dockerfile").read_text()
IMAGE_ENV = dict(re.findall(r"(\w+)=(\S+)", DOCKERFILE.rpartition("\nENV ")[2].partition("\n")[0]))


def test_it_is_an_inference_service_with_a_container_of_its_own() -> None:
    """Under the name that KServe's storage initializer looks for."""
    assert (MANIFEST["apiVersion"], MANIFEST["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
    assert set(MANIFEST["spec"]) == {"predictor"}
    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", MANIFEST["metadata"]["name"])
    assert (CONTAINER["name"], CONTAINER["image"]) == ("kserve-container", PLACES["IMAGE"])
    deadline = Settings.model_fields["deadline_ms"].default / 1000
    assert PREDICTOR["timeout"] > deadline
    assert PREDICTOR["terminationGracePeriodSeconds"] >= float(ENV["SHAPSERVE_DRAIN_SECONDS"]) + deadline + 2


def test_models_are_where_the_storage_initializer_puts_them() -> None:
    assert (ENV["STORAGE_URI"], ENV["SHAPSERVE_MODELS"]) == (PLACES["STORAGE_URI"], "/mnt/models")


def test_every_setting_exists_and_takes_its_value() -> None:
    """Variables are strings, as Kubernetes wants them."""
    settings = {name.removeprefix("SHAPSERVE_").lower(): value for name, value in ENV.items() if name.startswith("SHAPSERVE_")}
    assert settings.keys() <= Settings.model_fields.keys()
    assert all(isinstance(value, str) for value in ENV.values())
    assert Settings(**settings).threads == int(CONTAINER["resources"]["limits"]["cpu"])
    assert set(ENV) - {"STORAGE_URI"} == {f"SHAPSERVE_{name.upper()}" for name in settings}


def test_the_service_listens_where_the_port_is() -> None:
    """On every interface, as the image says."""
    (port,) = CONTAINER["ports"]
    assert str(port["containerPort"]) == ENV["SHAPSERVE_PORT"] == IMAGE_ENV["SHAPSERVE_PORT"]
    assert IMAGE_ENV["SHAPSERVE_HOST"] == "0.0.0.0"


@pytest.mark.parametrize("probe", ["livenessProbe", "readinessProbe"])
def test_probes_answer(client: httpx.Client, probe: str) -> None:
    get = CONTAINER[probe]["httpGet"]
    assert str(get["port"]) == ENV["SHAPSERVE_PORT"]
    assert client.get(get["path"]).status_code == 200


def test_it_runs_as_the_user_of_the_image_and_may_do_nothing_else() -> None:
    (uid,) = re.findall(r"^USER (\d+)$", DOCKERFILE, re.MULTILINE)
    pod, own = PREDICTOR["securityContext"], CONTAINER["securityContext"]
    assert (pod["runAsUser"], pod["runAsNonRoot"], pod["seccompProfile"]) == (int(uid), True, {"type": "RuntimeDefault"})
    assert own == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


def test_what_the_image_writes_to_is_mounted() -> None:
    """The root file system is read-only; every mount has a volume, and the caches that the image names lie in one."""
    mounts = {mount["mountPath"]: mount["name"] for mount in CONTAINER["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in PREDICTOR["volumes"]}
    assert sorted(mounts.values()) == sorted(volumes)
    assert "emptyDir" in volumes[mounts["/tmp"]]
    for cache in ("KERAS_HOME", "MPLCONFIGDIR"):
        assert any(PurePosixPath(IMAGE_ENV[cache]).is_relative_to(mount) for mount in mounts)


def test_the_documented_command_fills_in_every_placeholder() -> None:
    """`envsubst` replaces whatever looks like a variable."""
    text = (ROOT / "deploy" / "inferenceservice.yaml").read_text()
    assert set(re.findall(r"\$\{?(\w+)", text)) == set(PLACES)
    documented = (ROOT / "docs" / "protocols.md").read_text()
    assert "envsubst < deploy/inferenceservice.yaml | kubectl apply -f -" in documented
    assert all(f"export {name}=" in documented for name in PLACES)
