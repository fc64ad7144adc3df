"""Page tables allocated and freed in any order: counters, freed pages, and mistakes that are always reported."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pgtlab.lab.trees import Tree
from pgtlab.linux.boot import Fold, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.printk import Panic

BOOTS = [
    boot(Config("4k", 52, PAGE_POISONING=1), CPU.named("max")),
    boot(Config("4k", 48, ZONE_DMA=0, ZONE_DMA32=0), CPU.named("max")),
    boot(Config("4k", 48, DEBUG_VM=0), CPU.named("max")),
    boot(Config("16k", 52), CPU.named("max,lpa2=off")),
    boot(Config("16k", 36), CPU.named("max")),
    boot(Config("64k", 48, TRANSPARENT_HUGEPAGE=0), CPU.named("max")),
]
LEVELS = ("p4d", "pud", "pmd", "pte")


def started(booted) -> Kernel:
    return Tree.named("fixed").start_kernel(booted)


def free_blocks(k: Kernel) -> set[tuple[int, int]]:
    return {(pfn, order) for zone in k.node_zones for pfn, order, _ in zone.free_blocks()}


def alloc_one(k: Kernel, mm, level: str) -> int:
    """A table's address in the linear map."""
    if level == "pte":
        return k.page_address(k.pte_alloc_one(mm))
    return vars(k)[f"{level}_alloc_one"](mm, 0)


def free(k: Kernel, mm, level: str, table: int) -> None:
    """Free a table by its address in the linear map."""
    if level == "pte":
        k.pte_free(mm, k.virt_to_page(table))
    else:
        vars(k)[f"{level}_free"](mm, table)


def pa(k: Kernel, address: int) -> int:
    return k.__pa(address)


def free_page(k: Kernel, page) -> None:
    """Outside the class, where Python would mangle the name with two underscores."""
    k.__free_pages(page, 0)


def levels_of(booted) -> list[str]:
    return [level for level in LEVELS if level == "pte" or booted.folded[level] is Fold.REAL]


class Tables(RuleBasedStateMachine):
    """Tables of all levels are allocated and freed, and other pages between them."""

    @initialize(booted=st.sampled_from(BOOTS))
    def start(self, booted):
        self.k, self.levels = started(booted), levels_of(booted)
        self.mm = self.k.mm_alloc()
        self.at_start = free_blocks(self.k)
        self.tables: dict[int, str] = {}
        self.pages: list = []

    @rule(data=st.data())
    def alloc_table(self, data):
        level = data.draw(st.sampled_from(self.levels))
        table = alloc_one(self.k, self.mm, level)
        assert table not in self.tables
        assert not self.k.memory.read(pa(self.k, table), self.k.PAGE_SIZE // 8).any()
        self.k.write64(table + 8 * data.draw(st.integers(0, self.k.PTRS_PER_PTE - 1)), 3)
        self.tables[table] = level

    @precondition(lambda self: self.tables)
    @rule(data=st.data())
    def free_table(self, data):
        table = data.draw(st.sampled_from(sorted(self.tables)))
        free(self.k, self.mm, self.tables.pop(table), table)

    @rule()
    def alloc_page(self):
        self.pages.append(self.k.alloc_pages(0))

    @precondition(lambda self: self.pages)
    @rule(data=st.data())
    def free_page(self, data):
        free_page(self.k, self.pages.pop(data.draw(st.integers(0, len(self.pages) - 1))))

    @invariant()
    def tables_are_counted(self):
        """A P4D table has no constructor in v6.9, and is not counted."""
        counted = [level for level in self.tables.values() if level != "p4d"]
        assert self.k.vmstat["nr_page_table_pages"] == len(counted)
        typed = (self.k.memmap["page_type"] == 0xFFFF_FDFF).sum()
        assert typed == len(counted)

    @invariant()
    def frames_have_one_owner(self):
        used = {self.k.virt_to_page(table).pfn for table in self.tables} | {page.pfn for page in self.pages}
        assert len(used) == len(self.tables) + len(self.pages)
        assert not any(pfn <= frame < pfn + (1 << order) for pfn, order in free_blocks(self.k) for frame in used)

    def teardown(self):
        for table, level in self.tables.items():
            free(self.k, self.mm, level, table)
        for page in self.pages:
            free_page(self.k, page)
        assert (self.k.vmstat["nr_page_table_pages"], self.k.reports) == (0, [])
        assert free_blocks(self.k) == self.at_start


TestTables = Tables.TestCase
TestTables.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)

CHECKED = [b for b in BOOTS if b.config.constants.CONFIG_DEBUG_VM]
every_level = pytest.mark.parametrize(
    ("booted", "level"),
    [(b, level) for b in CHECKED for level in levels_of(b) if level != "p4d"],
    ids=lambda value: value if isinstance(value, str) else f"{value.config!r}",
)


@every_level
def test_table_freed_without_its_destructor_is_a_bad_page(booted, level):
    k = started(booted)
    mm = k.mm_alloc()
    table = alloc_one(k, mm, level)
    k.free_page(table)
    assert [(r.kind, r.text, r.mapcount) for r in k.reports] == [("Bad page state", "nonzero mapcount", -512)]
    assert k.vmstat["nr_page_table_pages"] == 1
    assert k.virt_to_page(table).pfn not in {pfn for pfn, _ in free_blocks(k)}


@every_level
def test_table_freed_twice_is_a_bug(booted, level):
    k = started(booted)
    mm = k.mm_alloc()
    table = alloc_one(k, mm, level)
    free(k, mm, level, table)
    with pytest.raises(Panic):
        free(k, mm, level, table)
    assert k.reports[-1].text == "VM_BUG_ON_PAGE(!PageTable(page))"


@every_level
def test_second_constructor_shows_in_the_count_only(booted, level):
    """In v6.9 a page that has a type may get another: `!PageType(page, 0)` only checks that it is not a map count."""
    k = started(booted)
    mm = k.mm_alloc()
    table = alloc_one(k, mm, level)
    vars(k)[f"pagetable_{level}_ctor"](k.virt_to_page(table))
    free(k, mm, level, table)
    assert (k.reports, k.vmstat["nr_page_table_pages"]) == ([], 1)


@given(st.data())
@settings(max_examples=10, deadline=None)
def test_pgtables_bytes_of_random_addresses(data):
    booted = data.draw(st.sampled_from(BOOTS))
    k = started(booted)
    mm = k.mm_alloc()
    before = k.nr_free_pages()
    for _ in range(data.draw(st.integers(1, 6))):
        va = data.draw(st.integers(0, (k.TASK_SIZE_64 >> k.PAGE_SHIFT) - 1)) << k.PAGE_SHIFT
        pudp = k.pud_alloc(mm, k.p4d_alloc(mm, k.pgd_offset(mm, va), va), va)
        assert k.pte_alloc(mm, k.pmd_alloc(mm, pudp, va)) == 0
    tables = k.vmstat["nr_page_table_pages"]
    p4ds = before - k.nr_free_pages() - tables
    assert k.mm_pgtables_bytes(mm) == tables * k.PAGE_SIZE
    assert (p4ds > 0) == (booted.folded["p4d"] is Fold.REAL)


@pytest.mark.parametrize(
    ("init_mm", "gfp"),
    [
        (False, "0x440dc0(GFP_KERNEL_ACCOUNT|__GFP_COMP|__GFP_ZERO)"),
        (True, "0x40dc0(GFP_KERNEL|__GFP_COMP|__GFP_ZERO)"),
    ],
)
def test_gfp_flags_of_a_table(init_mm, gfp):
    """A table of a process is charged to it; the message about a failed allocation shows the flags."""
    k = started(BOOTS[1])
    mm = k.init_mm if init_mm else k.mm_alloc()
    for order in range(10, -1, -1):
        while k.alloc_pages(order, 0x2CC0) is not None:  # __GFP_NOWARN
            pass
    assert k.pud_alloc_one(mm, 0) == 0
    assert f"swapper/0: page allocation failure: order:0, mode:{gfp}, nodemask=(null)" in k.log.lines[0]
