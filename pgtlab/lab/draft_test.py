"""The draft test: twelve questions in two parallel forms, one idea each, for before the course and for after the log.

It is a draft: no class has taken it, and it proves nothing about learning until one has. The wrong options come from
real code and real confusion. Every right answer is computed by the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from pgtlab.arch.address_cut import cut
from pgtlab.arch.descriptor import Block, Invalid, PageDescriptor, Table
from pgtlab.arch.fault import Fault
from pgtlab.arch.granule import G4K, G16K, G64K
from pgtlab.arch.registers import ID_AA64MMFR0_EL1
from pgtlab.lab.bisection import Bad, Bisection
from pgtlab.lab.machine import Machine
from pgtlab.lab.trees import ADD_DUMP_FOLIO, FOLD_PUDS_AT_RUNTIME
from pgtlab.linux.boot import Fold, boot, running
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config

Form = Literal["A", "B"]
FORMS: Final[tuple[Form, ...]] = ("A", "B")


@dataclass(frozen=True)
class DraftItem:
    """A question with its options, the right one first, the idea that it is about, and the reason."""

    idea: str
    text: str
    options: tuple[str, ...]
    why: str

    def shown(self, form: Form) -> tuple[str, ...]:
        """The options in the order of a form."""
        options = list(self.options)
        Random(f"{form} {self.idea}").shuffle(options)
        return tuple(options)


def draft_test(form: Form) -> tuple[DraftItem, ...]:
    """The twelve questions of a form.

    >>> [len(draft_test(form)) for form in FORMS]
    [12, 12]
    """
    return tuple(make(form) for make in ITEMS)


def paper(form: Form) -> str:
    """The test for a student, in Markdown."""
    return "\n".join(_paper(form))


def _paper(form: Form) -> Iterator[str]:
    yield f"# Twelve questions, form {form}\n"
    yield 'One answer each. "I don\'t know" costs nothing and is better than a guess.\n'
    for number, item in enumerate(draft_test(form), 1):
        yield f"{number}. {item.text}\n"
        for letter, option in zip("abcd", item.shown(form), strict=False):
            yield f"   {letter}) {option}"
        yield "   e) I don't know\n"


def key(form: Form) -> str:
    """The key of a form with the reasons, in Markdown."""
    lines = [f"# Key of form {form}\n"]
    for number, item in enumerate(draft_test(form), 1):
        letter = "abcd"[item.shown(form).index(item.options[0])]
        lines.append(f"{number}. {letter}) {item.options[0]}. {item.idea}: {item.why}")
    return "\n".join(lines)


def _two_granule_fields(form: Form) -> DraftItem:
    granule = {"A": G16K, "B": G64K}[form]
    values = [f"0b{value:02b}" for value in range(4)]
    right, same = f"0b{int(granule.tg1):02b}", f"0b{int(granule.tg0):02b}"
    return DraftItem(
        "TG0 and TG1 encode the granule differently",
        f"TCR_EL1 has a field TG0 for the granule of the lower half, and TG1 for that of the upper. TG0 = {same} "
        f"selects {granule} pages. Which value of TG1 selects them?",
        (right, same, *(value for value in values if value not in (right, same))),
        "the two fields have different encodings; copying one into the other selects another granule",
    )


def _granule_support(form: Form) -> DraftItem:
    granule, name, value = {"A": (G4K, "TGRAN4", 1), "B": (G16K, "TGRAN16", 2)}[form]
    level = granule.support(ID_AA64MMFR0_EL1(**{name: value})).name
    says = {"LPA2": f"{granule} pages, also with 52-bit addresses", "SUPPORTED": f"{granule} pages, with up to 48 bits"}
    none = f"no {granule} pages"
    return DraftItem(
        "a feature field is not a yes or a no",
        f"ID_AA64MMFR0_EL1.{name} is {value} on a CPU. What does the CPU support?",
        (
            says[level],
            *(text for text in (*says.values(), none) if text != says[level]),
            "this cannot be known at boot",
        ),
        f"{name} = {value} means {level}; 0 means supported in TGRAN4, and not supported in TGRAN16",
    )


def _freeing(form: Form) -> DraftItem:
    page_size, level = {"A": ("16k", "pud"), "B": ("4k", "p4d")}[form]
    folded = boot(Config(page_size, 52), CPU.named("max,lpa2=off")).folded[level]
    assert folded is Fold.RUN_TIME
    return DraftItem(
        "a folded table is not freed",
        f"On this CPU the {level} is folded at run time. `{level}_free()` is called for an address space that is still "
        "in use. What should it do?",
        ("nothing", "free the page that its pointer points into", "free it without its destructor", "clear the page"),
        f"the {level} pointer points into the pgd's page, which is in use",
    )


def _kind(form: Form) -> DraftItem:
    word, level = {"A": (0x8A65_D701, 3), "B": (0x8A65_D703, 2)}[form]
    names = {Invalid: "an invalid entry", Table: "a table", Block: "a block", PageDescriptor: "a page"}
    right = names[next(kind for kind in names if isinstance(Machine().entry(word, level), kind))]
    return DraftItem(
        "bits 1:0 mean different things at different levels",
        f"The word `{word:#018x}` is in a table of level {level}, with 4K pages. What is it?",
        (right, *(name for name in names.values() if name != right)),
        f"bits 1:0 are 0b{word & 3:02b}, at level {level}",
    )


def _copy(form: Form) -> DraftItem:
    where = {"A": "a local variable", "B": "a buffer from kmalloc()"}[form]
    return DraftItem(
        "not every pointer is a page",
        f"A function copies a `struct page` into {where} and calls `page_to_pfn()` with the copy's address. "
        "What does it get?",
        (
            "a number that is not the page's pfn",
            "the pfn of the page that was copied",
            "the pfn of the frame that holds the copy",
            "an error",
        ),
        "page_to_pfn() subtracts vmemmap and divides: it looks at the pointer, and not at what is there",
    )


def _first_bad(form: Form) -> DraftItem:
    bad, words = {"A": (Bad.PANICS, "panics"), "B": (Bad.REPORTS, "reports anything wrong")}[form]
    bisection = Bisection.start(running(Config("4k", 48)), bad)
    while bisection.next:
        bisection = bisection.test(bisection.next)
    assert bisection.first_bad
    right = {
        "Merge branch 'for-next/core'": "the merge of the two branches",
        FOLD_PUDS_AT_RUNTIME.subject: "the commit with the first mistake",
        ADD_DUMP_FOLIO.subject: "the commit with the second mistake",
    }[bisection.first_bad.subject]
    others = (
        "the merge of the two branches",
        "the commit with the first mistake",
        "the commit with the second mistake",
    )
    return DraftItem(
        "the first bad commit is where the answer changes",
        "Two mistakes are on two branches. The first alone makes the kernel report something; the second alone does "
        f"nothing; both together make it panic. You bisect over both branches and their merge, and bad means: it "
        f"{words}. Which commit is the first bad one?",
        (right, *(other for other in others if other != right), "none: bisection does not work with merges"),
        "it is the first kernel that is bad in the sense of the question",
    )


def _two_processes(form: Form) -> DraftItem:
    first, second = {"A": (42, 7), "B": (5, 1000)}[form]
    machine = Machine()
    a, b = machine.process("a"), machine.process("b")
    for process, value in ((a, first), (b, second)):
        process.map(0x40_0000, machine.frame())
        process.write(0x40_0000, value)
    return DraftItem(
        "a virtual address is not a physical one",
        f"Process a writes {first} to address 0x400000 of its own memory, then process b writes {second} to address "
        "0x400000 of its own. What does a read there?",
        (f"{a.read(0x40_0000)}", f"{second}", "0", "its read is refused"),
        "each process has its own page tables",
    )


def _first_table(form: Form) -> DraftItem:
    granule, bits = {"A": (G16K, 48), "B": (G64K, 48)}[form]
    start = granule.start_level(bits)
    first = cut(0, granule.name, bits).part(start)
    entries, full = 1 << first.hi - first.lo + 1, 1 << granule.bits_per_level
    return DraftItem(
        "the first index may be short",
        f"{granule} pages, {bits} bits of address. How many entries of the first table can be used?",
        (f"{entries}", f"{full}", f"{granule.size}", f"{first.hi - first.lo + 1}"),
        f"level {start} has bits {first.hi}:{first.lo} only",
    )


def _which_register(form: Form) -> DraftItem:
    va = {"A": 0x00FF_0000_1234_5000, "B": 0xFF00_0000_1234_5000}[form]
    names = ("TTBR0_EL1", "TTBR1_EL1")
    return DraftItem(
        "bit 55 chooses",
        f"For the address `{va:#018x}`: in which register does the MMU look for the first table?",
        (
            names[va >> 55 & 1],
            names[~va >> 55 & 1],
            "in both, one after the other",
            "in neither, since it is not canonical",
        ),
        f"bit 55 is {va >> 55 & 1}; whether the walk then succeeds is another question",
    )


def _null(form: Form) -> DraftItem:
    bits = {"A": 48, "B": 39}[form]
    outcome = Machine("4k", bits).process("empty").walk(8).outcome
    assert isinstance(outcome, Fault)
    return DraftItem(
        "a fault's level is that of an entry",
        f"4K pages, {bits} bits. An access to address 8 is reported as a translation fault at level {outcome.level}. "
        "What do you know?",
        (
            f"the table of level {outcome.level} was read, and its entry is invalid",
            f"there is no table of level {outcome.level}",
            "the page at address 0 is missing, and its tables are there",
            "the program had no permission",
        ),
        "the level is that of the entry that stopped the walk",
    )


def _mapcount(form: Form) -> DraftItem:
    bit = {"A": 0x200, "B": 0x400}[form]
    word = 0xFFFF_FFFF & ~bit
    stored = word - (1 << 32)
    return DraftItem(
        "the value that is printed is not the one that is stored",
        f"The four bytes `_mapcount` of a page are `{word:#x}`. Which mapcount does the kernel print for it?",
        (f"{stored + 1}", f"{stored}", f"{word}", f"{bit}"),
        f"as a signed number it is {stored}, and one is added for printing, since -1 is stored for never mapped",
    )


def _permissions(form: Form) -> DraftItem:
    bit, name, effect = {
        "A": (7, "AP[2]", "nobody may write to the page"),
        "B": (54, "UXN", "programs may not run instructions from the page"),
    }[form]
    may = {"A": "everybody may write to the page", "B": "programs may run instructions from the page"}[form]
    return DraftItem(
        "most permission bits forbid",
        f"{name}, bit {bit} of a page's entry, is set. What follows?",
        (effect, may, "the page is not valid", "only the kernel may use the page"),
        "the bit is set to forbid",
    )


ITEMS: Final[tuple[Callable[[Form], DraftItem], ...]] = (
    _two_processes,
    _first_table,
    _kind,
    _permissions,
    _which_register,
    _null,
    _copy,
    _two_granule_fields,
    _granule_support,
    _freeing,
    _mapcount,
    _first_bad,
)
