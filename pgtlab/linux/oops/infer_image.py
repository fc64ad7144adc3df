"""Where the kernel and its stacks are: KASLR's offset, and what the ends of the address ranges say of their size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pgtlab.linux.oops.inference import DERIVED, LIKELY, STATED, Clue, Evidence, Inference
from pgtlab.linux.oops.layout import MIB, U64, Layout, layouts
from pgtlab.linux.oops.report import Log, Report

IMAGE_SIZE = 128 * MIB  # no kernel's text and data are larger
STACKS = (
    1 << 34
)  # bytes at the start of the vmalloc area: it is filled from there, and stacks come early and all the time
FEWEST = 3  # pointers that are no accident together


def base_clue(log: Log) -> Iterator[Clue]:
    """Which kernels are linked there."""
    base = log.facts.kernel_base
    if base is not None and any(base in one.kernel_bases for one in layouts()):
        line = (log.facts.where["kernel_base"],) if "kernel_base" in log.facts.where else ()
        text = (
            f"the kernel was linked at {base:#x}, the end of the modules' area, which begins where the linear map ends"
        )
        yield Clue(Evidence(text, line), lambda one: base in one.kernel_bases, DERIVED)


def stack_clue(report: Report) -> Iterator[Clue]:
    """Which kernels have their stacks there."""
    sp = report.registers.get("sp")
    if sp is None or sp >> 52 != 0xFFF or sp % 16:
        return

    def fits(one: Layout) -> bool:
        return any(0 <= sp - base < STACKS for base in one.kernel_bases)

    if any(map(fits, layouts())):
        text = f"sp = {sp:#x} is just above VMALLOC_START: a stack from vmalloc() (CONFIG_VMAP_STACK, the default)"
        line = (report.registers.lines["sp"],) if "sp" in report.registers.lines else ()
        yield Clue(Evidence(text, line), fits, LIKELY)


def image_inferences(report: Report, log: Log, remaining: Sequence[Layout] = ()) -> Iterator[Inference]:
    """KASLR's offset as it was printed, and whether the registers agree; or where the kernel must be without it."""
    offset, base = log.facts.kaslr_offset, log.facts.kernel_base
    line = (log.facts.where["kaslr_offset"],) if "kaslr_offset" in log.facts.where else ()
    if offset is None:
        yield from _kernel_near(report, remaining)
    elif offset == 0 or base is None:
        claim = "the kernel runs where it was linked" if offset == 0 else f"KASLR moved the kernel by {offset:#x}"
        text = "Kernel Offset: disabled" if offset == 0 else f"Kernel Offset: {offset:#x}"
        yield Inference("kaslr_offset", offset, claim, (Evidence(text, line),), STATED)
    else:
        start = base + offset & U64
        evidence = [Evidence(f"Kernel Offset: {base:#x} + {offset:#x} = {start:#x}, where the kernel begins", line)]
        inside = {name: value for name, value in _numbered(report) if 0 <= value - start < IMAGE_SIZE}
        if inside:
            text = ", ".join(f"{name} points {value - start:#x} bytes into it" for name, value in inside.items())
            evidence.append(Evidence(text, _lines(report, inside)))
        yield Inference("kaslr_offset", offset, f"KASLR moved the kernel by {offset:#x}", tuple(evidence), STATED)
        yield Inference("kernel_start", start, f"the kernel begins at {start:#x}", tuple(evidence), DERIVED)


def _kernel_near(report: Report, remaining: Sequence[Layout]) -> Iterator[Inference]:
    """Several pointers close together, far into the vmalloc area: KASLR has put the kernel there."""
    starts = {base for one in remaining for base in one.kernel_bases}
    ends = {one.VMEMMAP_START for one in remaining}
    if not starts or len(ends) > 2:
        return
    low, high = max(starts) + STACKS, min(ends)
    far = {name: value for name, value in _numbered(report) if low <= value < high}
    near = {name: value for name, value in far.items() if 0 <= value - min(far.values()) < IMAGE_SIZE}
    if len(set(near.values())) < FEWEST:
        return
    first, last = max(near.values()) - IMAGE_SIZE, min(near.values())
    text = ", ".join(f"{name} = {value:#x}" for name, value in near.items())
    claim = f"KASLR is on: the kernel begins between {first:#x} and {last:#x}"
    yield Inference("kernel_between", f"{first:#x}..{last:#x}", claim, (Evidence(text, _lines(report, near)),), LIKELY)


def _numbered(report: Report) -> list[tuple[str, int]]:
    """x0 to x30, in order."""
    held = [(name, value) for name, value in report.registers.values.items() if name[1:].isdecimal()]
    return sorted(held, key=lambda register: int(register[0][1:]))


def _lines(report: Report, names: Iterable[str]) -> tuple[int, ...]:
    return tuple(sorted({report.registers.lines[name] for name in names if name in report.registers.lines}))
