"""Input without an end, and small input that asks for much: each reader stops at its limit in `pgtlab.limits`."""

import ast
import gzip
import io
import itertools
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgtlab import limits
from pgtlab.arch.cost.trace import TraceError
from pgtlab.arch.cost.trace_file import read_trace, trace_from
from pgtlab.cli import main
from pgtlab.linux.image import Image, ImageError

ROOT = Path(__file__).parents[2]
LEAST = 1 << 16  # what the limits are here, so that a reader that forgets one is soon noticed


class Endless(io.RawIOBase):
    """A device that repeats something for ever; a reader that takes more than `most` of it fails."""

    def __init__(self, content: bytes, most: int) -> None:
        self.content, self.most, self.taken = itertools.cycle(content), most, 0

    def readable(self) -> bool:
        return True

    def readinto(self, room) -> int:
        room[:] = bytes(itertools.islice(self.content, len(room)))
        self.taken += len(room)
        assert self.taken < self.most, "read without an end"
        return len(room)


def endless(content: bytes, most: int = 1 << 23) -> io.BufferedReader:
    return io.BufferedReader(Endless(content, most))


@pytest.fixture(autouse=True)
def low_limits(monkeypatch):
    for name in ("LOG", "SYMBOLS", "SMALL_TEXT", "WORDS_AS_TEXT", "IMAGE_AS_TEXT", "TRACE", "TRACE_AS_TEXT", "PIECE"):
        monkeypatch.setattr(limits, name, LEAST)


@pytest.mark.parametrize("content", [b"\0", b"\n", b"BUG: x\n", b"# a tree\n"])
@pytest.mark.parametrize("command", [["oops", "-"], ["debug-vm-pgtable", "--tree-file", "-"]])
def test_a_log_and_a_tree_file_have_an_end(command, content, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(endless(content)))
    assert main(command) in (2, 128)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "has more than 65536 bytes, which is the most that is read of it" in err


@pytest.mark.parametrize("content", [b"\0", b"1\n", b"#\n", b"\n", b"0x1000\n"])
def test_a_trace_has_an_end(content):
    with pytest.raises(TraceError, match=r"has more than 65536 addresses|has more than 4194304 bytes"):
        trace_from(endless(content, 1 << 24), "standard input")


def test_a_small_gzip_file_does_not_become_a_large_trace(tmp_path):
    path = tmp_path / "trace.gz"
    path.write_bytes(gzip.compress(b"1\n" * (1 << 25)))
    assert path.stat().st_size < 1 << 17
    tracemalloc.start()
    with pytest.raises(TraceError, match="has more than 65536 addresses"):
        read_trace(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 26  # a block of text, and room for its numbers
    tracemalloc.stop()


@pytest.mark.parametrize("word", ["01", "0001", "00000001", "0000000000000001", "0x1"])
@pytest.mark.parametrize("step", ["", "+1", "-1"])
def test_a_few_characters_do_not_become_a_large_memory(word, step, tmp_path):
    path = tmp_path / "image"
    path.write_text(f"@0\n{word}*100000000{step}")
    tracemalloc.start()
    with pytest.raises(ImageError, match="an image as text has 65536 bytes at most"):
        Image.open(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_a_memory_as_text_takes_what_it_says(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "WORDS_AS_TEXT", 1 << 23)
    path = tmp_path / "image"
    for words in (f"01*{1 << 23}", f"01*{1 << 23}+1", f"0x1*{1 << 20}-1", "01 " * 1000 + f"01*{(1 << 23) - 1000}"):
        path.write_text(f"@0\n{words}")
        tracemalloc.start()
        image = Image.open(path, page_size="4k", va_bits=48)
        assert tracemalloc.get_traced_memory()[1] < 3 << 23  # and what a growing array has in reserve
        tracemalloc.stop()
        assert image.memory.read64(0) & 0xFF == 1


def test_a_line_without_an_end_in_an_image(tmp_path):
    (tmp_path / "image").write_text("@0\n" + "1" * (LEAST + 100))
    with pytest.raises(ImageError, match="has more characters than pgtlab reads"):
        Image.open(tmp_path / "image")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no /dev/zero")
@pytest.mark.parametrize("command", [["oops"], ["debug-vm-pgtable", "--tree-file"], ["walk-cost", "--trace"]])
def test_dev_zero(command, capsys):
    assert main([*command, "/dev/zero"]) in (2, 128)
    assert capsys.readouterr().err.count("\n") == 1


#: Modules that read files which came with pgtlab, were written by it, or are an instructor's own.
READ_OUR_OWN = {"sysregs", "exercise", "course", "course_data", "course_text", "chapters", "terms", "progress"}
READ_OUR_OWN |= {
    "course_view",
    "view",
    "classes",
    "course_run",
    "grade",
    "marks",
    "release",
    "roster",
}  # an instructor's
ALL_AT_ONCE = {"read_text", "read_bytes", "fromfile", "loadtxt", "genfromtxt"}


def unlimited(tree: ast.AST) -> Iterator[str]:
    """The calls in a module that read as much as there is."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            text, name = ast.unparse(call), call.func.attr
            whole = name in ALL_AT_ONCE or (name in ("read", "readline", "readlines") and not call.args)
            whole = whole and text != "process.read()"  # a frame of a worker's, whose length `wire` limits
            if whole and not text.startswith(
                ("limits.", "progress.read()", "self.read()", "npz.load(", "Vectors.load(")
            ):
                yield text


@pytest.mark.slow
def test_no_reader_reads_as_much_as_there_is():
    modules = [path for folder in ("pgtlab", "widgets") for path in (ROOT / folder).rglob("*.py")]
    assert [*unlimited(ast.parse("file.read() + path.read_text()"))] == ["file.read()", "path.read_text()"]
    assert {
        str(path.relative_to(ROOT)): calls
        for path in modules
        if path.stem not in READ_OUR_OWN and (calls := [*unlimited(ast.parse(path.read_text()))])
    } == {}
