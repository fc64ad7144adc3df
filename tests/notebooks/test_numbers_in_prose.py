"""Numbers that the course says in words: equations hold, quotations are in their line of the log, the model agrees.

A fact is a phrase of a chapter with its numbers put in by the model: a chapter that says another number fails here, and
so does a model that computes another one.
"""

import re
from collections.abc import Iterator

import pytest

from pgtlab.arch.descriptor import DescriptorFormat
from pgtlab.arch.fault import Cause, Fault, FaultKind
from pgtlab.arch.granule import G4K, G16K, G64K, GRANULES
from pgtlab.arch.output_address import OutputAddress
from pgtlab.arch.registers import ESR_EL1, ISSDataAbort
from pgtlab.lab import chapters
from pgtlab.lab.course_data import LOG, origin
from pgtlab.lab.crash import story
from pgtlab.linux.boot import Boot, boot
from pgtlab.linux.decompose import decompose
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel.page_flags import PG_buddy, PG_table
from tests.notebooks.course import CHAPTERS, PAGES, cells, question, words_of


def prose(stem: str) -> str:
    """The Markdown of a chapter, in one line."""
    return " ".join(" ".join(cell.source for cell in cells(stem) if cell.kind == "markdown").split())


# Equations.

NUMBER = r"(?:0x[0-9a-f_]+|0b[01]+|\d[\d,_]*)(?: (?:[KMGT]iB)\b)?"
SIGNS = {"+": "+", "-": "-", "x": "*", "·": "*", "/": "//", "<<": "<<", ">>": ">>", "&": "&", "|": "|", "^": "**"}
SIGN = "|".join(map(re.escape, SIGNS))
SIDE = rf"\(*{NUMBER}\)*(?: ?(?:{SIGN}) ?\(*{NUMBER}\)*)*"
BEFORE = re.compile(rf"(?<![\w.:-])(?<![-+·/&|^(x<>] )({SIDE})$")
AFTER = re.compile(rf"({SIDE})(?! (?:{SIGN}|to the power) ?)(?![\w.:]\w)")
UNITS = {"KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40}


def computed(side: str) -> int:
    """The value of one side of an equation, by Python's rules."""

    def number(found: re.Match[str]) -> str:
        digits, _, unit = found[0].partition(" ")
        return str(int(digits.replace(",", ""), 0) << UNITS.get(unit, 0))

    python = re.sub(rf"{NUMBER}|{SIGN}", lambda each: SIGNS.get(each[0]) or number(each), side)
    return int(eval(python, {"__builtins__": {}}))  # numbers and signs, nothing else


def equations(text: str) -> Iterator[tuple[str, str]]:
    """Both sides of each equation of numbers in a text."""
    plain = re.sub(r"[`*]", "", " ".join(re.sub(r"(?<=\w)\*\*(?=\d)", "^", text).split()))
    for sign in re.finditer(" = ", plain):
        left, right = BEFORE.search(plain[: sign.start()][-120:]), AFTER.match(plain[sign.end() :])
        if left and right and all(each[1].count("(") == each[1].count(")") for each in (left, right)):
            yield left[1], right[1]


def wrong(texts: dict[str, str]) -> list[tuple[str, str, str]]:
    """The equations that do not hold, as 64 bits: a difference of addresses may be below zero."""
    found = [(where, *sides) for where, text in texts.items() for sides in equations(text)]
    assert len(found) > 7
    return [each for each in found if (computed(each[1]) - computed(each[2])) % (1 << 64)]


def test_equations_of_the_chapters_hold():
    assert wrong({plan.stem: prose(plan.stem) for plan in PAGES}) == []


@pytest.mark.sweep
@pytest.mark.parametrize("seed", range(4))
def test_equations_of_the_questions_hold(seed):
    names = [name for plan in PAGES for name in chapters.names(plan.stem)]
    assert wrong({name: "\n".join(words_of(question(name, seed))) for name in names}) == []


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("it is **512 x 4 KiB = 2 MiB**.", True),
        ("it is 512 x 4 KiB = 4 MiB", False),
        ("2^(48 - 27) = 2^21", True),
        ("`0xff >> 4` = **`0xf`**", True),
        ("12 + 9 = 22", False),
    ],
)
def test_an_equation_is_found_and_computed(text, holds):
    [(left, right)] = equations(text)
    assert (computed(left) == computed(right)) == holds


# Numbers of the log.

LINES = re.compile(r"\b[Ll]ines? (\d+(?:(?:, and | and |, | to )\d+)*)")
HEX = re.compile(r"(?<![\w.])(?:0x)?([0-9a-f]*\d[0-9a-f]*)(?![\w.:])")


def lines_named(sentence: str) -> set[int]:
    """The lines of the log that a sentence names."""
    named = set()
    for group in LINES.findall(sentence):
        numbers = [int(number) for number in re.findall(r"\d+", group)]
        named |= {*range(numbers[0], numbers[-1] + 1)} if " to " in group else {*numbers}
    return named


def numbers_in(line: str) -> set[int]:
    """The numbers that a line of the log has, in hexadecimal."""
    return {int(digits, 16) for digits in re.findall(r"(?<![0-9a-zA-Z])(?:0x)?([0-9a-f]{4,16})(?![0-9a-zA-Z])", line)}


def test_what_is_quoted_from_the_log_is_in_its_line():
    """A sentence that names lines, and has a number of at least five digits that is somewhere in the log."""
    log = {number: numbers_in(line.text) for number, line in chapters.log_lines().items()}
    everywhere = set().union(*log.values())
    checked, elsewhere = 0, []
    for plan in CHAPTERS:
        for sentence in re.split(r"(?<=[.:?]) ", prose(plan.stem)):
            named = lines_named(sentence) & log.keys()
            quoted = {int(digits, 16) for digits in HEX.findall(sentence) if len(digits) >= 5} & everywhere
            if named and quoted:
                checked += 1
                elsewhere += [(plan.stem, sentence)] * (not quoted <= set().union(*(log[number] for number in named)))
    assert elsewhere == []
    assert checked >= 4


# Facts, which the model puts numbers in.

K = story().kernel
LAPTOP = {va: boot(Config("16k", va), "max,lpa2=off") for va in (48, 52)}
SMALLER = {size: boot(Config(size, 52), "max,lpa2=off") for size in ("4k", "16k")}
WITH_LPA2 = boot(Config("16k", 52), "max")
assert all(isinstance(each, Boot) for each in (*SMALLER.values(), WITH_LPA2))
HIGH = decompose((1 << 64) - (1 << 40), SMALLER["16k"])
MAPCOUNT = story()["x24"] - (1 << 32)
SECONDS = [float(re.match(r"\[ *([\d.]+)\]", line)[1]) for line in origin(LOG).read_text().splitlines()]
C = WITH_LPA2.constants
MIB = 1 << 20


def sizes(shift: int) -> list[str]:
    """The sizes of pages, with a unit at the last one only."""
    return [f"{granule.size >> shift}" for granule in GRANULES]


def section(page_size: str) -> int:
    """The MiB of a section."""
    return (1 << Config(page_size, 48).constants.SECTION_SIZE_BITS) // MIB


def contiguous(granule) -> int:
    return DescriptorFormat(granule, OutputAddress.PLAIN).contiguous_entries(3)


def kind(which: FaultKind) -> str:
    return f"0b{Fault(which, 0, Cause.DESCRIPTOR).status_code >> 2:04b}"


def bits(shift: int, above: int) -> str:
    return f"{above - 1}:{shift}"


FACTS = {
    "00_hexadecimal": [
        f"There it is: **{MAPCOUNT}**.",
        f"those of {story()['x24']:,}",
        f"the {len(SECONDS)} lines",
    ],
    "01_two_programs": [
        f"pages of 4 KiB = {G4K.size} bytes the offset takes {G4K.shift} bits",
        f"a page has {', '.join(sizes(10)[:-1])} or {sizes(10)[-1]} KiB",
    ],
    "02_a_tree": [
        f"since a table has {1 << G4K.bits_per_level} entries",
        f"{48 - G4K.shift} bits of index, {G4K.bits_per_level} a level",
        f"an index has {G4K.bits_per_level}, {G16K.bits_per_level} or {G64K.bits_per_level} bits",
        f"47 bits start at level {G16K.start_level(47)}, and 48 bits at level {G16K.start_level(48)}",
        f"the new first one had to be {G4K.start_level(52)}",
        f"cannot do them takes {LAPTOP[52].vabits_actual}",
    ],
    "03_an_entry": [
        f"with 4K pages {(1 << G4K.level_shift(2)) // MIB} MiB at level 2",
        f"and {1 << G4K.level_shift(1) - 30} GiB at level 1",
        f"A block at level 2 stands for {1 << G4K.bits_per_level} pages",
    ],
    "05_a_fault": [
        f"the exception class, bits {ESR_EL1.EC.hi}:{ESR_EL1.EC.lo}",
        f"FAR not valid, bit {ISSDataAbort.FnV.lo}",
        f"write not read, bit {ISSDataAbort.WnR.lo}",
        f"Kind {kind(FaultKind.TRANSLATION)} is a **translation fault**",
        f"{kind(FaultKind.ACCESS_FLAG)}: its access flag is 0",
        f"{kind(FaultKind.PERMISSION)} is a **permission fault**",
        f"The lowest {ESR_EL1.ISS.hi + 1} bits together are called **ISS**",
    ],
    "06a_the_kernel_map": [
        f"{1 << 48 - 40} TiB of virtual addresses with 48 bits",
        f"of {K.THREAD_SIZE >> 10} KiB with pages of 4K or 16K",
        f"at a multiple of {K.THREAD_ALIGN >> 10} KiB",
    ],
    "06b_page_to_number": [
        f"a record of {K['sizeof(struct page)']} bytes",
        f"a **section** is {section('4k')} MiB",
        f"its record, of {K['sizeof(struct mem_section)']} bytes",
        f"is a **root**: {K.SECTIONS_PER_ROOT} of them",
        f"({G4K.shift} bits count the bytes of a 4K page; with 16K pages they are {G16K.shift}, with 64K pages "
        f"{G64K.shift}",
        f"still has {section('16k')} MiB if pages have 16K (with 64K pages it has {section('64k')} MiB)",
    ],
    "08_folded_at_boot": [
        f"Here it is {SMALLER['16k'].vabits_actual}, and not 48",
        f"of whose {G16K.size // 8} entries only {C.PTRS_PER_PGD} can be used",
        f"pgd {bits(C.PGDIR_SHIFT, 52)}, pud {bits(C.PUD_SHIFT, C.PGDIR_SHIFT)}, pmd {bits(C.PMD_SHIFT, C.PUD_SHIFT)}, "
        f"pte {bits(C.PAGE_SHIFT, C.PMD_SHIFT)}",
        f"So `pgd_index` is always {C.PTRS_PER_PGD - 1:#x}",
        f"to {SMALLER['4k'].vabits_actual} bits with 4K pages, to {SMALLER['16k'].vabits_actual} with 16K",
    ],
    "09_who_owns_a_table": [
        f"-512 is -{512:#x}, and {PG_table:#x} is the bit of *table*",
        f"*buddy*, {PG_buddy:#x}",
        f"the kernel keeps {K['sizeof(struct page)']} bytes",
    ],
    "10a_registers": [
        f"{K.SECTIONS_PER_ROOT.bit_length() - 1} bits count to {K.SECTIONS_PER_ROOT}",
        f"a factor of {K['sizeof(struct mem_section)']}, the size of a `struct mem_section`",
        f"`usage` is {K['offsetof(struct mem_section,usage)']} bytes into it",
        f"a section above {K.NR_MEM_SECTIONS - 1:#x}, the number in x0",
    ],
    "10b_the_log": [
        f"A machine prints {len(SECONDS)} lines in {(SECONDS[-1] - SECONDS[0]) * 1000:.0f} milliseconds",
        f"`{K.NR_MEM_SECTIONS - 1:x}` in line 34",
        f"2^({Config('4k', 48).pa_bits} - {K.SECTION_SIZE_BITS}) - 1",
        f"begins at `{story()['x22'] << K.PAGE_SHIFT:#x}`",
        f"And line 27 has `{story()['x22']:x}` in x22",
    ],
    "12_the_cost_of_a_walk": [
        f"fell back to **{SMALLER['16k'].vabits_actual}** bits",
        f"{contiguous(G16K)} pages of 16 KiB or {contiguous(G4K)} of 4 KiB",
    ],
}


@pytest.mark.parametrize("stem", FACTS)
def test_the_model_agrees_with_what_is_said(stem):
    said = prose(stem)
    assert [fact for fact in FACTS[stem] if fact not in said] == []


def test_a_number_of_accesses_is_that_of_the_cell():
    code = "\n".join(cell.source for cell in cells("12_the_cost_of_a_walk") if cell.kind == "code")
    [made] = {int(number.replace("_", "")) for number in re.findall(r"walk_costs\(compared, accesses=([\d_]+)", code)}
    assert f"Each program makes {made:,} accesses." in prose("12_the_cost_of_a_walk")
