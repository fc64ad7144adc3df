"""Dumps as they come: kdump-compressed, of LiME and AVML, several raw files, compressed as a whole, damaged."""

import bz2
import gzip
import lzma
import random
import struct
import subprocess
import sys

import cramjam
import numpy as np
import pytest
import zstandard
from drgn import Architecture, Platform, PlatformFlags, Program
from image_files import capture, elf, kdump, lookups, note, prstatus, raw
from lzallright import LZOCompressor

from pgtlab.arch.fetched_memory import FetchedMemory
from pgtlab.arch.read_only_memory import ReadOnlyMemory
from pgtlab.cli import main
from pgtlab.linux.image import Image, ImageError
from pgtlab.linux.images import kdump as kdump_format
from pgtlab.linux.images import vmcore, writing
from pgtlab.linux.images.pieces import Piece, contradiction
from pgtlab.linux.images.writing import PLAIN, ZLIB, Compression

NAME = "4k-va48-max"
GIVEN = {"page_size": "4k", "va_bits": 48, "TTBR1_EL1": 0x4051_8000, "MAIR_EL1": 0}
PAGES = {pa: words.tobytes() for pa, words in capture(NAME)[1].items()}
BASE = 0x4050_0000


def text():
    """The VMCOREINFO of the captured kernel."""
    whole = kdump(NAME)
    return whole[whole.index(b"OSRELEASE") : whole.index(b"CRASHTIME")]


COMPRESSIONS = {
    "plain": PLAIN,
    "zlib": ZLIB,
    "lzo": Compression(2, lambda page: bytes(LZOCompressor().compress(page))),
    "snappy": Compression(4, lambda page: bytes(cramjam.snappy.compress_raw(page))),
    "zstd": Compression(0x20, zstandard.compress),
}


@pytest.fixture
def opened(tmp_path):
    """Open an image of these bytes."""

    def opened(content, name="dump", **given):
        (tmp_path / name).write_bytes(content)
        return Image.open(tmp_path / name, **given)

    return opened


@pytest.fixture(scope="module")
def expected():
    return [str(line) for line in Image.open(f"tests/data/kernel/ptdump/{NAME}").ptdump()]


def agrees(image):
    """The image translates as the machine did, one address after the other and all at once."""
    vas, pas = lookups(NAME, "kernel")
    assert [getattr(image.translate(va).outcome, "pa", None) for va in vas] == pas
    assert image.translate_many(vas).pa.tolist() == [pa or 0 for pa in pas]


@pytest.mark.parametrize("flattened", [False, True])
@pytest.mark.parametrize("name", COMPRESSIONS)
def test_compressed_dumps_need_nothing_but_the_file(opened, expected, name, flattened):
    compression = COMPRESSIONS[name]
    content = writing.kdump(PAGES, text(), compression)
    if name != "plain":
        assert len(content) < len(writing.kdump(PAGES, text(), PLAIN)) // 2
    image = opened(writing.flattened(content, 4096) if flattened else content)
    agrees(image)
    assert image.notes == ()
    assert [str(line) for line in image.ptdump()] == expected
    assert image.mappings()["size"].sum() == Image.open(f"tests/data/kernel/ptdump/{NAME}").mappings()["size"].sum()


@pytest.mark.skipif(sys.platform != "linux", reason="drgn runs on Linux")
@pytest.mark.parametrize("name", COMPRESSIONS)
def test_drgn_reads_the_same_pages(opened, tmp_path, name):
    image = opened(writing.kdump(PAGES, text(), COMPRESSIONS[name]))
    program = Program(Platform(Architecture.AARCH64, PlatformFlags.IS_64_BIT | PlatformFlags.IS_LITTLE_ENDIAN))
    program.set_core_dump(tmp_path / "dump")
    for pa, page in PAGES.items():
        assert program.read(pa, 4096, True) == page == image.memory.read(pa, 512).tobytes()
    assert 0x4051_9000 not in image.memory
    assert 1 << 50 not in image.memory


def test_a_compressed_dump_that_is_cut_off_says_so_and_has_what_is_there(opened):
    content = writing.kdump(PAGES, text())
    image = opened(content[:-20])
    assert image.translate(0xFFFF_8000_8000_0000).outcome.pa == 0x4020_0000
    assert image.notes == (f"cut off: not all of its {len(PAGES)} blocks of memory are in the file",)
    for length in 0x18000, 0x14010, 0x14000:
        assert opened(content[:length]).notes[0].startswith("cut off")


@pytest.mark.parametrize("last", [32767, 32768, 33001, 65535, 65536 + 13])
def test_a_bitmap_of_many_blocks(last, tmp_path):
    """Of a block every block before it counts, so that its descriptor is the one that the dump has for it."""
    frames = [0, 1, 7, 8, 32760, 32767, 32768, 32769, 33000, 65535, last]
    pages = {frame << 12: frame.to_bytes(8, "little") * 512 for frame in frames if frame <= last}
    (tmp_path / "dump").write_bytes(writing.kdump(pages, b""))
    image = kdump_format.read(tmp_path / "dump")
    for pa in pages:
        assert image.memory.read64(pa + 8) == pa >> 12
    for frame in (2, 32766, last - 1, last + 1):
        assert (frame << 12 in image.memory) == (frame << 12 in pages)
    assert image.notes == ()


@pytest.mark.parametrize("last", [13, 32768 + 21])
def test_what_is_in_a_bitmap_beyond_the_last_block_does_not_count(last, tmp_path):
    frames = [0, 5, last // 8 * 8 - 1, last]  # also the last of the byte before
    content = bytearray(writing.kdump({frame << 12: frame.to_bytes(8, "little") * 512 for frame in frames}, b""))
    (size,) = struct.unpack_from("<I", content, 0x1B4)  # of both bitmaps, in blocks
    second = 2 * 4096 + size * 2048
    content[second + last // 8] |= 0xFF << last % 8 + 1 & 0xFF
    content[second + last // 8 + 1 : second + size * 2048] = b"\xff" * (size * 2048 - last // 8 - 1)
    (tmp_path / "dump").write_bytes(content)
    image = kdump_format.read(tmp_path / "dump")
    assert image.notes == ()
    for frame in frames:
        assert image.memory.read64(frame << 12) == frame
    for frame in (last + 1, last + 2, last + 8, last + 300):
        assert frame << 12 not in image.memory


def test_a_flattened_core_dump_is_read_too(opened):
    agrees(opened(writing.flattened(kdump(NAME))))


def test_a_compressed_dump_without_vmcoreinfo_is_searched_for_one(opened):
    """QEMU's: it does not know the machine's name, and its blocks are larger than the kernel's pages."""
    whole = kdump(NAME)
    at = whole.index(b"VMCOREINFO") - 12
    kept = whole[at : whole.index(b"CRASHTIME", at)]
    blocks = {}
    for pa, page in {**PAGES, 0x4700_1000: kept.ljust(4096, b"\0")}.items():
        block = blocks.setdefault(pa & -0x10000, bytearray(0x10000))
        block[pa & 0xFFFF : (pa & 0xFFFF) + 4096] = page
    content = bytearray(writing.kdump({pa: bytes(block) for pa, block in blocks.items()}, b""))
    content[0x110:0x117] = b"Unknown"
    image = opened(content)
    agrees(image)
    assert image.notes == ("VMCOREINFO found in the kernel's own memory",)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda dump: dump[:100], "a compressed dump begins with a header"),
        (lambda dump: dump[:0x110] + b"x86_64\0" + dump[0x117:], "a machine that is 'x86_64'"),
        (lambda dump: dump[:0x1AC] + b"\3" + dump[0x1AD:], "its blocks have 4099 bytes"),
        (lambda dump: dump[:0x100C] + b"\1" + dump[0x100D:], "makedumpfile --reassemble"),
        (lambda dump: dump[:0x1B4] + b"\xff\xff" + dump[0x1B6:], "its bitmap of 65535 blocks is not in it"),
    ],
)
def test_a_compressed_dump_that_cannot_be_read_is_declined(opened, change, reason):
    with pytest.raises(ImageError, match=reason):
        opened(change(writing.kdump(PAGES, text())))


def lime(ranges, magic=b"EMiL", version=1):
    return b"".join(
        struct.pack("<4sIQQQ", magic, version, pa, pa + len(memory) - 1, 0) + memory for pa, memory in ranges
    )


def snappy_frames(memory, plain=False):
    out = b"\xff\x06\0\0sNaPpY"
    for start in range(0, len(memory), 1 << 16):
        piece = memory[start : start + (1 << 16)]
        body = bytes(4) + (piece if plain else bytes(cramjam.snappy.compress_raw(piece)))
        out += bytes([plain]) + len(body).to_bytes(3, "little") + body
    return out


def avml(ranges, *, past=1, plain=False):
    out = b""
    for pa, memory in ranges:
        frames = snappy_frames(memory, plain)
        out += struct.pack("<4sIQQQ", b"AVML", 2, pa, pa + len(memory) - past, 0) + frames
        out += struct.pack("<Q", len(frames))
    return out


def test_lime_and_avml_have_each_range_at_its_address(opened, expected):
    ranges = list(PAGES.items())
    for content in lime(ranges), avml(ranges), avml(ranges, past=0), avml(ranges, plain=True):
        image = opened(content, **GIVEN)
        agrees(image)
        assert [str(line) for line in image.ptdump()] == expected
    cut = opened(lime(ranges)[:-100], **GIVEN)
    assert cut.notes == ("cut off: 100 bytes of its memory are not in the file",)


def test_the_memory_of_lime_and_avml_is_searched_for_vmcoreinfo(opened):
    for write in lime, avml:
        image = opened(write([*PAGES.items(), (0x4700_0000, bytes(8) + note(b"VMCOREINFO", 0, text()) + bytes(4096))]))
        agrees(image)
        assert image.notes == ("VMCOREINFO found in the kernel's own memory",)


def test_damaged_lime_and_avml_are_declined(opened):
    with pytest.raises(ImageError, match="at offset 0x1020 is no header of LiME's"):
        opened(lime([(0, bytes(4096))]) + b"EMiL" + bytes(60))
    for content in avml([(0, bytes(4096))])[:60], avml([(0, bytes(4096))], plain=False).replace(b"\xfe", b"\xff"):
        with pytest.raises(ImageError, match="is damaged"):
            opened(content)


def test_several_raw_files_are_one_machine(tmp_path, capsys):
    pages = capture(NAME)[1]
    halves = [raw({pa: words for pa, words in pages.items() if (pa < 0x4700_0000) == low}) for low in (True, False)]
    (tmp_path / "DDRCS0_0.BIN").write_bytes(halves[0][1])
    (tmp_path / "DDRCS1_0.BIN.gz").write_bytes(gzip.compress(halves[1][1], 1))
    files = [f"{tmp_path}/DDRCS0_0.BIN@{halves[0][0]:#x}", f"{tmp_path}/DDRCS1_0.BIN.gz@{halves[1][0]:#x}"]
    agrees(Image.open(*files, **GIVEN))
    options = ["--page-size", "4k", "--va-bits", "48", "--ttbr1", "0x40518000"]
    for rest in [*options, "0xffff800080000000"], ["0xffff800080000000", *options]:
        assert main(["translate", *files, *rest]) == 0
        assert "PA 0x40200000" in capsys.readouterr().out
    assert main(["tables", *files, *options]) == 0
    for wrong in [files[0], "DDR1"], [f"{tmp_path}/DDRCS0_0.BIN", files[1]], [f"{tmp_path}/none@0x0"]:
        with pytest.raises(ImageError, match=r"FILE@0x40000000|there is no file"):
            Image.open(*wrong, **GIVEN)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "compress"),
    [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress), (".zst", zstandard.compress)],
)
def test_any_image_may_be_compressed_as_a_whole(opened, suffix, compress):
    agrees(opened(compress(kdump(NAME)), f"vmcore{suffix}"))
    cut = opened(compress(random.Random(1).randbytes(5 << 18))[: 1 << 20], f"cut{suffix}", base=0, **GIVEN)
    assert suffix == ".zst" or cut.notes[0].startswith("cut off or damaged: no more than ")
    with pytest.raises(ImageError, match=r"dump\.\w+ cannot be unpacked"):
        opened(compress(kdump(NAME))[:6] + b"\xff" * 100, f"dump{suffix}")
    with pytest.raises(ImageError, match=rf"/dump{suffix} is not an image that pgtlab knows"):
        opened(compress(b"nothing"), f"dump{suffix}")


def test_segments_of_kcore_that_are_not_ram_are_left_out(opened):
    content = bytearray(elf([*PAGES.items(), (0, 1 << 40)], note(b"VMCOREINFO", 0, text())))
    at = 64 + 56 * (len(PAGES) + 1)
    struct.pack_into("<QQQQ", content, at + 8, 0x7FFE_0000_3001, 0xFFFF_8000_8000_0000, (1 << 64) - 1, 1 << 38)
    agrees(opened(content))
    with pytest.raises(ImageError, match=r"a /proc/kcore from before v4\.19"):
        opened(elf([(0, bytes(8)), (0, bytes(8))]))


def test_segments_need_not_be_aligned_alike(opened, expected):
    """A segment at an odd offset in the file, and one at an odd address: whole words of both are there."""
    content = bytearray(elf(list(PAGES.items()), note(b"VMCOREINFO", 0, text())))
    (place,) = struct.unpack_from("<Q", content, 64 + 56 + 8)
    page = content[place : place + 4096]
    struct.pack_into("<Q", content, 64 + 56 + 8, len(content) + 3)
    image = opened(content + bytes(3) + page)
    agrees(image)
    assert [str(line) for line in image.ptdump()] == expected
    odd = opened(elf([(0x1003, bytes(range(64)))]), **GIVEN)
    assert odd.memory.read64(0x1008) == int.from_bytes(bytes(range(5, 13)), "little")


def test_a_contradiction_of_segments_is_told(opened):
    same = opened(elf([(0x1000, bytes(8192)), (0x2000, bytes(4096)), (0x1000, 8192)]), **GIVEN)
    assert same.notes == ()
    different = bytes(0x18) + b"\1" + bytes(4096 - 0x19)
    for loads in (
        [(0x1000, bytes(8192)), (0x2000, different)],
        [(0x2000, different), (0x1000, 8192)],
        [(0x1000, bytes(64)), (0x1000, bytes(8192)), (0x2000, different)],
    ):
        image = opened(elf(loads), **GIVEN)
        assert image.notes == (
            "says twice, and differently, what is at 0x2018: the piece that begins at a lower address counts",
        )
        assert image.memory.read64(0x2018) == 0
    assert "0x2018" in opened(lime([(0x1000, bytes(8192)), (0x2000, different)]), **GIVEN).notes[0]


@pytest.mark.parametrize("where", ["notes", "memory"])
def test_the_vmcoreinfo_that_the_tables_agree_with_counts(opened, where):
    """A crash kernel waits in memory with a VMCOREINFO of its own."""
    stale = text().replace(b"ffff800080318000", b"ffff80008031b000")
    notes = [note(b"VMCOREINFO", 0, stale), note(b"VMCOREINFO", 0, text())]
    if where == "notes":
        image = opened(elf(list(PAGES.items()), b"".join(notes)))
    else:
        image = opened(elf([*PAGES.items(), (0x4700_0000, bytes(64) + notes[1])], prstatus() + notes[0]))
    agrees(image)
    assert image.notes[-1].startswith("the first VMCOREINFO is not of the kernel whose tables are in memory")
    alone = opened(elf(list(PAGES.items()), notes[0]))
    assert "the tables do not map swapper_pg_dir where the kernel says it is" in alone.notes[-1]


UNREAD = {
    b"QEVM\0\0\0\3": "is a saved state of QEMU's.*dump-guest-memory",
    b"LibvirtQemudSave\2": "virsh restore.*virsh dump --memory-only",
    b"\xd2\xbe\xd2\xbe": r"suspended machine of VMware's.*\.vmem",
    b"QFI\xfb": "is a qcow2 disk.*-loadvm",
    bytes(4086) + b"S1SUSPEND\0": "hibernation image.*let the machine resume",
    bytes(65526) + b"S1SUSPEND\0": "hibernation image",
    b"PAGEDU64": "leave out `-w`",
    b"DISKDUMP": "diskdump's",
    bytes(56) + b"ARM\x64": "is a kernel to boot",
}


@pytest.mark.parametrize("head", UNREAD)
def test_formats_that_are_not_read_are_named_with_what_to_do(opened, head):
    with pytest.raises(ImageError, match=UNREAD[head]):
        opened(head + bytes(100))


def test_notes_are_read_once(tmp_path, monkeypatch):
    """Ten thousand headers of one segment of notes, and notes within notes: work goes with the file."""
    read = []
    original = vmcore._notes
    monkeypatch.setattr(vmcore, "_notes", lambda content: read.append(len(content)) or original(content))
    for count in 1000, 2000:
        notes = prstatus() * 100
        headers = [
            struct.pack("<IIQQQQQQ", 4, 0, 64 + 56 * (count + 1) + i % 7, 0, 0, len(notes), 0, 4) for i in range(count)
        ]
        head = bytearray(elf([(0x1000, bytes(8))]))[:64]
        struct.pack_into("<H", head, 56, count + 1)
        load = struct.pack("<IIQQQQQQ", 1, 7, 0, 0, 0x1000, 64, 64, 0)
        content = bytes(head) + b"".join(headers) + load + notes
        (tmp_path / "core").write_bytes(content)
        Image.open(tmp_path / "core", **GIVEN)
        assert sum(read) <= len(content)
        read.clear()


def test_a_contradiction_is_looked_for_once_for_each_byte():
    """Many segments of the same bytes of the file are not compared with each other."""

    class Counted(bytes):
        compared = 0

        def __getitem__(self, place):
            Counted.compared += place.stop - place.start
            return super().__getitem__(place)

    content = Counted(1 << 20)
    assert contradiction([Piece(0x1000, 1 << 20, content)] * 1000) is None
    assert Counted.compared == 0
    assert (
        contradiction([Piece(0x1000, 1 << 20, content), Piece(0x1000, 1 << 20, content, 8)]) == 0x1000 + (1 << 20) - 8
    )


DAMAGE = """
import random, sys, logging
from pathlib import Path
from pgtlab.linux.image import Image, ImageError
good, path = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])
for seed in range(60):
    some = random.Random(seed)
    bad = bytearray(good)
    for _ in range(some.randint(1, 8)):
        bad[some.choice((some.randrange(0x2000), some.randrange(len(bad))))] = some.randrange(256)
    path.write_bytes(bad[: some.choice((len(bad), some.randrange(len(bad))))])
    try:
        image = Image.open(path, page_size="4k", va_bits=48, TTBR1_EL1=0x4051_8000)
        image.translate(0xFFFF_8000_8000_0000)
        len(image.mappings())
    except ImageError as error:
        assert len(str(error).splitlines()) == 1, error
print("none")
"""


def test_damage_to_a_compressed_dump_is_a_sentence(tmp_path):
    """In a process of its own: the libraries that unpack are compiled."""
    (tmp_path / "good").write_bytes(writing.kdump(PAGES, text()))
    program = [sys.executable, "-c", DAMAGE, tmp_path / "good", tmp_path / "bad"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.returncode) == ("none\n", 0), done.stderr[-2000:]


def test_a_file_that_cannot_be_mapped_is_read(tmp_path, monkeypatch):
    """As /proc/kcore."""
    path = tmp_path / "kcore"
    path.write_bytes(np.arange(1024, dtype="<u8").tobytes())
    mapped = Image.open(path, base=BASE, **GIVEN).memory

    def refuse(*_, **__):
        raise OSError(19, "No such device")

    monkeypatch.setattr("pgtlab.linux.images.pieces.mmap.mmap", refuse)
    read = Image.open(path, base=BASE, **GIVEN).memory
    assert isinstance(mapped, ReadOnlyMemory)
    assert isinstance(read, FetchedMemory)
    for memory in mapped, read:
        assert memory.read(BASE + 8, 3).tolist() == [1, 2, 3]
        assert BASE + 8192 not in memory
