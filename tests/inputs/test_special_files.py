"""Files that are not files, that change while they are read, and names that cannot be one: a sentence, and status 2."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from pgtlab.arch.cost.trace_file import read_trace
from pgtlab.cli import main
from pgtlab.cli.vectors import Vectors
from pgtlab.linux.image import Image, ImageError
from pgtlab.linux.images import writing
from pgtlab.linux.ptdump.versions import version_in

ROOT = Path(__file__).parents[2]
CAPTURE = ROOT / "tests/data/kernel/ptdump/4k-va48-max"
RAM = 0x4000_0000
KERNEL = {"page_size": "4k", "va_bits": 48}

#: Every command that reads a file: the words before its name, and those behind it.
COMMANDS = {
    "log": (["oops"], []),
    "tree file": (["debug-vm-pgtable", "--tree-file"], []),
    "trace": (["walk-cost", "--trace"], []),
    "vectors": (["verify-mmu"], []),
    "image": (["ptdump"], []),
    "image to translate": (["translate"], ["0xffff800080000000"]),
    "image of tables": (["tables"], []),
    "raw memory": (["tables"], ["--base", "0x40000000", "--page-size", "4k", "--va-bits", "48"]),
    "symbols": (["ptdump", str(CAPTURE), "--symbols"], []),
    "debug information": (["ptdump", str(CAPTURE), "--pid", "1", "--debug-info"], []),
    "submissions": (["grade", "--out", "/nowhere/marks.csv"], []),
    "roster": (["grade", ".", "--out", "/nowhere/marks.csv", "--roster"], []),
    "workbench": (["lab", "--no-server"], []),
    "repository": (["bisect-repo"], []),
    "zoo": (["zoo"], []),
}
READ = {name: COMMANDS[name] for name in COMMANDS if name not in ("workbench", "repository", "zoo")}
every_reader = pytest.mark.parametrize("command", READ)
every_command = pytest.mark.parametrize("command", COMMANDS)


def refused(command, file, capsys) -> str:
    """What the command says of a file that it cannot use: one line."""
    before, after = COMMANDS[command]
    status = main([*before, file, *after])
    out, err = capsys.readouterr()
    assert (status, out, err.count("\n")) == (128 if "--tree-file" in before else 2, "", 1), err
    assert err.startswith("pgtlab: ")
    assert len(err) < 600
    return err


@every_command
def test_a_name_that_is_too_long(command, capsys):
    assert "aaa" in refused(command, f"/{'a' * 5000}", capsys)


@every_command
@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"], ids=["NUL", "half a character"])
def test_a_name_that_no_file_can_have(command, name, capsys):
    """A shell cannot give a NUL; a program that calls `main()` can."""
    said = refused(command, name, capsys)
    assert "embedded" not in said
    assert "codec" not in said


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="without /proc")
@every_reader
def test_a_file_of_the_system_that_cannot_be_read(command, capsys):
    refused(command, "/proc/self/mem", capsys)


@every_reader
def test_a_socket(command, tmp_path, capsys):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        refused(command, str(path), capsys)


@pytest.mark.parametrize(
    "command",
    [
        name
        for name in READ
        if name not in ("image", "image to translate", "image of tables", "raw memory", "submissions")
    ],
)
def test_a_folder(command, tmp_path, capsys):
    refused(command, str(tmp_path), capsys)


@every_command
@pytest.mark.parametrize("name", ["loop", "loop/a"])
def test_links_that_lead_to_themselves(command, name, tmp_path, capsys):
    (tmp_path / "loop").symlink_to("loop")
    refused(command, str(tmp_path / name), capsys)


def test_marks_under_a_link_that_leads_to_itself(tmp_path, capsys):
    (tmp_path / "loop").symlink_to("loop")
    assert main(["grade", str(tmp_path), "--out", str(tmp_path / "loop")]) == 2
    assert capsys.readouterr().err == f"pgtlab: {tmp_path / 'loop'}: Too many levels of symbolic links\n"


@pytest.fixture
def pipe(tmp_path):
    """A named pipe into which something writes whatever it is given."""
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def write(content: bytes) -> str:
        def fill() -> None:
            with path.open("wb") as file:
                file.write(content)

        threading.Thread(target=fill, daemon=True).start()
        return str(path)

    return write


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="without pipes")
class TestPipes:
    def test_what_is_read_from_the_beginning_to_the_end_may_come_through_a_pipe(self, pipe, capsys):
        """As from `<(zcat trace.gz)` in a shell."""
        assert main(["oops", pipe((ROOT / "tests/data/seed/next-20240229.log").read_bytes())]) == 0
        assert main(["debug-vm-pgtable", "--tree-file", pipe(b"fold-puds\n")]) == 1
        assert main(["ptdump", str(CAPTURE), "--symbols", pipe(b"ffff800080000000 T _text\n")]) == 0
        assert np.array_equal(read_trace(pipe(b"0x1000\n0x2000\n")), [0x1000, 0x2000])

    @pytest.mark.parametrize("command", ["image", "image to translate", "image of tables", "raw memory"])
    def test_an_image_may_not(self, command, tmp_path, capsys):
        """It is said at once: nothing waits for somebody who writes into it."""
        os.mkfifo(tmp_path / "pipe")
        said = refused(command, str(tmp_path / "pipe"), capsys)
        assert "is a pipe, and an image is read here and there: save it as a file first" in said

    def test_nor_a_part_of_raw_memory(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(ImageError, match="is a pipe"):
            Image.open(f"{tmp_path / 'pipe'}@0x40000000", **KERNEL)


def test_a_device_is_not_an_image(capsys):
    assert "is a device, and an image is read here and there" in refused("image", "/dev/null", capsys)


def test_standard_input_that_is_empty_for_a_moment():
    """Another program has set the pipe so that a read does not wait: what comes later is read too."""
    reads, writes = os.pipe()
    os.set_blocking(reads, False)
    log = (ROOT / "tests/data/seed/next-20240229.log").read_bytes()
    with os.fdopen(writes, "wb") as pipe:
        command = [sys.executable, "-m", "pgtlab", "oops"]
        done = subprocess.Popen(
            command, stdin=reads, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
        )
        os.close(reads)
        pipe.write(log[:1000])
        pipe.flush()
        # It has nothing to read now.
        pipe.write(log[1000:])
    out, err = done.communicate()
    assert (err, done.returncode) == ("", 0)
    assert "3. Panic" in out


def test_standard_input_that_is_for_writing(tmp_path):
    with (tmp_path / "out").open("wb") as file:
        command = [sys.executable, "-m", "pgtlab", "oops"]
        done = subprocess.run(command, stdin=file, capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout, done.returncode) == ("", 2)
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("pgtlab: ")


# A file that becomes shorter. A look at a mapped page that is not in the file any more ends a process (SIGBUS).


def dump(kind: str, folder: Path) -> tuple[Path, dict[str, object]]:
    """An image of some megabytes, and what is to be given to open it."""
    whole = Image.open(CAPTURE)
    pages = {pa: whole.memory.read(pa, 512).tobytes() for pa in whole.memory.pages}
    registers = {name: whole.registers[name] for name in ("TCR_EL1", "TTBR0_EL1", "TTBR1_EL1", "MAIR_EL1", "SCTLR_EL1")}
    path = folder / kind
    if kind == "ELF":
        path.write_bytes(writing.elf(pages, b""))
    elif kind == "compressed":
        path.write_bytes(writing.kdump(pages, b""))
    else:
        with path.open("wb") as file:
            for pa, content in pages.items():
                file.seek(pa - RAM)
                file.write(content)
    more = {"base": RAM} if kind == "raw" else {}
    return path, {**KERNEL, **registers, **more}


@pytest.mark.parametrize(("kind", "left"), [("ELF", 0), ("ELF", 8192), ("raw", 100), ("compressed", 8192)])
def test_a_file_that_becomes_shorter_is_told_of(kind, left, tmp_path):
    code = f"""
import os
from pgtlab.linux.image import Image, ImageError
path, given = {str(tmp_path / kind)!r}, {dump(kind, tmp_path)[1]!r}
images = [Image.open(path, **given) for _ in range(6)]
images[0].translate(0xffff800080000000)
os.truncate(path, {left})
for step in (
    lambda image: image.translate(0xffff800080000000),
    lambda image: image.translate_many([0xffff800080000000, 0]),
    lambda image: image.mappings(),
    lambda image: image.tree(),
    lambda image: [*image.ptdump()],
    lambda image: [image.memory.read64(pa) for pa in range(image.mmu.upper.base, image.mmu.upper.base + (1 << 16), 8)],
):
    try:
        step(images.pop())
    except ImageError as error:
        assert "bytes when it was opened, and has {left} now" in str(error), error
        print("told")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout.split(), done.returncode) == (["told"] * 6, 0), done.stderr[-2000:]


@pytest.mark.parametrize("read", [Image.open, Vectors.load, read_trace], ids=["image", "vectors", "trace"])
@pytest.mark.parametrize("name", ["a\0b", "a\ud800b", "a" * 5000], ids=["NUL", "half a character", "long"])
def test_names_that_no_file_can_have_in_python(read, name):
    with pytest.raises((ValueError, OSError)) as error:
        read(name)
    assert "embedded" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--seconds", "nan"], "'nan' is not a time"),
        (["--seconds", "inf"], "'inf' is not a time"),
        (["--seconds", "-1"], "'-1' is not a time"),
        (["--jobs", "-5"], "'-5' is not a number of processes"),
        (["--jobs", "9" * 5000], "is not a number of processes"),
        (["--late", "nan"], "'nan' is not a share"),
        (["--out", "/"], "--out / is a folder: name the file of marks, such as /marks.csv"),
        (["--out", "/proc/self/exe/marks.csv"], "/proc/self/exe/marks.csv: Not a directory"),
        (["--out", "."], "--out . is a folder: name the file of marks, such as marks.csv"),
    ],
)
def test_what_grading_cannot_do_is_said_before_it_begins(options, told, tmp_path, capsys):
    assert main(["grade", str(tmp_path), "--out", str(tmp_path / "marks.csv"), *options]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "release", ["banana", "6", "6.", "-1.2", "", "\u0666.\u0669", f"{'9' * 5000}.1", f"6.{'9' * 5000}"]
)
def test_a_release_that_is_none(release, tmp_path):
    with pytest.raises(ImageError, match=r"does not begin with a version, as 6\.9 and 4"):
        Image.open(CAPTURE, release=release)


def test_a_release_in_an_image_that_is_none(tmp_path):
    """As in a VMCOREINFO that was made to do harm: the image opens, as one of a kernel whose release is not known."""
    path, given = dump("ELF", tmp_path)
    pages = {RAM: bytes(4096)}
    path.write_bytes(writing.elf(pages, f"OSRELEASE={'9' * 5000}.1\nPAGESIZE=4096\n".encode()))
    image = Image.open(path, **given)
    assert version_in(image.release) is None
    assert [*image.ptdump()]
