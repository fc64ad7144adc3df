"""The C programs that benchmarks compare with: compiled with the system's `cc -O2`, called in this process."""

import ctypes
import subprocess
import tempfile
from pathlib import Path

import numpy as np


def compiled(name: str) -> ctypes.CDLL:
    """The functions of `name`.c, from this folder."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / f"{name}.so"
        source = Path(__file__).with_name(f"{name}.c")
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, source], check=True)
        return ctypes.CDLL(str(library))


def pointer(array: np.ndarray) -> ctypes.c_void_p:
    """The array's memory, for a C function; the caller keeps the array alive."""
    assert array.flags.c_contiguous
    return ctypes.c_void_p(array.ctypes.data)
