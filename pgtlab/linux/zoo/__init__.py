"""A zoo: a small image of each kernel that arm64 can be, with what a debugger must find in it.

Each folder has the same memory as an ELF core dump (`image.elf`), as raw memory (`image.raw`) and as a kdump-compressed
dump (`image.kdump`), and what is right: `ptdump.txt`, `ptdump-user.txt` and `expected.json`, which has the registers,
translations of addresses by kind of access, and faults. A page of memory begins with its own physical address, so that
a reader of virtual memory can be tested with the contents alone.

The tables have what debuggers get wrong: blocks and pages of every size, contiguous runs, restrictions in tables,
physical addresses above 48 bits, folded levels, an entry whose valid bit is clear, a table that is not in the image.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from pgtlab.arch.fault import Access, Fault
from pgtlab.arch.mmu import MMU
from pgtlab.files import write_file
from pgtlab.linux.boot import Boot, NoBoot, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.images import writing
from pgtlab.linux.images.derive import cpu_for
from pgtlab.linux.kconfig import configurations
from pgtlab.linux.ptdump import ptdump
from pgtlab.linux.zoo.tables import RAM, Tables, tables

RELEASE: Final = "6.12.0"
_ACCESSES: Final = ((1, Access.READ), (1, Access.WRITE), (1, Access.FETCH), (0, Access.READ), (0, Access.FETCH))

README: Final = """\
Images of arm64 Linux for tests of debuggers
============================================

Written by `pgtlab zoo`. All files here are dedicated to the public domain (CC0 1.0,
https://creativecommons.org/publicdomain/zero/1.0/): copy them into the tests of any program.

Each folder is a kernel: page size, VA_BITS, PA_BITS, and in the name where a CPU without 52-bit addresses makes it run
with fewer. Other CPUs give the same tables: LPA2 matters only to kernels of 52 bits with pages of 4K and 16K.

image.elf, image.kdump   memory with VMCOREINFO
image.raw                memory from `raw_base` of expected.json on
expected.json            registers, and `translations`: address, exception level, access; `pa`, or `fault` with its
                         kind and level, as the CPU reports them
ptdump.txt               /sys/kernel/debug/kernel_page_tables of v6.12; ptdump-user.txt: the process's tables
"""


@dataclass(frozen=True)
class Specimen:
    """One image: a kernel on a CPU, with its tables."""

    boot: Boot

    @property
    def name(self) -> str:
        """The name of its folder.

        >>> [specimen.name for specimen in specimens()][:4]
        ['4k-va39-pa48', '4k-va48-pa48', '4k-va52-pa52', '4k-va52-pa52-on-48']
        """
        config = self.boot.config
        narrow = f"-on-{self.boot.vabits_actual}" if self.boot.vabits_actual < config.va_bits else ""
        return f"{config.page_size_name}-va{config.va_bits}-pa{config.pa_bits}{narrow}"

    @cached_property
    def tables(self) -> Tables:
        """Its memory."""
        return tables(self.boot)

    @cached_property
    def mmu(self) -> MMU:
        """The MMU that reads it."""
        return self.tables.mmu

    @property
    def vmcoreinfo(self) -> bytes:
        """What the kernel says about itself (`arch/arm64/kernel/vmcore_info.c`)."""
        k, r = self.boot.config.constants, self.boot.constants
        lines = [
            f"OSRELEASE={RELEASE}",
            f"PAGESIZE={k.PAGE_SIZE}",
            f"SYMBOL(swapper_pg_dir)={self.tables.swapper:x}",
            f"SYMBOL(_stext)={self.tables.kernel:x}",
            f"NUMBER(VA_BITS)={k.VA_BITS}",
            f"NUMBER(MODULES_VADDR)={k.MODULES_VADDR:#x}",
            f"NUMBER(MODULES_END)={k.MODULES_END:#x}",
            f"NUMBER(VMALLOC_START)={k.VMALLOC_START:#x}",
            f"NUMBER(VMALLOC_END)={r.VMALLOC_END:#x}",
            f"NUMBER(VMEMMAP_START)={k.VMEMMAP_START:#x}",
            f"NUMBER(VMEMMAP_END)={k.VMEMMAP_END:#x}",
            f"NUMBER(MAX_PHYSMEM_BITS)={r.MAX_PHYSMEM_BITS}",
            f"NUMBER(kimage_voffset)={self.tables.kernel - self.tables.kernel_pa & (1 << 64) - 1:#x}",
            f"NUMBER(PHYS_OFFSET)={RAM:#x}",
            f"NUMBER(TCR_EL1_T1SZ)={64 - self.boot.vabits_actual:#x}",
            "KERNELOFFSET=0",
            "",
        ]
        return "\n".join(lines).encode()

    @property
    def registers(self) -> dict[str, int]:
        """What the MMU reads the tables with."""
        mmu = self.mmu
        named = {"TCR_EL1": mmu.tcr, "TTBR0_EL1": mmu.ttbr0, "TTBR1_EL1": mmu.ttbr1}
        named |= {"MAIR_EL1": mmu.mair, "SCTLR_EL1": mmu.sctlr}  # type: ignore[dict-item]
        return {name: register.value for name, register in named.items()}

    def translations(self) -> Iterator[dict[str, Any]]:
        """What the MMU makes of each address of interest, by kind of access."""
        for va in self.tables.addresses:
            for el, access in _ACCESSES:
                outcome = self.mmu.translate(va, access, el).outcome
                found: dict[str, Any] = {"va": f"{va:#018x}", "el": el, "access": access.name.lower()}
                if isinstance(outcome, Fault):
                    yield found | {"pa": None, "fault": {"kind": outcome.kind.name.lower(), "level": outcome.level}}
                else:
                    yield found | {"pa": f"{outcome.pa:#x}", "fault": None}

    def ptdump(self, *, user: bool = False) -> str:
        """The lines of the dump."""
        return "".join(f"{line}\n" for line in ptdump(self.mmu, self.boot, user=user))

    def files(self) -> dict[str, bytes]:
        """All files of the folder, by name."""
        pages = self.tables.pages
        base, raw = writing.raw(pages)
        config = self.boot.config
        expected = {
            "license": "CC0-1.0",
            "page_size": config.page_size,
            "va_bits": config.va_bits,
            "pa_bits": config.pa_bits,
            "vabits_actual": self.boot.vabits_actual,
            "cpu": self.boot.cpu.name,
            "raw_base": f"{base:#x}",
            "registers": {name: f"{value:#x}" for name, value in self.registers.items()},
            "translations": list(self.translations()),
        }
        return {
            "image.elf": writing.elf(pages, self.vmcoreinfo),
            "image.raw": raw,
            "image.kdump": writing.kdump(pages, self.vmcoreinfo, release=RELEASE),
            "expected.json": _json(expected).encode(),
            "ptdump.txt": self.ptdump().encode(),
            "ptdump-user.txt": self.ptdump(user=True).encode(),
        }


def specimens() -> Iterator[Specimen]:
    """Every kernel that arm64 can be, on a CPU with 52-bit addresses and, where that differs, on one without."""
    for config in configurations():
        seen: set[int] = set()
        for cpu in CPU.named("max"), cpu_for(config, 16):
            booted = boot(config, cpu)
            assert not isinstance(booted, NoBoot), booted
            if booted.vabits_actual not in seen:
                seen.add(booted.vabits_actual)
                yield Specimen(booted)


def write(folder: Path) -> Iterator[Path]:
    """Write the zoo into `folder`, which is made if it is not there; the folders as they are written.

    Raises
    ------
    OSError
        Where a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / "README", README.encode())
    for specimen in specimens():
        place = folder / specimen.name
        place.mkdir(exist_ok=True)
        for name, content in specimen.files().items():
            write_file(place / name, content)
        yield place


def _json(value: dict[str, Any]) -> str:
    """JSON with one line for each translation."""
    rows = ",\n".join(f"    {json.dumps(row)}" for row in value["translations"])
    head = json.dumps({name: item for name, item in value.items() if name != "translations"}, indent=2)
    return f'{head[:-2]},\n  "translations": [\n{rows}\n  ]\n}}\n'
