"""All mappings of a kernel in an image, and many translations: pgtlab beside drgn, which reads the same file.

The images are core dumps of a kernel's tables with 4K pages and 48 bits, and compressed dumps of them, which drgn reads
through libkdumpfile: a real 6.12 kernel with 128 MiB, and tables that map 4 GiB in pages, as with rodata=full. drgn has
no list of mappings: beside it stands the loop that its user would write, which reads a table at a time and looks at
each entry. What it reads of virtual memory it translates itself, in C.

pwndbg's authors say 0.12 s for its scan of all mappings of a kernel: that is their figure, not measured here.

    .venv/bin/python benchmarks/images.py [DUMP]
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from drgn import FaultError, Program

from pgtlab.arch.mapper import Mapper
from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.image import Image
from pgtlab.linux.images import writing
from pgtlab.linux.kconfig import Config

CAPTURE = Path(__file__).parents[1] / "tests/data/kernel/ptdump/4k-va48-max"
LINEAR, RAM = 0xFFFF_0000_0000_0000, 0x4000_0000
ROUNDS = 7


def best(step: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The shortest of several times, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return min(times)


def write_images(folder: Path) -> Iterator[Path]:
    """Each set of tables as a core dump and as a compressed dump."""
    image = Image.open(CAPTURE)
    swapper = image.symbols["swapper_pg_dir"]
    large = large_map(swapper)
    for kind, memory, root in (
        ("128 MiB", image.memory, image.mmu.upper.base),
        ("4 GiB in pages", large.mmu.memory, large.mmu.upper.base),
    ):
        pages = {pa: memory.read(pa, 512).tobytes() for pa in memory.pages}
        said = f"OSRELEASE=6.12.0\nPAGESIZE=4096\nSYMBOL(swapper_pg_dir)={swapper:x}\nNUMBER(VA_BITS)=48\n"
        said += (
            f"NUMBER(kimage_voffset)={swapper - root & (1 << 64) - 1:#x}\nNUMBER(TCR_EL1_T1SZ)=0x10\nKERNELOFFSET=0\n"
        )
        for form, write in ("ELF", writing.elf), ("compressed", writing.kdump):
            path = folder / f"{kind}, {form}"
            path.write_bytes(write(pages, said.encode()))
            yield path


def large_map(swapper: int) -> Mapper:
    """A linear map of 4 GiB in pages, of which some in each 2 MiB are read-only; the tables are in it."""
    mapper = Mapper.in_ram(boot(Config("4k", 48), CPU.named("max")).tcr_el1, base=RAM)
    for start in range(0, 4 << 30, 2 << 20):
        mapper.map_range(LINEAR + start, RAM + start, 64 << 10, blocks=False, contiguous=False, AP=2, PXN=1, UXN=1)
        rest = start + (64 << 10)
        mapper.map_range(
            LINEAR + rest, RAM + rest, (2 << 20) - (64 << 10), blocks=False, contiguous=False, PXN=1, UXN=1
        )
    mapper.map_range(swapper, mapper.mmu.upper.base, 4096, PXN=1, UXN=1)
    return mapper


def scan_with_drgn(program: Program, image: Image) -> int:
    """How many leaves the tables have, in a loop over drgn's reads."""
    r, leaves = image.mmu.upper, 0
    stack = [(r.start_level, r.base)]
    while stack:
        level, table = stack.pop()
        try:
            content = program.read(table, 8 * r.entries(level), True)
        except FaultError:
            continue
        for word in memoryview(content).cast("Q"):
            if word & 3 == 3 and level < 3:
                stack.append((level + 1, r.format.packing.unpack(word, r.granule.shift)))
            elif word & 1:
                leaves += 1
    return leaves


def compare(path: Path) -> None:
    """Print the times for one file."""
    image, program = Image.open(path), Program()
    program.set_core_dump(path)
    count = len(image.mappings())
    opened = best(lambda: Image.open(path))
    scan, dump = best(lambda: image.mappings()), best(lambda: list(image.ptdump()))
    peer = best(lambda: scan_with_drgn(program, image), 3)
    print(f"{path.name}: {count} mappings")
    print(f"  open                        {opened * 1e3:8.2f} ms")
    print(f"  open and scan all mappings  {(opened + scan) * 1e3:8.2f} ms")
    print(
        f"  scan all mappings           {scan * 1e3:8.2f} ms   drgn, a loop over tables {peer * 1e3:8.2f} ms: "
        f"{peer / scan:.1f} times"
    )
    print(f"  ptdump, all lines           {dump * 1e3:8.2f} ms")
    pages = [LINEAR + pa - RAM for pa in image_pages(image)]
    vas = [va for va in pages if _reads(program, va)] * 20
    if not vas:
        return
    addresses = np.array(vas, np.uint64)
    image.translate_many(addresses)
    ours = best(lambda: image.translate_many(addresses))
    theirs = best(lambda: [program.read_u64(va) for va in vas], 3)
    print(
        f"  {len(vas)} translations".ljust(30)
        + f"{ours * 1e3:8.2f} ms   drgn, as many reads      {theirs * 1e3:8.2f} ms: {theirs / ours:.1f} times"
    )


def image_pages(image: Image) -> list[int]:
    """The pages of the image whose contents are tables, by what was read of them."""
    tree = image.tree()
    return sorted({table.pa for table in tree.tables() if not table.missing} if tree else ())


def _reads(program: Program, va: int) -> bool:
    try:
        program.read_u64(va)
    except FaultError:
        return False
    return True


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for path in [Path(sys.argv[1])] if sys.argv[1:] else write_images(Path(folder)):
            compare(path)
