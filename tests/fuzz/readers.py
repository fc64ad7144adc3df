"""Every reader of pgtlab: what it is given in a test, and how it reads that to the end."""

from __future__ import annotations

import gzip
import io
import json
import struct
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path

import image_files
import numpy as np
from image_files import PTDUMP

from pgtlab import CPU, Config, boot
from pgtlab.arch.cost.trace_file import read_trace
from pgtlab.cli import main
from pgtlab.cli.oops import log_text
from pgtlab.cli.vectors import Vectors
from pgtlab.lab.history import read_tree
from pgtlab.lab.progress import Progress
from pgtlab.linux import oops
from pgtlab.linux.address import parse_address
from pgtlab.linux.image import Image
from pgtlab.linux.share import Share
from pgtlab.linux.words import esr, pte, va

DATA = Path(__file__).parents[1] / "data"
NAME = "4k-va48-max"
Read = Callable[[bytes, Path], object]


@dataclass(frozen=True)
class Reader:
    """A reader.

    Attributes
    ----------
    read : callable
        Reads an input, which it may write into a file in a folder.
    samples : callable
        Whole inputs.
    told : bool
        Whether it tells of a damaged input in a way of its own, so that it raises nothing.
    """

    read: Read
    samples: Callable[[Path], Sequence[bytes]]
    told: bool = False


READERS: dict[str, Reader] = {}


def reader(samples: Callable[[Path], Sequence[bytes]], *, told: bool = False) -> Callable[[Read], Read]:
    """Add a reader, named after its function."""

    def add(read: Read) -> Read:
        READERS[read.__name__] = Reader(read, cache(samples), told)
        return read

    return add


def written(content: bytes, folder: Path, name: str = "input") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


# Traces and recorded translations.


def some_traces(folder: Path) -> Sequence[bytes]:
    lines = b"".join(b"%#x  # an access\n%d\n" % (va, va) for va in range(0x1000, 0x20000, 0x1000))
    file = io.BytesIO()
    np.save(file, np.arange(100, dtype=np.uint64))
    return lines, file.getvalue(), gzip.compress(lines), gzip.compress(file.getvalue())


@reader(some_traces)
def trace(content: bytes, folder: Path) -> object:
    return read_trace(written(content, folder))


def some_vectors(folder: Path) -> Sequence[bytes]:
    return [(DATA / "mmu" / name).read_bytes() for name in ("specification_at.npz", "specification_exec.npz")]


@reader(some_vectors)
def vectors(content: bytes, folder: Path) -> object:
    return [*Vectors.load(written(content, folder)).images()]


# Images of memory.


@cache
def pages() -> dict[int, np.ndarray]:
    """The first tables of a captured kernel: few, since every input is read to the end."""
    return dict(islice(image_files.capture(NAME)[1].items(), 4))


def look_at(image: Image) -> object:
    """What a user does with an image: the tables that the root leads to may be anything."""
    answers = [repr(image), image.notes]
    for look in (
        lambda: image.translate(0xFFFF_8000_8000_0000),
        lambda: image.mappings(),
        lambda: image.boot,
        lambda: list(islice(image.ptdump(), 20)),
    ):
        try:
            answers.append(look())
        except ValueError as error:
            answers.append(sentence(error))
    return answers


GIVEN = {"page_size": "4k", "va_bits": 48}


def root() -> int:
    return int(image_files.capture(NAME)[0]["el1_stop"]["TTBR1_EL1"], 16)


def some_archives(folder: Path) -> Sequence[bytes]:
    small = Image.open(written(image_files.text(pages()).encode(), folder), **GIVEN, TTBR1_EL1=min(pages()))
    small.save(folder / "whole.npz")
    whole = (folder / "whole.npz").read_bytes()
    file = io.BytesIO()
    np.savez(file, phys=np.array([0x1000], np.uint64), data=np.zeros((1, 512), np.uint64), TCR_EL1=np.uint64(0x19))
    return whole, file.getvalue()


@reader(some_archives)
def image_npz(content: bytes, folder: Path) -> object:
    return look_at(Image.open(written(content, folder)))


def some_texts(folder: Path) -> Sequence[bytes]:
    named = b"# a table\n@REG(TCR_EL1)\n500003510\n@VALUE(swapper_pg_dir)\nffff800081000000\n@0x1000\n0x2003*4+1000\n"
    return image_files.text({pa: words[:64] for pa, words in pages().items()}).encode(), named


@reader(some_texts)
def image_text(content: bytes, folder: Path) -> object:
    return look_at(Image.open(written(content, folder), **GIVEN, TTBR1_EL1=0x1000))


def some_dumps(folder: Path) -> Sequence[bytes]:
    loads = [(pa, words.tobytes()[:512]) for pa, words in pages().items()]
    return image_files.kdump(NAME, loads), image_files.elf([(0x4000_0000, 8192)], image_files.prstatus())


@reader(some_dumps)
def image_elf(content: bytes, folder: Path) -> object:
    return look_at(Image.open(written(content, folder), **GIVEN, TTBR1_EL1=min(pages())))


def some_packed(folder: Path) -> Sequence[bytes]:
    return [gzip.compress(sample) for sample in (*some_texts(folder), some_dumps(folder)[0])]


@reader(some_packed)
def image_packed(content: bytes, folder: Path) -> object:
    return look_at(Image.open(written(content, folder), **GIVEN, TTBR1_EL1=min(pages())))


def lime(ranges: Iterable[tuple[int, bytes]]) -> bytes:
    """A dump of LiME's: a header before each range of memory."""
    return b"".join(struct.pack("<4sIQQQ", b"EMiL", 1, pa, pa + len(memory) - 1, 0) + memory for pa, memory in ranges)


@reader(lambda folder: [lime((pa, words.tobytes()) for pa, words in pages().items())])
def image_lime(content: bytes, folder: Path) -> object:
    return look_at(Image.open(written(content, folder), **GIVEN, TTBR1_EL1=min(pages())))


@reader(lambda folder: [words.tobytes() for words in pages().values()])
def image_raw(content: bytes, folder: Path) -> object:
    return look_at(Image.open(written(content, folder), base=min(pages()), **GIVEN, TTBR1_EL1=min(pages())))


@cache
def some_registers(folder: Path) -> Sequence[bytes]:
    tables = io.BytesIO()
    np.savez(tables, phys=np.array(list(pages()), np.uint64), data=np.stack(list(pages().values())))
    written(tables.getvalue(), folder, "tables.npz")
    return [(PTDUMP / NAME / "regs.json").read_bytes()]


@reader(some_registers)
def registers_of_a_capture(content: bytes, folder: Path) -> object:
    (folder / "kallsyms.txt").unlink(missing_ok=True)
    return look_at(Image.open(written(content, folder, "regs.json").parent))


@reader(lambda folder: [b"ffff800080000000 T _text\nffff800081000000 D swapper_pg_dir\n0 t x [module]\n" * 5])
def symbols_of_a_capture(content: bytes, folder: Path) -> object:
    written(some_registers(folder)[0], folder, "regs.json")
    written(content, folder, "kallsyms.txt")
    return Image.open(folder).symbols


# Logs.


def some_logs(folder: Path) -> Sequence[bytes]:
    names = ("seed/next-20240229.log", "oops/syzkaller/report-655.log", "oops/syzkaller/report-45.log")
    logs = [(DATA / name).read_bytes()[:6000] for name in names]
    return *logs, b"".join(b"> <4>Mar  1 12:00:00 host kernel: " + line + b"\r\n" for line in logs[0].splitlines())


@reader(some_logs)
def log(content: bytes, folder: Path) -> object:
    read = oops.read(text(content))
    return str(read), json.dumps(read.as_dict())


def packed_logs(folder: Path) -> Sequence[bytes]:
    import bz2
    import lzma

    whole = some_logs(folder)[0][:3000]
    return gzip.compress(whole), bz2.compress(whole), lzma.compress(whole), whole.decode().encode("utf-16")


@reader(packed_logs)
def log_file(content: bytes, folder: Path) -> object:
    return oops.read(log_text(str(written(content, folder))))


# Trees, words and the command line.


@reader(lambda folder: [b"fold-puds  # arm64\ndump-folio\n", b"# nothing\n\nfold-puds\n# dump-folio\n"])
def tree_file(content: bytes, folder: Path) -> object:
    return read_tree(text(content), "tree.txt")


WORDS = (
    b"ffff800081000000",
    b"VMEMMAP_START + 0x1000",
    b"0x96000004",
    b"_text-8",
    b"PAGE_END",
    b"68000040000f07",
    b"-1",
)


@reader(lambda folder: WORDS)
def word(content: bytes, folder: Path) -> object:
    booted = boot(Config("16k", 52), CPU.named("max"))
    for read in (esr, pte, va, lambda word: parse_address(word, booted)):
        try:
            str(read(text(content)))
        except ValueError as error:
            sentence(error)
    return None


@reader(lambda folder: (b"pgtlab://16k/52/lpa2/VMEMMAP_START", b"pgtlab://4k/48/pa48/max/0xffff800000000000"))
def share_string(content: bytes, folder: Path) -> object:
    return str(Share.parse(text(content)))


LINES = (
    b"esr\x000x96000004", b"va\x00PAGE_END\x00--page-size\x0016k\x00--va-bits\x0052", b"pte\x0068000040000f07\x00--svg",
    b"config\x00--json", b"trees", b"show\x00fold-puds", b"bugs\x00fold-puds", b"exam\x003", b"oops\x00/nonexistent",
    b"translate\x00/nonexistent\x000\x00--base\x000x1000", b"debug-vm-pgtable\x00--tree-file\x00/nonexistent",
)  # fmt: skip


@reader(lambda folder: LINES, told=True)
def command_line(content: bytes, folder: Path) -> object:
    words = text(content).replace("\n", " ").split("\0")
    if words[0] in ("lab", "bisect-repo", "matrix", "walk-cost", "debug-vm-pgtable") and "/nonexistent" not in words:
        return None  # these write files, open a port or compute for long
    return command(*words)


def command(*words: str | Path) -> int:
    """The exit status of the command, which says what is wrong in lines without control characters."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            status = main([str(word) for word in words])
        except SystemExit as exit:
            status = int(exit.code or 0)
    assert status in (0, 1, 2, 128), status
    said = err.getvalue()
    assert (status in (2, 128)) <= bool(said)
    assert (out.getvalue() + said).replace("\n", "").replace("\t", "").isprintable() or not said
    assert "Traceback" not in said
    return status


# What the notebooks keep.


@reader(lambda folder: [b'{"reader": "1f", "exercises": {"03": 0.5}, "answers": []}'], told=True)
def progress(content: bytes, folder: Path) -> object:
    path = written(content, folder, "progress.json")
    read = Progress(path)
    read.read()
    for aside in folder.glob("progress-damaged*"):
        aside.unlink()
    return read


def sentence(error: BaseException) -> str:
    """What a reader says of an input that it refuses: one sentence, not too long."""
    said = str(error)
    assert said.strip(), repr(error)
    assert "\n" not in said.strip(), said
    assert len(said) < 1000, said
    return said


@dataclass
class Counts:
    """What became of some inputs."""

    accepted: int = 0
    refused: int = 0
    failed: list[tuple[int, bytes, BaseException]] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.accepted:8}{self.refused:9}{len(self.failed):8}"


def outcome(reader: Reader, content: bytes, folder: Path) -> str:
    """`accepted` or `refused`, in one sentence; whatever else happens is raised."""
    try:
        reader.read(content, folder)
    except ValueError as error:
        sentence(error)
        if reader.told:
            raise AssertionError("it tells of damage in a way of its own") from error
        return "refused"
    return "accepted"
