"""Images in the formats of others: an ELF core dump, a kdump-compressed dump, raw memory.

Source: `elf(5)`; `diskdump_mod.h` and `IMPLEMENTATION` of makedumpfile describe the compressed dump.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from pgtlab.linux.images import flattened as flat
from pgtlab.linux.images.kdump import MAGIC

PT_LOAD, PT_NOTE = 1, 4
_SUB_HEADER: Final = struct.Struct("<QiiQQQQQQQQQQQ")
ET_CORE, EM_AARCH64 = 4, 183

Pages = Mapping[int, bytes]  # by physical address, all of the same size


class Compression(NamedTuple):
    """How a page is stored in a kdump-compressed dump."""

    flag: int
    compress: Callable[[bytes], bytes]


PLAIN: Final = Compression(0, bytes)
ZLIB: Final = Compression(1, zlib.compress)


def note(name: bytes, content: bytes, kind: int = 0) -> bytes:
    """An ELF note: name and content are padded to multiples of four.

    >>> len(note(b"VMCOREINFO", b"PAGESIZE=4096"))
    40
    """
    name += b"\0"
    header = struct.pack("<III", len(name), len(content), kind)
    return header + name + bytes(-len(name) % 4) + content + bytes(-len(content) % 4)


def raw(pages: Pages) -> tuple[int, bytes]:
    """The address of the first page, and memory from there to the end of the last, zeros between them.

    >>> base, content = raw({0x1000: bytes(4096), 0x3000: bytes(4096)})
    >>> hex(base), len(content)
    ('0x1000', 12288)
    """
    base = min(pages)
    content = bytearray(max(pages) + len(pages[max(pages)]) - base)
    for pa, page in pages.items():
        content[pa - base : pa - base + len(page)] = page
    return base, bytes(content)


def elf(pages: Pages, vmcoreinfo: bytes) -> bytes:
    """An ELF core dump with a PT_LOAD for each run of pages, and the note VMCOREINFO."""
    runs: list[tuple[int, bytearray]] = []
    for pa in sorted(pages):
        if runs and runs[-1][0] + len(runs[-1][1]) == pa:
            runs[-1][1].extend(pages[pa])
        else:
            runs.append((pa, bytearray(pages[pa])))
    align = len(next(iter(pages.values())))
    notes = note(b"VMCOREINFO", vmcoreinfo)
    place = 64 + 56 * (len(runs) + 1)
    headers = [struct.pack("<IIQQQQQQ", PT_NOTE, 0, place, 0, 0, len(notes), len(notes), 4)]
    body = bytearray(notes)
    start = place
    for pa, content in runs:
        body += bytes(-(start + len(body)) % align)
        place = start + len(body)
        headers.append(struct.pack("<IIQQQQQQ", PT_LOAD, 7, place, 0, pa, len(content), len(content), align))
        body += content
    ident = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    header = struct.pack("<HHIQQQIHHHHHH", ET_CORE, EM_AARCH64, 1, 0, 64, 0, 0, 64, 56, len(headers), 0, 0, 0)
    return ident + header + b"".join(headers) + bytes(body)


def kdump(pages: Pages, vmcoreinfo: bytes, compression: Compression = ZLIB, *, release: str = "6.12.0") -> bytes:
    """A kdump-compressed dump, version 6, with a page stored as it is where compression does not make it smaller."""
    block = len(next(iter(pages.values())))
    frames = sorted(pa // block for pa in pages)
    blocks = frames[-1] + 1
    bitmap = bytearray(-(-blocks // 8 // block) * block or block)
    for frame in frames:
        bitmap[frame >> 3] |= 1 << (frame & 7)
    notes = note(b"VMCOREINFO", vmcoreinfo)
    at = block + _SUB_HEADER.size
    text = at + notes.index(vmcoreinfo)
    sub_header = _SUB_HEADER.pack(0, 1, 0, 0, 0, text, len(vmcoreinfo), at, len(notes), 0, 0, 0, 0, blocks) + notes
    sub_header += bytes(-len(sub_header) % block)
    names = (b"Linux", b"pgtlab", release.encode(), b"#1 SMP", b"aarch64", b"(none)")
    header = MAGIC + struct.pack("<i", 6) + b"".join(name.ljust(65, b"\0") for name in names) + bytes(6)
    header += bytes(16) + struct.pack(
        "<IiiIIIIiI",
        compression.flag,
        block,
        len(sub_header) // block,
        2 * len(bitmap) // block,
        min(blocks, (1 << 32) - 1),
        0,
        0,
        0,
        1,
    )
    head = header.ljust(block, b"\0") + sub_header + bytes(bitmap) * 2
    place = len(head) + 24 * len(frames)
    descriptors, body = [], bytearray()
    for frame in frames:
        page = pages[frame * block]
        packed = compression.compress(page)
        flag = compression.flag if len(packed) < block else 0
        packed = packed if flag else page
        descriptors.append(struct.pack("<QIIQ", place + len(body), len(packed), flag, 0))
        body += packed
    return head + b"".join(descriptors) + bytes(body)


def flattened(content: bytes, piece: int = 1 << 16) -> bytes:
    """A file as makedumpfile sends it through a pipe: records, each with its offset and its size."""
    out = bytearray((flat.MAGIC.ljust(16, b"\0") + struct.pack(">qq", 1, 1)).ljust(4096, b"\0"))
    for start in range(0, len(content), piece):
        part = content[start : start + piece]
        out += struct.pack(">qq", start, len(part)) + part
    return bytes(out + struct.pack(">qq", -1, -1))
