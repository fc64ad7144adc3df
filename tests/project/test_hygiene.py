"""What must be in no file of the repository: where packages come from, and one machine's paths."""

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = re.compile(
    r"\b(pypi|pythonhosted|npmjs|anaconda|registry\.[\w-]+)\.(org|com|io)\b|--(extra-)?index-url[ =]\S"
)
#: Words that no sentence of this project needs: ordinary English says it in another way. In the name of a test an
#: underscore stands for a space.
ODD_PHRASES = [
    "ha(s|ve|d)(n't| not) got",
    "has it not",
    "to be had",
    "put by",
    "anew",
    "whoever",
    "nor any more",
    "for fear of",
    "mend(s|ed)?",
    "taken? at (its|their|his) word",
    "g(ave|iv(e|es|en|ing)) ([a-z]+ )?away",
    "(?<!there )(is|are|was) no (address|bug|commit|entry|error|file|fix|folder|kernel|leaf|level|notebook)",
    "(?<!there )(is|are|was) no (number|option|page|port|register|table|tag|tree)",
]
ODD_WORDS = re.compile(
    r"(?<![^\W_])(" + "|".join(ODD_PHRASES).replace(" ", "[ _]") + r")(?![^\W_])",
    re.IGNORECASE,
)
HOME_PATH = re.compile(r"(?<![\w.$}~-])/(home|root|Users|work|mnt|opt)/(?!tljh/)\w")


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
    lines = lines_matching(HOME_PATH)
    assert [line for line in lines if not line.startswith("tests/data/schemas/")] == [], "schemas are others'"


def test_the_words_are_plain():
    """In names of tests too, whose words an underscore parts. Recorded data keeps its own words."""
    assert [line for line in lines_matching(ODD_WORDS) if not line.startswith("tests/data/")] == []


@pytest.mark.parametrize(
    ("text", "odd"),
    [
        ("a level that it has not got", True),
        ("def test_a_reader_that_left_is_no_error", True),
        ("the module is made anew", True),
        ("there is no table", False),
        ("recommended", False),
    ],
)
def test_the_words_are_found(text, odd):
    assert bool(ODD_WORDS.search(text)) == odd


LOCKS = [
    "requirements.lock",
    "pip.lock",
    "tests/fuzz/requirements.lock",
    "lite/requirements.lock",
    "lite/browser.lock",
    "deploy/jupyterhub/requirements.lock",
    "tests/nbgrader/requirements.lock",
]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_hashes_and_no_addresses(name):
    lock = (ROOT / name).read_text()
    assert "://" not in lock
    assert " @ " not in lock
    for requirement in lock.replace("\\\n", "").splitlines():
        assert requirement.startswith("#") or "--hash=sha256:" in requirement


def test_npms_lock_has_hashes_and_no_addresses():
    text = (ROOT / "lite/deno.lock").read_text()
    assert "://" not in text
    assert all(package["integrity"].startswith("sha512-") for package in json.loads(text)["npm"].values())


def test_the_lock_of_the_hubs_proxy_has_hashes_and_no_addresses():
    packages = json.loads((ROOT / "deploy/jupyterhub/package-lock.json").read_text())["packages"]
    assert packages.pop("")["dependencies"].keys() == {"configurable-http-proxy"}
    for package in packages.values():
        assert package["integrity"].startswith("sha512-")
        assert "resolved" not in package


def test_no_generated_notebook_is_committed():
    assert [path for path in tracked() if path.suffix == ".ipynb"] == []
