"""The lock file of the browser edition: what a browser loads for `import pgtlab`, and from where."""

import doctest
import zipfile
from hashlib import sha256

import lockfile
import make_site
import pytest

PYODIDE = {
    "info": {"python": "3.14.2"},
    "packages": {
        name: {"name": name, "file_name": f"{name}-1-wasm32.whl", "sha256": "", "depends": depends, "imports": [name]}
        for name, depends in {
            "numpy": [],
            "matplotlib": ["numpy", "pillow"],
            "pillow": [],
            "scipy": ["numpy"],
            "shtab": [],
        }.items()
    },
}


@pytest.fixture
def wheels(tmp_path):
    """A wheel of pgtlab and one of shtab."""
    requirements = [
        "numpy>=2",
        "shtab",
        "tqdm; extra == 'other'",
        "jupyterlab; extra == 'lab'",
        "matplotlib; extra == 'plot'",
    ]
    made = []
    for name, requires in ("pgtlab", requirements), ("shtab", []):
        made.append(tmp_path / f"{name}-2-py3-none-any.whl")
        with zipfile.ZipFile(made[-1], "w") as archive:
            archive.writestr(f"{name}/__init__.py", "")
            lines = [f"Name: {name}", "Version: 2", *(f"Requires-Dist: {line}" for line in requires)]
            archive.writestr(f"{name}-2.dist-info/METADATA", "\n".join(lines))
    return made


def test_the_examples_hold():
    assert doctest.testmod(lockfile).failed == 0


def test_a_published_site_takes_the_rest_from_elsewhere(wheels):
    packages = lockfile.with_wheels(PYODIDE, wheels, "far/")["packages"]
    assert {name: package["file_name"] for name, package in packages.items()} == {
        "numpy": "far/numpy-1-wasm32.whl",
        "matplotlib": "far/matplotlib-1-wasm32.whl",
        "pillow": "far/pillow-1-wasm32.whl",
        "scipy": "far/scipy-1-wasm32.whl",
        "shtab": "shtab-2-py3-none-any.whl",
        "pgtlab": "pgtlab-2-py3-none-any.whl",
    }
    assert packages["pgtlab"]["depends"] == ["matplotlib", "numpy", "shtab"], "of the extras, what Pyodide has"
    assert packages["pgtlab"]["imports"] == ["pgtlab"]
    assert packages["pgtlab"]["sha256"] == sha256(wheels[0].read_bytes()).hexdigest()


def test_a_site_that_fetches_nothing_has_the_wheels_only(wheels):
    packages = lockfile.with_wheels(PYODIDE, wheels, None)["packages"]
    assert {name: package["depends"] for name, package in packages.items()} == {"pgtlab": ["shtab"], "shtab": []}


def test_a_site_of_its_own_has_what_the_wheels_need(wheels, tmp_path):
    lock = lockfile.restricted(lockfile.with_wheels(PYODIDE, wheels, ""), "pgtlab")
    assert lock["packages"].keys() == {"pgtlab", "shtab", "numpy", "matplotlib", "pillow"}
    for name in ("matplotlib", "numpy"):
        (tmp_path / f"{name}-1-wasm32.whl").touch()
    with pytest.raises(SystemExit, match=r"has no pillow-1-wasm32\.whl: the site needs the full distribution"):
        make_site.from_distribution(tmp_path, lock, wheels)
    (tmp_path / "pillow-1-wasm32.whl").touch()
    found = make_site.from_distribution(tmp_path, lock, wheels)
    assert [path.name for path in found] == ["matplotlib-1-wasm32.whl", "numpy-1-wasm32.whl", "pillow-1-wasm32.whl"]
