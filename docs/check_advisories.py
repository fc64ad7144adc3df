"""`make advisories`: the locked packages that an advisory is about, by a copy of the OSV database, with no network.

SECURITY.md says where the copy comes from. Exit status 0: none; 1: some; 2: there is no such copy.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)


def pins(lock: str) -> set[tuple[str, str]]:
    """Name and version of every package in a lock.

    >>> sorted(pins("numpy==2.4.6 \\\\\\n  --hash=sha256:00\\nQt_Py[a]==1.0 ; sys_platform == 'win32'"))
    [('numpy', '2.4.6'), ('qt-py', '1.0')]
    """
    return {(canonicalize_name(name), version) for name, version in _PIN.findall(lock)}


def affects(advisory: Mapping[str, Any], name: str, version: str) -> bool:
    """Whether a record of OSV is about a version of a package.

    >>> record = {"affected": [{"package": {"ecosystem": "PyPI", "name": "pip"}, "ranges": [
    ...     {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "23.3"}]}]}]}
    >>> affects(record, "pip", "23.2.1"), affects(record, "pip", "23.3"), affects(record, "numpy", "1.0")
    (True, False, False)
    """
    return any(
        version in affected.get("versions", ()) or any(_in_range(each["events"], version) for each in _ranges(affected))
        for affected in advisory.get("affected", ())
        if affected.get("package", {}).get("ecosystem") == "PyPI"
        and canonicalize_name(affected["package"].get("name", "")) == name
    )


def _ranges(affected: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (each for each in affected.get("ranges", ()) if each.get("type") == "ECOSYSTEM")


def _in_range(events: list[dict[str, str]], version: str) -> bool:
    """Whether a version lies between an event that introduces a fault and the one that ends it."""
    inside, here = False, Version(version)
    for event in sorted(events, key=lambda event: _version(next(iter(event.values())))):
        kind, value = next(iter(event.items()))
        if kind == "introduced":
            inside |= here >= _version(value)
        elif kind == "fixed":
            inside &= here < _version(value)
        elif kind == "last_affected":
            inside &= here <= _version(value)
    return inside


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")


def main(database: Path, locks: list[Path]) -> int:
    """Print a line for each package that an advisory is about."""
    if not database.is_file():
        print(f"{database} is missing: SECURITY.md says how to get it", file=sys.stderr)
        return 2
    packages = {pin for lock in locks for pin in pins(lock.read_text())}
    by_name: dict[str, list[str]] = {}
    for name, version in sorted(packages):
        by_name.setdefault(name, []).append(version)
    found = count = 0
    with zipfile.ZipFile(database) as archive:
        for entry in archive.namelist():
            advisory = json.loads(archive.read(entry))
            count += 1
            if advisory.get("withdrawn"):
                continue
            names = {
                canonicalize_name(each.get("package", {}).get("name", "")) for each in advisory.get("affected", ())
            }
            for name in sorted(names & by_name.keys()):
                for version in by_name[name]:
                    if affects(advisory, name, version):
                        found += 1
                        print(f"{name} {version}: {advisory['id']}: {advisory.get('summary', '')}")
    print(f"{found} of {count} advisories are about the {len(packages)} packages of {len(locks)} locks")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]))
