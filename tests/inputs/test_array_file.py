"""Damaged arrays and archives of arrays: one sentence each, and no more memory than there is content."""

import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from pgtlab import limits
from pgtlab.arch.array_file import ArrayFileError, read_array, read_arrays
from pgtlab.arch.cost.trace import TraceError
from pgtlab.arch.cost.trace_file import read_trace
from pgtlab.cli.vectors import VectorFileError, Vectors
from pgtlab.linux.image import Image, ImageError


def npy(header: bytes, version: int = 1, length: int | None = None) -> bytes:
    size = struct.pack("<H" if version == 1 else "<I", len(header) if length is None else length)
    return b"\x93NUMPY" + bytes([version, 0]) + size + header


def header(descr: str = "'<u8'", shape: str = "(3,)", order: str = "False") -> bytes:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}}}\n".encode()


DAMAGED = {
    "eleven bytes": b"\x93NUMPY\x01\x00\x01\x00(",
    "a brace too few": npy(b"{'descr': '<u8', 'shape': (3,"),
    "a name for a value": npy(header(shape="(n,)")),
    "brackets in brackets": npy(b"(" * 9000),
    "a null byte": npy(b"\0" * 64),
    "no version": b"\x93NUMPY",
    "a version of the future": npy(header()).replace(b"Y\1\0", b"Y\x09\0", 1),
    "a header of four GiB": npy(b"{", 2, (1 << 32) - 1),
    "a shape beyond 64 bits": npy(header(shape=f"({1 << 65},)")),
    "a shape beyond memory": npy(header(shape="(9999999999999,)")),
    "a shape whose product overflows": npy(header(shape=f"({1 << 32}, {1 << 32})")),
    "a negative shape": npy(header(shape="(-1,)")),
    "a negative product": npy(header(shape="(-1, -3)")),
    "more digits than Python reads": npy(header(shape=f"({'9' * 5000},)")),
    "a hundred dimensions": npy(header(shape=f"({'1,' * 100})")) + bytes(8),
    "a shape of text": npy(header(shape="'3'")),
    "a shape of floats": npy(header(shape="(3.0,)")),
    "objects": npy(header("'|O'")) + bytes(24),
    "elements of no bytes": npy(header("'|V0'")),
    "a type of that no one knows": npy(header("'<q9'")),
    "a type of two fields with one name": npy(header("[('a', '<u8'), ('a', '<u8')]")),
    "a type that is nested deeply": npy(header("[('a', " * 40 + "'<u8'" + ")]" * 40)),
    "cut off": npy(header()) + bytes(23),
    "nothing after the header": npy(header(shape=f"({limits.ARRAYS // 8},)")),
}


def refused(call) -> str:
    """The sentence with which something is refused."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 - of whatever reader
        call()
    sentence = str(error.value)
    assert sentence
    assert "\n" not in sentence
    assert len(sentence) < 500
    return sentence


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_every_reader_of_arrays_refuses_in_one_sentence(content, tmp_path):
    refused(lambda: read_array(io.BytesIO(content)))
    trace, archive = tmp_path / "trace.npy", tmp_path / "archive.npz"
    trace.write_bytes(content)
    with pytest.raises(TraceError):
        read_trace(trace)
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("va", "phys", "data"):
            file.writestr(f"{name}.npy", content)
    with pytest.raises(VectorFileError):
        Vectors.load(archive)
    with pytest.raises(ImageError):
        Image.open(archive)


def encrypted(content: bytes) -> bytes:
    """An archive whose first entry says that it is encrypted."""
    content = bytearray(content)
    for signature, flags in (b"PK\x03\x04", 6), (b"PK\x01\x02", 8):
        content[content.index(signature) + flags] |= 1
    return bytes(content)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_archive_is_refused_in_one_sentence(method, tmp_path):
    whole, path = io.BytesIO(), tmp_path / "archive.npz"
    with zipfile.ZipFile(whole, "w", method) as file:
        file.writestr("phys.npy", npy(header()) + bytes(24))
    content = whole.getvalue()
    middle = len(content) // 3
    for damage in (
        encrypted(content),
        content[:-30],
        content[:middle],
        content[:middle] + bytes(8) + content[middle + 8 :],
        content.replace(b"phys", b"ph\0\xff"),
        b"PK\x03\x04",
    ):
        path.write_bytes(damage)
        for read in Vectors.load, Image.open:
            refused(lambda read=read: read(path))


def peak_of(call) -> int:
    """The most bytes that a call holds at a time."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_limit_is_compared_before_there_is_room(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "ARRAYS", 1 << 20)
    path = tmp_path / "archive.npz"
    np.savez_compressed(path, phys=np.zeros(1, np.uint64), data=np.zeros(1 << 21, np.uint64))
    assert path.stat().st_size < 1 << 16
    assert peak_of(lambda: refused(lambda: read_arrays(path, most=limits.ARRAYS))) < 1 << 20


def test_arrays_that_an_image_does_not_have_are_not_read(tmp_path):
    path = tmp_path / "image.npz"
    np.savez_compressed(path, phys=np.zeros(1, np.uint64), data=np.zeros((1, 512), np.uint64), other=np.zeros(1 << 20))
    assert peak_of(lambda: Image.open(path, page_size="4k", va_bits=48).memory.read64(0)) < 4 << 20


def test_an_array_is_read_once(tmp_path):
    """What is read takes the room of the array and of a piece, not of a copy."""
    path = tmp_path / "a.npz"
    np.savez(path, a=np.zeros(1 << 21, np.uint64))
    assert peak_of(lambda: read_arrays(path)) < (16 << 20) + 4 * limits.PIECE


@pytest.mark.parametrize("dtype", ["<u8", ">u4", "<i2", "|u1", "<U5", "?", "<f8"])
@pytest.mark.parametrize("order", "CF")
def test_what_numpy_saves_is_read(dtype, order):
    array = np.asarray(np.arange(24).reshape(2, 3, 4), dtype, order=order)
    for some in (array, array[:0], np.array(array[0, 0, 0])):
        file = io.BytesIO()
        np.save(file, some)
        file.seek(0)
        same = read_array(file)
        assert same.dtype == some.dtype
        assert np.array_equal(same, some)


def test_the_error_names_the_array_and_nothing_else_is_lost(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
        file.writestr("a\x1b]0;title\x07.npy", b"x")
    with pytest.raises(ArrayFileError, match=r"'a\\x1b\]0;title\\x07\.npy': it does not begin as a \.npy"):
        read_arrays(tmp_path / "a.npz")
