"""ELF core dumps of a machine: kdump's, by what VMCOREINFO says alone, and QEMU's, which has none."""

import struct
import subprocess
import sys

import numpy as np
import pytest
from image_files import CAPTURES, RAM, capture, elf, kdump, lookups, note, prstatus, vmcoreinfo

from pgtlab.arch.mapper import Mapper
from pgtlab.arch.memory import Memory
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import TTBR1_EL1, PARange
from pgtlab.arch.translations import Translations
from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.image import Image, ImageError
from pgtlab.linux.kconfig import Config
from pgtlab.linux.ptdump import Marker

KERNEL = RAM + 0x20_0000  # where the image is loaded


@pytest.fixture
def opened(tmp_path):
    """Open a core dump of these bytes."""

    def opened(content, **given):
        path = tmp_path / f"vmcore{len(list(tmp_path.iterdir()))}"  # one that is mapped must stay as it is
        path.write_bytes(content)
        return Image.open(path, **given)

    return opened


@pytest.mark.parametrize("name", CAPTURES)
def test_kdump_needs_nothing_but_the_file(opened, name):
    image, (regs, _) = opened(kdump(name)), capture(name)
    vas, expected = lookups(name, "kernel")
    walks = [image.translate(va) for va in vas]
    assert [getattr(walk.outcome, "pa", None) for walk in walks] == expected
    assert not Translations.of(walks).differs(image.translate_many(vas)).any()
    assert image.boot.vabits_actual == regs["runtime_va_bits"]
    assert image.mmu.upper.base == int(regs["roots"]["TTBR1_EL1 (EL1 stop)"], 16)
    assert image.notes == ()


def test_the_markers_of_a_dump_are_where_vmcoreinfo_says(opened):
    """Before v6.5 the modules' area had 128 MiB: MODULES_END as Debian's 6.1.187 says it."""
    image = opened(kdump("4k-va48-max", MODULES_VADDR=0xFFFF_8000_0000_0000, MODULES_END=0xFFFF_8000_0800_0000))
    assert image.notes == ()
    assert image.address("MODULES_END") == 0xFFFF_8000_0800_0000
    assert Marker(0xFFFF_8000_0800_0000, "Modules end") in list(image.ptdump())
    same = kdump("4k-va48-max", MODULES_END=0xFFFF_8000_8000_0000, VMEMMAP_START=0xFFFF_FDFF_C000_0000)
    assert opened(same).notes == ()


def test_the_process_of_a_kdump_is_read_with_its_ttbr0(opened):
    regs, _ = capture("4k-va48-max")
    vas, expected = lookups("4k-va48-max", "user")
    image = opened(kdump("4k-va48-max"), TTBR0_EL1=int(regs["roots"]["TTBR0_EL1"], 16))
    assert [getattr(image.translate(va, el=0).outcome, "pa", None) for va in vas] == expected
    with pytest.raises(ImageError, match="give TTBR0_EL1"):
        opened(kdump("4k-va48-max")).translate(0x40_0000)


KASLR = [
    ("4k", 48, "max", 48),
    ("4k", 39, "cortex-a72", 39),
    ("4k", 52, "max", 52),
    ("4k", 52, "neoverse-n1", 48),
    ("16k", 52, "max,lpa2=off", 47),
    ("16k", 36, "max", 36),
    ("64k", 52, "cortex-a72", 48),
    ("64k", 42, "max", 42),
]


@pytest.mark.slow
@pytest.mark.parametrize(("page_size", "va_bits", "cpu", "actual"), KASLR)
def test_a_kernel_that_kaslr_moved_is_found_by_its_offset(opened, page_size, va_bits, cpu, actual):
    """The image is anywhere: by KERNELOFFSET in virtual, by the loader in physical memory."""
    booted = boot(Config(page_size, va_bits), CPU.named(cpu))
    k, kaslr = booted.config.constants, 0x1234 << 21
    assert booted.vabits_actual == actual
    kimage = k.KIMAGE_VADDR + kaslr
    swapper = KERNEL + 0x40_0000
    offset = kimage - KERNEL
    first = swapper
    if actual < va_bits and not booted.config.ARM64_LPA2:
        first += k.TTBR1_BADDR_4852_OFFSET
    memory = Memory(RAM, 64 << 20, booted.config.granule.shift)
    free = iter(range(RAM + (32 << 20), RAM + (64 << 20), booted.config.page_size))
    mapper = Mapper(MMU(memory, booted.tcr_el1, ttbr1=TTBR1_EL1(first), pa_range=PARange.PA48), free)
    mapper.map_range(kimage, KERNEL, 16 << 20)
    mapper.map_range((1 << 64) - (1 << actual), RAM, 64 << 20)
    content = b"".join(memory.read(pa, 512).tobytes() for pa in range(RAM, RAM + (64 << 20), 4096))
    text = (KERNEL, content[KERNEL - RAM :][: 16 << 20])  # kdump has the kernel's image twice
    said = vmcoreinfo(
        PAGESIZE=booted.config.page_size,
        swapper_pg_dir=swapper + offset,
        KERNELOFFSET=kaslr,
        VA_BITS=va_bits,
        MAX_PHYSMEM_BITS=booted.constants.MAX_PHYSMEM_BITS,
        kimage_voffset=offset,
        TCR_EL1_T1SZ=64 - actual,
    )
    image = opened(elf([text, (RAM, content)], note(b"VMCOREINFO", 0, said)))
    assert (image.boot.vabits_actual, image.boot.folded) == (actual, booted.folded)
    assert image.numbers["KERNELOFFSET"] == kaslr
    assert image.config == booted.config
    assert image.mmu.upper.base == first
    assert image.notes == ()
    vas = np.arange(kimage, kimage + (16 << 20), 0x1008, dtype=np.uint64)
    assert np.array_equal(image.translate_many(vas).pa, vas - np.uint64(offset & (1 << 64) - 1))
    assert image.mappings()["size"].sum() == 80 << 20


def test_addresses_beyond_48_bits_are_found(opened):
    """A swapper_pg_dir above 2**48 has its upper bits in TTBR1_EL1's lowest."""
    base = 0x4_0000_0000_0000
    regs, pages = capture("64k-va52-max")
    root = int(regs["symbols_phys"]["swapper_pg_dir"], 16)
    image = opened(
        kdump(
            "64k-va52-max",
            [(base + root, pages[root].tobytes())],
            kimage_voffset=-base % (1 << 64),
            swapper_pg_dir=root,
        )
    )
    assert image.mmu.upper.base == base + root


def test_a_dump_of_qemu_finds_the_kernels_own_note_in_memory(opened):
    """QEMU has no VMCOREINFO without its device; the kernel keeps the note for kdump, at any address."""
    content = kdump("4k-va48-max")
    regs, pages = capture("4k-va48-max")
    at = content.index(b"VMCOREINFO") - 12
    kept = (bytes(0x1238) + content[at : content.index(b"CRASHTIME", at)]).ljust(8192, b"\0")
    loads = [*((pa, words.tobytes()) for pa, words in pages.items()), (0x4800_0000, kept)]
    image = opened(elf(loads, prstatus(), align=4))
    vas, expected = lookups("4k-va48-max", "kernel")
    assert [getattr(image.translate(va).outcome, "pa", None) for va in vas] == expected
    assert image.notes == ("VMCOREINFO found in the kernel's own memory",)
    roots = {"TTBR1_EL1": int(regs["roots"]["TTBR1_EL1 (EL1 stop)"], 16)}
    given = opened(elf(loads, prstatus()), page_size="4k", va_bits=48, **roots)
    assert given.notes == ()  # nothing was searched for
    assert np.array_equal(given.translate_many(vas).pa, image.translate_many(vas).pa)


def test_a_dump_without_registers_or_note_asks_for_them(opened):
    with pytest.raises(ImageError, match="give page_size and va_bits"):
        opened(elf([(RAM, bytes(4096))], prstatus()))


def test_pages_of_zeros_that_were_left_out_read_as_zeros(opened):
    """makedumpfile writes a page of zeros as a segment with nothing in the file: a table there maps nothing."""
    root = np.zeros(512, np.uint64)
    root[0] = RAM + 0x1000 | 3
    image = opened(
        elf([(RAM, root.tobytes()), (RAM + 0x1000, 4096)]), page_size="4k", va_bits=39, TTBR1_EL1=RAM, TTBR0_EL1=RAM
    )
    for va in 0, (1 << 64) - (1 << 39):
        walk = image.translate(va)
        assert (walk.outcome.level, len(walk.steps), walk.steps[-1].descriptor.value) == (2, 2, 0)
        assert not Translations.of([walk]).differs(image.translate_many([va])).any()
    assert len(image.mappings()) == 0
    assert RAM + 0x1FF8 in image.memory
    assert RAM + 0x2000 not in image.memory


@pytest.mark.parametrize("length", [4095, 2048, 7, 0])
def test_a_dump_that_is_cut_off_says_so_and_has_what_is_there(opened, length):
    content = elf([(RAM, bytes(4096)), (RAM + 0x1000, b"\1" * 4096)])
    image = opened(content[: len(content) - 4096 + length], page_size="4k", va_bits=48, TTBR1_EL1=RAM, MAIR_EL1=0)
    assert image.notes == (f"cut off: {4096 - length} bytes of its memory are not in the file",)
    assert image.memory.extents[-1] == (RAM, image.memory.extents[-1].first, 512 + length // 8)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (elf([(0, bytes(8))], machine=62), "64-bit little-endian EM_X86_64 ET_CORE; the core dump of an arm64 machine"),
        (elf([(0, bytes(8))], kind=2), "EM_AARCH64 ET_EXEC; the core dump of an arm64 machine is"),
        (elf([]), "has no memory"),
        (elf([(0, bytes(8)), (0, bytes(8))]), "is the core dump of a process"),
        (elf([(0, bytes(8))], phnum=0xFFFE), "is damaged: 65534 program headers of 56 bytes are not in it"),
        (elf([(1 << 52, bytes(8))]), "1 words at 0x10000000000000: words are at multiples of 8, below 2"),
        (b"\x7fELF", "is not a readable ELF file"),
        (kdump("4k-va48-max", VA_BITS=40), "no arm64 kernel is what the image says it is: VA_BITS=40 with 4k pages"),
    ],
)
def test_what_is_no_core_dump_of_an_arm64_machine_is_declined(opened, content, reason):
    with pytest.raises(ImageError, match=reason):
        opened(content)


def test_tables_that_contradict_vmcoreinfo_are_noted(opened):
    image = opened(kdump("4k-va48-max", [(RAM, bytes(4096))]))
    assert "the tables do not map swapper_pg_dir where the kernel says it is" in image.notes[0]


def test_four_gibibytes_open_in_little_memory(tmp_path):
    """A sparse core dump of 4 GiB, opened and translated in a process that may not have as much memory."""
    path, size, (_, pages) = tmp_path / "vmcore", 4 << 30, capture("4k-va48-max")
    head = bytearray(kdump("4k-va48-max", [(RAM, bytes(8))]))
    struct.pack_into("<QQ", head, 64 + 56 + 32, size, size)  # p_filesz and p_memsz of the second program header
    start = len(head) - 8
    with path.open("wb") as file:
        file.write(head)
        for pa, words in pages.items():
            file.seek(start + pa - RAM)
            file.write(words.tobytes())
        file.truncate(start + size)
    va, pa = lookups("4k-va48-max", "kernel")[0][5], lookups("4k-va48-max", "kernel")[1][5]
    program = f"""
import resource
import pgtlab.linux.image as image, pgtlab.arch.many.walk_many
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
opened = image.Image.open({str(path)!r})
assert getattr(opened.translate({va:#x}).outcome, "pa", None) == {pa}
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 32 << 10  # KiB
