"""`make advisories`: which locked packages an advisory is about, by a database that is made here."""

import json
import runpy
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECK = runpy.run_path(str(ROOT / "docs" / "check_advisories.py"))


def advisory(name="numpy", versions=(), events=(), **more):
    ranges = [{"type": "ECOSYSTEM", "events": list(events)}] if events else []
    package = {"ecosystem": "PyPI", "name": name}
    affected = [{"package": package, "versions": list(versions), "ranges": ranges}]
    return {"id": "X-1", "summary": "a fault", "affected": affected, **more}


@pytest.mark.parametrize(
    ("record", "version", "affected"),
    [
        (advisory(versions=["2.0"]), "2.0", True),
        (advisory(versions=["2.0"]), "2.0.1", False),
        (advisory(events=[{"introduced": "0"}, {"fixed": "2.1"}]), "2.0", True),
        (advisory(events=[{"introduced": "0"}, {"fixed": "2.1"}]), "2.1", False),
        (advisory(events=[{"introduced": "2.2"}]), "2.1", False),
        (advisory(events=[{"introduced": "1"}, {"last_affected": "2"}]), "2", True),
        (advisory(events=[{"introduced": "1"}, {"last_affected": "2"}]), "2.0.1", False),
        (advisory(events=[{"introduced": "1"}, {"fixed": "1.5"}, {"introduced": "2"}, {"fixed": "2.5"}]), "1.7", False),
        (advisory(events=[{"introduced": "1"}, {"fixed": "1.5"}, {"introduced": "2"}, {"fixed": "2.5"}]), "2.4", True),
        (advisory("NumPy", versions=["2.0"]), "2.0", True),
        (advisory("num_py", versions=["2.0"]), "2.0", False),
    ],
)
def test_which_versions_an_advisory_is_about(record, version, affected):
    assert CHECK["affects"](record, "numpy", version) == affected


def test_the_command(tmp_path, capsys):
    lock = tmp_path / "a.lock"
    lock.write_text("numpy==2.0 \\\n    --hash=sha256:00\nmissing==1 ; python_version < '3.12'\n")
    database = tmp_path / "all.zip"
    assert CHECK["main"](database, [lock]) == 2
    with zipfile.ZipFile(database, "w") as archive:
        archive.writestr("1.json", json.dumps(advisory(versions=["1.9"])))
        archive.writestr("2.json", json.dumps(advisory(versions=["2.0"], withdrawn="2026-01-01T00:00:00Z")))
    assert CHECK["main"](database, [lock]) == 0
    with zipfile.ZipFile(database, "a") as archive:
        archive.writestr("3.json", json.dumps(advisory(versions=["2.0"])))
    capsys.readouterr()
    assert CHECK["main"](database, [lock]) == 1
    assert capsys.readouterr().out.splitlines()[0] == "numpy 2.0: X-1: a fault"


def test_every_package_of_a_lock_is_read():
    for lock in ROOT.glob("*.lock"):
        text = lock.read_text()
        assert len(CHECK["pins"](text)) == sum(line[:1].isalnum() for line in text.splitlines()) > 0
