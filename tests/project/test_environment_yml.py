"""environment.yml and pyproject.toml name the same packages with the same bounds."""

import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CONDA_FORGE_NAME = {"playwright": "playwright-python"}
BY_PIP = {"axe-playwright-python", "drgn", "lzallright", "resvg-py"}


def test_environment_yml_agrees_with_pyproject_toml():
    with open(ROOT / "pyproject.toml", "rb") as file:
        pyproject = tomllib.load(file)
    project = pyproject["project"]
    wanted, wanted_by_pip = {f"python{project['requires-python']}"}, {"--editable ."}
    groups = pyproject["dependency-groups"]
    extras = project["optional-dependencies"]
    heavy = [
        requirement
        for extra, requirements in extras.items()
        if extra not in ("all", "dask")
        for requirement in requirements
    ]
    for requirement in [*project["dependencies"], *heavy, *groups["dev"], *groups["docs"]]:
        name, bound, version = requirement.partition(";")[0].partition(">=")
        assert bound, f"{requirement}: give a lower bound"
        (wanted_by_pip if name in BY_PIP else wanted).add(f"{CONDA_FORGE_NAME.get(name, name)}>={version}")

    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *named, pip, by_pip = environment["dependencies"]
    assert set(named) == wanted
    assert len(named) == len(wanted), "a package is named twice"
    # What pip adds is what conda-forge has not, and this project.
    assert pip == "pip"
    assert {requirement.partition(";")[0] for requirement in by_pip["pip"]} == wanted_by_pip
    assert environment["channels"] == ["conda-forge"]
