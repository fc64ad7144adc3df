"""The values that a quiz hides in a view, each with its right value and its wrong ones, computed by the model."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from pgtlab.arch.descriptor import Block, Leaf, PageDescriptor, Table
from pgtlab.arch.fault import Fault
from pgtlab.lab import misconceptions
from pgtlab.lab.answers import Choice, Number
from pgtlab.lab.fill_in import Blank, Index
from pgtlab.linux.boot import Boot, Fold, NoBoot
from pgtlab.linux.decompose import decompose

if TYPE_CHECKING:
    from pgtlab.arch.walk import Walk

TTBR: Final = ("TTBR0_EL1", "TTBR1_EL1")
KINDS: Final = ("table", "block", "page", "invalid")


def address_blanks(va: int, boot: Boot) -> tuple[Blank, ...]:
    """What an address is made of, for the MMU and where it differs for Linux.

    >>> from pgtlab import Config, CPU, boot
    >>> booted = boot(Config("16k", 52), CPU.named("max,lpa2=off"))
    >>> [(blank.key, blank.right) for blank in address_blanks(0xfffff6c9a5133456, booted)][1:4]
    [('start', '1'), ('level 1', '0x76c (1900)'), ('level 2', '0x4d2 (1234)')]
    """
    return tuple(_address(va, boot))


def _address(va: int, boot: Boot) -> Iterator[Blank]:
    d = decompose(va, boot)
    if d.ttbr is None:
        return
    yield ttbr_blank(va, boot)
    yield start_blank(boot)
    for level in d.hardware:
        yield index_blank(va, level.level, boot)
    shift = boot.config.granule.shift
    how_many = Blank("offset bits", f"How many bits select one byte of {boot.config.granule}?", Number(shift))
    wrong = misconceptions.offset(va, boot)
    yield Blank("offset", "What is the offset in the page?", Number(d.offset, base=16), wrong, (how_many,))
    for linux in d.linux:
        if linux.fold is Fold.RUN_TIME or (linux.hi is not None and linux.level is None):
            wrong = misconceptions.linux_index(va, linux.name, boot)
            yield Blank(linux.name, f"And Linux: what is {linux.name}_index(addr)?", Index(linux.index), wrong)


def ttbr_blank(va: int, boot: Boot) -> Blank:
    """Which register has the first table."""
    right = va >> 55 & 1
    wrong = {TTBR[value]: sentence for value, sentence in misconceptions.ttbr(va, boot).items()}
    return Blank("ttbr", "Which register has the first table?", Choice(TTBR[right], (TTBR[1 - right],)), wrong)


def start_blank(boot: Boot) -> Blank:
    """At which level the walk starts."""
    granule = boot.config.granule
    per_level = granule.bits_per_level
    steps = (
        Blank("bits", "How many bits of address are in use?", Number(boot.vabits_actual), _built_for(boot)),
        Blank(
            "bits of a level",
            f"How many bits choose one of the 8-byte entries of a {granule} table?",
            Number(per_level),
            {granule.shift: "That many bits select one byte. An entry has 8."},
        ),
    )
    return Blank(
        "start",
        "At which level does the walk start?",
        Number(boot.start_level),
        misconceptions.start_level(boot),
        steps,
    )


def _built_for(boot: Boot) -> dict[int, str]:
    if boot.vabits_actual == boot.config.va_bits:
        return {}
    return {boot.config.va_bits: f"The kernel was built for {boot.config.va_bits}. Does this CPU have them?"}


def index_blank(va: int, level: int, boot: Boot) -> Blank:
    """The index at a level of the MMU's walk."""
    (hardware,) = (each for each in decompose(va, boot).hardware if each.level == level)
    lowest = Blank(
        f"lowest bit {level}",
        f"Which is the lowest address bit of the index at level {level}?",
        Number(hardware.lo),
        misconceptions.lowest_bit(level, boot),
    )
    wrong = misconceptions.index(va, level, boot)
    ask = f"Which entry does the address choose at level {level}?"
    return Blank(f"level {level}", ask, Index(hardware.index), wrong, (lowest,))


def walk_blanks(walk: Walk, boot: Boot) -> tuple[Blank, ...]:
    """What a walk does, step by step: indices, the addresses in the entries, and the outcome."""
    return tuple(_walk(walk, boot))


def _walk(walk: Walk, boot: Boot) -> Iterator[Blank]:
    if not walk.steps:
        return
    yield ttbr_blank(walk.va, boot)
    for number, step in enumerate(walk.steps, 1):
        yield index_blank(walk.va, step.level, boot)
        if number == len(walk.steps):
            yield _kind(walk)
        if isinstance(step.descriptor, Table | Leaf):
            what = f"level {step.level + 1} table" if isinstance(step.descriptor, Table) else "page or block"
            wrong = misconceptions.table_address(step)
            yield Blank(f"entry {number}", f"Where is the {what}?", Number(step.descriptor.oa, base=16), wrong)
    if isinstance(walk.outcome, Fault):
        ask = f"The walk ends in a {walk.outcome.kind} fault. Of which level?"
        yield Blank("outcome", ask, Number(walk.outcome.level), misconceptions.fault_level(walk))
    else:
        ask = "What is the physical address?"
        yield Blank("outcome", ask, Number(walk.outcome.pa, base=16), misconceptions.physical_address(walk))


def step_reached(walk: Walk, hidden: Collection[str]) -> int:
    """The last step of a walk that a reader may see: the one whose index is filled in."""
    reads = enumerate(walk.steps)
    return next((number for number, step in reads if f"level {step.level}" in hidden), len(walk.steps))


def entries_known(walk: Walk, hidden: Collection[str]) -> int:
    """The number of entries of a walk that a reader has understood; -1 before the register with the first table."""
    if "ttbr" in hidden:
        return -1
    keys = [{f"entry {number}"} for number, _ in enumerate(walk.steps, 1)]
    for last in keys[-1:]:
        last.add("kind")
    return next((number for number, each in enumerate(keys) if each & set(hidden)), len(keys))


def _kind(walk: Walk) -> Blank:
    step = walk.steps[-1]
    match step.descriptor:
        case Table():
            right = "table"
        case Block():
            right = "block"
        case PageDescriptor():
            right = "page"
        case _:
            right = "invalid"
    bits = int(step.descriptor or 0) & 0b11
    says = {
        "table": "Bits 1:0 = 11 mean a table above level 3 only.",
        "page": "Bits 1:0 = 11 mean a page at level 3 only.",
        "block": "A block has bits 1:0 = 01, above level 3.",
        "invalid": "An entry is invalid if bit 0 is 0.",
    }
    wrong = {
        kind: f"{sentence} Here bits 1:0 are {bits:02b}, at level {step.level}."
        for kind, sentence in says.items()
        if kind != right
    }
    others = tuple(kind for kind in KINDS if kind != right)
    return Blank("kind", f"What is this entry of level {step.level}?", Choice(right, others), wrong)


def fold_blanks(boot: Boot | NoBoot) -> tuple[Blank, ...]:
    """What becomes of Linux's levels in a kernel on a CPU.

    >>> from pgtlab import Config, CPU, boot
    >>> [blank.right for blank in fold_blanks(boot(Config("16k", 52), CPU.named("max,lpa2=off")))][2:5]
    ['computed, not read', 'folded at compile time', 'folded at run time']
    """
    boots = Choice(*(("yes", ("no",)) if isinstance(boot, Boot) else ("no", ("yes",))))
    name = f"ID_AA64MMFR0_EL1.TGRAN{boot.config.granule.size >> 10}"
    says = f"Does {boot.cpu.name} have pages of {boot.config.granule}? {name} says it."
    blanks = [Blank("boots", "Does this kernel boot on this CPU?", boots, {boots.others[0]: says})]
    if isinstance(boot, Boot):
        ask = "How many bits of address are in use?"
        blanks.append(Blank("bits", ask, Number(boot.vabits_actual), _built_for(boot)))
        for level in decompose(0, boot).linux[:4]:
            right = misconceptions.fate(level)
            choice = Choice(right, tuple(fate for fate in misconceptions.FATES if fate != right))
            blanks.append(
                Blank(level.name, f"What becomes of the {level.name}?", choice, misconceptions.fates(level.name, boot))
            )
    return tuple(blanks)


def page_blanks(
    before: Mapping[str, int], after: Mapping[str, int], printed: int | None, call: str
) -> tuple[Blank, ...]:
    """What a kernel function does to a `struct page`.

    Parameters
    ----------
    before, after : mapping
        `page_type`, `_mapcount` and `_refcount`.
    printed : int or None
        The map count of a report that it printed.
    call : str
        The function with its arguments, as the question names it.
    """
    blanks = []
    if after["page_type"] != before["page_type"]:
        wrong = misconceptions.page_type(before["page_type"], after["page_type"])
        blanks.append(
            Blank("page_type", f"What is page_type after {call}?", Number(after["page_type"], base=16), wrong)
        )
        wrong = misconceptions.stored_mapcount(after["_mapcount"])
        blanks.append(Blank("_mapcount", "The same four bytes as _mapcount?", Number(after["_mapcount"]), wrong))
    if after["_refcount"] != before["_refcount"]:
        wrong = misconceptions.refcount(before["_refcount"], after["_refcount"], after["_mapcount"])
        blanks.append(Blank("_refcount", f"What is _refcount after {call}?", Number(after["_refcount"]), wrong))
    if printed is not None:
        ask = f"It was {before['_mapcount']} before. Which mapcount does the kernel print?"
        blanks.append(Blank("printed", ask, Number(printed), misconceptions.printed_mapcount(before["_mapcount"])))
    return tuple(blanks)
