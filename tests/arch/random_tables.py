"""Random registers and random memory, such that most walks get somewhere and every rule decides some of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import numpy as np
from reference_walk import Registers

from pgtlab.arch.memory import Memory
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import MAIR_EL1, SCTLR_EL1, TCR_EL1, TG0, TG1, TTBR0_EL1, TTBR1_EL1, PARange

WORD = (1 << 64) - 1
FRAME = 1 << 16  # aligned for tables of every granule
OPERATIONS = [("r", 1), ("w", 1), ("r", 0), ("w", 0), ("x", 1), ("x", 0)]


@dataclass(frozen=True)
class Machine:
    """The same registers and memory for the walkers and for the reference, and addresses to ask them about."""

    mmu: MMU
    registers: Registers
    read: Callable[[int], int | None]
    vas: list[int]


def random_machine(seed: int, addresses: int = 100, **given: int) -> Machine:
    """The machine of a seed; `given` are fields of TCR_EL1 that are not left to chance."""
    rng = Random(seed)
    tcr = _tcr(rng).replace(**given)
    sctlr = SCTLR_EL1(rng.getrandbits(64)).replace(M=rng.random() < 0.97, WXN=rng.random() < 0.3, EE=0)
    mair = (
        rng.getrandbits(64)
        if rng.random() < 0.5
        else sum(rng.choice([0, 4, 0x44, 0xFF, 0x40]) << 8 * i for i in range(8))
    )
    pa_range = rng.choice([*PARange, *[PARange.PA52] * 7])
    low = rng.randrange(1 << 8) << 20
    frames = [low + FRAME * i for i in range(6)]
    if rng.random() < 0.5:  # beyond 48 bits, where the packing decides
        frames += [frame | rng.randrange(16) << 48 for frame in frames[:2]]
    memory, pages = _memory(rng, frames)
    ttbrs = [_ttbr(rng, rng.choice(frames)) for _ in range(2)]

    def read(pa: int) -> int | None:
        if pa & -4096 in pages:
            return int(pages[pa & -4096][pa % 4096 // 8])
        return 0 if memory.base <= pa < memory.base + memory.size else None

    return Machine(
        MMU(memory, tcr, TTBR0_EL1(ttbrs[0]), TTBR1_EL1(ttbrs[1]), MAIR_EL1(mair), sctlr, pa_range),
        Registers(int(tcr), *ttbrs, mair, int(sctlr), pa_range.bits),
        read,
        random_addresses(rng, tcr, addresses),
    )


def random_addresses(rng: Random, tcr: TCR_EL1, count: int) -> list[int]:
    """Addresses of both ranges, some of them neighbours, some with tags, some just outside."""
    found: list[int] = []
    while len(found) < count:
        upper = rng.random() < 0.5
        bits = min(max(64 - (tcr.T1SZ if upper else tcr.T0SZ), 12), 55)
        va = rng.getrandbits(bits)
        for _ in range(rng.randint(1, 8)):
            near = va ^ rng.getrandbits(rng.choice([1, 12, 16, 22, 30])) & (1 << bits) - 1
            near = near | WORD >> bits << bits if upper else near
            spoilt = rng.random()
            if spoilt < 0.15:
                near = near & (1 << 56) - 1 | rng.getrandbits(8) << 56
            elif spoilt < 0.25:
                near ^= 1 << rng.randrange(bits, 64)
            found.append(near)
    return found[:count]


def _tcr(rng: Random) -> TCR_EL1:
    tcr = TCR_EL1(rng.getrandbits(64))
    wide = {"T0SZ": tcr.DS or tcr.TG0 == TG0.G64K, "T1SZ": tcr.DS or tcr.TG1 == TG1.G64K}
    for name, is_wide in wide.items():
        size = rng.choice([16, 17, 22, 25, 28, 34, 42, rng.randrange(16, 48), *([12, 12, 13, 15] if is_wide else [])])
        tcr = tcr.replace(**{name: size if rng.random() < 0.95 else rng.randrange(64)})
    seldom = {name: rng.random() < 0.06 for name in ("EPD0", "EPD1", "E0PD0", "E0PD1")}
    return tcr.replace(IPS=rng.choice([*range(8), 5, 6, 6, 6, 6]), HA=rng.random() < 0.4, **seldom)


def _ttbr(rng: Random, frame: int) -> int:
    base = frame | rng.randrange(0, FRAME, 64) if rng.random() < 0.5 else frame
    if rng.random() < 0.1:
        base ^= 1 << rng.randrange(16, 52)
    return rng.getrandbits(16) << 48 | base & (1 << 48) - 1 | (base >> 48) << 2 | rng.getrandbits(1)


def _memory(rng: Random, frames: list[int]) -> tuple[Memory, dict[int, np.ndarray]]:
    """Pages of 4K with words in them, some missing: in RAM those read as zero, in a list of pages they do not exist."""
    pages = [frame + 4096 * i for frame in frames for i in range(16) if rng.random() < 0.85]
    rng.shuffle(pages)  # so that neighbours in memory are not always neighbours in the array
    words = _words(np.random.default_rng(rng.getrandbits(32)), frames, 512 * len(pages)).reshape(-1, 512)
    contents = dict(zip(pages, words, strict=True))
    if rng.random() < 0.5:
        return Memory.of_pages(contents, 12), contents
    memory = Memory(min(frames), max(frames) + FRAME - min(frames), rng.choice([12, 14, 16]))
    for page, content in contents.items():
        memory.write(page, content)
    return memory, contents


def _words(rng: np.random.Generator, frames: list[int], count: int) -> np.ndarray:
    """Random bits around addresses of frames, placed as each packing has them, with some bits of those wrong."""

    def some(share: float, bits: int) -> np.ndarray:
        return np.where(rng.random(count) < share, rng.integers(0, WORD, count, np.uint64, endpoint=True), 0) & bits

    target = rng.choice(np.array(frames, np.uint64), count)
    high, style = target >> 48, rng.integers(0, 3, count)
    address = np.where(style == 0, target & ((1 << 48) - 1), target & ((1 << 50) - 1))
    address |= np.where(style == 0, high << 12, np.where(style == 1, target >> 50 << 8, 0))
    attributes = some(1, 0xFFFC_0000_0000_0CFC) & ~some(0.5, 0x7860_0000_0000_0080) | some(0.7, 1 << 10)
    if rng.random() < 0.3:  # leaf after leaf with the same attributes
        attributes[:] = rng.choice(attributes) | 1 << 10
    wrong = some(0.08, 0x0003_0000_0000_F000) | some(0.08, 0x0000_FFFF_FFFF_0000) | some(0.2, 0x300)
    kind = rng.choice(np.array([0b11, 0b01, 0b00, 0b10], np.uint64), count, p=[0.8, 0.14, 0.03, 0.03])
    return (address | attributes) ^ wrong | kind
