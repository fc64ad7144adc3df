"""The kernel's own table of symbols, in its memory: `kernel/kallsyms.c` and `scripts/kallsyms.c`, v6.0 and later.

Each name is a run of bytes that stand for pieces of text; its first letter is the symbol's type. Addresses are 32-bit
offsets from `kallsyms_relative_base`; v7.3, and others of 7.x, have no base: an offset counts from where it is itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np

from pgtlab.arch.word import MASK64
from pgtlab.linux.images.contents import ImageError
from pgtlab.linux.images.tasks.virtual import Virtual

LARGEST = 1 << 22  # symbols
_TABLES = ("kallsyms_names", "kallsyms_num_syms", "kallsyms_token_table", "kallsyms_token_index", "kallsyms_offsets")


def read(memory: Virtual, where: Mapping[str, int], names: Iterable[str]) -> dict[str, int]:
    """The addresses of `names`, as far as the table has them; `where` has the addresses of the table's parts.

    Raises
    ------
    ImageError
        Where the table is damaged, or not in the image.
    """
    if any(name not in where for name in _TABLES):
        return {}
    base = where.get("kallsyms_relative_base")
    count = memory.int32(where["kallsyms_num_syms"])
    if not 0 < count <= LARGEST:
        raise ImageError(f"the kernel's table of symbols is damaged: it has {count}")
    index = np.frombuffer(memory.read(where["kallsyms_token_index"], 512), "<u2").tolist()
    texts = memory.read(where["kallsyms_token_table"], max(index) + 64)
    tokens = [texts[start : texts.index(b"\0", start)] for start in index]
    wanted = {name.encode(): name for name in names}
    found: dict[str, int] = {}
    for number, name in enumerate(_names(memory, where, count, tokens)):
        if name in wanted:
            at = where["kallsyms_offsets"] + 4 * number
            address = at + memory.int32(at) if base is None else memory.word(base) + (memory.int32(at) & 0xFFFF_FFFF)
            found[wanted[name]] = address & MASK64
            if len(found) == len(wanted):
                break
    return found


def _names(memory: Virtual, where: Mapping[str, int], count: int, tokens: list[bytes]) -> Iterable[bytes]:
    """Each name, without the letter before it."""
    # The names end before the next table that is after them.
    later = [va for va in where.values() if va > where["kallsyms_names"]]
    size = min(later, default=where["kallsyms_names"] + 64 * count) - where["kallsyms_names"]
    packed = memory.read(where["kallsyms_names"], min(size, 64 * count))
    place = 0
    for _ in range(count):
        length, place = packed[place], place + 1
        if length & 0x80:  # of a long name, since v6.1
            length, place = length & 0x7F | packed[place] << 7, place + 1
        yield b"".join([tokens[token] for token in packed[place : place + length]])[1:]
        place += length


def symbols_in(text: str) -> dict[str, int]:
    """Addresses by name in what `/proc/kallsyms` printed, or in a System.map.

    >>> hex(symbols_in("ffff800081234000 D init_task\\n")["init_task"])
    '0xffff800081234000'
    """
    lines = re.findall(r"^([0-9a-f]{16}) \S (\S+)", text, re.MULTILINE)
    return {name: int(address, 16) for address, name in lines}
