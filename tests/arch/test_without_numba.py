"""Where numba is missing, numpy translates many addresses, and Python counts what a trace costs and reads its text."""

import subprocess
import sys

import numpy as np

from pgtlab.arch.cost.walk_cost import simulate
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import TCR_EL1

PROGRAM = """
import sys
sys.modules["numba"] = None  # an import of it fails as if it were not installed
import numpy as np
from pgtlab.arch.cost.trace_file import read_trace
from pgtlab.arch.cost.walk_cost import simulate
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import TCR_EL1
mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
mapper.map_range(0x1f_e000, 0x7f_e000, 0x40_4000)
found = mapper.mmu.translate_many(np.arange(0, 1 << 24, 0x800, np.uint64))
np.save(sys.argv[1], np.stack([array.astype(np.uint64) for array in found.arrays]))
with open(sys.argv[2], "w") as file:
    file.write("0x1000")
print(read_trace(sys.argv[2]))
print(simulate(mapper.mmu, np.arange(0, 1 << 21, 0x800), windows=3))
"""


def test_the_same_answers_as_with_numba(tmp_path):
    arguments = [sys.executable, "-c", PROGRAM, tmp_path / "found.npy", tmp_path / "trace"]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
    mapper.map_range(0x1F_E000, 0x7F_E000, 0x40_4000)
    cost = simulate(mapper.mmu, np.arange(0, 1 << 21, 0x800), windows=3)
    assert cost.faults
    assert cost.walks > cost.faults
    assert done.stdout.splitlines() == ["[4096]", str(cost)]
    compiled = mapper.mmu.translate_many(np.arange(0, 1 << 24, 0x800, np.uint64))
    with_numpy = np.load(tmp_path / "found.npy")
    assert (with_numpy == np.stack([array.astype(np.uint64) for array in compiled.arrays])).all()
    assert compiled.ok.any()
    assert not compiled.ok.all()
