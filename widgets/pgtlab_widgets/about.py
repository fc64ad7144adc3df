"""What each view is about: its question, how to read it, and the terms that one needs for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pgtlab.terms import sentence


@dataclass(frozen=True)
class About:
    """The question that a view answers, how to read it in a few sentences, and names of terms in it."""

    question: str
    how: str
    words: tuple[str, ...]

    def drawn(self) -> dict[str, Any]:
        """For `frame.js`: the texts, and each term with its sentence."""
        return {
            "question": self.question,
            "how": self.how,
            "words": [{"name": name, "sentence": sentence(name)} for name in self.words],
        }


_LEVELS: Final = ("pgd", "p4d", "pud", "pmd", "pte")

#: By the name of the class.
ABOUT: Final = {
    "Explorer": About(
        "Which bits of an address choose which table?",
        "The row of bits is one address, the highest bit on the left: click a bit to flip it. The lanes below"
        " have the same columns: what the MMU does with these bits, and which of Linux's levels they belong "
        "to. A hue is a level of the MMU's, grey the offset in the page. A dashed frame is a level that does "
        "not exist in this kernel. Pin a kernel to compare another with it, bit by bit.",
        (
            *_LEVELS,
            "level",
            "start level",
            "offset",
            "folded",
            "max",
            "LPA2",
            "VA_BITS",
            "PA_BITS",
            "vabits_actual",
            "T0SZ",
        ),
    ),
    "WalkStepper": About(
        "What does the MMU read, in which order, and what does Linux call it?",
        "The bar is the address: a line leads from each field to the entry that it chooses, and a dashed one "
        "from an entry to the table that it points to. The coloured digits of a word are that address. Below "
        "are the register with the first table, the tables, and the outcome; on the right are Linux's pointers "
        "to the same words. What is pale is still to come.",
        (*_LEVELS, "index", "descriptor", "canonical", "fault", "ESR_EL1", "PAR_EL1", "TTBR0_EL1", "AF", "max", "LPA2"),
    ),
    "TableMap": About(
        "Where does an address lie, at every scale?",
        "Each bar enlarges the framed part of the bar above; lower addresses are on the left. A colour is a "
        "level of tables: full height is mapped memory, half height leads to another table, and empty maps "
        "nothing. Below are the tables on the way, a column for each level. Click any part to go there.",
        ("level", "linear map", "vmemmap", "PAGE_OFFSET", "table", "leaf", "contiguous", "UXN", "PXN", "max", "LPA2"),
    ),
    "FoldLab": About(
        "On which CPU does which of Linux's levels fold?",
        "A row is a kernel, a column a CPU. A cell has a box for each of Linux's levels that is read, in the "
        "colour of the MMU's level. A gap is a level that the compiler folded. A dashed box is folded at run "
        "time, because this CPU has fewer bits than the kernel was built for. Click a cell to show this "
        "kernel in the other views.",
        (*_LEVELS, "folded", "level", "max", "LPA2", "LPA", "VA_BITS", "vabits_actual", "granule"),
    ),
    "PageInspector": About(
        "Four bytes, two names: how does a map count of -512 come about?",
        "The grid is the 64 bytes of one struct page, with the members that lie there, those of a union side "
        "by side. A button calls the kernel's function; amber marks the bytes that it changed. The frame is "
        "around four bytes with two names. What was done can be taken back. The log marks the map count.",
        ("struct page", "_mapcount", "page_type", "constructor", "destructor", "bad page", "pfn", "max", "LPA2"),
    ),
    "BugLab": About(
        "What did this bug do to the kernel, and how is it fixed?",
        "Five stages, which unfold. 1: choose a tree or a bug; a kernel boots with it, and the picture says how "
        "that ends. 2: read the log, what follows from it, and which lines are the evidence. 3: patch a "
        "function; the kernel boots again. 4 and 5: have it judged, and run it in every configuration.",
        ("bad page", "Oops", "panic", "call trace", "livepatch", "Tree", "Commit", "folded", "max", "LPA2", "taint"),
    ),
    "OopsReader": About(
        "What does this log say about the kernel that wrote it?",
        "On the left is the log, on the right what follows from it. Click a claim to mark the lines that are "
        "its evidence, or a line to see what was read from it. Below are a kernel that can have printed the log "
        "and an address in it, which the other views can open.",
        ("Oops", "panic", "bad page", "ESR_EL1", "FAR_EL1", "call trace", "taint", "poison", "pfn", "vmemmap"),
    ),
    "BisectionView": About(
        "Which commit is to blame, and why does that depend on the question?",
        "The graph has the newest commit on top. Click a row to boot and test its commit, or test the one that "
        "git would test next, in the thick frame. Each meaning of bad has its own bisection. The first bad "
        "commit that it finds is marked in the margin with its number, and stays there to be compared.",
        ("Tree", "Commit", "bad page", "panic", "outcome", "max", "LPA2"),
    ),
    "TLBView": About(
        "What does a TLB hold, and what does one more level of tables cost?",
        "What a TLB holds: each box is an access, h for a hit, m for a miss that fills an empty entry, e for a "
        "miss that evicts one; what is pale is still to come. Below are the levels that the walk reads, and the "
        "entries after the access; amber marks the new one. What a level costs: a long trace runs through the "
        "same TLB and walk caches with two sizes of address. The bars are the descriptors that the MMU reads for "
        "each access, by level, and the shares of lookups that hit. They are pale until all is counted.",
        ("TLB", "walk cache", "level", "descriptor", "contiguous", "ASID", "granule"),
    ),
}
