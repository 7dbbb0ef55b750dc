"""The examples in deploy/ fit the code: its settings, its addresses, its folders."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot import settings
from bot.settings import ROOT, Settings

DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose.yml"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
FILES = [path for path in sorted(DEPLOY.rglob("*")) if path.is_file()]
KNOWN = set(re.findall(r"HANDRAIL_[A-Z_]+", Path(settings.__file__).read_text(encoding="utf-8")))
OF_THE_FILES = {"HANDRAIL_PUBLIC_HOST", "HANDRAIL_PYTHON"}  # Compose's own; the Makefile's
DATA = "/var/lib/handrail"


def objects() -> list[dict[str, Any]]:
    found = []
    for path in MANIFESTS:
        found += list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    return found


def one(kind: str) -> dict[str, Any]:
    [found] = [each for each in objects() if each["kind"] == kind]
    return found


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pod() -> dict[str, Any]:
    return one("Deployment")["spec"]["template"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_setting_that_is_named_exists(path):
    named = set(re.findall(r"HANDRAIL_[A-Z_]+", path.read_text(encoding="utf-8")))
    assert named <= KNOWN | OF_THE_FILES


def test_the_values_of_settings_are_taken_by_the_code(compose):
    container = compose["services"]["handrail"]["environment"]
    for values in (one("ConfigMap")["data"], container):
        made = Settings.from_environment(
            {name: re.sub(r"\$\{.*?\}", "x", str(value)) for name, value in values.items()}
        )
        assert made.proxies
        assert made.brains == 2


def test_no_secret_stands_in_a_file(compose):
    assert not [each for each in objects() if each["kind"] == "Secret"]
    assert not {"HANDRAIL_KEYS", "HANDRAIL_DATABASE"} & set(one("ConfigMap")["data"])
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("KEYS|PASSWORD|DATABASE", name):
                assert "${" in value, name


def test_secrets_come_from_where_the_instructions_put_them(pod):
    [container] = pod["spec"]["containers"]
    sources = [next(iter(source.values()))["name"] for source in container["envFrom"]]
    assert sources == [one("ConfigMap")["metadata"]["name"], "handrail"]
    text = (DEPLOY / "kubernetes" / "settings.yaml").read_text(encoding="utf-8")
    assert "create secret generic handrail" in text


def test_the_parts_find_each_other(pod):
    labels = pod["metadata"]["labels"].items()
    assert one("Deployment")["spec"]["selector"]["matchLabels"].items() <= labels
    assert one("Service")["spec"]["selector"].items() <= labels
    assert one("PodDisruptionBudget")["spec"]["selector"]["matchLabels"].items() <= labels
    assert one("NetworkPolicy")["spec"]["podSelector"]["matchLabels"].items() <= labels
    [rule] = one("Ingress")["spec"]["rules"]
    [path] = rule["http"]["paths"]
    assert path["backend"]["service"]["name"] == one("Service")["metadata"]["name"]
    assert rule["host"] in one("ConfigMap")["data"]["HANDRAIL_PUBLIC_URL"]
    [claim] = [v for v in pod["spec"]["volumes"] if "persistentVolumeClaim" in v]
    wanted = one("PersistentVolumeClaim")["metadata"]["name"]
    assert claim["persistentVolumeClaim"]["claimName"] == wanted
    kustomization = DEPLOY / "kubernetes" / "kustomization.yaml"
    listed = yaml.safe_load(kustomization.read_text(encoding="utf-8"))["resources"]
    assert {path.name for path in MANIFESTS} == {*listed, "kustomization.yaml"}


def test_a_gateway_without_brain_or_database_stays_in_service(pod):
    [container] = pod["spec"]["containers"]
    probes = {
        name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness")
    }
    assert probes == {"startup": "/readyz", "liveness": "/healthz"}
    assert container["readinessProbe"]["httpGet"]["path"] == "/healthz"


def test_visitors_are_served_while_machines_are_replaced(pod):
    deployment = one("Deployment")["spec"]
    assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert 0 < one("PodDisruptionBudget")["spec"]["minAvailable"] < deployment["replicas"]
    # `serve` stops the gateway, the worker and the brains one after the other.
    assert pod["spec"]["terminationGracePeriodSeconds"] > 5 + 3 * 10


def test_what_is_written_has_a_place_to_be_written_to(compose, pod):
    [container] = pod["spec"]["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts == {DATA, f"{DATA}/widgets", "/tmp"}
    assert compose["services"]["handrail"]["volumes"] == [f"handrail:{DATA}"]
    image = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    assert f"HANDRAIL_DATA={DATA}" in image


def test_the_proxy_of_compose_is_believed_about_addresses(compose):
    [network] = compose["networks"]["inside"]["ipam"]["config"]
    assert compose["services"]["handrail"]["environment"]["HANDRAIL_PROXIES"] == network["subnet"]
    assert "ports" not in compose["services"]["handrail"]
    assert "ports" not in compose["services"]["database"]


def test_the_image_holds_what_the_code_needs():
    image = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    copied = {
        Path(path).name
        for path in re.findall(
            r"[\w./-]+",
            " ".join(
                line
                for line in image.splitlines()
                if line.startswith("COPY") and "--from" not in line
            ),
        )
    }
    assert {"bot", "actions", "clinics", "data", "requirements", "tools", "domain.yml"} <= copied


@pytest.mark.parametrize(
    "name", ["Containerfile", "Caddyfile", "compose.yml", "kubernetes/kustomization.yaml"]
)
def test_who_reads_only_the_file_learns_that_it_was_not_tried(name):
    first = (DEPLOY / name).read_text(encoding="utf-8").splitlines()[0]
    assert re.match(r"# Not (run|built) here", first)
