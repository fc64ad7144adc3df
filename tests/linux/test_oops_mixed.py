"""Reports that were printed at the same time, numbers that are cut off, several boots: each value is of its own."""

from itertools import chain
from pathlib import Path

import pytest

from pgtlab.linux import oops

FIELD = Path(__file__).parents[1] / "data/oops/field"
TEXTS = [line.split("] ", 1)[1] for line in (FIELD / "prefix-control.txt").read_text().splitlines()]
LOAD_30 = "Code: a9be7bfd 910003fd f9000bf3 aa0003f3 (f9401820)"  # ldr x0, [x1, #0x30]
LOAD_60 = "Code: a9be7bfd 910003fd f9000bf3 aa0003f3 (f9403020)"  # ldr x0, [x1, #0x60]


def head(address):
    return f"Unable to handle kernel NULL pointer dereference at virtual address {address:016x}"


def body(esr, comm, cpu, code):
    """What `die()` prints, which holds a lock meanwhile."""
    return [
        f"Internal error: Oops: {esr:016x} [#1] SMP",
        f"CPU: {cpu} UID: 0 PID: {100 + cpu} Comm: {comm} Not tainted 6.12.0 #1",
        "pstate: 60400005 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)",
        f"pc : {comm}+0x20/0x40",
        f"lr : {comm}+0x10/0x40",
        "sp : ffff800081234b80",
        f"x29: ffff800081234b80 x28: 000000000000000{cpu} x27: 0000000000000000",
        "x2 : 0000000000000013 x1 : 0000000000000000 x0 : 0000000000000015",
        "Call trace:",
        f" {comm}+0x20/0x40 (P)",
        code,
        "---[ end trace 0000000000000000 ]---",
    ]


WALKS = [
    "user pgtable: 4k pages, 48-bit VAs, pgdp=0000000041234000",
    "user pgtable: 4k pages, 48-bit VAs, pgdp=0000000051234000",
    "[0000000000000060] pgd=0800000041235003, p4d=0800000041235003, pud=0000000000000000",
    "[0000000000000030] pgd=0800000041235003, p4d=0800000041235003, pud=0800000041236003, pmd=0000000000000000",
]
HEADS = [head(0x30), head(0x60), *["Mem abort info:"] * 2, "  ESR = 0x0000000096000006", "  ESR = 0x0000000096000005"]


def read(lines):
    return oops.read("\n".join(lines)).reports


def test_what_belongs_together_is_put_together():
    """A walk names its address, and code with registers computes it: the rest of the heads is of either."""
    one, two = read(HEADS + WALKS + body(0x96000005, "two", 2, LOAD_60) + body(0x96000006, "one", 1, LOAD_30))
    assert (one.address, one.header.comm, one.esr, one.walk.first_invalid_level) == (0x30, "one", 0x96000006, 2)
    assert (two.address, two.header.comm, two.esr, two.walk.first_invalid_level) == (0x60, "two", 0x96000005, 1)
    assert one.walk.page_size == 4096  # both lines say so
    assert one.walk.pgdp is None  # and nothing shows which of the two it is
    assert one.diagnosis.sentence == "x1 is NULL, and the field at offset 0x30 was used in one()"


def test_what_cannot_be_paired_is_a_report_of_its_own():
    code = LOAD_30.replace("f9401820", "d503201f")  # nop
    one, two, rest = read(HEADS + WALKS + body(0x96000005, "two", 2, code))
    assert (one.esr, two.esr, one.registers, two.registers.pc) == (None, None, one.registers, None)
    assert (rest.address, rest.esr, rest.header.comm) == (None, 0x96000005, "two")
    assert rest.diagnosis.confidence == ""


def test_dumps_that_are_mixed_line_by_line_are_of_nobody():
    bodies = (body(0x96000006, "one", 1, LOAD_30), body(0x96000005, "two", 2, LOAD_60))
    for report in read([*HEADS, *chain.from_iterable(zip(*bodies, strict=True))]):
        assert not report.registers
        assert (report.trace, report.code, report.header.comm) == ((), (), "")


DYING = ["kernel BUG at mm/foo.c:100!", "Internal error: Oops - BUG: 00000000f2000800 [#1] SMP"]
DYING += body(0xF2000800, "one", 1, "")[1:8]
REST = ["Call trace:", " one+0x20/0x40 (P)", "Code: a94153f3 a8c27bfd d65f03c0 d503201f (d4210000)"]
WARN = ["------------[ cut here ]------------", "WARNING: CPU: 2 PID: 102 at mm/bar.c:99 two+0x10/0x20"]
WARN += [*body(0, "two", 2, "")[1:10], "---[ end trace 0000000000000000 ]---"]
LOCKUP = ["watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [three:103]", *body(0, "three", 3, "")[1:4]]
LOCKUP += ["Call trace:", " three+0x20/0x40"]


@pytest.mark.parametrize("at", [3, 5, 9], ids=["before the registers", "in them", "after them"])
@pytest.mark.parametrize(("other", "comm"), [(WARN, "two"), (LOCKUP, "three")], ids=["WARNING", "soft lockup"])
def test_a_report_goes_on_after_another_one(at, other, comm):
    dying, second = read(DYING[:at] + other + DYING[at:] + REST)
    assert (dying.header.comm, dying.registers["x28"], dying.functions) == ("one", 1, ("one",))
    assert dying.code[-1].text == "brk #0x800"
    assert (second.header.comm, second.functions, second.code) == (comm, (comm,), ())
    assert second.registers.get("x28") in (None, 2)


@pytest.mark.parametrize("at", range(1, 12))
def test_a_fault_during_a_report_waits_for_its_end(at):
    """`die()` holds a lock: what it prints until its last line is about the first fault."""
    first = body(0x96000006, "one", 1, LOAD_30)
    second = [head(0x60), "Mem abort info:", "  ESR = 0x0000000096000005"]
    first = [*first[:at], *second[:2], first[at], second[2], *first[at + 1 :]]
    one, two = read([head(0x30), "Mem abort info:", *first, *body(0x96000005, "two", 2, LOAD_60)])
    assert (one.header.comm, one.esr, one.diagnosis.sentence[:31]) == (
        "one",
        0x96000006,
        "x1 is NULL, and the field at of",
    )
    assert (two.header.comm, two.esr, two.address, two.functions) == ("two", 0x96000005, 0x60, ("two",))


# Numbers that are cut off.


@pytest.mark.parametrize(
    ("whole", "cut", "where"),
    [
        ("address 0000000000000018", "address 000000000000", lambda report: report.where["address"] == 13),
        ("ESR = 0x0000000096000006", "ESR = 0x00000000960", lambda report: report.where["esr"] == 14),
        ("pgdp=0000000041234000", "pgdp=00000000412", lambda report: report.walk.pgdp is None),
        ("pmd=0000000000000000", "pmd=000000", lambda report: len(report.walk.entries) == 3),
        ("foo_probe+0x24/0x80 [foo]", "foo_probe+0x24/0x8", lambda report: report.registers.pc is None),
        ("6.12.3-test #7", "6.12", lambda report: report.header.version == ""),
        ("x19: 0000000000000000", "x19: 00000000", lambda report: "x19" not in report.registers),
    ],
)
def test_a_number_with_too_few_digits_is_not_one(whole, cut, where):
    text = "\n".join(TEXTS)
    assert whole in text
    (report,) = oops.read(text.replace(whole, cut, 1)).reports
    assert where(report)
    assert report.address == 0x18


def test_facts_that_are_cut_off():
    panic = "Kernel panic - not syncing: x\nKernel Offset: 0x3aaa1de\nPHYS_OFFSET: 0xfff081e4\nLinux version 6.1"
    facts = oops.read(panic + "\nCPU: 1 PID: 1 Comm: init Not tainted 6.1").facts
    assert (facts.kaslr_offset, facts.phys_offset, facts.version) == (None, None, "")


# Boots.

BOOTS = (FIELD / "two-boots-1.txt").read_text().splitlines()


def boots(lines):
    log = oops.read("\n".join(lines))
    return [(len(boot.reports), boot.facts.kaslr_offset and boot.facts.kaslr_offset >> 40) for boot in log.parts]


def test_facts_belong_to_their_boot():
    assert boots(BOOTS) == [(1, 0x3A), (1, 0x39)]
    assert boots(reversed(BOOTS)) == [(1, 0x3A), (1, 0x39)]  # newest first
    assert boots(line.split("] ", 1)[1] for line in BOOTS) == [(1, 0x3A), (1, 0x39)]  # without times
    assert boots([*BOOTS, *BOOTS[:10]]) == [(1, 0x3A), (1, 0x39), (1, 0x3A)]
    assert boots(BOOTS[:12]) == [(1, 0x3A)]  # nothing is known of the second


def test_without_its_first_lines_a_boot_is_seen_by_the_time():
    lines = [line.replace("[    5.", "[   15.") for line in BOOTS[2:10]] + BOOTS[12:]
    assert boots(lines) == [(1, 0x3A), (1, 0x39)]


# Sentences about what is not read.


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("INFO: task foo:123 blocked for more than 120 seconds.\nCall trace:\n f+0x4/0x8", "hung task"),
        (
            "rcu: INFO: rcu_preempt self-detected stall on CPU\nCPU: 1 PID: 2 Comm: x Not tainted 6.1.0 #1\npc : f",
            "stall",
        ),
        ("#!9Call trace:\n#!9 f+0x4/0x8", "`Call trace:`, but behind a prefix that is not understood"),
        ("Call trace:\n f+0x4/0x8", "`Call trace:`, but no line says what happened"),
        ("we see a kernel panic now and then", "not in the form in which a kernel of arm64 prints it"),
        ("hello", "no BUG, Oops, WARNING or panic"),
    ],
)
def test_why_there_is_nothing_to_read(text, sentence):
    with pytest.raises(oops.OopsError, match=sentence):
        oops.read(text)
