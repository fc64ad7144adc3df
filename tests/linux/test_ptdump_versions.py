"""The dump of each version: what kernels printed of their map of memory at boot, columns, markers, memory types."""

import re

import pytest
from image_files import elf, note

from pgtlab.arch.mapper import Mapper
from pgtlab.arch.memory import Memory, words_known
from pgtlab.arch.mmu import MMU
from pgtlab.arch.read_only_memory import Extent, ReadOnlyMemory
from pgtlab.arch.registers import MAIR_EL1
from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.image import Image
from pgtlab.linux.images.derive import MAIR_OF_5_10, OLD_MAIR
from pgtlab.linux.kconfig import Config, configurations
from pgtlab.linux.ptdump import Marker, ptdump
from pgtlab.linux.ptdump.versions import form_of, markers_of, places
from pgtlab.linux.registers import MAIR_EL1_SET

# "Virtual kernel memory layout", as kernels of these versions print it at boot.
LAYOUTS = {
    (4, 4, 39): """
        vmalloc : 0xffffff8000000000 - 0xffffffbdbfff0000   (   246 GB)
        vmemmap : 0xffffffbdc0000000 - 0xffffffbfc0000000   (     8 GB maximum)
        fixed   : 0xffffffbffa7fd000 - 0xffffffbffac00000   (  4108 KB)
        PCI I/O : 0xffffffbffae00000 - 0xffffffbffbe00000   (    16 MB)
        modules : 0xffffffbffc000000 - 0xffffffc000000000   (    64 MB)""",
    (4, 6, 39): """
        modules : 0xffffff8000000000 - 0xffffff8008000000   (   128 MB)
        vmalloc : 0xffffff8008000000 - 0xffffffbdbfff0000   (   246 GB)
        vmemmap : 0xffffffbdc0000000 - 0xffffffbfc0000000   (     8 GB maximum)
        fixed   : 0xffffffbffe7fd000 - 0xffffffbffec00000   (  4108 KB)
        PCI I/O : 0xffffffbffee00000 - 0xffffffbfffe00000   (    16 MB)""",
    (4, 9, 48): """
        modules : 0xffff000000000000 - 0xffff000008000000   (   128 MB)
        vmalloc : 0xffff000008000000 - 0xffff7dffbfff0000   (129022 GB)
        fixed   : 0xffff7dfffe7fd000 - 0xffff7dfffec00000   (  4108 KB)
        PCI I/O : 0xffff7dfffee00000 - 0xffff7dffffe00000   (    16 MB)
        vmemmap : 0xffff7e0000000000 - 0xffff800000000000   (  2048 GB maximum)""",
}
NAMES = {
    "vmalloc": ("VMALLOC_START", "VMALLOC_END"),
    "vmemmap": ("VMEMMAP_START", "VMEMMAP_END"),
    "fixed": ("FIXADDR_START", "FIXADDR_TOP"),
    "PCI I/O": ("PCI_IO_START", "PCI_IO_END"),
    "modules": ("MODULES_VADDR", "MODULES_END"),
}
VERSIONS = ((4, 4), (4, 5), (4, 6), (4, 14), (4, 19), (5, 0), (5, 4), (5, 6), (5, 10), (5, 15), (6, 0), (6, 1), (6, 6))


def kernel(page_size="4k", va_bits=48):
    return boot(Config(page_size, va_bits), CPU.named("max"))


@pytest.mark.parametrize("version", LAYOUTS, ids=str)
def test_the_map_of_memory_is_what_kernels_print_at_boot(version):
    *version, va_bits = version
    where = places(tuple(version), kernel(va_bits=va_bits), {})
    for name, start, end in re.findall(r"(\S.*?) +: (0x\w+) - (0x\w+)", LAYOUTS[*version, va_bits]):
        assert [where[place] for place in NAMES[name]] == [int(start, 16), int(end, 16)], name


def test_a_vendor_that_took_the_layout_of_a_later_version_is_recognised():
    """Android's 4.4 has the layout of v4.6: its image is in the lower half of the kernel's addresses."""
    booted = kernel(va_bits=39)
    assert places((4, 4), booted, {"swapper_pg_dir": 0xFFFF_FF80_0912_0000}) == places((4, 6), booted, {})
    assert places((4, 18), booted, {"swapper_pg_dir": 0xFFFF_FFC0_1012_0000}) == places((5, 4), booted, {})


def test_parts_of_the_map_are_in_order_in_every_version_and_configuration():
    for config in configurations():
        booted = boot(config, CPU.named("max"))
        for version in VERSIONS:
            if config.va_bits == 52 and (version < (5, 4) or config.page_size != 1 << 16):  # 4K and 16K: v6.9
                continue
            if config.va_bits == 36 and version < (
                4,
                7,
            ):  # the memmap, were it whole, would reach into the modules' area
                continue
            starts = [start for start, _ in markers_of(version, booted, {})]
            assert starts == sorted(starts), (config, version)


def test_numbers_of_vmcoreinfo_count_before_the_table():
    where = places((5, 15), kernel(), {"MODULES_VADDR": 0x1000, "VA_BITS": 48})
    assert where["MODULES_VADDR"] == 0x1000
    assert "VA_BITS" not in where


def test_memory_types_are_named_by_what_mair_makes_of_them():
    names = {
        (OLD_MAIR, (4, 14)): ["DEVICE/nGnRnE", "DEVICE/nGnRE", "DEVICE/GRE", "MEM/NORMAL-NC", "MEM/NORMAL"],
        (MAIR_OF_5_10, (5, 10)): [
            *("MEM/NORMAL", "MEM/NORMAL-TAGGED", "MEM/NORMAL-NC", None),
            *("DEVICE/nGnRnE", "DEVICE/nGnRE", "DEVICE/GRE"),
        ],
        (MAIR_EL1_SET, (6, 12)): [
            *("MEM/NORMAL", "MEM/NORMAL-TAGGED", "MEM/NORMAL-NC", "DEVICE/nGnRnE", "DEVICE/nGnRE")
        ],
        (MAIR_EL1(0x4_0044_F0FF), (6, 12)): ["MEM/NORMAL", "MEM/NORMAL-TAGGED", "MEM/NORMAL-NC", "DEVICE/nGnRnE"],
    }
    for (mair, version), expected in names.items():
        form = form_of(version, Config(), mair)
        for index, name in enumerate(expected):
            found = [bits.set for bits in form.bits if bits.mask == 7 << 2 and bits.val == index << 2]
            assert found == ([] if name is None else [name]), (version, index)


def lines(version, booted, mair=OLD_MAIR):
    """The dump of a page in the linear map and one of device memory beside it."""
    mapper = Mapper.in_ram(booted.tcr_el1, mair=mair)
    base = places(version, booted, {})["PAGE_OFFSET"]
    mapper.map_range(base, 0x8000_0000, booted.config.page_size, AttrIndx=4, UXN=1)
    mapper.map_range(base + (1 << 30), 0x9_0000, booted.config.page_size, AttrIndx=1, PXN=1, nG=1)
    release = ".".join(map(str, version)) + ".1"
    return [str(line) for line in ptdump(mapper.mmu, booted, release=release)]


def test_lines_are_those_of_the_version():
    old = lines((4, 14), kernel())
    assert old[:2] == ["---[ Modules start ]---", "---[ Modules end ]---"]
    assert old[-2:] == [
        "0xffff800000000000-0xffff800000001000           4K PTE       RW x  SHD AF            UXN MEM/NORMAL",
        "0xffff800040000000-0xffff800040001000           4K PTE       RW NX SHD AF NG         DEVICE/nGnRE",
    ]
    assert lines((4, 4), kernel())[-1] == (
        "0xffff800040000000-0xffff800040001000           4K     RW NX SHD AF NG         DEVICE/nGnRE"
    )
    flipped = lines((5, 4), kernel())
    assert flipped[0] == "---[ Linear Mapping start ]---"
    assert flipped[2].endswith("RW NX SHD AF NG         DEVICE/nGnRE")
    assert len(flipped) < len(lines((5, 6), kernel()))  # which prints holes too
    assert "---[ BPF start ]---" in lines((5, 10), kernel())
    assert "---[ BPF start ]---" not in lines((5, 4), kernel()) + lines((5, 16), kernel())


def test_a_folded_level_has_the_name_of_the_one_above_before_v6_9():
    for version, name in ((5, 4), "PGD"), ((6, 6), "PGD"), ((6, 9), "PMD"):
        booted = kernel("64k", 42)
        mapper = Mapper.in_ram(booted.tcr_el1)
        base = places(version, booted, {})["PAGE_OFFSET"]
        mapper.map_range(base, 0, 1 << 29)
        release = ".".join(map(str, version))
        assert f" 512M {name} " in next(
            str(line) for line in ptdump(mapper.mmu, booted, release=release) if "AF" in str(line)
        )


def test_what_is_invalid_and_no_table_is_a_block_before_v6_15():
    for release, block in ("6.12", True), ("6.15", False):
        mapper = Mapper.in_ram(kernel().tcr_el1)
        va = 0xFFFF_0000_0000_0000
        mapper.map_range(va, 0x8000_0000, 4096)
        entry = mapper.mmu.translate(va).steps[-1]
        mapper.mmu.memory.write64(entry.address, entry.descriptor.value & ~3)
        line = next(str(line) for line in ptdump(mapper.mmu, kernel(), release=release) if " F " in str(line))
        assert ("BLK" in line) == block


def dumped(tmp_path, version, booted, mapper, swapper):
    """A core dump of the tables, as a kernel of that version would describe itself."""
    said = f"OSRELEASE={version}\nPAGESIZE={booted.config.page_size}\nNUMBER(VA_BITS)={booted.config.va_bits}\n"
    said += f"SYMBOL(swapper_pg_dir)={swapper:x}\nNUMBER(kimage_voffset)={swapper - mapper.mmu.upper.base:#x}\n"
    memory = mapper.mmu.memory
    pages = [(pa, memory.read(pa, booted.config.page_size // 8).tobytes()) for pa in memory.pages]
    (tmp_path / version).write_bytes(elf(pages, note(b"VMCOREINFO", 0, said.encode())))
    return Image.open(tmp_path / version)


@pytest.mark.parametrize(
    ("version", "index", "mair"), [("4.14.0", 4, OLD_MAIR), ("5.10.1", 0, MAIR_OF_5_10), ("6.6.0", 0, MAIR_EL1_SET)]
)
def test_an_image_is_dumped_as_its_own_kernel_would(tmp_path, version, index, mair):
    booted = kernel()
    mapper = Mapper.in_ram(booted.tcr_el1)
    old = version.startswith("4")
    swapper = 0xFFFF_0000_0912_0000 if old else 0xFFFF_8000_1012_0000
    mapper.map_range(swapper, mapper.mmu.upper.base, 4096, AttrIndx=index, nG=1)
    image = dumped(tmp_path, version, booted, mapper, swapper)
    assert (image.release, image.registers["MAIR_EL1"], image.kpti) == (version, mair.value, True)
    lines = list(image.ptdump())
    (mapped,) = (line for line in lines if not isinstance(line, Marker) and line.prot)
    assert mapped.attributes[-1] == "MEM/NORMAL"
    assert "NG" in mapped.attributes
    image.save(tmp_path / "saved.npz")
    saved = Image.open(tmp_path / "saved.npz")
    assert (saved.release, list(saved.ptdump())) == (version, lines)
    assert image.address("PAGE_OFFSET") == (0xFFFF_8000_0000_0000 if old else 0xFFFF_0000_0000_0000)
    assert Image.open(tmp_path / version, release="6.12").address("PAGE_OFFSET") == 0xFFFF_0000_0000_0000 or old


def test_an_old_kernel_that_does_not_say_its_release_is_noted(tmp_path):
    booted = kernel()
    mapper = Mapper.in_ram(booted.tcr_el1)
    mapper.map_range(0xFFFF_0000_0912_0000, mapper.mmu.upper.base, 4096, AttrIndx=4)
    memory = mapper.mmu.memory
    (tmp_path / "core").write_bytes(elf([(pa, memory.read(pa, 512).tobytes()) for pa in memory.pages]))
    given = {"page_size": "4k", "va_bits": 48, "TTBR1_EL1": mapper.mmu.upper.base}
    assert "its kernel is older than v5.10" in Image.open(tmp_path / "core", **given).notes[0]
    told = Image.open(tmp_path / "core", release="4.14", **given)
    assert (told.notes, str(next(told.ptdump()))) == ((), "---[ Modules start ]---")


def test_physical_addresses_end_a_region_where_they_do_not_go_on(tmp_path):
    booted = kernel()
    mapper = Mapper.in_ram(booted.tcr_el1)
    va = 0xFFFF_0000_0000_0000
    mapper.map_range(va, 0x9000_0000, 8192)
    mapper.map_range(va + 8192, 0x8000_0000, 4096)
    plain, with_pa = (
        [line for line in ptdump(mapper.mmu, booted, pa=pa) if not isinstance(line, Marker)] for pa in (0, 1)
    )
    assert (plain[0].size, plain[0].pa) == (12288, None)
    assert [(line.size, line.pa) for line in with_pa[:2]] == [(8192, 0x9000_0000), (4096, 0x8000_0000)]
    assert str(with_pa[1]).startswith("0xffff000000002000-0xffff000000003000 PA 0x000080000000           4K PTE ")
    assert with_pa[0].as_dict()["pa"] == "0x000090000000"
    assert [line.end for line in plain][-1] == with_pa[-1].end


def test_the_part_of_a_table_that_is_in_memory_is_read():
    """Half of a root table: the other half is not said to be empty."""
    image = Image.open("tests/data/kernel/ptdump/4k-va48-max")
    root = image.mmu.upper.base
    memory = ReadOnlyMemory(image.memory.read(root, 256), [Extent(root, 0, 256)])
    assert words_known(memory, root, 512).tolist() == [True] * 256 + [False] * 256
    assert words_known(Memory(root, 4096, 12), root, 4).all()
    mmu = MMU(memory, image.mmu.tcr, ttbr1=image.mmu.ttbr1, mair=image.mmu.mair, pa_range=image.mmu.pa_range)
    lines = [line for line in ptdump(mmu, image.boot) if not isinstance(line, Marker)]
    assert all(line.prot is None for line in lines if line.start >= 0xFFFF_8000_0000_0000)
    assert lines[-1].prot is None


@pytest.mark.parametrize(("version", "linux"), [("6.1.0-50-cloud-arm64", "6.1"), ("6.12.117", ""), ("5.10.1", "")])
def test_the_constants_of_an_image_are_those_of_its_version(tmp_path, version, linux):
    booted = kernel()
    mapper = Mapper.in_ram(booted.tcr_el1)
    swapper = 0xFFFF_8000_1012_0000
    mapper.map_range(swapper, mapper.mmu.upper.base, 4096)
    image = dumped(tmp_path, version, booted, mapper, swapper)
    assert image.config == Config("4k", 48, linux=linux)
    if linux:
        assert image.address("VMEMMAP_START") == Config(linux=linux).constants.VMEMMAP_START
