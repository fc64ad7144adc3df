"""Stray pointers: where they fault is what the walk of the kernel's own tables finds."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels import EVERYWHERE, every_kernel, kernel

from pgtlab.arch.fault import Access, Fault
from pgtlab.arch.registers import ESR_EL1, TTBR1_EL1, ISSDataAbort
from pgtlab.linux.boot import Boot, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.printk import Panic
from pgtlab.linux.placement import Placement

DATA = Path(__file__).parents[1] / "data"
FOUR_LEVELS = boot(Config("4k", 48), CPU.named("max"))


def dies(booted: Boot, call) -> tuple[Kernel, str]:
    """A kernel in which debug_vm_pgtable calls `call(k)`, and its log without timestamps."""
    k = Kernel(booted)
    k.livepatch(destroy_args=lambda k, args: call(k))
    assert k.run().outcome == "panic"
    return k, "\n".join(re.sub(r"^\[.{12}\] ", "", line) for line in k.log.lines)


# What the kernel's tables map.


@every_kernel
@given(data=st.data())
@settings(max_examples=10)
def test_linear_map_addresses(k, data):
    """What lets a load from there go without a walk."""
    pa = data.draw(st.integers(k.memory.base, k.memory.base + k.memory.size - 1))
    for access in (Access.READ, Access.WRITE):
        walk = k.mmu.translate(k.__va(pa), access)
        assert walk.outcome.pa == pa
        assert walk.outcome.attributes.memory_type == "Normal WB RWA"
    assert k.mmu.translate(k.__va(pa), Access.FETCH).esr.EC == 0x21


@every_kernel
def test_linear_map_ends_with_ram(k):
    for pa in (k.memory.base - 8, k.memory.base + k.memory.size):
        assert isinstance(k.mmu.translate(k.__va(pa)).outcome, Fault)


@every_kernel
def test_vmemmap_maps_the_memmap(k):
    page = k.alloc_pages(0)
    through_the_mmu = k.page_at(page.address)
    assert through_the_mmu.words() == page.words()
    assert (through_the_mmu._refcount, through_the_mmu._mapcount) == (1, -1)
    assert list(through_the_mmu.lru) == list(page.lru)
    through_the_mmu._mapcount = -513
    through_the_mmu.mapping = 0x1234
    assert (page.page_type, page._refcount, page.mapping) == (0xFFFF_FDFF, 1, 0x1234)
    page._mapcount, page.mapping = -1, 0
    k.__free_pages(page, 0)


@every_kernel
def test_task_stack_is_mapped_by_pages(k):
    for va in range(k.task_stack, k.task_stack + k.THREAD_SIZE, k.PAGE_SIZE):
        k.write64(va + 24, va)
    assert [k.read64(va + 24) for va in range(k.task_stack, k.task_stack + k.THREAD_SIZE, k.PAGE_SIZE)] == list(
        range(k.task_stack, k.task_stack + k.THREAD_SIZE, k.PAGE_SIZE)
    )
    assert k.mmu.translate(k.task_stack).outcome.level == 3
    assert isinstance(k.mmu.translate(k.task_stack - 8).outcome, Fault)
    assert k.task_stack < k.stack.sp < k.task_stack + k.THREAD_SIZE


@every_kernel
@given(data=st.data())
@settings(max_examples=10)
def test_linux_and_mmu_walk_agree(k, data):
    """The Linux walk of swapper_pg_dir ends in the word in which the MMU's ends."""
    va = data.draw(
        st.one_of(
            st.integers(k.task_stack, k.task_stack + k.THREAD_SIZE - 1),
            st.integers(k.__va(k.memory.base), k.__va(k.memory.base + k.memory.size - 1)),
            st.integers(0, k.memmap.nbytes - 1).map(k.pfn_to_page(k.memory.base >> k.PAGE_SHIFT).address.__add__),
        )
    )
    walk = k.mmu.translate(va)
    assert k.entries_of(k.init_mm, va)[-1][1] == walk.steps[-1].descriptor.value


@pytest.mark.parametrize("size", [1, 2, 4, 8])
@given(offset=st.integers(0, 4096 - 8), value=st.integers(0, (1 << 64) - 1))
@settings(max_examples=20)
def test_unaligned_access(size, offset, value):
    k = kernel(FOUR_LEVELS)
    va, mask = k.task_stack + offset, (1 << 8 * size) - 1
    start = offset & ~7
    k.write64(k.task_stack + start, 0x0123_4567_89AB_CDEF)
    k.write64(k.task_stack + start + 8, 0xFEDC_BA98_7654_3210)
    before = k.load(k.task_stack + start, 8) | k.load(k.task_stack + start + 8, 8) << 64
    shift = 8 * (offset - start)
    assert k.load(va, size) == before >> shift & mask
    k.store(va, value, size)
    after = k.load(k.task_stack + start, 8) | k.load(k.task_stack + start + 8, 8) << 64
    assert after == before & ~(mask << shift) | (value & mask) << shift


# Faults.


@every_kernel
def test_null_faults_at_the_start_level(k):
    walk = k.mmu.translate(8)
    assert walk.outcome.level == k.boot.start_level
    assert len(walk.steps) == 1


@pytest.mark.parametrize(
    ("config", "cpu", "code", "name"),
    [
        (Config("4k", 52), "max", 0x2B, "level -1 translation fault"),
        (Config("4k", 52), "max,lpa2=off", 0x04, "level 0 translation fault"),
        (Config("4k", 48), "max", 0x04, "level 0 translation fault"),
        (Config("4k", 39), "max", 0x05, "level 1 translation fault"),
        (Config("16k", 52), "max", 0x04, "level 0 translation fault"),
        (Config("16k", 52), "max,lpa2=off", 0x05, "level 1 translation fault"),
        (Config("16k", 47), "max", 0x05, "level 1 translation fault"),
        (Config("64k", 42), "max", 0x06, "level 2 translation fault"),
        (Config("64k", 52), "cortex-a72", 0x05, "level 1 translation fault"),
    ],
)
def test_level_of_a_null_dereference(config, cpu, code, name):
    k, log = dies(boot(config, CPU.named(cpu)), lambda k: k.read64(0x8))
    (report,) = k.reports
    assert (report.kind, report.address, report.esr) == ("Oops", 8, 0x9600_0000 | code)
    assert f"\n  FSC = 0x{code:02x}: {name}\n" in log
    assert f"Internal error: Oops: {report.esr:016x} [#1] PREEMPT SMP" in log


def test_store_sets_wnr():
    k, log = dies(boot(Config("4k", 48), CPU.named("max")), lambda k: k.write64(0x18, 1))
    assert ISSDataAbort(ESR_EL1(k.reports[0].esr).ISS).WnR == 1
    assert "\n  CM = 0, WnR = 1, TnD = 0, TagAccess = 0\n" in log
    assert "virtual address 0000000000000018" in log


@pytest.mark.parametrize(
    ("offset", "entries", "level"), [(1 << 40, 2, 0), (1 << 38, 3, 1), (0, 4, 2)], ids=["pgd", "pud", "pmd"]
)
def test_kernel_address_faults_at_the_invalid_level(offset, entries, level):
    """Beyond RAM in the linear map; p4d shows the pgd's entry again, as with any four-level kernel."""

    def stray(k):
        return k.read64(k.__va(k.memory.base + k.memory.size) + offset)

    booted = boot(Config("4k", 48), CPU.named("max"))
    _, log = dies(booted, stray)
    line = next(line for line in log.splitlines() if " pgd=" in line)
    found = dict(re.findall(r"(\w+)=([0-9a-f]{16})", line))
    assert list(found) == ["pgd", "p4d", "pud", "pmd"][:entries]
    assert list(found.values())[-1] == "0" * 16
    assert found["pgd"] == found["p4d"]
    assert f"level {level} translation fault" in log
    assert "swapper pgtable: 4k pages, 48-bit VAs, pgdp=0000000040000000" in log


def test_address_outside_both_ranges():
    _, log = dies(boot(Config("4k", 39), CPU.named("max")), lambda k: k.read64(0x1234_5678_9ABC_DEF0))
    assert "[123456789abcdef0] address between user and kernel address ranges" in log
    assert "level 0 translation fault" in log  # as architected: the level of an address out of range is 0


def test_permission_fault_and_translation_fault_differ():
    """The model maps nothing read-only by itself; a table that is made to forbid writing shows the other message."""

    def write_protected(k):
        va = k.task_stack
        (_, pte), ptep = k.entries_of(k.init_mm, va)[-1], k.mmu.translate(va).steps[-1].address
        k.memory.write64(ptep, pte & ~k.PTE_DBM | k.PTE_RDONLY)
        k.write64(va, 1)

    _, log = dies(boot(Config("4k", 48), CPU.named("max")), write_protected)
    assert "Unable to handle kernel write to read-only memory at virtual address" in log
    assert "FSC = 0x0f: level 3 permission fault" in log


def test_struct_page_of_a_missing_frame_faults_when_read():
    k = kernel(FOUR_LEVELS)
    page = k.pfn_to_page(0x7_0000)
    assert page.address == k.vmemmap + 0x7_0000 * 64
    assert k.page_to_pfn(page) == 0x7_0000
    seen = len(k.reports)
    with pytest.raises(Panic):
        page._refcount  # noqa: B018
    (report,) = k.reports[seen:]
    assert report.address == page.address + 52


@every_kernel
@given(pfn=st.integers(0, (1 << 58) - 1))
@settings(max_examples=10)
def test_page_to_pfn_inverts_pfn_to_page(k, pfn):
    assert k.page_to_pfn(k.pfn_to_page(pfn)) & (1 << 58) - 1 == pfn


# Oopses of real kernels, met again with their page tables.

RECORDED = [json.loads(line) for line in (DATA / "oops/walks.jsonl").read_text().splitlines()]
# Not those of user space, of tagged pointers, or faults that no walk makes: alignment, and one from a hypervisor.
REPLAYED = [
    oops for oops in RECORDED if oops["table"] == "swapper" and not re.search("alignment|Xen|tagged", oops["note"])
]


@pytest.mark.parametrize("oops", REPLAYED, ids=[oops["addr"] for oops in REPLAYED])
def test_recorded_tables_give_the_recorded_oops(oops):
    k = Kernel(boot(Config(f"{oops['page_kb']}k", oops["va_bits"]), CPU.named("max")))
    k.memory.size = 1 << 44  # the machine's RAM, wherever it was
    addr, pgdp = int(oops["addr"], 16), int(oops["pgdp"], 16)
    k.init_mm.pgd, k.mmu = k.__va(pgdp), replace(k.mmu, ttbr1=TTBR1_EL1(pgdp))
    entryp = k.pgd_offset(k.init_mm, addr)
    below = iter([k.p4d_offset, k.pud_offset, k.pmd_offset, k.pte_offset_kernel])
    for level in ("pgd", "p4d", "pud", "pmd", "pte"):
        if level in oops["entries"]:
            k.write64(entryp, int(oops["entries"][level], 16))
        if level == list(oops["entries"])[-1]:
            break
        entryp = next(below)(entryp, addr)

    esr = ESR_EL1(int(oops["esr"], 16))
    access = Access.FETCH if esr.EC == 0x21 else Access(ISSDataAbort(esr.ISS).WnR)
    with pytest.raises(Panic):
        k.do_mem_abort(k.mmu.translate(addr, access))
    (report,) = k.reports
    valid_syndrome = 0x1FF_C000 if esr.EC == 0x25 and ISSDataAbort(esr.ISS).ISV else 0  # the register, for a hypervisor
    assert report.esr == int(esr) & ~valid_syndrome
    line = next(line for line in k.log.lines if " pgd=" in line)
    found = dict(re.findall(r"(\w+)=([0-9a-f]{16})", line))
    assert line.endswith(f"[{oops['addr']}] " + ", ".join(f"{name}={value}" for name, value in found.items()))
    if "p4d" not in oops["entries"]:  # printed before there was that level
        del found["p4d"]
    assert found == oops["entries"]
    assert f"swapper pgtable: {oops['page_kb']}k pages, {oops['va_bits']}-bit VAs, pgdp={pgdp:016x}" in str(k.log)


def test_recorded_oopses_cover_each_kind():
    assert len(REPLAYED) == 5
    codes = {ISSDataAbort(ESR_EL1(int(oops["esr"], 16)).ISS).DFSC for oops in REPLAYED}
    assert codes == {0x04, 0x06, 0x07, 0x0E, 0x0F}


# Where things are from boot to boot.


@pytest.mark.slow
def test_every_kernel_boots_with_a_moved_linear_map():
    for booted in EVERYWHERE:
        k = Kernel(booted)
        align = 1 << max({12: k.PUD_SHIFT, 14: k.CONT_PMD_SHIFT, 16: k.PMD_SHIFT}[k.PAGE_SHIFT], k.SECTION_SIZE_BITS)
        lowest = k.memory.base - (k.PAGE_END - k.PAGE_OFFSET) + k.memory.size
        offset = -(-lowest // align) * align
        moved = Kernel(booted, placement=Placement(phys_offset=offset & (1 << 64) - 1))
        assert moved.memstart_addr == offset
        assert moved.read64(moved.__va(moved.memory.base)) == moved.memory.read64(moved.memory.base)
        assert moved.mmu.translate(moved.__va(moved.memory.base)).outcome.pa == moved.memory.base
        assert (
            moved.pfn_to_page(moved.memory.base >> moved.PAGE_SHIFT).flags
            == moved.page_at(moved.vmemmap + (moved.memory.base >> moved.PAGE_SHIFT) * 64 & (1 << 64) - 1).flags
        )
        assert moved.run().outcome == k.run().outcome


@pytest.mark.parametrize(
    ("placement", "message"),
    [
        (Placement(phys_offset=0x1234_5000), "not a multiple of ARM64_MEMSTART_ALIGN, 0x40000000; did you mean"),
        (Placement(phys_offset=0x8000_0000), "outside the linear map, .*; did you mean 0x40000000"),
        (Placement(phys_offset=0xFFFF_0000_0000_0000), "outside the linear map, .*; did you mean 0xffff800080000000"),
        (Placement(page_copy=0xFFFF_8000_8007_B955), "aligned to 16 bytes .*; did you mean 0xffff80008007b950"),
        (Placement(page_copy=0x1000), "in the vmalloc area, .*; did you mean 0xffff800080000100"),
        (Placement(pud_pfn=0x1), "did you mean 0x40001"),
        (Placement(pud_pfn=1 << 40), "did you mean 0x43ffff"),
    ],
)
def test_impossible_placement_names_a_possible_one(placement, message):
    booted = boot(Config("4k", 48), CPU.named("max"))
    with pytest.raises(ValueError, match=message) as refusal:
        Kernel(booted, placement=placement)
    nearest = re.search(r"did you mean (0x[0-9a-f]+)\?$", str(refusal.value))
    given = {name: value for name, value in vars(placement).items() if value is not None}
    Kernel(booted, placement=Placement(**dict.fromkeys(given, int(nearest[1], 16))))


@pytest.mark.parametrize(("ec", "of_data"), [(0x20, False), (0x21, False), (0x24, True), (0x25, True)])
def test_a_data_abort_of_either_level_has_lines_of_its_own(ec, of_data):
    k = Kernel(EVERYWHERE[0])
    fault = k.mmu.translate(0).outcome
    k.mem_abort_decode(ESR_EL1(ec << 26 | 1 << 25 | 6), fault)
    assert any("Data abort info:" in line for line in k.log.lines) == of_data
