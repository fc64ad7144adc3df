"""How much pgtlab reads, and how much room it makes for it: every limit on input, in one place.

A reader compares with its limit before it makes room, so that a small file cannot ask for a large memory, and a device
or a pipe without an end is not read for ever.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, TextIO

MIB: Final = 1 << 20

#: Bytes of a log; public ones of test systems have some 30 MB, which are read in two seconds.
LOG: Final = 64 * MIB
#: Bytes of a list of symbols, such as /proc/kallsyms, which has some 15 MiB on a large system.
SYMBOLS: Final = 64 * MIB
#: Bytes of any other text: a tree file, or the registers beside an image.
SMALL_TEXT: Final = MIB
#: Bytes of a table of students or of marks: ten thousand rows of a platform's export.
TABLE: Final = 16 * MIB
#: Bytes of all arrays of an archive or of one array, unpacked: as many page tables map 256 GiB in pages of 4K.
ARRAYS: Final = 512 * MIB
#: Bytes of memory that an image as text describes, without its long runs of zeros.
WORDS_AS_TEXT: Final = 128 * MIB
#: Bytes of an image as text itself.
IMAGE_AS_TEXT: Final = 512 * MIB
#: Addresses of a trace in a file: 512 MiB in memory.
TRACE: Final = 1 << 26
#: Bytes of a trace as text, unpacked.
TRACE_AS_TEXT: Final = 2048 * MIB
#: Addresses of a trace that is made.
TRACE_MADE: Final = 1 << 28
#: Bytes that are asked for at a time.
PIECE: Final = MIB


class TooLargeError(ValueError):
    """More input than pgtlab reads."""


class NotJSONError(ValueError):
    """A text that is not JSON, or more of it than pgtlab reads."""


def size(count: int) -> str:
    """A number of bytes for a message.

    >>> size(64 << 20), size(1000)
    ('64 MiB', '1000 bytes')
    """
    return f"{count // MIB} MiB" if count >= MIB else f"{count} bytes"


def quoted(value: object) -> str:
    """A value of others for a message, text in quotation marks, the middle of a long one left out.

    >>> quoted("PAGE_END"), quoted("1" * 999), quoted(48)
    ("'PAGE_END'", "'111111111111111111111111111111111111...1111111111111111'", '48')
    """
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else f"{value[:36]}...{value[-16:]}")
    return shortened(value)


def shortened(value: object) -> str:
    """A value of others for a message, in one line, the middle of a long one left out.

    >>> shortened(48), shortened(1 << 20000)
    ('48', '0x1000000000000000000000000000000000...0000000000000000')
    """
    # Python writes no number of thousands of digits as decimal, and any as hexadecimal.
    text = hex(value) if isinstance(value, int) and value.bit_length() > 256 else str(value)
    text = " ".join(text.splitlines())
    return text if len(text) <= 60 else f"{text[:36]}...{text[-16:]}"


@contextmanager
def naming(file: object) -> Iterator[None]:
    """Let an error of reading say the file, as one of opening does."""
    if "\0" in str(file):  # for which Python has an error of another kind
        raise FileNotFoundError(errno.ENOENT, "no file has a name with a NUL character", str(file))
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(file)
        raise


def read_bytes(file: BinaryIO | Path, most: int, what: str) -> bytes:
    """Everything in a file, of which `most` bytes are read at most.

    >>> import io
    >>> read_bytes(io.BytesIO(b"a log"), 5, "the log")
    b'a log'
    >>> read_bytes(io.BytesIO(b"a log"), 4, "the log")
    Traceback (most recent call last):
        ...
    pgtlab.limits.TooLargeError: the log has more than 4 bytes, which is the most that is read of it
    """
    if isinstance(file, Path):
        with naming(file), file.open("rb") as opened:
            return read_bytes(opened, most, what)
    content = bytearray()
    with naming(what):
        while piece := file.read(min(PIECE, most + 1 - len(content))):
            content += piece
            if len(content) > most:
                raise TooLargeError(f"{what} has more than {size(most)}, which is the most that is read of it")
    return bytes(content)


def read_lines(file: TextIO, most: int, what: str) -> Iterator[str]:
    r"""The lines of a text file, of which `most` characters are read at most.

    >>> import io
    >>> [*read_lines(io.StringIO("one\ntwo"), 7, "the file")]
    ['one\n', 'two']
    """
    while line := file.readline(most + 1):
        most -= len(line)
        if most < 0:
            raise TooLargeError(f"{what} has more characters than pgtlab reads of one")
        yield line


def json_value(text: str | bytes) -> Any:
    """What a text of others in JSON says.

    >>> json_value('{"variant": "4k-va48"}')
    {'variant': '4k-va48'}

    Raises
    ------
    NotJSONError
        Where it is not JSON, is nested too deeply, or has a number of thousands of digits.
    """
    import json

    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise NotJSONError(f"it is not JSON at line {error.lineno}, column {error.colno}") from None
    except UnicodeDecodeError:
        raise NotJSONError("it is not JSON, which is text in UTF-8") from None
    except RecursionError:
        raise NotJSONError("its lists and objects are nested more deeply than pgtlab reads") from None
    except ValueError:  # Python converts no number of more than 4300 digits, whose time grows with their square
        raise NotJSONError("it has a number of more digits than pgtlab reads") from None
