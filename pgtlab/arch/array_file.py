"""Reads numpy arrays from `.npy` files and `.npz` archives: no objects, no more than a limit, one error.

numpy's own `load` makes room for what a header claims, evaluates the header as a Python literal, and fails with some
ten kinds of exception. Here the header is compared with what the file has before there is room for the array, and
whatever a damaged file makes numpy, `zipfile` or a decompressor raise is one sentence.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Container
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from pgtlab import limits

MAGIC: Final = b"\x93NUMPY"
ZIP: Final = b"PK\x03\x04"
LONGEST_HEADER: Final = 1 << 14  # bytes; that of an array of numbers has about a hundred


class ArrayFileError(ValueError):
    """A file without the arrays that it should have, or with larger ones than are read."""


def read_array(file: IO[bytes], most: int = limits.ARRAYS) -> NDArray[Any]:
    """The array of a `.npy` file that is open at its beginning.

    Parameters
    ----------
    file : binary file
        It need not be seekable.
    most : int
        Bytes that the array has at most.

    Raises
    ------
    ArrayFileError
        Where the header or the content is damaged, the array has more bytes, or is of Python objects.

    Examples
    --------
    >>> file = io.BytesIO()
    >>> np.save(file, np.array([1, 2, 3], np.uint64))
    >>> _ = file.seek(0)
    >>> read_array(file)
    array([1, 2, 3], dtype=uint64)
    """
    shape, fortran, dtype = _header(file)
    size = _size(shape, dtype)
    if size > most:
        raise ArrayFileError(f"its header says {size} bytes, which is more than {limits.size(most)}")
    try:
        return _content(file, size).view(dtype).reshape(shape, order="F" if fortran else "C")
    except (ValueError, TypeError, MemoryError) as error:
        if isinstance(error, ArrayFileError):
            raise
        raise ArrayFileError(f"its header says {shape} of {dtype}, which numpy cannot make") from None


def read_arrays(path: Path, names: Container[str] | None = None, most: int = limits.ARRAYS) -> dict[str, NDArray[Any]]:
    """The arrays of an `.npz` archive, or of those the ones in `names`.

    Raises
    ------
    ArrayFileError
        Where it is not an archive of arrays, is damaged, or has more bytes in all than `most`.
    OSError
        Where the file itself cannot be read.
    """
    with limits.naming(path), path.open("rb") as file:
        start = file.read(2)
        try:
            if start != ZIP[:2]:
                raise ArrayFileError("it does not begin as one")
            return _arrays(file, names, most)
        except ArrayFileError:
            raise
        except Exception as error:  # a damaged archive fails anywhere in zipfile, zlib, bz2, lzma or struct
            raise ArrayFileError(_one_line(error)) from None


def _arrays(file: IO[bytes], names: Container[str] | None, most: int) -> dict[str, NDArray[Any]]:
    with zipfile.ZipFile(file) as archive:
        entries = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
        wanted = {name: entry for name, entry in entries.items() if names is None or name in names}
        if sum(entry.file_size for entry in wanted.values()) > most:
            raise ArrayFileError(f"its arrays have more than {limits.size(most)}, the most that is read")
        arrays = {}
        for name, entry in wanted.items():
            if entry.flag_bits & 1:
                raise ArrayFileError("it is encrypted: save it with numpy.savez_compressed()")
            with archive.open(entry) as content:
                try:
                    arrays[name] = read_array(content, entry.file_size)
                    if content.read(1):
                        raise ArrayFileError("there is more than its header says")
                except ArrayFileError as error:
                    raise ArrayFileError(f"{entry.filename!r}: {error}") from None
        return arrays


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether the first index varies fastest, and type."""
    start = file.read(len(MAGIC) + 2)
    version = tuple(start[len(MAGIC) :])
    if not start.startswith(MAGIC) or version not in ((1, 0), (2, 0), (3, 0)):
        raise ArrayFileError("it does not begin as a .npy array does")
    size = file.read(2 if version == (1, 0) else 4)
    length = int.from_bytes(size, "little")
    if length > LONGEST_HEADER:
        raise ArrayFileError(f"its header has {length} bytes, and that of an array of numbers about a hundred")
    whole = io.BytesIO(start + size + file.read(length))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's and numpy's, of a header that is hardly one
            npy.read_magic(whole)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, fortran, dtype = read(whole)
            dtype = np.dtype(dtype)
    except Exception as error:  # the header is a Python literal: it fails anywhere in tokenize, ast or numpy
        raise ArrayFileError(f"its header is damaged ({_one_line(error)})") from None
    if dtype.hasobject:
        raise ArrayFileError("it is an array of Python objects, which are not loaded")
    return shape, fortran, dtype


def _size(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    """The bytes of an array; Python's integers do not overflow."""
    size = dtype.itemsize
    for count in shape:
        size *= count
    if not dtype.itemsize or any(count < 0 for count in shape):
        raise ArrayFileError(f"its header says {_short(shape)} of {dtype}")
    return size


def _content(file: IO[bytes], size: int) -> NDArray[np.uint8]:
    """That many bytes. Room that is not written yet takes no memory, so that a header alone claims none."""
    try:
        content = np.empty(size, np.uint8)
    except MemoryError:
        raise ArrayFileError(f"its header says {size} bytes, which is more than there is memory") from None
    done = 0
    while done < size:
        piece = file.read(min(limits.PIECE, size - done))
        if not piece:
            raise ArrayFileError(f"its header says {size} bytes, and there are {done}")
        content[done : done + len(piece)] = np.frombuffer(piece, np.uint8)
        done += len(piece)
    return content


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _one_line(error: BaseException) -> str:
    return _short((str(error).splitlines() or [""])[0] or type(error).__name__)
