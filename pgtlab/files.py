"""Writes files whole or not at all: aside, in the same folder, and then in one step under their name.

A full disk or an interrupt leaves what was there before, and never half a file.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

_BINARY: Final = getattr(os, "O_BINARY", 0)  # of Windows


def write_file(
    path: Path, content: bytes | Callable[[BinaryIO], object], *, replace: bool = True, mode: int | None = None
) -> None:
    """Write a file into a folder that exists.

    A link is followed. A device or a pipe is written as it is.

    Parameters
    ----------
    path : Path
        Its name.
    content : bytes or callable
        What it has in it, or a function that writes that to an open file.
    replace : bool
        Whether a file of that name is replaced.
    mode : int, optional
        Its permissions. By default they are those of the file that is replaced, and of a new file what the user's umask
        says.

    Raises
    ------
    FileExistsError
        If there is one, and it is not to be replaced.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a")
    ...     write_file(path, b"one")
    ...     write_file(path, lambda file: file.write(b"two"))
    ...     path.read_bytes(), os.listdir(folder)
    (b'two', ['a'])
    """
    path = Path(os.path.realpath(path))
    before = _status(path)
    if before and not stat.S_ISREG(before.st_mode) and replace:
        with path.open("wb") as file:  # /dev/stdout is not replaced by a file
            _fill(file, content)
        return
    if before and not replace:
        raise _exists(path)
    aside = path.with_name(f".pgtlab-{os.getpid()}-{os.urandom(4).hex()}")
    try:
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, mode or 0o666), "wb") as file:
            _fill(file, content)
            file.flush()
            os.fsync(file.fileno())
        if before and mode is None:
            with suppress(OSError):  # of a file that another user owns
                aside.chmod(stat.S_IMODE(before.st_mode))
        if replace:
            aside.replace(path)
        else:
            _link(aside, path)
    except OSError as error:
        if error.filename in (None, str(aside)):  # whose name says nothing to a reader
            raise type(error)(error.errno, error.strerror, str(path)) from None
        raise
    finally:
        with suppress(OSError):
            aside.unlink()


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _fill(file: BinaryIO, content: bytes | Callable[[BinaryIO], object]) -> None:
    if callable(content):
        content(file)
    else:
        file.write(content)


def _exists(path: Path) -> FileExistsError:
    return FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))


def _link(aside: Path, path: Path) -> None:
    """Give a file its name, never over another file."""
    try:
        os.link(aside, path)
    except FileExistsError:
        raise _exists(path) from None
    except OSError:  # a file system without links
        if path.exists():
            raise _exists(path) from None
        aside.rename(path)
