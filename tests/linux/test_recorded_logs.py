"""The logs of real kernels and those of the model: equal, except for differences that are listed.

The differences are the tables of docs/versions.md, which are read here and applied to the logs. With them, each log
equals the model's line by line. A row that no log needs is a mistake too.
"""

import doctest
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from pgtlab.lab.linux_6_12 import TREES_6_12, V6_12
from pgtlab.lab.trees import FOLD_PUDS_AT_RUNTIME, Tree
from pgtlab.linux.boot import Boot, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.printk import TAINT_BAD_PAGE
from pgtlab.linux.kernel.report import Run
from pgtlab.linux.placement import ANYWHERE, Placement

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests/data"
DOCUMENT = (ROOT / "docs/versions.md").read_text()
BOOTS = json.loads((DATA / "kernel/boots.json").read_text())["boots"]

TREE_OF = {"fixed": "v6.12", "buggy": "v6.12+fold-puds", "both": "v6.12+both"}
LOGS = {path.stem: path for path in (DATA / "kernel/logs").glob("*.log")}
LOGS |= {f"{name}-both-max": DATA / f"kernel/panic-{name}.log" for name in ("4k-va48", "16k-va52")}
LOGS["story"] = DATA / "seed/next-20240229.log"
OUTCOME = {"fixed": "clean", "buggy": "report", "both": "panic", "story": "panic"}

every_log = pytest.mark.parametrize("name", sorted(LOGS))


# The document.


def table(heading: str) -> list[list[str]]:
    """The rows of the table under a heading, without the header."""
    section = DOCUMENT.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]*)`", cell)


def pattern(text: str, anything: str) -> str:
    return re.escape(text).replace("…", anything)


PARTS = {
    what: list(zip(code(recorded), code(ours) or [""], strict=True))
    for what, recorded, ours, _ in table("Differences with other causes: parts of lines")
}
WHOLE = {
    whose: [
        line
        for cell, by, _ in table("Differences with other causes: whole lines")
        if by == whose
        for line in code(cell)
    ]
    for whose in ("recorded", "the model")
}


# The logs.


@dataclass(frozen=True)
class Recorded:
    """A recorded log, and the addresses, kernel and CPU of that boot."""

    lines: tuple[str, ...]
    registers: dict[str, int]
    placement: Placement
    booted: Boot
    tree: Tree
    outcome: str


def without_time(lines: list[str]) -> list[str]:
    return [re.sub(r"^\[ *\d+\.\d+\] ", "", line).rstrip() for line in lines]


def registers_of(lines: list[str]) -> dict[str, int]:
    return {
        name: int(value, 16) for line in lines for name, value in re.findall(r"\b(x\d+|sp) ?: ([0-9a-f]{16})", line)
    }


def of_the_test(lines: list[str]) -> tuple[str, ...]:
    """The lines of debug_vm_pgtable, up to where the rest of the boot goes on, without registers."""
    start = next(i for i, line in enumerate(lines) if line.startswith("debug_vm_pgtable: "))
    end = next((i for i, line in enumerate(lines) if line.startswith("clk: ")), len(lines))
    return tuple(line for line in lines[start:end] if not re.match(r"(x\d+ *|sp ): ?[0-9a-f]{16}", line))


@cache
def recorded(name: str) -> Recorded:
    lines = without_time(LOGS[name].read_text().splitlines())
    registers = registers_of(lines)
    pfn = next((int(line.split("pfn:")[1], 16) for line in lines if line.startswith("BUG: Bad page")), None)
    offset = next((int(line.split()[1], 16) for line in lines if line.startswith("PHYS_OFFSET")), 0x4000_0000)
    kind = name
    config, cpu, tree = Config("4k", 48), "max", Tree.named("next-20240229")
    if name != "story":
        page_size, va_bits, kind, cpu = re.fullmatch(r"(\w+)-va(\d+)-(\w+)-(.*)", name).groups()
        config, tree = Config(page_size, int(va_bits)), TREES_6_12[TREE_OF[kind]]
    folded = boot(config, CPU.named(cpu.replace("_", ",").replace("-off", "=off")))
    # RAM of QEMU's `virt` begins at 1 GiB, and so does the linear map without KASLR, whatever memstart_addr is.
    phys_offset = offset if registers else None
    placement = Placement(phys_offset, registers.get("x19"), pfn)
    outcome = OUTCOME[kind] if kind != "buggy" or pfn else "clean"
    return Recorded(of_the_test(lines), registers, placement, folded, tree, outcome)


@cache
def ours(name: str) -> tuple[Kernel, Run]:
    """The model with the addresses of that boot, and without blocks of memory larger than there were."""
    real = recorded(name)
    kernel = real.tree.start_kernel(real.booted, placement=real.placement)
    failed = next((line for line in real.lines if "page allocation failure" in line), None)
    if failed is not None:
        order = int(re.search(r"order:(\d+)", failed)[1])
        assert order == kernel.MAX_PAGE_ORDER
        while any(kernel.node_zones[0].first(order, kind) for kind in range(3)):
            kernel.alloc_pages(order)
    return kernel, kernel.run()


def as_in_the_model(lines: tuple[str, ...], used: set[str]) -> list[str]:
    for what, changes in PARTS.items():
        for recorded_part, model_part in changes:
            changed = tuple(re.sub(pattern(recorded_part, r"\S+"), model_part, line) for line in lines)
            if changed != lines:
                used.add(f"{what}: {recorded_part}")
            lines = changed
    return without(lines, WHOLE["recorded"], used)


def without(lines: tuple[str, ...], only_one_has: list[str], used: set[str]) -> list[str]:
    left = []
    for line in lines:
        rows = [row for row in only_one_has if re.fullmatch(pattern(row, ".*"), line)]
        used.update(rows)
        left += [] if rows else [line]
    return left


def without_amounts(lines: list[str]) -> list[str]:
    """The lines without those from `Mem-Info:` to the number of reserved pages."""
    text = re.sub(
        r"^Mem-Info:\n(.*\n)*?\d+ pages reserved\n?(0 pages cma reserved\n?)?", "", "\n".join(lines), flags=re.M
    )
    return text.splitlines()


def both_sides(name: str, used: set[str]) -> tuple[list[str], list[str]]:
    recorded_lines = as_in_the_model(recorded(name).lines, used)
    # A line that usually only the model prints must be in its log if it is in the recorded one.
    in_recording = [
        row for row in WHOLE["the model"] if any(re.fullmatch(pattern(row, ".*"), line) for line in recorded_lines)
    ]
    model_lines = of_the_test(without_time(list(ours(name)[1].dmesg)))
    model_lines = without(model_lines, [row for row in WHOLE["the model"] if row not in in_recording], used)
    return without_amounts(model_lines), without_amounts(recorded_lines)


@every_log
def test_lines_equal_the_log_except_for_the_tables(name):
    model_lines, recorded_lines = both_sides(name, set())
    assert model_lines == recorded_lines


@every_log
def test_outcome_equals_the_log(name):
    assert ours(name)[1].outcome == recorded(name).outcome


def test_each_row_of_the_tables_is_used():
    used: set[str] = set()
    for name in LOGS:
        both_sides(name, used)
    rows = {f"{what}: {recorded_part}" for what, changes in PARTS.items() for recorded_part, _ in changes}
    assert used == rows | set(WHOLE["recorded"]) | set(WHOLE["the model"])


@every_log
def test_52_bit_feature_line_at_boot(name):
    feature_lines = [
        line
        for line in without_time(LOGS[name].read_text().splitlines())
        if re.fullmatch(r"CPU features: detected: 52-bit Virtual Addressing \(.*\)", line)
    ]
    model_lines = without_time(list(ours(name)[1].dmesg))
    assert model_lines[: model_lines.index(of_the_test(model_lines)[0])] == feature_lines


def test_example_of_the_document():
    result = doctest.testfile(str(ROOT / "docs/versions.md"), module_relative=False)
    assert (result.failed, result.attempted > 0) == (0, True)


# Registers.

COLUMN = {"story": 0, "4k-va48-both-max": 1, "16k-va52-both-max": 2}


@pytest.mark.parametrize("name", COLUMN)
def test_registers_equal_their_expressions(name):
    (k, run), real = ours(name), recorded(name)
    pfn = k.page_to_pfn(k.page_at(real.placement.page_copy))
    names = {**k.constants, "copy": real.placement.page_copy, "pfn": pfn, "nr": k.pfn_to_section_nr(pfn), "mask": 7}
    names |= {"pageblock_order": k.pageblock_order(), "pud_pfn": real.placement.pud_pfn}
    names |= {"page_type": run.reports[0].page_type}
    for register, *cells in table("Registers"):
        story, cell = cells[0], cells[COLUMN[name]]
        expected = [eval(expression, {}, names) for expression in code(cell)]
        assert [real.registers[register]] * len(expected) == expected, register
        # The model prints the value of the first column for every kernel.
        printed = registers_of(list(run.dmesg))
        if register in printed:
            assert printed[register] == eval(code(story)[0], {}, names), register
    assert set(registers_of(list(run.dmesg))) | {"x19"} == {register for register, *_ in table("Registers")}


# Every boot.


@pytest.mark.parametrize(
    "real",
    [r for r in BOOTS if "bad_page" in r],
    ids=[f"{r['config']} on {r['cpu']}" for r in BOOTS if "bad_page" in r],
)
def test_reported_page_equals_the_recording(real):
    page_size, va_bits = real["config"].split("-va")
    booted = boot(Config(page_size, int(va_bits)), CPU.named(real["cpu"]))
    placement = Placement(pud_pfn=int(real["bad_page"][0].split("pfn:")[1], 16))
    run = TREES_6_12["v6.12+fold-puds"].start_kernel(booted, placement=placement).run()
    lines = without_time(list(run.dmesg))
    start = lines.index(real["bad_page"][0])
    assert lines[start : start + len(real["bad_page"])] == real["bad_page"]
    # The model of v6.9 reports the same page.
    (v6_9,) = Tree.named("arm64-for-next").start_kernel(booted, placement=placement).run().reports
    (report,) = run.reports
    assert (v6_9.pfn, v6_9.text, v6_9.raw[:6]) == (report.pfn, report.text, report.raw[:6])


@pytest.mark.parametrize("real", [r for r in BOOTS if r["booted"]], ids=lambda r: f"{r['config']} on {r['cpu']}")
@pytest.mark.parametrize("kind", ["fixed", "buggy"])
def test_v6_12_counts_and_taints(real, kind):
    page_size, va_bits = real["config"].split("-va")
    kernel = TREES_6_12[TREE_OF[kind]].start_kernel(boot(Config(page_size, int(va_bits)), CPU.named(real["cpu"])))
    run, tree = kernel.run(), {"fixed": "fixed", "buggy": "arm64-for-next"}[kind]
    assert len(run.reports) == real["bad_pages"][tree]
    assert run.nr_page_table_pages == real["nr_page_table_pages"][tree] - real["nr_page_table_pages"]["fixed"]
    assert sum(1 << flag for flag in kernel.tainted) == real["taint"][tree]
    assert kernel.tainted <= {TAINT_BAD_PAGE}


# What v6.12 does differently.

BOOT_4K = boot(Config("4k", 48), CPU.named("max"))


@cache
def log_with(commits: int) -> list[str]:
    tree = Tree(f"v6.9 and {commits}", (*V6_12[:commits], FOLD_PUDS_AT_RUNTIME))
    return without_time(list(tree.start_kernel(BOOT_4K, placement=ANYWHERE).run().dmesg))


ROWS = table("What v6.12 does differently")


def test_table_of_v6_12_has_each_commit():
    assert [row[0] for row in ROWS] == [commit.name for commit in V6_12]
    for (*_, where), commit in zip(ROWS, V6_12, strict=True):
        assert not commit.id or f'{commit.id}, "{commit.subject}"' in where


@pytest.mark.parametrize("number", range(len(V6_12)), ids=[commit.name for commit in V6_12])
def test_commit_of_v6_12_changes_only_its_words(number):
    _, before, after, _ = ROWS[number]
    lines = log_with(number)
    for old, new in zip(code(before), code(after) or [None], strict=True) if code(before) else []:
        assert any(old in line for line in lines)
        lines = [line.replace(old, new or "") for line in lines if new is not None or line != old]
    assert lines == log_with(number + 1)


def test_v6_12_keeps_the_page_type_of_a_bad_page():
    for tree, page_type in (("v6.12+fold-puds", 0xF200_0000), ("arm64-for-next", 0xFFFF_FFFF)):
        kernel = (TREES_6_12.get(tree) or Tree.named(tree)).start_kernel(BOOT_4K)
        (report,) = kernel.run().reports
        assert kernel.pfn_to_page(report.pfn).page_type == page_type


def test_taint_names_of_v6_12():
    kernel = TREES_6_12["v6.12+fold-puds"].start_kernel(BOOT_4K)
    kernel.run()
    lines = without_time(list(kernel.run().dmesg))
    assert lines[lines.index("Tainted: [B]=BAD_PAGE") - 1].startswith(
        "CPU: 0 UID: 0 PID: 1 Comm: swapper/0 Tainted: G "
    )
