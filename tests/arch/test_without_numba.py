"""Where numba is missing, numpy translates many addresses, and what needs numba says how to get it."""

import subprocess
import sys

import numpy as np

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
for needs_numba in lambda: simulate(mapper.mmu, [0x1000]), lambda: read_trace(sys.argv[2]):
    try:
        needs_numba()
    except ImportError as error:
        print(error)
"""


def test_translate_many_falls_back_to_numpy(tmp_path):
    arguments = [sys.executable, "-c", PROGRAM, tmp_path / "found.npy", tmp_path / "trace"]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "counting what a trace costs needs numba: pip install 'pgtlab[fast]'",
        "a trace as text needs numba: pip install 'pgtlab[fast]'",
    ]
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
    mapper.map_range(0x1F_E000, 0x7F_E000, 0x40_4000)
    compiled = mapper.mmu.translate_many(np.arange(0, 1 << 24, 0x800, np.uint64))
    with_numpy = np.load(tmp_path / "found.npy")
    assert (with_numpy == np.stack([array.astype(np.uint64) for array in compiled.arrays])).all()
    assert compiled.ok.any()
    assert not compiled.ok.all()
