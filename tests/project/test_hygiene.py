"""What must be in no file of the repository: where packages come from, and one machine's paths."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = re.compile(
    r"\b(pypi|pythonhosted|npmjs|anaconda|registry\.[\w-]+)\.(org|com|io)\b|--(extra-)?index-url[ =]\S"
)
HOME_PATH = re.compile(r"(?<![\w.$}~-])/(home|root|Users|work|mnt|opt)/\w")


def tracked() -> list[Path]:
    """The text files that git tracks, or skip where there is no git."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not in a git clone")
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()]


def lines_matching(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in tracked()
        if path != Path(__file__).resolve()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_package_registry_is_named():
    assert lines_matching(REGISTRY) == []


def test_no_path_of_one_machine_is_named():
    assert lines_matching(HOME_PATH) == []


def test_the_lock_has_hashes_and_no_addresses():
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    assert " @ " not in lock
    for requirement in lock.replace("\\\n", "").splitlines():
        assert requirement.startswith("#") or "--hash=sha256:" in requirement


def test_no_generated_notebook_is_committed():
    assert [path for path in tracked() if path.suffix == ".ipynb"] == []
