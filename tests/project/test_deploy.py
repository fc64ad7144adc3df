"""The files in deploy/, and the development container, are what the programs that read them accept, and agree."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from pgtlab.cli.lab import EXPORTED, SETTINGS

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SCHEMAS = ROOT / "tests" / "data" / "schemas"


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def without_required(schema: Any) -> Any:
    """Take out which keys must be there: the chart's own defaults, over which Helm puts our values, have them all."""
    parts = {name: without_required(part) for name, part in schema.get("properties", {}).items()}
    rest = {key: part for key, part in schema.items() if key != "required"}
    return rest | ({"properties": parts} if parts else {})


@pytest.fixture
def values() -> Any:
    return read(DEPLOY / "zero-to-jupyterhub" / "values.yaml")


@pytest.fixture
def chart():
    """A function that validates values as the chart does."""
    schema = without_required(read(SCHEMAS / "zero-to-jupyterhub" / "values.schema.yaml"))
    return lambda values: jsonschema.validate(values, schema)


@pytest.fixture
def course():
    """What deploy/jupyterhub/course.py sets, as JupyterHub loads it."""
    from traitlets.config import Config

    config = Config()
    path = DEPLOY / "jupyterhub" / "course.py"
    exec(compile(path.read_text(), path, "exec"), {"get_config": lambda: config})
    return config.Spawner


def test_values_are_what_the_chart_accepts(values, chart):
    chart(values)


@pytest.mark.parametrize(
    "wrong",
    [{"singleuser": {"defaultURL": "/lab"}}, {"singleuser": {"memory": {"limits": "1G"}}}, {"culling": {}}],
)
def test_the_chart_refuses_other_names(values, chart, wrong):
    with pytest.raises(jsonschema.ValidationError, match="Additional properties are not allowed"):
        chart(values | wrong)


def test_the_littlest_jupyterhub_accepts_its_file():
    schema = json.loads((SCHEMAS / "the-littlest-jupyterhub" / "config_schema.json").read_text())
    config = read(DEPLOY / "the-littlest-jupyterhub" / "config.yaml")
    jsonschema.validate(config, schema)
    assert config.keys() <= schema["properties"].keys(), "its schema lets other names pass"


@pytest.mark.slow
def test_the_development_container():
    schema = json.loads((SCHEMAS / "devcontainers" / "devContainer.base.schema.json").read_text())
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    jsonschema.validate(container, schema)
    target = container["postCreateCommand"].removeprefix("make ")
    assert f"\n{target}:" in (ROOT / "Makefile").read_text()
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(container | {"forwardPorts": "8888"}, schema)


def test_all_servers_begin_at_the_same_page_with_the_same_settings(values, course):
    student = values["singleuser"]
    assert course.default_url == student["defaultUrl"]
    assert course.environment == student["extraEnv"]
    files = {Path(file["mountPath"]).name: file["data"] for file in student["extraFiles"].values()}
    assert files == {
        path.name: json.loads(path.read_text()) for path in (DEPLOY / "jupyterhub/jupyter").rglob("*.json")
    }


def test_a_server_has_the_settings_of_the_command():
    settings = DEPLOY / "jupyterhub" / "jupyter"
    assert json.loads((settings / "labconfig" / "default_setting_overrides.json").read_text()) == SETTINGS
    server = json.loads((settings / "jupyter_server_config.json").read_text())
    assert server["WidgetsDataTypeFilter"]["display_data_priority"] == EXPORTED


def test_limits_are_the_same_on_one_machine_and_on_many(values):
    littlest = read(DEPLOY / "the-littlest-jupyterhub" / "config.yaml")
    student = values["singleuser"]
    assert littlest["limits"] == {"memory": student["memory"]["limit"], "cpu": student["cpu"]["limit"]}
    assert littlest["services"]["cull"] == values["cull"]


def test_the_hub_is_installed_beside_the_same_versions():
    """`make hub` installs into the environment of `make lab`, and must change nothing there."""

    def pinned(lock: Path) -> set[tuple[str, str]]:
        return set(re.findall(r"^([a-z0-9.-]+)(?:\[.+\])?==(\S+)", lock.read_text(), re.MULTILINE))

    ours, hubs = pinned(ROOT / "requirements.lock"), pinned(DEPLOY / "jupyterhub" / "requirements.lock")
    assert {name for name, _ in hubs} >= {"jupyterhub", "jupyterhub-idle-culler", "jupyter-repo2docker"}
    names = {name for name, _ in ours}
    assert {(name, version) for name, version in hubs if name in names} <= ours
