"""pgtlab's own image file, and the tables of a capture: a `.npz` archive of numpy arrays.

============  ==============  =====================================================================
array         type            meaning
============  ==============  =====================================================================
`phys`        uint64[n]       physical address of each piece of memory
`data`        uint64[n, m]    its words, where all pieces have m; else
`data`        uint64[total]   the words of all pieces, one after the other, and
`count`       uint64[n]       how many words each has
`TCR_EL1`...  uint64          registers (`contents.REGISTERS`); each may be absent
`kernel`      str             JSON: `page_size`, `va_bits`, `pa_bits`, `linux`, `options`, `kpti`, `cpu`, `release`,
                              `places` (of the kernel's map of memory); may be absent
============  ==============  =====================================================================
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from pgtlab import limits
from pgtlab.arch.array_file import ZIP, ArrayFileError, read_arrays
from pgtlab.arch.memory import U64, Memory, PhysicalAddressError
from pgtlab.arch.read_only_memory import Extent, ReadOnlyMemory
from pgtlab.arch.tables.tree import table_tree
from pgtlab.arch.word import MASK64
from pgtlab.files import write_file
from pgtlab.linux.cpu import CPU, CPUS, CPUError
from pgtlab.linux.images.contents import REGISTERS, Contents, ImageError
from pgtlab.linux.kconfig import Config, ConfigError

if TYPE_CHECKING:
    from pgtlab.linux.image import Image

MAGIC: Final = ZIP
NAMES: Final = {"phys", "data", "count", "kernel", *REGISTERS}


def read(path: Path) -> Contents:
    """The image in `path`.

    Raises
    ------
    ImageError
        Where it is not an archive of that kind, or its arrays do not fit together.
    """
    arrays = load(path)
    registers = {name: _number(path, name, arrays[name]) for name in REGISTERS if name in arrays}
    kernel = _kernel(path, arrays["kernel"]) if "kernel" in arrays else {}
    return Contents(memory(path, arrays), registers, **kernel)


def load(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an archive that an image can have; others are left alone."""
    try:
        return read_arrays(path, NAMES)
    except ArrayFileError as error:
        raise ImageError(f"{path} is not a readable .npz archive: {error}") from None


def memory(path: Path, arrays: dict[str, NDArray[Any]]) -> Memory:
    """The pieces of memory."""
    if "phys" not in arrays or "data" not in arrays:
        raise ImageError(f"{path} has the arrays {', '.join(sorted(arrays)) or 'none'}; an image has phys and data")
    phys, data = (_words(path, name, arrays[name]) for name in ("phys", "data"))
    if "count" in arrays:
        counts = _words(path, "count", arrays["count"])
    elif data.ndim == 2:
        counts = np.full(len(data), data.shape[1], np.uint64)
    else:
        raise ImageError(f"{path}: data is one row of words, so an array count says how many are at each address")
    if phys.ndim != 1 or phys.shape != counts.shape or sum(counts.tolist()) != data.size:
        raise ImageError(
            f"{path}: phys names {phys.size} pieces of memory, data has {data.size} words for "
            f"{counts.size} pieces of {sum(counts.ravel().tolist())}"
        )
    firsts = [0, *np.cumsum(counts, dtype=np.uint64).tolist()]
    pieces = zip(phys.tolist(), firsts, counts.tolist(), strict=False)
    try:
        return ReadOnlyMemory(data.reshape(-1), [Extent(*piece) for piece in pieces if piece[2]])
    except PhysicalAddressError as error:
        raise ImageError(f"{path}: {error}") from None


def _words(path: Path, name: str, array: NDArray[Any]) -> U64:
    if array.dtype.kind not in "ui" or array.dtype.itemsize != 8:
        raise ImageError(f"{path}: {name} is an array of {array.dtype}; an image has uint64")
    return np.ascontiguousarray(array).astype(np.uint64, copy=False)


def _number(path: Path, name: str, array: NDArray[Any]) -> int:
    if array.dtype.kind not in "ui" or array.size != 1:
        raise ImageError(f"{path}: {name} is an array of {array.size} {array.dtype}; a register is one uint64")
    return int(array.reshape(-1)[0]) & MASK64


def _kernel(path: Path, array: NDArray[Any]) -> dict[str, Any]:
    """What `kernel` says, as `Contents` has it."""
    try:
        kernel = limits.json_value(str(array.reshape(-1)[0]))
        options: dict[str, Any] = {str(name): int(value) for name, value in kernel.get("options", {}).items()}
        options["linux"] = str(kernel.get("linux", ""))
        config = (
            Config(kernel["page_size"], kernel["va_bits"], kernel["pa_bits"], **options)
            if "page_size" in kernel
            else None
        )
        cpu = CPU.named(kernel["cpu"]) if kernel.get("cpu") else None
        places = {str(name): int(value) for name, value in kernel.get("places", {}).items()}
        root = {name: places.pop(name) for name in ("swapper_pg_dir",) if name in places}
        release = str(kernel["release"]) if kernel.get("release") else None
        said = {"osrelease": release, "numbers": places, "symbols": root}
        return {"config": config, "cpu": cpu, "kpti": bool(kernel.get("kpti")), **said}
    except (ConfigError, CPUError, limits.NotJSONError) as error:
        raise ImageError(f"{path}: kernel does not say which kernel it was: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError):
        raise ImageError(
            f"{path}: kernel does not say which kernel it was, as an image that pgtlab saved does"
        ) from None


def write(path: Path, image: Image) -> None:
    """Write the tables that the registers of `image` lead to, the registers and the kernel."""
    arrays: dict[str, Any] = {name: np.uint64(value) for name, value in image.registers.items()}
    if image.config is not None:
        config = image.config
        arrays["kernel"] = np.array(
            json.dumps(
                {
                    "page_size": config.page_size,
                    "va_bits": config.va_bits,
                    "pa_bits": config.pa_bits,
                    "linux": config.linux,
                    "options": dict(config.options),
                    "kpti": image.kpti,
                    "release": image.release,
                    "places": image.places,
                    "cpu": image.cpu.name if image.cpu and image.cpu.name in CPUS else None,
                }
            )
        )
    tables: dict[int, U64] = {}
    for upper, root in ((False, "TTBR0_EL1"), (True, "TTBR1_EL1")):
        tree = table_tree(image.mmu, upper=upper, once=True) if image.own_name(root) in image.registers else None
        r = image.mmu.upper if upper else image.mmu.lower
        for table in tree.tables() if tree else ():
            if not table.missing and not table.again:
                words = image.mmu.table_memory.read(table.pa, r.entries(table.level))
                if len(words) > len(tables.get(table.pa, ())):
                    tables[table.pa] = words
    arrays["phys"] = np.array(sorted(tables), np.uint64)
    arrays["count"] = np.array([len(tables[pa]) for pa in sorted(tables)], np.uint64)
    arrays["data"] = np.concatenate([np.zeros(0, np.uint64), *(tables[pa] for pa in sorted(tables))])
    write_file(path, lambda file: np.savez_compressed(file, **arrays))
