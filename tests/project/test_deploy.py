"""The files in deploy/, and the development container, are what the programs that read them accept, and agree."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

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


def test_the_development_container():
    schema = json.loads((SCHEMAS / "devcontainers" / "devContainer.base.schema.json").read_text())
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    jsonschema.validate(container, schema)
    target = container["postCreateCommand"].removeprefix("make ")
    assert f"\n{target}:" in (ROOT / "Makefile").read_text()
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(container | {"forwardPorts": "8888"}, schema)


def test_all_servers_begin_at_the_same_page_and_stop_idle_kernels_alike(values, course):
    student = values["singleuser"]
    assert course.default_url == student["defaultUrl"]
    assert course.environment == student["extraEnv"]
    options = dict(option.removeprefix("--").split("=", 1) for option in course.args)
    assert options.pop("ServerApp.jpserver_extensions") == "pgtlab.cli.course_links=True"
    settings = student["extraFiles"]["course"]["data"]
    assert settings.pop("ServerApp") == {"jpserver_extensions": {"pgtlab.cli.course_links": True}}
    named = {f"{name}.{key}": value for name, values in settings.items() for key, value in values.items()}
    assert options == {name: str(value) for name, value in named.items()}


def test_limits_are_the_same_on_one_machine_and_on_many(values):
    littlest = read(DEPLOY / "the-littlest-jupyterhub" / "config.yaml")
    student = values["singleuser"]
    assert littlest["limits"] == {"memory": student["memory"]["limit"], "cpu": student["cpu"]["limit"]}
    assert littlest["services"]["cull"] == values["cull"]
