"""What went wrong: where the evidence carries a diagnosis, and where it does not."""

import json
import re
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtlab.lab.trees import Tree
from pgtlab.lab.variants import describe, distinct_boots
from pgtlab.linux.boot import Fold
from pgtlab.linux.oops import OopsError, read
from pgtlab.linux.oops.diagnosis import NAMES, NOT_ENOUGH
from pgtlab.linux.oops.diagnosis.poison import POISONS, error_pointer, poison_of, shadow_of
from pgtlab.linux.oops.inferring.inference import DERIVED, LIKELY, Diagnosis

DATA = Path(__file__).parents[1] / "data"
SEED = (DATA / "seed/next-20240229.log").read_text()
BAD_PAGE = json.loads((DATA / "oops/badpage.jsonl").read_text().splitlines()[0])
PUD_REAL = [booted for booted in distinct_boots() if booted.folded["pud"] is Fold.REAL]
REGISTERS = "x2 : 0000000000000000 x1 : {x1:016x} x0 : {x0:016x}"


def diagnoses(text: str) -> list[Diagnosis]:
    return [report.diagnosis for report in read(text).reports]


def names(text: str) -> list[str]:
    return [diagnosis.name for diagnosis in diagnoses(text)]


def oops(address: int, esr: int = 0x96000004, *lines: str, kind: str = "paging request") -> str:
    return "\n".join(
        [
            f"Unable to handle kernel {kind} at virtual address {address:016x}",
            "Mem abort info:",
            f"  ESR = 0x{esr:016x}",
            *lines[:1],
            f"Internal error: Oops: {esr:016x} [#1] PREEMPT SMP",
            "CPU: 1 PID: 1 Comm: init Not tainted 6.9.0 #1",
            "pc : some_function+0x3c/0x68",
            "lr : its_caller+0x10/0x20",
            *lines[1:],
        ]
    )


# Page-table pages.


def test_diagnoses_of_the_story():
    """The page table that lost its destructor, and the copy that was taken for a page."""
    first, second, third = diagnoses(SEED)
    assert first.name == "page-table-freed-without-destructor"
    assert "destroy_args()" in first.sentence
    assert second.name == "stack-address-as-struct-page"
    assert "0xffff80008007b950" in second.sentence
    assert "mem_section.usage" in second.sentence
    assert third.name == NOT_ENOUGH


def test_diagnosis_shows_itself_as_the_command_does():
    log = read(SEED)
    first, second = log.diagnoses.values()
    assert log.diagnosis is first is log.reports[0].diagnosis
    shown = "\n".join(f"report {number}: {diagnosis}" for number, diagnosis in log.diagnoses.items())
    assert "\n".join(f"  {line}" for line in shown.split("\n")) in str(log)
    assert repr(second) == str(second)


@pytest.mark.parametrize("name", ["4k-va48", "16k-va52"])
def test_diagnosis_of_a_recorded_bad_page(name):
    """6.12 prints mapcount 0 and the type; the trace is the report's own."""
    (diagnosis,) = diagnoses((DATA / f"kernel/bad-page-{name}.log").read_text())
    assert (diagnosis.name, diagnosis.confidence) == ("page-table-freed-without-destructor", DERIVED)


@pytest.mark.parametrize("name", ["4k-va48", "16k-va52"])
def test_no_diagnosis_without_the_page_type(name):
    """In 6.12 the line before the Oops has mapcount 0: that the page was a table is not in this log."""
    found = names((DATA / f"kernel/panic-{name}.log").read_text())
    assert found == [NOT_ENOUGH, "stack-address-as-struct-page", NOT_ENOUGH]


@pytest.mark.parametrize("booted", PUD_REAL, ids=describe)
@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ("next-20240229", ["page-table-freed-without-destructor", "stack-address-as-struct-page"]),
        ("arm64-for-next", ["page-table-freed-without-destructor"]),
    ],
)
def test_diagnoses_of_simulated_boots(booted, tree, expected):
    text = "\n".join(Tree.named(tree).start_kernel(booted).run().dmesg)
    assert names(text)[: len(expected)] == expected


def bad_page(*trace: str, mapcount: int = -512, word: int = 0xFFFFFDFF, reason: str = "nonzero mapcount") -> str:
    return "\n".join(
        [
            f"BUG: Bad page state in process {BAD_PAGE['process']}  pfn:{BAD_PAGE['pfn']}",
            f"page:00000000b430fc6f refcount:0 mapcount:{mapcount} mapping:0000000000000000 index:0x0 pfn:0x20b066",
            "flags: 0x17ffffc0000000(node=0|zone=2|lastcpupid=0x1fffff)",
            f"raw: {BAD_PAGE['raw'][0]}",
            f"raw: 0000000000000000 0000000000000000 00000000{word:08x} 0000000000000000",
            f"page dumped because: {reason}",
            "CPU: 0 PID: 444 Comm: 444 Not tainted 5.19.0-rc1 #1",
            "Call trace:",
            " dump_backtrace+0xa0/0xdc",
            " bad_page+0x7c/0x11c",
            " free_pcp_prepare+0x330/0x4a0",
            *(f" {name}+0x10/0x20" for name in trace),
        ]
    )


def test_the_words_of_a_real_dump_are_those_of_a_page_table():
    assert BAD_PAGE["raw"][1].split()[2] == "00000000fffffdff"


def test_a_page_table_freed_by_code_that_frees_page_tables():
    (diagnosis,) = diagnoses(bad_page("free_unref_page", "__free_pages", "pmd_free", "free_pgd_range"))
    assert diagnosis.name == "page-table-freed-without-destructor"
    assert "pmd_free()" in diagnosis.sentence


@pytest.mark.parametrize(
    "text",
    [
        "kernel BUG at mm/debug_vm_pgtable.c:123!\nInternal error: Oops - BUG: 00000000f2000800 [#1] PREEMPT SMP",
        "WARNING: CPU: 0 PID: 1 at mm/debug_vm_pgtable.c:123 pte_basic_tests+0x10/0x20\n"
        "CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.9.0 #1",
    ],
)
def test_failed_check_names_its_location(text):
    (diagnosis,) = diagnoses(text)
    assert diagnosis.name == NOT_ENOUGH
    assert "failed at mm/debug_vm_pgtable.c:123" in diagnosis.sentence


def test_signature_alone_is_not_enough():
    """The same page, from a driver: who took the page table, or wrote over the struct page, is not in the log."""
    (diagnosis,) = diagnoses(bad_page("free_unref_page", "page_frag_free", "skb_free_head", "kfree_skb", "tcp_ack"))
    assert diagnosis.name == NOT_ENOUGH
    assert "typed as a page table" in diagnosis.sentence
    assert not diagnosis.confidence


@pytest.mark.parametrize("function", ["exit_mmap", "tlb_finish_mmu", "unmap_vmas", "free_pages"])
def test_functions_that_free_any_page_are_not_evidence(function):
    assert names(bad_page("free_unref_page", function, "do_exit")) == [NOT_ENOUGH]


def test_unreliable_frames_are_not_evidence():
    text = bad_page("free_unref_page", "kfree_skb").replace(" kfree_skb", " ? pud_free+0x10/0x20\n kfree_skb")
    assert names(text) == [NOT_ENOUGH]


def test_page_without_type_is_not_a_page_table():
    text = bad_page("pud_free", mapcount=1, word=0, reason="nonzero mapcount")
    assert names(text) == [NOT_ENOUGH]


def test_page_table_with_another_reason():
    text = bad_page("pud_free", mapcount=0, word=0xFFFFFDFF, reason="PAGE_FLAGS_CHECK_AT_FREE flag(s) set")
    assert names(text) == [NOT_ENOUGH]


# Faults.


@pytest.mark.parametrize(
    ("address", "code", "x0", "name", "words"),
    [
        (0x8, "f9400400", 0, "null-plus-offset", "x0 is NULL, and the field at offset 0x8"),
        (0x8, "", 0, "null-plus-offset", "a NULL pointer plus 0x8"),
        (0xDEAD000000000108, "f9400400", 0xDEAD000000000100, "poison", "LIST_POISON1"),
        (0xDEAD000000000122, "f9400000", 0xDEAD000000000122, "poison", "LIST_POISON2"),
        (0x006B6B6B6B6B6B73, "f9400400", 0x6B6B6B6B6B6B6B6B, "poison", "POISON_FREE"),
        (0x00AAAAAAAAAAAAAA, "", 0, "poison", "PAGE_POISON"),
        (0xFFFFFFFFFFFFFFFC, "f9400400", 0xFFFFFFFFFFFFFFF4, "error-pointer", "-ENOMEM"),
        (0xDFFF800000000001, "", 0, "kasan-shadow", "an access between 0x8 and 0xf"),
        (0x00616161616161A1, "f9402000", 0x6161616161616161, "non-canonical-address", "neither address range"),
    ],
)
def test_diagnosis_by_address(address, code, x0, name, words):
    walk = f"[{address:016x}] address between user and kernel address ranges" if name == "non-canonical-address" else ""
    text = oops(
        address, 0x96000004, walk, REGISTERS.format(x0=x0, x1=0), f"Code: d503201f d503201f ({code})" if code else ""
    )
    (diagnosis,) = diagnoses(text)
    assert diagnosis.name == name
    assert words in diagnosis.sentence


@pytest.mark.parametrize("printed", ["KASAN: null-ptr-deref in range [0x0000000000000008-0x000000000000000f]", ""])
def test_a_shadow_near_null_is_sure_where_the_kernel_says_so(printed):
    """`kasan_non_canonical_hook()` prints the range that the shadow is of."""
    (diagnosis,) = diagnoses(oops(0xDFFF800000000001, 0x96000004, printed))
    assert diagnosis.confidence == (DERIVED if printed else LIKELY)
    assert [each.text for each in diagnosis.evidence if each.text.startswith("KASAN:")] == (
        [printed] if printed else []
    )


#: CONFIG_KASAN_SHADOW_OFFSET of arch/arm64/Kconfig, v6.9, by VA_BITS: of generic KASAN, where 8 bytes have one of the
#: shadow, and of KASAN_SW_TAGS, where 16 have.
GENERIC = {48: 0xDFFF800000000000, 42: 0xDFFFFE0000000000, 39: 0xDFFFFFC000000000}
TAGS = {48: 0xEFFF800000000000, 42: 0xEFFFFE0000000000, 39: 0xEFFFFFC000000000}


def in_a_check(address: int, function: str, bits: int = 48, esr: int = 0x96000006, *, walk: bool = True) -> str:
    """A fault at an address, in a function of KASAN's."""
    text = oops(address, esr, f"swapper pgtable: 4k pages, {bits}-bit VAs, pgdp=0000000041234000" if walk else "")
    return text.replace("pc : some_function", f"pc : {function}")


@pytest.mark.parametrize("bits", [48, 39])
@pytest.mark.parametrize(
    ("function", "offsets", "shift"),
    [
        ("kasan_check_range", GENERIC, 3),
        ("__kasan_check_read", GENERIC, 3),
        ("__asan_load8_noabort", GENERIC, 3),
        ("__hwasan_load8_noabort", TAGS, 4),
    ],
)
def test_a_check_of_an_address_without_a_shadow(bits, function, offsets, shift):
    """The shadow of the address that is checked is not mapped: (address >> shift) + KASAN_SHADOW_OFFSET."""
    checked = (1 << 64) - (1 << bits) + 0x12345670
    shadow = (checked >> shift) + offsets[bits] & (1 << 64) - 1
    (diagnosis,) = diagnoses(in_a_check(shadow, function, bits))
    assert diagnosis.name == "kasan-shadow"
    assert f"was checking an access to {checked:#x}, in the linear map, which has no shadow: {shadow:#x} is" in str(
        diagnosis
    )
    assert diagnosis.confidence == DERIVED


@pytest.mark.parametrize(
    ("function", "how"),
    [
        ("some_function", {}),  # which checks nothing
        ("kasan_check_range", {"walk": False}),  # which says with how many bits
        ("kasan_check_range", {"esr": 0x9600000F}),  # a permission fault: the shadow is there
    ],
)
def test_what_is_no_check_of_an_address_without_a_shadow(function, how):
    shadow = (0xFFFF000012345670 >> 3) + GENERIC[48] & (1 << 64) - 1
    assert names(in_a_check(shadow, function, **how)) == [NOT_ENOUGH]


def test_a_shadow_of_no_address_of_the_kernel():
    """With 39 bits, the lowest address of the kernel is 0xffffff8000000000."""
    below = ((0xFFFFFF8000000000 - 0x1000) >> 3) + GENERIC[39] & (1 << 64) - 1
    assert "kasan-shadow" not in names(in_a_check(below, "kasan_check_range", 39))
    lowest = (0xFFFFFF8000000000 >> 3) + GENERIC[39] & (1 << 64) - 1
    assert names(in_a_check(lowest, "kasan_check_range", 39)) == ["kasan-shadow"]


@pytest.mark.parametrize(
    ("immediate", "name", "check"),
    [
        (0x5512, "ubsan-trap", "UBSAN, check 0x12: array index out of bounds"),
        (0x8231, "cfi-failure", "CFI, target in x17, type in w17"),
        (0x914, "kasan-report", "KASAN, a store of 16 bytes"),
    ],
)
@pytest.mark.parametrize("pc", ["some_function", ""])
def test_a_check_of_the_compiler_names_the_function_where_it_is_printed(immediate, name, check, pc):
    text = oops(0, 0xF2000000 | immediate).replace(
        "pc : some_function+0x3c/0x68\n", f"pc : {pc}+0x3c/0x68\n" if pc else ""
    )
    (diagnosis,) = diagnoses(text.partition("\n")[2])
    assert diagnosis.name == name
    where = f" in {pc}()" if pc else ""
    assert diagnosis.sentence == f"a check that the compiler built in failed{where}: {check}"


def test_a_null_pointer_names_the_function():
    (diagnosis,) = diagnoses(oops(0x18, 0x96000006))
    assert "in some_function()" in diagnosis.sentence


def test_a_jump_to_null_names_the_caller():
    (diagnosis,) = diagnoses(oops(0, 0x86000004))
    assert diagnosis.name == "null-function-pointer"
    assert "its_caller+0x10/0x20" in diagnosis.sentence


def test_contradicting_instruction_is_not_a_null_pointer():
    """x0 is a kernel pointer: whatever was read at 8, it was not by this instruction."""
    text = oops(0x8, 0x96000004, "", REGISTERS.format(x0=0xFFFF000012345678, x1=0), "Code: d503201f (f9400400)")
    assert names(text) == [NOT_ENOUGH]


def test_a_small_distance_from_the_end_of_memory_may_be_container_of_null():
    """-16 is EBUSY, and a field's distance too."""
    text = oops(
        0xFFFFFFFFFFFFFFF8, 0x96000004, "", REGISTERS.format(x0=0xFFFFFFFFFFFFFFF0, x1=0), "Code: d503201f (f9400400)"
    )
    assert names(text) == [NOT_ENOUGH]


def test_a_write_to_a_read_only_block():
    walk = (
        "swapper pgtable: 4k pages, 48-bit VAs, pgdp=00000001c566a000\n[ffff80000cb9e7b5] pgd=100000023ffff003, "
        "p4d=100000023ffff003, pud=100000023fffe003, pmd=00600001c5000781"
    )
    text = oops(0xFFFF80000CB9E7B5, 0x9600004E, walk, kind="write to read-only memory")
    (diagnosis,) = diagnoses(text)
    assert diagnosis.name == "write-to-read-only-memory"
    assert "pmd at level 2" in diagnosis.sentence


def test_an_execution_of_memory_that_may_not_be_executed():
    walk = (
        "swapper pgtable: 64k pages, 42-bit VAs, pgdp=0000000041d40000\n[fffffe0082e85070] pgd=100000023fff0003, "
        "p4d=100000023fff0003, pud=100000023fff0003, pmd=100000023fff0003, pte=0068000042e80703"
    )
    text = oops(0xFFFFFE0082E85070, 0x8600000F, walk, kind="execute from non-executable memory")
    assert names(text) == ["execute-non-executable-memory"]


def test_an_asynchronous_error_is_an_external_abort():
    """The form of `arm64_serror_panic()`, arch/arm64/kernel/traps.c."""
    [diagnosis] = diagnoses(
        "SError Interrupt on CPU4, code 0x00000000be000011 -- SError\n"
        "CPU: 4 PID: 1234 Comm: udevd Not tainted 6.6.20 #1\npc : map_bus+0x30/0x90\nlr : map_bus+0x34/0xd8"
    )
    assert diagnosis.name == "external-abort"
    assert "arrived later" in diagnosis.sentence


def test_a_hashed_pointer_is_not_an_address():
    """KFENCE prints %p: half of a hashed pointer is 0, and the rest says nothing about the address."""
    [report] = read(
        "BUG: KFENCE: use-after-free write in ieee80211_free+0x70/0x140\n\n"
        "Use-after-free write at 0x00000000a5a5c100 (in kfence-#33):\n ieee80211_free+0x70/0x140\n\n"
        "CPU: 1 UID: 0 PID: 412 Comm: ip Not tainted 6.12.8-arm64 #1\nHardware name: linux,dummy-virt (DT)"
    ).reports
    assert report.diagnosis.name == "kfence-report"
    assert report.as_dict()["address"] is None
    assert not any("the reported address" in evidence.text for evidence in report.diagnosis.evidence)
    assert any("is a hash of the address" in inference.claim for inference in report.inferences)


def test_what_the_printed_entry_permits_was_not_mapped_read_only_then():
    walk = [
        "swapper pgtable: 4k pages, 48-bit VAs, pgdp=00000000b4e25000",
        "[ffff80000a2f1c30] pgd=10000004bffff003, p4d=10000004bffff003, pud=10000004bfffe003, "
        "pmd=10000004bfffa003, pte=",
    ]
    message = "write to read-only memory"
    for pte, confidence in (("00600000b58f1783", "derived"), ("00600000b58f1703", "likely")):
        lines = walk[0], walk[1] + pte
        text = oops(0xFFFF80000A2F1C30, 0x9600004F, "\n".join(lines), kind=message)
        [diagnosis] = diagnoses(text)
        assert (diagnosis.name, diagnosis.confidence) == ("write-to-read-only-memory", confidence)
        assert ("permits the write" in diagnosis.sentence) == (confidence == "likely")


def test_a_panic_of_the_hypervisor_is_not_empty():
    [diagnosis] = diagnoses(
        "Kernel panic - not syncing: HYP panic:\nPS:204003c9 PC:0000f0d6001b2c3c ESR:00000000f2000800\n"
        "CPU: 3 UID: 0 PID: 1234 Comm: qemu Not tainted 6.12.8 #1\nHardware name: linux,dummy-virt (DT)"
    )
    assert diagnosis.name == NOT_ENOUGH
    assert "ESR_EL2" in diagnosis.sentence


@pytest.mark.parametrize(
    ("esr", "name"),
    [(0x96000010, "external-abort"), (0x96000016, "external-abort"), (0x96000021, "alignment-fault")],
)
def test_aborts_without_the_tables(esr, name):
    assert names(oops(0xFFFF00015AD7E4CC, esr)) == [name]


def test_an_address_of_user_space_in_the_tables_of_the_task():
    walk = (
        "user pgtable: 4k pages, 48-bit VAs, pgdp=000000010a8da000\n"
        "[0000000100000017] pgd=0800000107ed2003, p4d=0800000107ed2003, pud=0000000000000000"
    )
    assert names(oops(0x100000017, 0x96000005, walk)) == ["user-address-in-kernel"]


@pytest.mark.parametrize(
    ("table", "entries"),
    [
        ("swapper", "pgd=0800000107ed2003, p4d=0800000107ed2003, pud=0000000000000000"),
        ("user", "pgd=0800000107ed2003, p4d=0800000107ed2003, pud=0800000107ed3003"),
        ("swapper", "pgd=0800000107ed2003, p4d=0800000107ed2003, pud=0800000107ed3003"),
    ],
)
def test_other_tables_and_walks_that_are_whole_do_not_show_a_user_address(table, entries):
    walk = f"{table} pgtable: 4k pages, 48-bit VAs, pgdp=000000010a8da000\n[0000000100000017] {entries}"
    assert "user-address-in-kernel" not in names(oops(0x100000017, 0x96000005, walk))


def test_contradicting_instruction_is_not_a_user_address():
    walk = "[0000000100000017] user address but active_mm is swapper"
    code = "Code: d503201f (f9400400)"
    assert names(oops(0x100000017, 0x96000004, walk)) == ["user-address-in-kernel"]
    other = oops(0x100000017, 0x96000004, walk, REGISTERS.format(x0=0xFFFF000012345678, x1=0), code)
    assert names(other) == [NOT_ENOUGH]


def test_unmapped_kernel_address_is_not_enough():
    walk = (
        "swapper pgtable: 4k pages, 48-bit VAs, pgdp=0000000041ef8000\n"
        "[fffffe000024d588] pgd=0000000000000000, p4d=0000000000000000"
    )
    (diagnosis,) = diagnoses(oops(0xFFFFFE000024D588, 0x96000004, walk))
    assert diagnosis.name == NOT_ENOUGH
    assert diagnosis.evidence


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ("report-45", ["poison"]),
        ("report-524", ["external-abort"]),
        ("report-655", [NOT_ENOUGH, "user-address-in-kernel", NOT_ENOUGH]),
        ("report-663", ["stack-overflow", NOT_ENOUGH]),
        ("report-680", ["non-canonical-address", "non-canonical-address", NOT_ENOUGH]),
        ("report-727", [NOT_ENOUGH]),
        ("report-734", ["kasan-shadow", NOT_ENOUGH]),
    ],
)
def test_diagnoses_of_posted_logs(report, expected):
    assert names((DATA / f"oops/syzkaller/{report}.log").read_text()) == expected


def test_fault_of_a_process_is_not_one_of_the_kernel():
    text = "init[1]: unhandled level 2 translation fault (11) at 0x00000000, esr 0x92000006, in init[400000+1000]"
    (report,) = read(text).reports
    assert report.diagnosis.name == "user-space-fault"
    assert "the process init[1] read 0x0: translation fault at level 2" in report.diagnosis.sentence


# Values that say what they are.


@pytest.mark.parametrize("poison", POISONS, ids=lambda poison: f"{poison.value:x}")
def test_a_poison_is_known_with_its_tag_and_without(poison):
    assert poison_of(poison.value)[0].name == poison.name
    if poison.value >> 48 != 0xDEAD:
        assert poison_of(poison.value & (1 << 56) - 1)[0].name == poison.name


@given(st.integers(0, (1 << 64) - 1))
def test_other_values_are_rarely_poison(value):
    found = poison_of(value)
    assert found is None or abs(found[1]) < 0x1000


def test_what_a_sanitizer_found_comes_with_the_address():
    log = "BUG: KASAN: slab-use-after-free in pte_free+0x10/0x20\n"
    address = "Read of size 8 at addr ffff000012345678 by task init/1\n"
    for text, shown in ((log, False), (log + address, True)):
        (diagnosis,) = diagnoses(text)
        assert diagnosis.name == "kasan-report"
        assert any("ffff000012345678" in str(evidence) for evidence in diagnosis.evidence) == shown


def test_error_numbers_are_named():
    assert [error_pointer(-number & (1 << 64) - 1) for number in (1, 12, 517, 4095, 4096)] == [
        "-EPERM",
        "-ENOMEM",
        "-EPROBE_DEFER",
        "-4095",
        None,
    ]


def test_shadow_range_agrees_with_the_kernel():
    """KASAN's own line, in a real log."""
    text = (DATA / "oops/syzkaller/report-734.log").read_text()
    first, last = re.search(r"in range \[0x([0-9a-f]+)-0x([0-9a-f]+)\]", text).groups()
    shadow, address = shadow_of(int(re.search(r"virtual address ([0-9a-f]{16})", text)[1], 16))
    assert (address, address + (1 << shadow.scale) - 1) == (int(first, 16), int(last, 16))


# Any log.


@given(seed=st.integers(0, 1 << 32))
@settings(max_examples=40, deadline=None)
def test_diagnoses_of_damaged_logs_are_documented(seed):
    lines, random = SEED.splitlines(), Random(seed)
    kept = [line for line in lines if random.randrange(10) < 8]
    text = "".join(random.choice("0123456789abcdef") if random.randrange(60) == 0 else c for c in "\n".join(kept))
    try:
        found = diagnoses(text)
    except OopsError:
        return
    assert {diagnosis.name for diagnosis in found} <= NAMES.keys()
    for diagnosis in found:
        assert diagnosis.as_dict().keys() == {"name", "sentence", "evidence", "confidence"}
        assert (diagnosis.confidence == "") == (diagnosis.name == NOT_ENOUGH)
