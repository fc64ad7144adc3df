"""Reading logs: real ones of seven years, under every kind of prefix, of this and of other architectures."""

import re
from pathlib import Path

import pytest

from pgtlab.linux import oops
from pgtlab.linux.oops.reading.code import PrintedSymbol
from pgtlab.linux.oops.reading.header import LogFacts
from pgtlab.linux.oops.reading.lines import Line
from pgtlab.linux.oops.reading.registers import read_registers
from pgtlab.linux.oops.reading.report import KINDS

DATA = Path(__file__).parents[1] / "data"
SEED = (DATA / "seed/next-20240229.log").read_text()
SYZKALLER = DATA / "oops/syzkaller"
FOREIGN = {
    "report-725": "x86",
    "report-238": r"arm \(32 bits\)",
    "report-607": "riscv",
    "report-431": "powerpc",
}
ARM64 = sorted(path for path in SYZKALLER.glob("*.log") if path.stem not in FOREIGN)


def logged(name: str) -> oops.OopsLog:
    return oops.read((SYZKALLER / f"{name}.log").read_text())


# The log of the story.


def test_the_log_of_the_story_has_three_reports():
    assert [report.kind for report in oops.read(SEED).reports] == ["bad page", "oops", "panic"]


def test_the_bad_page_of_the_story():
    report = oops.read(SEED).reports[0]
    assert (report.process, report.pfn) == ("swapper/0", 0x18A65D)
    page = report.page
    assert (page.refcount, page.mapcount, page.pfn) == (0, -512, 0x18A65D)
    assert (page.page_type.value, page.page_type.encoding, page.page_type.names) == (0xFFFFFDFF, "bits", ("table",))
    assert not page.matches_folio


def test_the_oops_of_the_story():
    report = oops.read(SEED).reports[1]
    assert (report.address, report.esr, report.pstate) == (8, 0x9600_0004, 0x2140_0005)
    assert report.registers.pc == PrintedSymbol("get_pfnblock_flags_mask", 0x3C, 0x68, line=22)
    assert str(report.registers.lr) == "__dump_page+0x1a0/0x408"
    printed = {name: int(value, 16) for name, value in re.findall(r"\b(x\d+|sp) ?: ([0-9a-f]{16})", SEED)}
    assert report.registers.values == printed
    assert report.functions[:3] == ("get_pfnblock_flags_mask", "dump_page", "bad_page")
    assert len(report.trace) == 15
    assert report.walk.note == "user address but active_mm is swapper"
    assert (report.header.pid, report.header.comm, report.header.tainted) == (1, "swapper/0", "")
    assert report.header.version == "6.8.0-rc6-00966-gde701dc1f7f8"


def test_the_code_of_the_story_ends_in_the_load_that_faulted():
    report = oops.read(SEED).reports[1]
    assert [(one.offset, one.faulting) for one in report.code] == [
        (offset, offset == 0x3C) for offset in range(0x2C, 0x40, 4)
    ]
    assert report.code[-1].text == "ldr x0, [x3, #8]"
    assert (report.access.expression, report.access.address) == ("x3 + 0x8", report.address)


def test_every_value_knows_its_line():
    lines = SEED.splitlines()
    log = oops.read(SEED)
    report = log.reports[1]
    assert "ESR = 0x" in lines[report.where["esr"] - 1]
    assert "virtual address" in lines[report.where["address"] - 1]
    assert "pstate" in lines[report.where["pstate"] - 1]
    assert "Code:" in lines[report.where["code"] - 1]
    assert " sp :" in lines[report.registers.lines["sp"] - 1]
    for name in ("x0", "x20", "x29"):
        assert re.search(rf"\b{name} ?:", lines[report.registers.lines[name] - 1])
    for frame in report.trace:
        assert str(frame) in lines[frame.line - 1]
    assert "PHYS_OFFSET" in lines[log.facts.where["phys_offset"] - 1]


def test_log_facts():
    facts = oops.read(SEED).facts
    assert (facts.kaslr_offset, facts.kernel_base) == (0x3A89_BF80_0000, 0xFFFF_8000_8000_0000)
    assert (facts.phys_offset, facts.memory_limit) == (0xFFFF_F761_8000_0000, "none")
    assert facts.cpu_features == "0x0,00000000,2004454a,13867723"


# Prefixes.

MESSAGES = [line.split("] ", 1)[1] for line in SEED.splitlines()]
PREFIXES = {
    "none": "{message}",
    "timestamps": "[    0.{n:06}] {message}",
    "short timestamps": "[  0.{n}] {message}",
    "a caller": "[    0.{n:06}][    T1] {message}",
    "a caller alone": "[    T1] {message}",
    "dmesg -x": "kern  :alert : [    0.{n:06}] {message}",
    "dmesg -T": "[Fri Mar  1 12:00:{n:02} 2024] {message}",
    "levels alone": "<1>{message}",
    "dmesg -x without timestamps": "kern  :alert : {message}",
    "raw levels": "<1>[    0.{n:06}] {message}",
    "a quoted mail": "> > [    0.{n:06}] {message}",
    "a quoted mail without timestamps": "> > {message}",
    "bars": "| [    0.{n:06}] {message}",
    "syslog": "Mar  1 12:00:{n:02} board kernel: [    0.{n:06}] {message}",
    "the syslog protocol": "<1>Mar  1 12:00:{n:02} board kernel: {message}",
    "a journal": "Mar 01 12:00:{n:02} board kernel: {message}",
    "ISO dates": "2024-03-01T12:00:{n:02}.123456+00:00 board kernel: {message}",
    "a test lab": "12:00:{n:02}.123  <1>[    0.{n:06}] {message}",
    "a terminal": "[2024-03-01 12:00:{n:02}] [    0.{n:06}] {message}",
    "colours": "\x1b[32m[    0.{n:06}] \x1b[0m\x1b[31m{message}\x1b[0m",
    "CRLF": "[    0.{n:06}] {message}\r",
    "an indented block": "    [    0.{n:06}] {message}",
}


@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES)
def test_a_prefix_changes_nothing(prefix):
    text = "\n".join(prefix.format(n=n, message=message) for n, message in enumerate(MESSAGES))
    assert oops.read(text).reports == oops.read("\n".join(MESSAGES)).reports


def test_lines_of_a_mail_around_a_report_are_not_in_it():
    quoted = "\n".join(f"> {line}" for line in SEED.splitlines())
    log = oops.read(f"Hi,\n\nbisecting gives me this:\n\n{quoted}\n\nAny idea?\nThanks\n")
    assert [len(report.lines) for report in log.reports] == [len(report.lines) for report in oops.read(SEED).reports]


# Logs that testers posted.


@pytest.mark.parametrize("path", ARM64, ids=lambda path: path.stem)
def test_every_log_of_arm64_is_read(path):
    text = path.read_text()
    log = oops.read(text)
    assert log.reports
    assert {report.kind for report in log.reports} <= set(KINDS)
    assert str(log)
    # Nothing that is printed with a name stays unread.
    printed = set(re.findall(r"(?<![x0-9a-f])0{0,8}([89][26][0-9a-f]{6})\b(?= \[#| *$)", text))
    assert printed <= {f"{report.esr:x}" for report in log.reports if report.esr}
    if re.search(r"Code: [0-9a-f]{8} ", text):
        assert any(report.code for report in log.reports)


@pytest.mark.parametrize(("name", "architecture"), FOREIGN.items(), ids=FOREIGN)
def test_a_log_of_another_architecture_is_declined_in_one_sentence(name, architecture):
    with pytest.raises(
        oops.OopsError, match=f"^this report is from {architecture}: pgtlab reads only those from arm64$"
    ):
        logged(name)


FRAGMENTS = {
    "s390": "Unable to handle kernel pointer dereference in virtual kernel address space\n"
    "Oops: 0004 ilc:2 [#1] SMP\nKrnl PSW : 0704c00180000000 0000000000a1b2c3 (f+0x2/0x4)",
    "mips": "CPU 0 Unable to handle kernel paging request at virtual address 00000008, epc == 80123456, ra == 80123450",
    "loongarch": "CPU 0 Unable to handle kernel paging request at virtual address 0000000000000008, "
    "era == 9000000000234567, ra == 9000000000234560",
    "sparc": "Unable to handle kernel NULL pointer dereference\nTSTATE: 0000004411001602 TPC: <0000000000a1b2c3>",
    "another architecture": "BUG: Bad page state in process cc1  pfn:20b066\nCall Trace:\n dump_stack+0x4/0x8",
}


@pytest.mark.parametrize(("architecture", "text"), FRAGMENTS.items(), ids=FRAGMENTS)
def test_a_fragment_of_another_architecture(architecture, text):
    with pytest.raises(oops.OopsError, match=f"report is from {architecture}"):
        oops.read(text)


@pytest.mark.parametrize(
    "line",
    [
        "BUG: Bad page map in process bash  pte:20000047da07fd3 pmd:800000047cbe003",
        "watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [kworker/3:1:77]",
        "BUG: KFENCE: use-after-free read in skb_release_data+0x10/0x20",
        "BUG: KASAN: slab-out-of-bounds in kfree_skb+0x1c/0x40",
        "BUG: sleeping function called from invalid context at mm/slab.h:306",
    ],
)
def test_single_line_reports(line):
    assert [report.kind for report in oops.read(f"[    1.000000] {line}\n").reports] == ["bug"]
    oopsed = "[    2.0] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008\n"
    oopsed += "[    2.1] Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP\n"
    assert [report.kind for report in oops.read(f"[    1.000000] {line}\n{oopsed}").reports] == ["bug", "oops"]


def test_bug_line_of_a_mail_is_named_in_the_error():
    with pytest.raises(oops.OopsError, match="line 2 has a BUG, but no kernel printed the lines below it"):
        oops.read("Hello,\nBUG: it does not work\nBye\n")


@pytest.mark.parametrize("text", ["", "\n\n", "Hello, world", "\0\1\2", (DATA / "README.md").read_text()])
def test_text_without_a_report(text):
    with pytest.raises(oops.OopsError, match="there is no kernel report in this text"):
        oops.read(text)


def test_panic_has_the_architecture_of_the_log():
    with pytest.raises(oops.OopsError, match="report is from x86"):
        oops.read("RIP: 0010:f+0x4/0x8\nnothing\nKernel panic - not syncing: Fatal exception\n")
    (report,) = oops.read("Kernel panic - not syncing: Fatal exception\n").reports
    assert report.kind == "panic"


def test_prose_about_a_bug_is_not_a_report():
    with pytest.raises(oops.OopsError, match="no kernel report"):
        oops.read("> Which one?\n\nBUG: the one that you fixed yesterday.\n")


def test_syndrome_of_zero_is_missing():
    """`die()` printed 0 where it was called without a syndrome (before v5.15)."""
    (report,) = oops.read("Internal error: Oops - bad mode: 00000000 [#1] SMP\npstate: 60000005\n").reports
    assert report.esr is None


def test_reports_of_two_architectures_in_one_text():
    log = oops.read(SEED + (SYZKALLER / "report-725.log").read_text())
    assert [report.kind for report in log.reports] == ["bad page", "oops", "panic"]
    assert log.declined == ("this report is from x86: pgtlab reads only those from arm64",)


def test_the_spelling_of_v3_18():
    (report,) = logged("report-45").reports
    assert (report.esr, report.address) == (0x9600_0044, 0xDEAD_0000_0000_0108)
    assert (report.registers["pc"], report.registers["lr"]) == (0xFFFF_FFC0_00D3_94C4, 0xFFFF_FFC0_00D3_94C4)
    assert str(report.registers.pc) == "_snd_timer_stop.constprop.9+0x184/0x2b0"
    assert [(entry.name, entry.value) for entry in report.walk.entries] == [("pgd", 0), ("pud", 0)]
    assert report.walk.page_size is None
    assert report.walk.consistent is None
    assert report.header.tainted == "BU"


def test_a_report_that_begins_with_the_internal_error():
    (report,) = logged("report-524").reports
    assert (report.kind, report.esr, report.address) == ("oops", 0x9600_0010, None)
    assert report.code[-1].text == "ldarb w0, [x19]"
    assert len([name for name in report.registers.values if name[0] == "x"]) == 30


def test_a_bad_mode():
    bad_mode, panic = logged("report-542").reports
    assert (bad_mode.kind, bad_mode.esr) == ("oops", 0x3400_0001)
    assert bad_mode.pstate_text.endswith("BTYPE=jc")
    assert (panic.kind, panic.functions[4]) == ("panic", "bad_mode")


def test_a_stack_overflow_has_its_syndrome_and_address():
    overflow, panic = logged("report-663").reports
    assert (overflow.esr, overflow.address) == (0x9600_0047, 0xFFFF_8000_15FD_FFA0)
    assert len(panic.trace) == 187


def test_a_warning_has_its_place_and_its_text():
    (report,) = logged("report-695").reports
    assert (report.kind, report.location) == ("warning", "arch/arm64/mm/fault.c:374")
    assert report.details[0].startswith("Ignoring spurious kernel translation fault")
    assert report.trace[1].function == "do_bad_area"
    assert report.trace[1].offset is None  # inlined: a symbolizer's line


def test_a_bug_is_one_report_with_its_oops():
    bug, _ = logged("report-659").reports
    assert (bug.kind, bug.location, bug.esr) == ("bug", "lib/list_debug.c:64", 0xF200_0800)
    assert bug.code[-1].text == "brk #0x800"


def test_oops_during_a_warning():
    """A line of another task, T3316, stands between those of T3315."""
    warning, report, panic = logged("report-655").reports
    assert [warning.kind, report.kind, panic.kind] == ["warning", "oops", "panic"]
    assert 8 not in warning.lines
    assert report.walk.consistent
    assert report.header.pid == 3315
    assert logged("report-655").facts.kaslr_offset == 0  # disabled


def test_symbolized_log_reads_the_same():
    printed, symbolized = (
        next(report for report in logged(name).reports if report.kind == "oops") for name in ("report-655", "guilty-55")
    )
    assert printed.registers.values == symbolized.registers.values
    assert printed.esr == symbolized.esr
    assert printed.code == symbolized.code
    real = [str(frame) for frame in symbolized.trace if frame.offset is not None]
    assert real == [str(frame) for frame in printed.trace]


# Reports that are printed at the same time.


def oops_by(caller: str, x0: int) -> list[str]:
    """The Oops of the story, by another caller, with another x0."""
    start, end = (next(n for n, text in enumerate(MESSAGES) if word in text) for word in ("Unable", "---[ end trace"))
    lines = [line.replace("x0 : 00000000001fffff", f"x0 : {x0:016x}") for line in MESSAGES[start : end + 1]]
    return [f"[    1.000000][{caller:>6}] {line}" for line in lines]


def test_callers_separate_interleaved_reports():
    first, second = oops_by("T1", 1), oops_by("C3", 2)
    text = "\n".join(line for pair in zip(first, second, strict=True) for line in pair)
    one, two = oops.read(text).reports
    assert (one.registers["x0"], two.registers["x0"]) == (1, 2)
    assert [str(frame) for frame in one.trace] == [str(frame) for frame in two.trace]
    assert not set(one.lines) & set(two.lines)


def test_foreign_lines_are_skipped():
    alone = oops.read("\n".join(MESSAGES)).reports[1]
    noisy = oops.read("\n".join(f"{line}\nusb 1-1: new device number 4" for line in MESSAGES)).reports[1]
    assert noisy.trace != ()
    assert [str(frame) for frame in noisy.trace] == [str(frame) for frame in alone.trace]
    assert noisy.registers.values == alone.registers.values


def test_report_ends_after_foreign_lines():
    """A bad page has no last line; a call trace long after it is not its own."""
    page = "BUG: Bad page state in process a  pfn:1\nCall trace:\n f+0x4/0x8\n"
    (report,) = oops.read(page + "quiet\n" * 100 + "Call trace:\n g+0x4/0x8\n").reports
    assert report.functions == ("f",)
    (report,) = oops.read(page + "quiet\n" * 100 + " g+0x4/0x8\n").reports
    assert report.functions == ("f",)


def test_registers_of_a_second_stack_are_not_those_of_the_report():
    (report,) = oops.read(
        "Internal error: Oops: 96000004 [#1]\nx1 : 0000000000000001 x0 : 0000000000000002\nCall trace:\n f+0x4/0x8\n"
        "x1 : 0000000000000003 x0 : 0000000000000004\n"
    ).reports
    assert report.registers.values == {"x1": 1, "x0": 2}
    assert report.registers.lines == {"x1": 2, "x0": 2}


# Code and frames.


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("f+0x4/0x8", PrintedSymbol("f", 4, 8)),
        ("? f+0x4/0x8", PrintedSymbol("f", 4, 8, reliable=False)),
        ("ext4_iget+0x4/0x8 [ext4]", PrintedSymbol("ext4_iget", 4, 8, "ext4")),
        ("f+0x4/0x8 [ext4 0123456789abcdef]", PrintedSymbol("f", 4, 8, "ext4")),
        ("f+0x4/0x8 (P)", PrintedSymbol("f", 4, 8, mark="P")),
        ("[<ffffffc000d394c4>] f.isra.0+0x4/0x8", PrintedSymbol("f.isra.0", 4, 8, address=0xFFFF_FFC0_00D3_94C4)),
        ("f+0x4/0x8 mm/debug.c:50", PrintedSymbol("f", 4, 8, source="mm/debug.c:50")),
        ("f mm/debug.c:50 [inline]", PrintedSymbol("f", source="mm/debug.c:50")),
        ("f (mm/debug.c:50 (discriminator 2))", PrintedSymbol("f", source="mm/debug.c:50")),
        ("0xffff800000000000", PrintedSymbol("", address=0xFFFF_8000_0000_0000)),
    ],
)
def test_the_spellings_of_a_frame(text, symbol):
    (frame,) = oops.read(f"Internal error: Oops: 96000004 [#1]\nCall trace:\n {text}\n").reports[0].trace
    assert frame == PrintedSymbol(**{**vars(symbol), "line": 3})


@pytest.mark.parametrize("code", ["Code: bad PC value", "Code: ???????? (????????)", "Code: d37b"])
def test_code_that_the_kernel_could_not_read(code):
    (report,) = oops.read(f"Internal error: Oops: 96000004 [#1]\n{code}\n").reports
    assert report.code == ()


@pytest.mark.parametrize(
    ("word", "text", "address"),
    [
        (0xF9400460, "x3 + 0x8", 0x1008),  # ldr x0, [x3, #8]
        (0xF81F8C60, "x3 - 0x8", 0xFF8),  # str x0, [x3, #-8]!
        (0xF8408460, "x3", 0x1000),  # ldr x0, [x3], #8
        (0xF8617860, "x3 + x1 * 8", 0x1010),  # ldr x0, [x3, x1, lsl #3]
        (0x38616862, "x3 + x1", 0x1002),  # ldrb w2, [x3, x1]
        (0xB8614860, "x3 + uxtw(w1)", 0x1002),  # ldr w0, [x3, w1, uxtw]
        (0xF94007A0, "x29 + 0x8", 0x2008),  # ldr x0, [x29, #8]
        (0xF90003C0, "x30", 0x3000),  # str x0, [x30]
    ],
)
def test_the_address_that_an_instruction_uses(word, text, address):
    access = _with_registers(word).access
    assert (access.expression, access.address) == (text, address)


@pytest.mark.parametrize("word", [0xD503201F, 0xF94000A0, 0])
def test_an_instruction_without_an_address_that_can_be_known(word):
    """nop; a base, x5, that was not printed; no instruction."""
    assert _with_registers(word).access is None


def _with_registers(word: int) -> oops.OopsReport:
    (report,) = oops.read(
        f"Internal error: Oops: 96000004 [#1]\nx30: 0000000000003000 x29: 0000000000002000\n"
        f"x3 : 0000000000001000 x1 : 0000000000000002\nCode: d503201f ({word:08x})"
    ).reports
    return report


def test_access_named_at_the_instruction_and_in_the_claims():
    text = str(
        oops.read(
            "Unable to handle kernel paging request at virtual address 0000000000001008\n"
            "  ESR = 0x0000000096000004\nInternal error: Oops: 0000000096000004 [#1]\n"
            "x29: 0000000000001000 x28: 0000000000000000\nCode: d503201f (f94007a0)"
        )
    )
    assert "ldr x0, [x29, #8]   <- here: x29 + 0x8 = 0x1008, the faulting address" in text
    assert "the instruction reads 0x1008: x29 is 0x1000" in text


def test_two_values_of_esr_are_noted():
    (report,) = oops.read("Unable to handle kernel paging request at virtual address dead000000000108\n"
                          "  ESR = 0x96000004\nInternal error: Oops: 96000006 [#1]").reports  # fmt: skip
    assert report.esr == 0x9600_0004
    assert report.notes == ("ESR_EL1 is 0x96000004 in line 2, but 0x96000006 in line 3",)


def test_flags_of_pstate_that_do_not_fit_its_value_are_noted():
    wrong = SEED.replace("(nzCv daif +PAN", "(nzCv daif -PAN")
    assert "pstate 21400005 means (nzCv daif +PAN" in oops.read(wrong).reports[1].notes[0]
    assert oops.read(SEED).reports[1].notes == ()


# Spellings that the logs above do not have: the lines are those of the kernel's format strings.

SPELLINGS = {
    "v4.9": ("Unhandled fault: synchronous external abort (0x96000210) at 0xffffff80080a1000", "oops", 0x96000210),
    "v4.19, a task": (
        "foo[1234]: unhandled level 3 translation fault (11) at 0xffff6dff0000, esr 0x92000047, in libc.so",
        "user fault",
        0x92000047,
    ),
    "v6.1, SError": ("SError Interrupt on CPU1, code 0x00000000bf000002 -- SError", "oops", 0xBF000002),
    "v5.13": ("Unhandled 64-bit el1h sync exception on CPU2, ESR 0x0000000002000000 -- Unknown", "oops", 0x02000000),
    "v6.4": ("Internal error: Oops - Undefined instruction: 0000000002000000 [#1] SMP", "oops", 0x02000000),
    "v6.12": ("Internal error: Oops: 0000000096000047 [#1]  SMP", "oops", 0x96000047),
}


@pytest.mark.parametrize(
    "text",
    [
        "BUG: non-zero pgtables_bytes on freeing mm: 16384",
        "BUG: non-zero pgtables_bytes on freeing mm: -4096",
        "BUG: Bad rss-counter state mm:00000000abcdef01 type:MM_ANONPAGES val:1",
        "mm/pgtable-generic.c:50: bad pmd 0800000104d5a401.",
    ],
)
def test_single_line_reports_of_page_tables(text):
    """`check_mm()` of kernel/fork.c, and `pmd_ERROR()` of arch/arm64/include/asm/pgtable.h, v6.12."""
    (report,) = oops.read(f"systemd[1]: Started.\n{text}\nsystemd[1]: Stopped.\n").reports
    assert (report.kind, report.message, report.lines) == ("bug", text, (2,))


@pytest.mark.parametrize(("text", "kind", "esr"), SPELLINGS.values(), ids=SPELLINGS)
def test_the_spellings_of_a_headline(text, kind, esr):
    (report,) = oops.read(text + "\n").reports
    assert (report.kind, report.esr, report.message) == (kind, esr, text)


def test_a_process_that_faults_has_no_call_trace_of_the_kernel():
    """`arm64_show_signal()` prints the registers alone; what comes next is another's. Debian's 6.1.187 under QEMU."""
    text = (
        "init[77]: unhandled exception: DABT (lower EL), ESR 0x0000000092000046, level 2 translation fault in init\n"
        "CPU: 0 PID: 77 Comm: init Not tainted 6.1.0-53-cloud-arm64 #1  Debian 6.1.187-1\n"
        "pstate: 60001000 (nZCv daif -PAN -UAO -TCO -DIT +SSBS BTYPE=--)\n"
        "pc : 00000000004008a8\n"
        "x2 : 0000000000000000 x1 : 0000000000000001 x0 : 0000000000001234\n"
        "sysrq: Show backtrace of all active CPUs\nsysrq: CPU0:\n"
        "Call trace:\n dump_backtrace+0xe4/0x140\n show_stack+0x20/0x30\n"
    )
    (report,) = oops.read(text).reports
    assert (report.kind, report.registers["x0"], report.trace) == ("user fault", 0x1234, ())


def test_the_address_in_a_headline():
    assert oops.read(SPELLINGS["v4.9"][0]).reports[0].address == 0xFFFF_FF80_080A_1000
    assert oops.read(SPELLINGS["v4.19, a task"][0]).reports[0].address == 0xFFFF_6DFF_0000


@pytest.mark.parametrize(
    ("line", "comm", "tainted", "version"),
    [
        ("CPU: 5 PID: 1 Comm: foo Kdump: loaded Tainted: G        W         4.19.36 #1", "foo", "W", "4.19.36"),
        ("CPU: 0 UID: 0 PID: 1 Comm: my task Tainted: P           OE      6.12.1 #1 ab", "my task", "POE", "6.12.1"),
        ("CPU: 0 PID: 1 Comm: cut", "", "", ""),
    ],
)  # fmt: skip
def test_the_header(line, comm, tainted, version):
    header = oops.read(f"Internal error: Oops: 96000004 [#1]\n{line}\n").reports[0].header
    assert (header.comm, header.tainted, header.version, header.pid) == (comm, tainted, version, 1)


def test_the_warning_of_v6_19():
    text = "WARNING: mm/slub.c:123 at kfree+0x10/0x20, CPU#3: comm/77\nCall trace:\n kfree+0x10/0x20 (P)\n"
    (report,) = oops.read(text).reports
    assert (report.kind, report.location, report.functions) == ("warning", "mm/slub.c:123", ("kfree",))


def test_facts_as_plain_data():
    """What a log does not say is null in JSON, and everything else is there."""
    assert set(LogFacts().as_dict().values()) == {None}
    facts = LogFacts(version="6.8.0", cpu_features="0x0,2004454a", memory_limit="512MB", command_line="quiet")
    said = {name: value for name, value in facts.as_dict().items() if value is not None}
    assert said == {
        "version": "6.8.0",
        "cpu_features": "0x0,2004454a",
        "memory_limit": "512MB",
        "command_line": "quiet",
    }


def test_the_line_of_addresses_of_an_old_kernel():
    """Before v4.14 `pc` and `lr` were numbers in one line."""
    line = Line(7, "pc : [<ffffffc000d394c4>] lr : [<ffffffc000d39480>] pstate: 60000145")
    registers, _ = read_registers([line])
    assert (registers.values["pc"], registers.values["lr"]) == (0xFFFF_FFC0_00D3_94C4, 0xFFFF_FFC0_00D3_9480)
    assert (registers.lines["pc"], registers.lines["lr"]) == (7, 7)
