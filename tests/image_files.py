"""Images of memory in each format, written by struct and numpy alone, to be read back by pgtlab."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

PTDUMP = Path(__file__).parent / "data/kernel/ptdump"
CAPTURES = sorted(folder.name for folder in PTDUMP.iterdir())
PT_LOAD, PT_NOTE = 1, 4
NT_PRSTATUS = 1
RAM = 0x4000_0000  # of the machines that were captured
Pages = Mapping[int, np.ndarray]


def capture(name: str) -> tuple[dict, Pages]:
    """`regs.json` of a capture, and its pages by physical address."""
    with np.load(PTDUMP / name / "tables.npz") as tables:
        pages = dict(zip(tables["phys"].tolist(), tables["data"], strict=True))
    return json.loads((PTDUMP / name / "regs.json").read_text()), pages


def lookups(name: str, who: str) -> tuple[list[int], list[int | None]]:
    """The addresses that QEMU was asked about, and what it said: None where nothing is mapped for `who`."""
    answers = json.loads((PTDUMP / name / "gva2gpa.json").read_text())[who]
    return [int(va, 16) for va, _ in answers], [None if pa == "Unmapped" else int(pa, 16) for _, pa in answers]


def note(name: bytes, kind: int, content: bytes) -> bytes:
    """An ELF note, name and content filled up to multiples of four (elf(5), Elf64_Nhdr)."""
    name += b"\0"
    header = struct.pack("<III", len(name), len(content), kind)
    return header + name + bytes(-len(name) % 4) + content + bytes(-len(content) % 4)


def vmcoreinfo(**values: int) -> bytes:
    """The text of a v6.12 arm64 kernel, as far as it is about addresses (`arch/arm64/kernel/vmcore_info.c`).

    `values` are PAGESIZE, KERNELOFFSET, swapper_pg_dir and NUMBERs.
    """
    lines = ["OSRELEASE=6.12.0", f"PAGESIZE={values.pop('PAGESIZE')}"]
    for symbol in "swapper_pg_dir", "_stext":
        if symbol in values:
            lines.append(f"SYMBOL({symbol})={values.pop(symbol):x}")
    if "KERNELOFFSET" in values:
        lines.append(f"KERNELOFFSET={values.pop('KERNELOFFSET'):x}")
    decimal = ("VA_BITS", "MAX_PHYSMEM_BITS")
    lines += [f"NUMBER({name})={value if name in decimal else hex(value)}" for name, value in values.items()]
    return "\n".join([*lines, "CRASHTIME=1709208000", ""]).encode()


def elf(
    loads: Sequence[tuple[int, bytes | int]],
    notes: bytes = b"",
    *,
    align: int = 4096,
    machine: int = 183,
    kind: int = 4,
    phnum: int | None = None,
) -> bytes:
    """An ELF64 core dump: `loads` are physical addresses and content, or a size where all of it is zeros.

    As kdump's, each segment begins at a multiple of `align`; QEMU's do not.
    """
    headers, offset = [], 64 + 56 * (len(loads) + 1)
    headers.append(struct.pack("<IIQQQQQQ", PT_NOTE, 0, offset, 0, 0, len(notes), len(notes), 4))
    body = notes
    for pa, content in loads:
        size = content if isinstance(content, int) else len(content)
        in_file = b"" if isinstance(content, int) else content
        body += bytes(-(offset + len(body)) % align)
        place = offset + len(body)
        headers.append(
            struct.pack("<IIQQQQQQ", PT_LOAD, 7, place, 0xFFFF_0000_0000_0000 | pa, pa, len(in_file), size, 0)
        )
        body += in_file
    ident = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    count = len(headers) if phnum is None else phnum
    header = ident + struct.pack("<HHIQQQIHHHHHH", kind, machine, 1, 0, 64, 0, 0, 64, 56, count, 0, 0, 0)
    return header + b"".join(headers) + body


def prstatus() -> bytes:
    """The note that kdump and QEMU write for a CPU: `struct elf_prstatus`, with no register of translation."""
    return note(b"CORE", NT_PRSTATUS, bytes(392))


def kdump(name: str, loads: Sequence[tuple[int, bytes | int]] | None = None, **more: int) -> bytes:
    """What kdump would have written of a captured kernel: the segments, two CPUs and VMCOREINFO."""
    regs, pages = capture(name)
    page_size, offset = regs["page_size"], int(regs["kimage_voffset"], 16)
    said = {
        "PAGESIZE": page_size,
        "swapper_pg_dir": int(regs["symbols_phys"]["swapper_pg_dir"], 16) + offset,
        "VA_BITS": int(regs["variant"].split("-va")[1]),
        "MAX_PHYSMEM_BITS": 52 if "va52" in name else 48,
        "kimage_voffset": offset,
        "PHYS_OFFSET": RAM,
        "TCR_EL1_T1SZ": 64 - regs["runtime_va_bits"],
        "KERNELOFFSET": 0,
    }
    notes = prstatus() * 2 + note(b"VMCOREINFO", 0, vmcoreinfo(**said | more))
    return elf(loads or [(pa, words.tobytes()) for pa, words in pages.items()], notes, align=page_size)


def raw(pages: Pages) -> tuple[int, bytes]:
    """The address of the first page, and memory from there to the last."""
    base, page = min(pages), next(iter(pages.values()))
    content = bytearray(max(pages) - base + 8 * len(page))
    for pa, words in pages.items():
        content[pa - base : pa - base + 8 * len(words)] = words.tobytes()
    return base, bytes(content)


def text(pages: Pages) -> str:
    """Pages as `@address` and words."""
    lines = []
    for pa, words in pages.items():
        lines += [f"@{pa:#x}", *(f"{word:016X}" for word in words.tolist())]
    return "\n".join(lines) + "\n"
