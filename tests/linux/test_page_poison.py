"""Page poisoning: a write to a free page is reported when the page is used again."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config, configurations
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.page_poison import PAGE_POISON, POISON_WORD


def new_kernel(config: Config | None = None) -> Kernel:
    return Kernel(boot(config or Config("4k", 48, PAGE_POISONING=1), CPU.named("max")))


def freed(k: Kernel, order: int = 0) -> int:
    """The address of a block that was allocated and freed."""
    page = k.alloc_pages(order)
    k.__free_pages(page, order)
    return k.page_address(page)


@pytest.mark.slow
@pytest.mark.parametrize("config", configurations(), ids=repr)
def test_correct_kernel_reports_nothing(config):
    k = new_kernel(Config(config.page_size, config.va_bits, config.pa_bits, PAGE_POISONING=1))
    assert [k.run().outcome for _ in range(2)] == ["clean", "clean"]


@given(order=st.integers(0, 3), word=st.integers(0, 511))
@settings(max_examples=10, deadline=None)
def test_freed_page_reads_as_poison(order, word):
    k = new_kernel()
    address = freed(k, order)
    assert k.read64(address + 8 * word) == POISON_WORD == 0xAAAA_AAAA_AAAA_AAAA
    assert k.read64(k.get_zeroed_page() + 8 * word) == 0


def test_without_poisoning_a_freed_page_is_unchanged():
    k = new_kernel(Config("4k", 48))
    address = k.get_zeroed_page()
    k.write64(address, 0x1234)
    k.free_page(address)
    assert k.read64(address) == 0x1234


@given(offset=st.integers(0, 4095), data=st.binary(min_size=1, max_size=40))
def test_write_to_a_free_page_is_reported(offset, data):
    k = new_kernel()
    page = k.virt_to_page(freed(k))
    data = data[: 4096 - offset]
    for i, byte in enumerate(data):
        k.store(k.page_address(page) + offset + i, byte, 1)
    printed = len(k.log.lines)
    assert k.alloc_pages(0) == page
    lines = [line.split("] ", 1)[1] for line in k.log.lines[printed:]]

    changed = [i for i, byte in enumerate(data) if byte != PAGE_POISON]
    if not changed:
        assert k.reports == []
        return
    first, last = changed[0], changed[-1]
    one_bit = first == last and (data[first] ^ PAGE_POISON).bit_count() == 1
    (report,) = k.reports
    assert (report.kind, report.pfn) == ("Page poison", page.pfn)
    assert lines[0] == report.text == f"pagealloc: {'single bit error' if one_bit else 'memory corruption'}"
    shown = bytes.fromhex("".join(line[18:66] for line in lines[1 : 1 + -(-(last - first + 1) // 16)]))
    assert shown == data[first : last + 1]
    assert lines[1].startswith(f"{k.page_address(page) + offset + first:016x}: ")
    assert lines[-1] == "page dumped because: pagealloc: corrupted page details"


def test_write_to_a_page_free_since_boot_is_reported():
    """The model stores no poison in such a page; a word that is not zero was written."""
    k = new_kernel()
    page = k.pfn_to_page(k.alloc_pages(0).pfn + 1)
    k.write64(k.page_address(page) + 0x800, 0x8000_0000_0000_0003)
    assert k.alloc_pages(0) == page
    assert [(report.pfn, report.text) for report in k.reports] == [(page.pfn, "pagealloc: memory corruption")]
    assert any(": 03 00 00 00 00 00 00 80 " in line for line in k.log.lines)


def test_printed_report():
    k = new_kernel()
    address = freed(k)
    k.write64(address + 0x10, 0x0041_4243_4445_4647)
    printed = len(k.log.lines)
    k.alloc_pages(0)
    lines = [line.split("] ", 1)[1] for line in k.log.lines[printed:]]
    assert lines[:2] == [
        "pagealloc: memory corruption",
        f"{address + 0x10:016x}: 47 46 45 44 43 42 41 00                          GFEDCBA.",
    ]
    trace = lines[lines.index("Call trace:") + 1 :]
    assert trace[:6] == [
        f" {name}"
        for name in (
            "dump_backtrace",
            "show_stack",
            "dump_stack_lvl",
            "dump_stack",
            "__kernel_unpoison_pages",
            "alloc_pages",
        )
    ]
    assert k.reports[0].trace[:2] == ("__kernel_unpoison_pages", "alloc_pages")


def test_use_of_a_freed_table():
    """Poison looks like an entry that is not none; a write of an entry to the table is reported."""
    k = new_kernel()
    table = freed(k)
    assert not k.pmd_none(k.pmdp_get(table))
    k.set_pte(table, k.pfn_pte(7, k.vm_get_page_prot(k.VM_READ)))
    assert k.get_zeroed_page() == table
    assert [report.text for report in k.reports] == ["pagealloc: memory corruption"]
