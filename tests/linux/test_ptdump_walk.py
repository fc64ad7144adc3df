"""`ptdump` against the kernel's own walk, entry by entry, with the model's page-table helpers; and its cost."""

import random
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from kernels import every_kernel

from pgtlab.arch.memory import Memory
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import TTBR0_EL1, TTBR1_EL1
from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel, memblock
from pgtlab.linux.kernel.mm import MmStruct
from pgtlab.linux.placement import RAM_BASE
from pgtlab.linux.ptdump import PTE_MASK, Marker, PtdumpError, Region, markers, ptdump
from pgtlab.linux.ptdump import walk as ptdump_walk

U64 = (1 << 64) - 1
VALID, TABLE_BIT, NG = 1, 2, 1 << 11


# The kernel's walk, from mm/pagewalk.c, mm/ptdump.c and arch/arm64/mm/ptdump.c: nothing in it knows Arm's levels.


def addr_end(addr, end, size):
    boundary = (addr + size) & -size & U64
    return boundary if (boundary - 1) & U64 < (end - 1) & U64 else end


def entries(k, first, addr, end, size, folded=False):
    """The entries of one table: their values and addresses, up to `end`."""
    for at in count(first, 8):
        following = end if folded else addr_end(addr, end, size)
        yield k.read64(at), at, addr, following
        addr = following
        if addr == end:
            return


def real_depth(k, depth):
    if depth == 3 and k.PTRS_PER_PMD == 1:
        depth = 2
    if depth == 2 and k.PTRS_PER_PUD == 1:
        depth = 1
    if depth == 1 and k.PTRS_PER_P4D == 1:
        depth = 0
    return depth


def walk(k, mm, start, end):
    """What note_page() is told: address, level, value."""
    for pgd, pgdp, at, following in entries(k, k.pgd_offset(mm, start), start, end, k.PGDIR_SIZE):
        if k.pgd_none(pgd) or k.pgd_bad(pgd):
            yield at, 0, 0
        else:
            yield from walk_p4d(k, pgdp, at, following)


def walk_p4d(k, pgdp, addr, end):
    for p4d, p4dp, at, following in entries(k, k.p4d_offset(pgdp, addr), addr, end, k.P4D_SIZE, k.PTRS_PER_P4D == 1):
        if k.p4d_none(p4d) or k.p4d_bad(p4d):
            yield at, real_depth(k, 1), 0
        else:
            yield from walk_pud(k, p4dp, at, following)


def walk_pud(k, p4dp, addr, end):
    for pud, pudp, at, following in entries(k, k.pud_offset(p4dp, addr), addr, end, k.PUD_SIZE, k.PTRS_PER_PUD == 1):
        if k.pud_none(pud):
            yield at, real_depth(k, 2), 0
        elif k.pud_leaf(pud):
            yield at, 2, pud
        elif k.pud_present(pud):
            yield from walk_pmd(k, pudp, at, following)


def walk_pmd(k, pudp, addr, end):
    for pmd, pmdp, at, following in entries(k, k.pmd_offset(pudp, addr), addr, end, k.PMD_SIZE, k.PTRS_PER_PMD == 1):
        if k.pmd_none(pmd):
            yield at, real_depth(k, 3), 0
        elif k.pmd_leaf(pmd):
            yield at, 3, pmd
        elif k.pmd_present(pmd):
            ptes = k.memory.read(k.__pa(k.pte_offset_kernel(pmdp, at)), (following - at >> k.PAGE_SHIFT) + (end == U64))
            for pte in ptes.tolist():
                yield at, 4, pte
                if at >= following - k.PAGE_SIZE:
                    break
                at += k.PAGE_SIZE


def note_page(k, mm, notes, marker, end):
    """The lines, told of one entry after the other."""
    start = level = prot = None
    marker = [*marker, Marker(U64, ""), Marker(U64, "")]
    for addr, at, value in [*notes, (end & U64, None, 0)]:
        if (at == 1 and k.mm_p4d_folded(mm)) or (at == 2 and k.mm_pud_folded(mm)):
            at = 0
        value &= PTE_MASK
        if start is None:
            start, level, prot = addr, at, value
            yield str(marker[0])
        elif value != prot or at != level or addr >= marker[1].start:
            name = ("PGD", "P4D", "PUD", "PMD", "PTE")[level]
            yield str(Region(start, start + (addr - start & U64), name, prot))
            if addr >= marker[1].start:
                marker = marker[1:]
                yield str(marker[0])
            start, level, prot = addr, at, value
        if addr >= marker[1].start:
            marker = marker[1:]
            yield str(marker[0])


# Tables with all kinds of entries in them, those too that no kernel makes.


def words(k, rng, level, size):
    """Runs of holes, leaves, swap entries, PROT_NONE and what else there may be in a table of Arm's `level`."""
    if level == 3:
        kinds = [0, VALID, TABLE_BIT, VALID | TABLE_BIT, NG]
    elif level == 2 or (level == 1 and k.PAGE_SHIFT != 16):
        kinds = [0, VALID, TABLE_BIT, NG, NG | TABLE_BIT]
    elif level == 1:
        kinds = [0]  # with 64K pages pud_table() says that whatever is present is a table
    else:
        kinds = [0, VALID, NG]
    word = np.zeros(size, np.uint64)
    for part in np.split(word, sorted({rng.randrange(size) for _ in range(16)})):
        if rng.random() < 0.7:
            part[:] = rng.getrandbits(64) & ~(VALID | TABLE_BIT | NG) | rng.choice(kinds)
    return word


def grow(k, rng, frames, level, root, size):
    """Fill the table at physical address `root`, of which `size` words are in use."""
    word = words(k, rng, level, size)
    if level < 3:
        table = next(frames)
        grow(k, rng, frames, level + 1, table, k.PAGE_SIZE // 8)
        at = rng.randrange(size - 1)
        word[at] = table | VALID | TABLE_BIT
        if size <= 512:
            word[at + 1] = word[at]  # neighbours share a table
        if level == k.boot.start_level:
            word[-1] = word[at]
    k.memory.write(root, word)


@pytest.mark.slow
@every_kernel
@pytest.mark.parametrize("user", [False, True], ids=["kernel", "user"])
def test_the_lines_are_those_of_a_walk_entry_by_entry(k, user):
    k = Kernel(k.boot)  # whose tables are written over
    rng, frames = random.Random(f"{k.boot!r} {user}"), memblock.early_pages(k.PAGE_SHIFT)
    r = k.mmu.lower if user else k.mmu.upper
    first = 0 if user else (1 << 64) - (1 << k.vabits_actual)
    pgd = next(frames)
    # Without LPA2 a pgd for 52 bits has its last entries for the kernel on 48, and its first for a process.
    root = pgd if user or k.CONFIG_ARM64_LPA2 else pgd + 8 * k.pgd_index(first)
    grow(k, rng, frames, r.start_level, root, 1 << r.input_bits - r.granule.level_shift(r.start_level))
    mm, end = MmStruct(pgd=k.__va(pgd)), k.TASK_SIZE_64 if user else U64
    mmu = replace(k.mmu, ttbr0=TTBR0_EL1(root)) if user else replace(k.mmu, ttbr1=TTBR1_EL1(root))
    expected = list(note_page(k, mm, walk(k, mm, first, end), markers(k.boot, user=user), end + (not user)))
    assert len(expected) > 20
    found = list(ptdump(mmu, k.boot, user=user))
    assert [str(line) for line in found] == expected


@every_kernel
def test_how_much_is_looked_at_together_and_kept_changes_nothing(k, monkeypatch):
    k = Kernel(k.boot)
    rng, frames = random.Random(f"{k.boot!r}"), memblock.early_pages(k.PAGE_SHIFT)
    r, root = k.mmu.upper, next(frames)
    grow(k, rng, frames, r.start_level, root, 1 << r.input_bits - r.granule.level_shift(r.start_level))
    mmu = replace(k.mmu, ttbr1=TTBR1_EL1(root))
    expected = list(ptdump(mmu, k.boot))
    for short, batch in (0, 1), (5, 1 << 13), (1 << 20, 1 << 20):
        monkeypatch.setattr(ptdump_walk, "_SHORT", short)
        monkeypatch.setattr(ptdump_walk, "_BATCH", batch)
        assert list(ptdump(mmu, k.boot)) == expected


# The simulator's own kernel.


@pytest.mark.parametrize("kpti", [False, True])
@pytest.mark.parametrize(
    ("page_size", "va_bits", "cpu"),
    [("4k", 39, "max"), ("4k", 52, "max"), ("16k", 52, "max,lpa2=off"), ("64k", 52, "neoverse-n1"), ("64k", 42, "max")],
)
def test_the_model_dumps_its_own_tables(page_size, va_bits, cpu, kpti):
    k = Kernel(boot(Config(page_size, va_bits), CPU.named(cpu), kpti=kpti))
    parts, name = {}, None
    for line in ptdump(k.mmu, k.boot):
        if isinstance(line, Marker):
            name = line.name
        elif line.prot:
            parts.setdefault(name, []).append(line)
            assert ("NG" in line.attributes) == kpti
            assert line.attributes[:2] == ("RW", "NX")
            assert ("SHD" in line.attributes) == (not k.boot.lpa2_is_enabled)
    linear, stack, memmap = (parts.pop(key) for key in ("Linear Mapping start", "vmalloc() area", "vmemmap start"))
    assert parts == {}
    assert (linear[0].start, linear[-1].end) == (k.__va(RAM_BASE), k.__va(RAM_BASE + k.memory.size))
    assert sum(region.size for region in stack) == k.THREAD_SIZE
    assert memmap[0].start == k.pfn_to_page(RAM_BASE >> k.PAGE_SHIFT).address
    assert 0 <= sum(region.size for region in memmap) - k.memmap.nbytes < k.PAGE_SIZE


# Time goes with the tables.


BASE = 0x4000_0000
LEAF = 0x0068_0000_0000_0703


@pytest.fixture
def read(monkeypatch):
    """The tables that were read, one after the other."""
    tables, original = [], ptdump_walk.read_tables
    monkeypatch.setattr(
        ptdump_walk, "read_tables", lambda banks, some, n: tables.extend(some.tolist()) or original(banks, some, n)
    )
    return tables


def mmu_of(pages):
    booted = boot(Config("4k", 48), CPU.named("max"))
    return MMU(Memory.of_pages(pages, 12), booted.tcr_el1, TTBR0_EL1(), TTBR1_EL1(BASE)), booted


def test_a_space_that_four_shared_tables_map_costs_four_tables(read):
    pages = {BASE + (i << 12): np.full(512, BASE + (i + 1 << 12) | 3, np.uint64) for i in range(3)}
    pages[BASE + 0x3000] = np.full(512, LEAF, np.uint64)
    mmu, booted = mmu_of(pages)
    regions = [line for line in ptdump(mmu, booted) if isinstance(line, Region)]
    assert {(region.level, region.prot) for region in regions} == {("PTE", LEAF & PTE_MASK)}
    assert sum(region.size for region in regions) == 1 << 48
    assert read == sorted(pages)


def test_a_table_that_leads_to_itself_costs_a_table_for_each_level(read):
    mmu, booted = mmu_of({BASE: np.full(512, BASE | 3, np.uint64)})
    assert {line.level for line in ptdump(mmu, booted) if isinstance(line, Region)} == {"PTE"}
    assert read == [BASE] * 4


def test_lines_without_end_end_with_an_error(monkeypatch):
    words = np.full(512, BASE | 3, np.uint64)
    words[::2] = 0
    mmu, booted = mmu_of({BASE: words})
    monkeypatch.setattr(ptdump_walk, "_ENOUGH", 10_000)  # of 2^35 regions
    with pytest.raises(PtdumpError, match="more than its tables have entries: some of them lead back to themselves"):
        list(ptdump(mmu, booted))


def test_every_table_is_read_once_and_those_with_many_lines_twice(read):
    pages, many = {BASE: np.zeros(512, np.uint64)}, 0
    for i in range(300):
        table = BASE + (1 + i << 12)
        words = np.full(512, LEAF, np.uint64)
        if i % 100 == 99:
            words[::2], many = 0, many + 1
        pages[table] = words
    upper, middle = BASE + (400 << 12), BASE + (401 << 12)
    pages[BASE][0], pages[upper], pages[middle] = upper | 3, np.zeros(512, np.uint64), np.zeros(512, np.uint64)
    pages[upper][0] = middle | 3
    pages[middle][:300] = [BASE + (1 + i << 12) | 3 for i in range(300)]
    mmu, booted = mmu_of(pages)
    lines = sum(1 for _ in ptdump(mmu, booted))
    assert lines > many * 512
    assert set(read) == set(pages)
    assert len(read) == len(pages) + many + 2  # and the two tables above those


def test_lines_come_before_all_tables_are_read(read):
    pages = {BASE: np.array([BASE + (1 + i << 12) | 3 for i in range(512)], np.uint64)}
    for i in range(512):
        pages[BASE + (1 + i << 12)] = np.full(512, LEAF ^ 2 | i % 2 << 7, np.uint64)  # blocks, every other read-only
    mmu, booted = mmu_of(pages)
    lines = ptdump(mmu, booted)
    assert isinstance(next(lines), Marker)
    assert next(lines).size == 1 << 39
    assert len(read) <= 3
