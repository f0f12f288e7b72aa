"""What the compose file has to keep to beyond its specification: each rule says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from services.compose import File, strings

__all__ = ["CREDENTIALS", "RULES"]

Rule = Callable[[File], Iterator[str]]
RULES: dict[str, Rule] = {}
PINNED = re.compile(r"[\w./-]+:v?\d+\.\d+[\w.-]*")
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|ACCESS_KEY")
STORES = ("postgres", "s3")  # what holds data
CREDENTIALS = re.compile(r"^(PG|POSTGRES|AWS|S3|MLFLOW_(AUTH|FLASK|BACKEND|ARTIFACTS|S3))")


def rule(function: Rule) -> Rule:
    RULES[function.__name__] = function
    return function


def one_shot(service: dict[str, Any]) -> bool:
    return service.get("restart") == "no"


def networks(service: dict[str, Any]) -> set[str]:
    return set(service.get("networks", ()))


def always_beside(needed: dict[str, Any], service: dict[str, Any]) -> bool:
    """Whether no choice of profiles starts `service` without `needed`."""
    choices = set(needed.get("profiles", ()))
    return not choices or set() < set(service.get("profiles", ())) <= choices


@rule
def what_is_waited_for_is_there_and_can_be_waited_for(content: File) -> Iterator[str]:
    services = content["services"]
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            if needed not in services:
                yield f"{name} waits for {needed}, which there is not"
            elif how["condition"] == "service_healthy" and "healthcheck" not in services[needed]:
                yield f"{name} waits for the health of {needed}, which has no check"
            elif how["condition"] == "service_completed_successfully" and not one_shot(services[needed]):
                yield f"{name} waits for the end of {needed}, which is started again"
            elif how["condition"] == "service_started":
                yield f"{name} does not wait until {needed} answers"
            elif not always_beside(services[needed], service):
                yield f"{name} waits for {needed}, which a profile may leave out"


@rule
def a_job_is_waited_for(content: File) -> Iterator[str]:
    """`docker compose up --wait` takes a job that has ended for a failure where nothing waits for its end."""
    services = content["services"]
    needed = {name for service in services.values() for name in service.get("depends_on", {})}
    for name, service in services.items():
        if one_shot(service) and not service.get("profiles") and name not in needed:
            yield f"nothing waits for the end of {name}"


@rule
def images_are_pinned(content: File) -> Iterator[str]:
    for name, service in content["services"].items():
        if not PINNED.fullmatch(service.get("image", "")):
            yield f"{name} has the image {service.get('image')}, which says no version"


@rule
def nothing_runs_as_root(content: File) -> Iterator[str]:
    """The image of this project names its user; SeaweedFS's entrypoint, where it is left in place, changes to one."""
    for name, service in content["services"].items():
        user = str(service.get("user", "")).partition(":")[0]
        changes = service.get("image", "").startswith("chrislusf/seaweedfs:") and "entrypoint" not in service
        if user in ("root", "0") or not (user or "build" in service or changes):
            yield f"{name} runs as root"


@rule
def ports_are_published_on_loopback_and_none_of_a_store(content: File) -> Iterator[str]:
    for name, service in content["services"].items():
        for port in service.get("ports", ()):
            if not str(port).startswith("127.0.0.1:"):
                yield f"{name} publishes {port} to everybody"
            if name in STORES:
                yield f"{name} publishes {port}, and nobody but MLflow needs it"


@rule
def databases_are_named_with_their_driver_and_without_a_password(content: File) -> Iterator[str]:
    for at, text in strings(content):
        for driver, rest in re.findall(r"postgres(?:ql)?(\+\w+)?://(\S*)", text):
            if driver != "+psycopg2":
                yield f"{at} leaves the driver to SQLAlchemy, which means another one by it than is installed"
            if ":" in rest.partition("@")[0]:
                yield f"{at} has a password in an address, which ends up in logs"


@rule
def secrets_come_from_the_environment(content: File) -> Iterator[str]:
    for at, text in strings(content):
        name = at.rpartition(".")[2]
        if SECRET.search(name) and not re.fullmatch(r"\$\{\w+:(\?.+|-)\}", text):
            yield f"{at} is written down, or has a default"


@rule
def clients_hold_no_credentials_and_reach_no_store(content: File) -> Iterator[str]:
    services = content["services"]
    if not content["networks"]["storage"]["internal"]:
        yield "the network of the stores reaches out"
    for name in STORES:
        if networks(services[name]) != {"storage"}:
            yield f"{name} is to be on the network of the stores alone"
    for name, service in services.items():
        held = [key for key in service.get("environment", ()) if CREDENTIALS.search(key)]
        if "storage" not in networks(service) and held:
            yield f"{name} is a client and holds {', '.join(held)}"
        if not networks(service):
            yield f"{name} is on Compose's own network"


@rule
def what_runs_any_code_is_asked_for_and_has_nothing_to_steal(content: File) -> Iterator[str]:
    """Dask asks nobody who they are."""
    for name, service in content["services"].items():
        if (service.get("command") or [])[:1] != ["dask"]:
            continue
        if service.get("profiles") != ["dask"]:
            yield f"{name} starts where nobody asks for it"
        held = [key for key, value in service["environment"].items() if SECRET.search(f"{key} {value}") or "USERNAME" in key]
        if held:
            yield f"{name} hands {', '.join(held)} to whoever reaches its port"


@rule
def servers_of_mlflow_are_closed(content: File) -> Iterator[str]:
    for name, service in content["services"].items():
        if (service.get("command") or [])[:2] != ["mlflow", "server"]:
            continue
        told = service["environment"]
        if not {"--app-name=jetbench", "--app-name=jetbench-auth"} & set(service["command"]):
            yield f"{name} is MLflow's own app, whose assistant runs commands for whoever asks"
        wanted = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        yield from (f"{name} needs {key}: {value!r}" for key, value in wanted.items() if told.get(key) != value)
        hosts = told.get("MLFLOW_SERVER_ALLOWED_HOSTS", "").split(",")
        aliases = service["networks"]["clients"]["aliases"]
        if "*" in hosts or not {f"{alias}:5000" for alias in aliases} | {"localhost:*", "127.0.0.1:*"} <= set(hosts):
            yield f"{name} has to answer to its own name and to loopback, and to no other: {hosts}"


@rule
def what_runs_on_has_a_check_and_comes_back(content: File) -> Iterator[str]:
    for name, service in content["services"].items():
        if "restart" not in service:
            yield f"{name} does not say whether it comes back"
        elif one_shot(service) and "healthcheck" in service:
            yield f"{name} has a check of its health, and does not come back"
        elif not one_shot(service) and (service["restart"] != "unless-stopped" or "healthcheck" not in service):
            yield f"{name} runs on and has no check of its health, or does not come back"


@rule
def what_is_kept_lies_in_a_named_volume(content: File) -> Iterator[str]:
    named = {str(one).partition(":")[0] for service in content["services"].values() for one in service.get("volumes", ())}
    for name in content["volumes"].keys() - named:
        yield f"the volume {name} is used by nobody"
    for name in STORES:
        if not any(str(one).partition(":")[0] in content["volumes"] for one in content["services"][name].get("volumes", ())):
            yield f"{name} loses its data with its container"
    if not any(str(one).endswith(":/var/lib/postgresql") for one in content["services"]["postgres"].get("volumes", ())):
        yield "postgres 18 keeps its data below /var/lib/postgresql, and not in data"
