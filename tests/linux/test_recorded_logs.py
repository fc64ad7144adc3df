"""What real kernels of v6.12 printed, beside what the model, v6.9, prints: equal, but for differences with a name each.

The differences are those of the table in docs/versions.md. Each is a rule that turns a line of the one into a line of
the other; with all of them, and nothing else, the logs must be equal. A rule that no log needs is a mistake too.
"""

import re
from pathlib import Path

import pytest

from pgtlab.lab.trees import Tree
from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.placement import Placement

ROOT = Path(__file__).resolve().parents[2]
LOGS = {path.stem: path for path in (ROOT / "tests/data/kernel").glob("*.log")}
DOCUMENT = (ROOT / "docs/versions.md").read_text()

#: By the words of the document: what a line of v6.12 becomes in v6.9; None, a line that the other does not have.
RULES = {
    "page_type is a byte": (
        (r"^page_type: f2\(table\)$", "page_type: 0xfffffdff(table)"),
        (r"00000000f2000000 0000000000000000$", "00000000fffffdff 0000000000000000"),
    ),
    "a page with a type has no map count": ((r"\bmapcount:0 mapping", "mapcount:-512 mapping"),),
    "UID": ((r"^(CPU: 0) UID: 0 (PID: 1)", r"\1 \2"),),
    "the kernel's name": ((r"(Not tainted) \S+ #\d+ ?$", r"\1 6.9.0-pgtlab #1"),),
    "PREEMPT": ((r"(\[#1\]) SMP$", r"\1 PREEMPT SMP"),),
    "offsets into functions": ((r"\+0x\w+/0x\w+$", ""), (r"^ free_pages\.part\.0$", None)),
    "not modelled": ((r"^(pstate|Code|CPU features|Memory Limit|x\d+ *|Kernel Offset)\b.*$", None),),
}
#: The same the other way: what only v6.9 prints.
ONLY_OURS = {
    "modules": r"^Modules linked in:$",
    "functions on the way": r"^ free_(page_is_bad_report|unref_page_prepare)$",
    "page does not match folio": r"^page does not match folio$",
    "PHYS_OFFSET": r"^(PHYS_OFFSET: .*|Kernel Offset: disabled|---\[ end Kernel panic.*)$",
    "registers": r"^x\d+ *:.*$",
}


def messages(lines: list[str]) -> list[str]:
    """What a kernel said from the first bad page on, without the time."""
    said = [re.sub(r"^\[ *\d+\.\d+\] ", "", line) for line in lines]
    start = next(i for i, line in enumerate(said) if line.startswith("BUG: Bad page state"))
    end = next(
        (i for i, line in enumerate(said) if line.startswith(("Disabling lock debugging", "Memory Limit"))), None
    )
    return said[start : None if end is None else end + 1]


def real(name: str) -> list[str]:
    return messages(LOGS[name].read_text().splitlines())


def registers(lines: list[str]) -> dict[str, int]:
    return {
        name: int(value, 16) for line in lines for name, value in re.findall(r"\b(x\d+|sp) ?: ([0-9a-f]{16})", line)
    }


def ours(name: str) -> list[str]:
    """The model's log, given where things were in that boot."""
    page_size, va_bits = re.search(r"(\d+k)-va(\d+)", name).groups()
    booted = boot(Config(page_size, int(va_bits)), CPU.named("max"))
    log = real(name)
    pfn = int(re.search(r"pfn:(\w+)$", log[0])[1], 16)
    if not name.startswith("panic"):
        kernel = Tree.named("arm64-for-next").start_kernel(booted, placement=Placement(pud_pfn=pfn))
    else:
        # Without KASLR memory begins at 1 GiB; the copy is what __dump_page() had in x19.
        places = Placement(0x4000_0000, registers(log)["x19"], pfn)
        kernel = Tree.named("next-20240229").start_kernel(booted, placement=places)
    return messages(list(kernel.run().dmesg))


def as_in_v6_9(line: str, used: set[str]) -> str | None:
    for name, rules in RULES.items():
        for pattern, becomes in rules:
            if re.search(pattern, line):
                used.add(name)
                if becomes is None:
                    return None
                line = re.sub(pattern, becomes, line)
    return line


both = pytest.mark.parametrize("name", sorted(LOGS))


@both
def test_every_line_is_equal_but_for_the_differences_of_the_table(name):
    theirs = [line for raw in real(name) if (line := as_in_v6_9(raw, set())) is not None]
    mine = [line for line in ours(name) if not any(re.search(pattern, line) for pattern in ONLY_OURS.values())]
    mine = [re.sub(r"^(sp) : \w+$", r"\1 :", line) for line in mine]  # the frames are another compiler's
    assert mine == [re.sub(r"^(sp) : \w+$", r"\1 :", line) for line in theirs]


@pytest.mark.parametrize(
    ("name", "computed"),
    [("panic-4k-va48", ("x0", "x1", "x2", "x3", "x4", "x5")), ("panic-16k-va52", ("x2", "x3", "x4", "x5"))],
)
def test_the_registers_that_hold_the_arithmetic_hold_the_same(name, computed):
    """In the 16K kernel the compiler has x0 and x1 for something else by then."""
    theirs, mine = registers(real(name)), registers(ours(name))
    assert {register: mine[register] for register in computed} == {register: theirs[register] for register in computed}


def test_each_difference_is_needed_and_is_in_the_document_and_no_other_is():
    used: set[str] = set()
    for name in LOGS:
        for line in real(name):
            as_in_v6_9(line, used)
    assert used == set(RULES)
    printed = "\n".join(line for name in LOGS for line in ours(name))
    assert [name for name, pattern in ONLY_OURS.items() if not re.search(pattern, printed, re.M)] == []
    _head, *table = re.findall(r"^\| ([^|]+?) \|", DOCUMENT, re.M)
    assert table == [*RULES, *ONLY_OURS]
