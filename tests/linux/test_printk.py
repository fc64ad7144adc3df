"""What the kernel prints, compared with lines of real kernels; `test_recorded_logs.py` compares whole logs."""

import re
from pathlib import Path

import pytest

from pgtlab.lab.trees import Tree
from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel

DATA = Path(__file__).parents[1] / "data"
SEED = (DATA / "seed/next-20240229.log").read_text().splitlines()


def booted(page_size: str, va_bits: int, cpu: str = "max") -> Kernel:
    return Tree.named("arm64-for-next").start_kernel(boot(Config(page_size, va_bits), CPU.named(cpu)))


def shape(line: str) -> str:
    """A line without what differs between kernels: time, frames, offsets, release."""
    line = re.sub(r"^\[ *\d+\.\d+\] ", "", line)
    line = re.sub(r"pfn:(0x)?[0-9a-f]+", "pfn:N", line)
    line = re.sub(r"( \S+)\+0x[0-9a-f]+/0x[0-9a-f]+$", r"\1", line)
    return re.sub(r"(ainted:? *[A-Z ]*) \S+ (#\d+)$", r"\1 RELEASE", line)


def functions(lines: list[str]) -> list[str]:
    """The names in a call trace, without the parts that the compiler split off functions."""
    start = next(i for i, line in enumerate(lines) if line.endswith("Call trace:"))
    names = []
    for line in lines[start + 1 :]:
        match = re.match(r"\[ *\d+\.\d+\]  ([\w.]+)", line)
        if not match:
            break
        names.append(match[1])
    return [name for name in names if not name.endswith(".part.0")]


def test_call_trace_of_the_story():
    real = functions(SEED)
    ours = functions(list(booted("4k", 48).run().dmesg))
    start = "free_unref_page_prepare"
    assert ours[ours.index(start) :] == real[real.index(start) :]
    assert ours[ours.index("bad_page") :] == real[real.index("bad_page") :]


def test_first_lines_of_the_story():
    ours = [shape(line) for line in booted("4k", 48).run().dmesg]
    real = [shape(line) for line in SEED]
    assert ours[0] == real[0]
    assert ours[1] == real[1]
    assert (
        ours[2] == real[3]
    )  # between them is a line of the second bug: the copy of the page does not lie in its folio


def test_time_passes_as_on_a_serial_console():
    run = booted("4k", 48).run()
    stamps = [float(re.match(r"\[ *(\d+\.\d{6})\] ", line)[1]) for line in run.dmesg]
    assert stamps == sorted(set(stamps))
    for line, next_line in zip(run.dmesg, run.dmesg[1:], strict=False):
        took = float(next_line[1:13]) - float(line[1:13])
        assert took == pytest.approx(10 * (len(line) + 2) / 115_200, abs=2e-6)


@pytest.mark.parametrize(
    ("page_size", "va_bits", "cpu", "detected"),
    [
        ("16k", 52, "max", ["52-bit Virtual Addressing (LPA2)"]),
        ("4k", 52, "max", ["52-bit Virtual Addressing (LPA2)"]),
        ("64k", 52, "max,lpa2=off", ["52-bit Virtual Addressing (LVA)"]),
        ("64k", 52, "cortex-a72", []),
        ("16k", 52, "max,lpa2=off", []),
        ("4k", 48, "max", []),
    ],
)
def test_52_bit_feature_line(page_size, va_bits, cpu, detected):
    """A kernel configured for 52 bits prints ARM64_HAS_VA52 with the name of the feature that it needs."""
    ours = [shape(line) for line in booted(page_size, va_bits, cpu).log.lines]
    assert ours == [f"CPU features: detected: {feature}" for feature in detected]


def header(run) -> str:
    return next(line for line in run.dmesg if " CPU: 0 PID: 1 Comm: " in line)


def test_first_report_is_not_tainted():
    run = booted("4k", 48).run()
    assert "Comm: swapper/0 Not tainted 6.9.0" in header(run)
    assert run.dmesg[-1].endswith("Disabling lock debugging due to kernel taint")


def test_taint_letters():
    """Each letter is in its own column, as in a real report: `Tainted: G    B              6.10.0-syzkaller`."""
    kernel = booted("4k", 48)
    kernel.run()
    printed = len(kernel.log.lines)
    second_run = kernel.run().dmesg[printed:]
    assert any(" Comm: swapper/0 Tainted: G    B              6.9.0" in line for line in second_run)
    assert not any("lock debugging" in line for line in second_run)


def test_warning_keeps_lock_debugging():
    kernel = booted("4k", 39)
    kernel.livepatch(pmd_clear=lambda k, pmdp: None)
    run = kernel.run()
    text = "\n".join(run.dmesg)
    assert "Comm: swapper/0 Not tainted" in header(run)
    assert "lock debugging" not in text
    lines = [re.sub(r"^\[.{12}\] ", "", line) for line in run.dmesg]
    cut = lines.index("------------[ cut here ]------------")
    assert re.fullmatch(
        r"WARNING: CPU: 0 PID: 1 at pgtlab/linux/kernel/debug_vm_pgtable\.py:\d+ debug_vm_pgtable", lines[cut + 1]
    )
    assert lines[cut + 2] == "Modules linked in:"
    assert lines[cut + 5 : cut + 8] == ["Call trace:", " debug_vm_pgtable", " do_one_initcall"]
    assert "---[ end trace 0000000000000000 ]---" in lines[cut:]


def test_bug_ends_in_a_panic():
    kernel = booted("4k", 48)
    kernel.livepatch(pud_free=lambda k, mm, pud: k.BUG_ON(True, "true"))
    run = kernel.run()
    assert run.outcome == "panic"
    text = [re.sub(r"^\[.{12}\] ", "", line) for line in run.dmesg]
    cut = text.index("------------[ cut here ]------------")
    assert text[cut + 1].startswith("kernel BUG at ")
    assert any(re.match(r"kernel BUG at .*test_printk\.py:\d+!", line) for line in text)
    assert "Internal error: Oops - BUG: 00000000f2000800 [#1] PREEMPT SMP" in text
    assert "Not tainted" in header(run)
    assert "lock debugging" not in "\n".join(text)
    real = [shape(line) for line in SEED]
    ends = [line for line in real if "panic" in line or "end trace" in line]
    assert [line for line in text if line in ends] == ends


@pytest.mark.parametrize(
    ("address", "what"), [(0x8, "NULL pointer dereference"), (0x1234_5678, "paging request"), (-8, "paging request")]
)
def test_load_from_unmapped_address(address, what):
    kernel = booted("4k", 48)
    kernel.livepatch(pud_free=lambda k, mm, pud: k.read64(address))
    run = kernel.run()
    assert (run.outcome, run.reports[0].kind) == ("panic", "Oops")
    line = next(line for line in run.dmesg if "Unable to handle" in line)
    assert line.endswith(f"kernel {what} at virtual address {address & (1 << 64) - 1:016x}")
    assert run.reports[0].trace[0] == "destroy_args"


def test_null_dereference_of_the_story():
    kernel = booted("4k", 48)
    kernel.livepatch(pud_free=lambda k, mm, pud: k.read64(0x8))
    assert shape(SEED[4]) in [shape(line) for line in kernel.run().dmesg]
