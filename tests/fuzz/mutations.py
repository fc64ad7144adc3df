"""Changes to an input that a file, a mail or an attacker might make."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Sequence
from random import Random

#: Numbers at the edges of what a field can hold.
EDGES = (0, 1, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 1 << 31, (1 << 32) - 1, 1 << 63, (1 << 64) - 1)
#: Pieces that formats here are made of, or that readers stumble over.
PIECES = (
    b"\0", b"\n", b"\r", b"\x1b[31m", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xe2\x80\xae", b"{", b"}", b"[",
    b"(", b")", b'"', b"'", b",", b":", b"@", b"*", b"#", b"-", b"+", b"=", b"%", b"\\", b"0x", b"1e9", b"-1", b"NaN",
    b"1" * 5000, b"f" * 40, b"9" * 25, b"null", b"true", b"[" * 2000, b"{'descr': '|O'", b"PK\x03\x04", b"\x7fELF",
    b"\x1f\x8b\x08", b"\x93NUMPY\x01\x00", b"BUG: ", b"page: ", b"Call trace:\n", b"[    0.1] ", b"*99999999999",
)  # fmt: skip

Mutation = Callable[[Random, bytearray, Sequence[bytes]], None]


def flip_bits(random: Random, content: bytearray, samples: Sequence[bytes]) -> None:
    """Change some bits."""
    for _ in range(random.choice((1, 1, 2, 8, 32))):
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)


def cut(random: Random, content: bytearray, samples: Sequence[bytes]) -> None:
    """Leave the end out."""
    del content[random.randrange(len(content)) :]


def leave_out(random: Random, content: bytearray, samples: Sequence[bytes]) -> None:
    """Leave out a part."""
    at = random.randrange(len(content))
    del content[at : at + random.choice((1, 2, 8, 64, 512))]


def repeat(random: Random, content: bytearray, samples: Sequence[bytes]) -> None:
    """Repeat a part."""
    at = random.randrange(len(content))
    part = content[at : at + random.choice((1, 8, 64, 512))]
    content[at:at] = part * random.choice((1, 2, 30))


def insert(random: Random, content: bytearray, samples: Sequence[bytes]) -> None:
    """Put in a piece, or in place of another."""
    at = random.randrange(len(content) + 1)
    content[at : at + random.choice((0, 0, 1, 8))] = random.choice(PIECES)


def set_number(random: Random, content: bytearray, samples: Sequence[bytes]) -> None:
    """Put a number at an edge into a field."""
    size = random.choice((1, 2, 4, 8))
    at = random.randrange(len(content))
    number = random.choice(EDGES) % (1 << 8 * size)
    content[at : at + size] = number.to_bytes(size, random.choice(("little", "big")))


def splice(random: Random, content: bytearray, samples: Sequence[bytes]) -> None:
    """Continue as another sample."""
    other = random.choice(samples)
    content[random.randrange(len(content)) :] = other[random.randrange(len(other)) :]


def exchange_lines(random: Random, content: bytearray, samples: Sequence[bytes]) -> None:
    """Exchange two lines."""
    lines = content.split(b"\n")
    one, two = random.randrange(len(lines)), random.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    content[:] = b"\n".join(lines)


MUTATIONS: tuple[Mutation, ...] = (
    *(flip_bits, cut, leave_out, repeat, insert, insert, set_number, splice, exchange_lines),
)


def mutated(random: Random, samples: Sequence[bytes]) -> bytes:
    """A sample with one to four changes; one that is packed is changed inside, half of the time."""
    content = random.choice(samples)
    if random.random() < 0.5:
        if content.startswith(b"PK"):
            return _changed_archive(random, content)
        if content.startswith(b"\x1f\x8b"):
            return gzip.compress(_changed(random, gzip.decompress(content), samples), 1)
    return _changed(random, content, samples)


def _changed(random: Random, content: bytes, samples: Sequence[bytes]) -> bytes:
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 4))):
        if changed:
            random.choice(MUTATIONS)(random, changed, samples)
    return bytes(changed)


def _changed_archive(random: Random, content: bytes) -> bytes:
    """An archive with valid checksums, one of whose entries is changed, missing or has another name."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    name = random.choice(list(entries))
    kind = random.randrange(8)
    if kind == 0:
        del entries[name]
    elif kind == 1:
        entries[name] = random.choice(list(entries.values()))
    else:
        head = entries[name][:128]
        entries[name] = (
            _changed(random, head, [head]) + entries[name][128:]
            if kind < 6
            else _changed(random, entries[name], [*entries.values()])
        )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for entry, data in entries.items():
            archive.writestr(entry, data)
    return made.getvalue()
