"""Compiled loops are compiled again when what they were made from has changed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pgtlab

PROGRAM = """
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import TCR_EL1
mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
mapper.map_range(0x1000, 0x8000, 0x1000)
print(int(mapper.mmu.translate_many([0x1000]).fault[0]))
"""


@pytest.mark.slow
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
