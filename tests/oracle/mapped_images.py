"""Images whose tables pgtlab's mapper wrote, and what every address of theirs must translate to.

Here the oracle is asked about `map_range`, and the answer is known without any walk: where the address was mapped to.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np

from oracle.qemu import LOWEST_TABLE, Image, Words
from oracle.registers import SCTLR_M, SHAREABILITY, Format, random_registers
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import MAIR_EL1, SCTLR_EL1, TCR_EL1

NOT_MAPPED = (1 << 64) - 1
TABLE_SPACE = 64 << 20
CASES = 150


@dataclass(frozen=True)
class Mapping:
    """One call of `map_range`."""

    va: int
    pa: int
    size: int

    def __contains__(self, va: int) -> bool:
        return self.va <= va < self.va + self.size

    def overlaps(self, other: Mapping) -> bool:
        """Whether they share an address."""
        return self.va < other.va + other.size and other.va < self.va + self.size


def mapped_images(seed: int, count: int) -> list[tuple[Image, Words]]:
    """The first `count` images of a seed, each with the physical addresses of its cases, or `NOT_MAPPED`.

    Addresses are asked at the edges of mappings, on both sides, and inside. EL1 can read whatever is mapped.
    """
    return [_image(Random(f"mapped {seed} {i}")) for i in range(count)]


def _image(rng: Random) -> tuple[Image, Words]:
    registers = random_registers(rng)
    tcr = TCR_EL1(registers.tcr).replace(EPD0=0, EPD1=0)
    base = rng.randrange(LOWEST_TABLE, (1 << 32) - TABLE_SPACE) // registers.page_bytes * registers.page_bytes
    sctlr = SCTLR_EL1(registers.sctlr | SCTLR_M)
    mapper = Mapper.in_ram(tcr, base=base, size=TABLE_SPACE, mair=MAIR_EL1(registers.mair), sctlr=sctlr)
    mappings: list[Mapping] = []
    for _ in range(rng.randint(1, 8)):
        fmt = rng.choice(registers.formats)
        mapping, blocks = _random_mapping(rng, fmt)
        if not any(mapping.overlaps(other) for other in mappings):
            mapper.map_range(
                mapping.va, mapping.pa, mapping.size,
                blocks=blocks, contiguous=rng.random() < 0.7, **_random_fields(rng, fmt),
            )  # fmt: skip
            mappings.append(mapping)
    page_base = np.arange(base, next(mapper.frames), registers.page_bytes, dtype=np.uint64)
    va = [_address(rng, rng.choice(mappings)) for _ in range(CASES)]
    pa = [next((m.pa + a - m.va for m in mappings if a in m), NOT_MAPPED) for a in va]
    memory, words_per_page = mapper.mmu.memory, registers.page_bytes // 8
    image = Image(
        tcr=int(tcr),
        ttbr0=int(mapper.mmu.ttbr0),
        ttbr1=int(mapper.mmu.ttbr1),
        mair=registers.mair,
        sctlr=int(sctlr),
        granules=registers.granules,
        page_base=page_base,
        words=np.stack([memory.read(int(page), words_per_page) for page in page_base]),
        va=np.array(va, np.uint64),
        op=np.array(rng.choices(range(4), [3, 1, 1, 1], k=CASES), np.uint8),
        note=np.zeros(CASES, np.uint32),
    )
    return image, np.array(pa, np.uint64)


def _random_mapping(rng: Random, fmt: Format) -> tuple[Mapping, bool]:
    """A range with room for some entries of one level, contiguous runs of them perhaps, and a few pages on either side.

    Above level 3 both addresses are aligned alike, so that blocks map most of it and the tables stay few.
    """
    largest = min(fmt.input_bits, fmt.output_bits)
    levels = [n for n in range(3) if fmt.has_blocks(n) and fmt.entry_shift(n) < largest]
    while True:
        level = rng.choice([*levels, 3])
        page, entry = 1 << fmt.shift, 1 << fmt.entry_shift(level)
        unit = entry * fmt.run(level) if rng.random() < 0.5 else entry
        before, after = rng.choice([0, 1, 20]) * page, rng.choice([0, 1, 20]) * page
        size = before + rng.choice([1, 2, 5, 40, 300]) * entry + after
        ia = rng.randrange(0, 1 << fmt.input_bits, unit) - before
        pa = rng.randrange(0, 1 << rng.randint(fmt.shift, fmt.output_bits), page) // unit * unit - before
        if level == 3 and rng.random() < 0.3:
            pa += page
        if ia >= 0 and pa >= 0 and ia + size <= 1 << fmt.input_bits and pa + size <= 1 << fmt.output_bits:
            top = (1 << 64) - (1 << fmt.input_bits) if fmt.upper else 0
            return Mapping(top | ia, pa, size), level < 3 or rng.random() < 0.5


def _random_fields(rng: Random, fmt: Format) -> dict[str, int]:
    bits = {"AttrIndx": 3, "NS": 1, "AP": 2, "nG": 1, "DBM": 1, "PXN": 1, "UXN": 1, "software": 4, "PBHA": 4}
    fields = {name: rng.getrandbits(n) for name, n in bits.items()}
    return fields if fmt.lpa2 else fields | {"SH": rng.choice(SHAREABILITY)}


def _address(rng: Random, mapping: Mapping) -> int:
    edge = rng.choice([0, mapping.size])
    inside = rng.randrange(mapping.size)
    return (mapping.va + rng.choice([inside, inside, edge, edge - 1])) & (1 << 64) - 1
