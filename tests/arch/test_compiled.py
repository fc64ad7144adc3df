"""Compiled loops are compiled again when what they were made from has changed."""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pgtlab
from pgtlab.arch import compiled as compiled_module

PROGRAM = """
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import TCR_EL1
mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
mapper.map_range(0x1000, 0x8000, 0x1000)
print(int(mapper.mmu.translate_many([0x1000]).fault[0]))
"""


@pytest.mark.long
def test_a_change_in_another_file_is_seen(tmp_path):
    """The compiled loop is given the status codes of `fault`: change these, and the answer changes."""
    package = tmp_path / "pgtlab"
    shutil.copytree(Path(pgtlab.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}

    def fault(address):
        program = PROGRAM.replace("[0x1000]", f"[{address}]")
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, cwd=tmp_path, check=True, capture_output=True, text=True
        )
        return int(done.stdout)

    assert fault(0x2000) == 0b000111
    source = package / "arch" / "fault.py"
    source.write_text(source.read_text().replace("TRANSLATION = 0b000100", "TRANSLATION = 0b110000"))
    assert fault(0x2000) == 0b110011


# The cache: compiled code is kept where that is possible, and runs where it is not.


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A module with a compiled function, in a folder of its own."""
    monkeypatch.syspath_prepend(tmp_path)
    name = f"looped_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(
        "from pgtlab.arch.compiled import compiled\n@compiled\ndef twice(n):\n    return 2 * n\n"
    )
    yield lambda: importlib.reload(sys.modules[name]) if name in sys.modules else importlib.import_module(name)
    del sys.modules[name]


def kept(folder):
    return sorted(path for path in (folder / "__pycache__").glob("*.nb[ic]"))


def test_what_is_compiled_is_kept(source, tmp_path):
    assert source().twice(21) == 42
    assert len(kept(tmp_path)) == 2
    again = source().twice
    assert again(21) == 42
    assert sum(again.stats.cache_hits.values()) == 1


def test_without_a_folder_to_keep_it_in(source, tmp_path, monkeypatch):
    """As for another user, with an installation that cannot be written and no home."""
    monkeypatch.setattr("numba.core.caching.CacheImpl._locator_classes", [])
    assert source().twice(21) == 42
    assert kept(tmp_path) == []


@pytest.mark.parametrize("damage", [b"", b"\x80", b"not a pickle", bytes(100)])
@pytest.mark.parametrize("which", [0, 1])
def test_with_a_cache_that_is_damaged(source, tmp_path, damage, which):
    source().twice(21)
    kept(tmp_path)[which].write_bytes(damage)
    for _ in range(3):
        again = source().twice
        assert again(21) == 42
    assert sum(again.stats.cache_hits.values()) == 1, "the cache is made again"


def test_with_a_full_disk(source, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numba.core.caching.IndexDataCacheFile._open_for_write", full)
    assert source().twice(21) == 42


def test_numba_is_asked_in_one_place():
    root = Path(compiled_module.__file__).parents[1]
    asking = {path.name for path in root.rglob("*.py") if "njit(" in path.read_text() or "@njit" in path.read_text()}
    assert asking == {"compiled.py"}
