"""Pyodide's lock file with our wheels in it: the packages that a browser may load, with their addresses and hashes.

Pyodide loads what a cell imports, and what that depends on, if its lock file lists it.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from email.parser import HeaderParser
from hashlib import sha256
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

Lock = dict[str, Any]

EXTRAS = {"pgtlab": ("lab", "plot", "images")}  # what of them runs in a browser is loaded with it


def with_wheels(lock: Lock, wheels: Iterable[Path], elsewhere: str | None) -> Lock:
    """The lock with wheels that lie beside it.

    Parameters
    ----------
    lock : dict
        Pyodide's.
    wheels : list of Path
        They replace packages of the same name.
    elsewhere : str or None
        Where the other packages are: the address of a folder. None leaves them out.
    """
    packages = {}
    if elsewhere is not None:
        for name, package in lock["packages"].items():
            packages[name] = {**package, "file_name": elsewhere + package["file_name"]}
    for wheel in wheels:
        package = entry(wheel, lock["info"]["python"])
        packages[canonicalize_name(package["name"])] = package
    for name, package in packages.items():
        packages[name] = {**package, "depends": [other for other in package["depends"] if other in packages]}
    return {**lock, "packages": packages}


def restricted(lock: Lock, *names: str) -> Lock:
    """The lock with these packages, all that they depend on, and no others."""
    packages: dict[str, Lock] = {}
    todo = [*names]
    while todo:
        name = todo.pop()
        if name not in packages:
            packages[name] = lock["packages"][name]
            todo += packages[name]["depends"]
    return {**lock, "packages": packages}


def entry(wheel: Path, python: str) -> Lock:
    """The entry of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        files = archive.namelist()
        [metadata] = [name for name in files if name.endswith(".dist-info/METADATA") and name.count("/") == 1]
        headers = HeaderParser().parsestr(archive.read(metadata).decode())
    extras = ("", *EXTRAS.get(headers["Name"], ()))
    return {
        "name": headers["Name"],
        "version": headers["Version"],
        "file_name": wheel.name,
        "install_dir": "site",
        "sha256": sha256(wheel.read_bytes()).hexdigest(),
        "package_type": "package",
        "imports": sorted({*modules(files)}),
        "depends": sorted({*dependencies(headers.get_all("Requires-Dist", []), python, extras)}),
        "unvendored_tests": False,
    }


def modules(files: Iterable[str]) -> Iterator[str]:
    """The modules that a wheel with these files brings.

    >>> sorted({*modules(["shtab/__init__.py", "six.py", "shtab-1.dist-info/METADATA", "x-1.data/data/a.js"])})
    ['shtab', 'six']
    """
    for name in files:
        first, _, rest = name.partition("/")
        if rest.endswith(".py") and "." not in first:
            yield first
        elif not rest and first.endswith(".py"):
            yield first.removesuffix(".py")


def dependencies(requirements: Iterable[str], python: str, extras: Iterable[str]) -> Iterator[str]:
    """The packages that a wheel needs in a browser, with `extras`.

    >>> lines = ["tqdm>=4", 'pexpect; sys_platform != "emscripten"', 'anywidget; extra == "lab"', 'x; extra == "dev"']
    >>> [*dependencies(lines, "3.14.2", ["", "lab"])]
    ['tqdm', 'anywidget']
    """
    place = {
        "sys_platform": "emscripten",
        "platform_system": "Emscripten",
        "os_name": "posix",
        "platform_machine": "wasm32",
        "python_version": ".".join(python.split(".")[:2]),
        "python_full_version": python,
    }
    for line in requirements:
        requirement = Requirement(line)
        if not requirement.marker or any(requirement.marker.evaluate({**place, "extra": extra}) for extra in extras):
            yield canonicalize_name(requirement.name)
