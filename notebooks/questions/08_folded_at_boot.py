"""Questions of chapter 8: folding at run time, LPA2, and what freeing a folded level means."""

from functools import cache
from random import Random

from pgtlab.arch.descriptor import DescriptorFormat, PageDescriptor
from pgtlab.arch.granule import G4K, G16K
from pgtlab.arch.output_address import OutputAddress
from pgtlab.lab.question import Choice, Intermediate, Number, Question, Wrong, recall
from pgtlab.linux.boot import Boot, Fold, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.decompose import decompose
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel

WITHOUT, WITH = "max,lpa2=off", "max"


def booted(page_size: str, cpu: str) -> Boot:
    """A kernel for 52 bits, as it runs on a CPU."""
    made = boot(Config(page_size, 52), CPU.named(cpu))
    assert isinstance(made, Boot)
    return made


@cache
def kernel(page_size: str, cpu: str) -> Kernel:
    return Kernel(booted(page_size, cpu))


@recall
def bits_without_lpa2(draw: Random) -> Question:
    page_size = draw.choice(("4k", "16k"))
    actual = booted(page_size, WITHOUT).vabits_actual
    other = booted("16k" if page_size == "4k" else "4k", WITHOUT).vabits_actual
    granule = Config(page_size, 52).granule
    return Question(
        text=f"A kernel with {page_size.upper()} pages was built for 52 bits. It starts on a processor without LPA2. With how many bits does it run?",
        answer=Number(actual),
        wrong=(
            Wrong(52, "the-build-decides", "52 bits with these pages need LPA2, and this processor does not have it."),
            Wrong(
                other,
                "all-granules-fall-back-alike",
                "That is what the other page size falls back to. With 16K pages 48 bits would need a level of a single bit (the last picture of "
                "chapter 2); with 4K pages they do not.",
            ),
        ),
        truth=f"**{actual}**. "
        + (
            "48 bits are four full levels of 9 bits, and the offset of 12."
            if page_size == "4k"
            else "47 bits are three full levels of 11 bits, and the offset of 14; no level is added for one bit more."
        ),
        steps=(
            Intermediate("How many bits are the offset in such a page?", Number(granule.shift)),
            Intermediate("How many bits does one full level take?", Number(granule.bits_per_level)),
            Intermediate(
                "How many full levels fit into 48 bits beside the offset?",
                Number((48 - granule.shift) // granule.bits_per_level),
            ),
            "How many bits are these levels and the offset? Linux takes no level for a single bit more.",
        ),
    )


@recall
def which_level_folds(draw: Random) -> Question:
    page_size = draw.choice(("4k", "16k"))
    run = booted(page_size, WITHOUT)
    right = next(name for name, fold in run.folded.items() if fold is Fold.RUN_TIME)
    compiled = tuple(name for name, fold in run.folded.items() if fold is Fold.COMPILE_TIME)
    names = {"pgd", "p4d", "pud", "pmd"} - {right}
    says = {
        "pgd": (
            "the-pgd-folds",
            "The pgd never folds: TTBR1_EL1 points to a page, and that page is the pgd. What folds is the level *under* it, into the "
            "pgd's page.",
        ),
        "pmd": (
            "levels-from-leaf",
            "One level fewer is one level fewer at the *top*: the MMU starts a level lower. The pmd, level 2, stays.",
        ),
        "p4d": (
            "folded-twice",
            "The p4d is folded already, since this kernel was compiled. What is the next level under the pgd?",
        )
        if "p4d" in compiled
        else ("", ""),
        "pud": (
            "the-nearest-level-folds",
            "The pud would fold if there were no p4d. With 4K pages and 52 bits there are five levels, and the next one under the "
            "pgd is the p4d.",
        ),
    }
    return Question(
        text=f"{page_size.upper()} pages, built for 52 bits ({run.config.PGTABLE_LEVELS} levels), on a processor without LPA2. Which level folds when the "
        "kernel starts?",
        answer=Choice(right, tuple(sorted(names))),
        wrong=tuple(Wrong(name, *says[name]) for name in sorted(names)),
        truth=f"The **{right}**, into the page of the pgd. The MMU starts at level {run.start_level}.",
    )


@recall
def folded_index(draw: Random) -> Question:
    k = kernel("16k", WITHOUT)
    va = 0xFFFF_C000_0000_0000 | draw.randrange(1 << 37, 1 << 46)
    right = k.pud_index(va)
    mmu = next(level for level in decompose(va, k.boot).hardware if level.level == 1)
    assert mmu.index == right & mmu.index
    return Question(
        text=f"16K pages, 52 bits, no LPA2: the pud is folded at run time. A pud index is bits 46:36 of an address. What is `pud_index({va:#x})`, in hexadecimal?",
        answer=Number(right, base=16),
        wrong=(
            Wrong(
                0,
                "folded-index-is-0",
                "A level that the *compiler* folds has no bits, and its index is always 0. This level keeps its bits: the MMU needs them, as it starts there.",
            ),
            Wrong(
                k.pgd_index(va),
                "pgd-index-is-the-first-index",
                "That is `pgd_index()`, bits above 46. Linux computes it, and the MMU never uses it here.",
            ),
            Wrong(va >> 36, "index-has-no-end", "You shifted; bits 46:36 are 11 bits, so keep only the lowest 11."),
            Wrong(
                va >> 36 & 0x3FF,
                "width-is-a-difference",
                "You kept 10 bits. 46 - 36 is 10, but both ends belong to the field: 11 bits.",
            ),
        ),
        steps=(
            Intermediate("Shift the address, so that bit 36 becomes bit 0.", Number(va >> 36, base=16)),
            Intermediate("How many bits are 46:36?", Number(11)),
            "Keep the lowest of that many.",
        ),
        truth=f"`{va:#x} >> 36 & 0x7ff` = **`{right:#x}`**. The MMU's index at level 1, where it starts, is {mmu.index:#x}.",
    )


def what_pud_offset_returns(draw: Random) -> Question:
    k = kernel("16k", WITHOUT)
    va = 0xFFFF_C000_0000_0000 | draw.randrange(1 << 37, 1 << 46)
    p4dp = k.p4d_offset(k.pgd_offset(k.init_mm, va), va)
    pudp = k.pud_offset(p4dp, va)
    right = f"{pudp:#x}, in the same page"
    assert pudp >> 14 == p4dp >> 14
    assert pudp != p4dp
    return Question(
        text=f"The same kernel. `p4d_offset()` has returned `p4dp` = `{p4dp:#x}`, and `pud_index()` of the address is {k.pud_index(va):#x}. What does `pud_offset()` "
        "return?",
        answer=Choice(
            right,
            (f"{p4dp:#x}, the pointer that it was given", "a pointer into a pud table, read from the entry", "0"),
        ),
        reasons=Choice(
            "the pgd's page is the pud table now",
            ("a folded level is skipped", "every level reads the entry that is above it"),
        ),
        wrong=(
            Wrong(
                "a folded level is skipped",
                "folded-is-skipped",
                "If it were skipped, the pmd would be looked for under the pgd entry. But the MMU reads a pud entry first, at level 1: it is in this page, with the pud's index.",
            ),
            Wrong(
                "every level reads the entry that is above it",
                "five-names-five-tables",
                "The entry above leads nowhere here; the MMU does not read it as a pgd entry. The pud is in the same page.",
            ),
            Wrong(
                f"{p4dp:#x}, the pointer that it was given",
                "folded-is-skipped",
                "That is right where the *compiler* folds: there the two levels have the same entry. Here the MMU takes the pgd's page for its level 1 table, and "
                f"reads entry {k.pud_index(va):#x} of it. `p4dp` points to another entry.",
            ),
            Wrong(
                "a pointer into a pud table, read from the entry",
                "five-names-five-tables",
                "There is no pud table. What the entry points to is a pmd table already.",
            ),
            Wrong("0", "folded-is-null", "The walk goes on from what it gets."),
        ),
        truth=f"Back to the start of the page, `{p4dp & -1 << 14:#x}`, and then 8 x `{k.pud_index(va):#x}`: **`{pudp:#x}`**, the word that the MMU reads too.",
    )


def moved_address_bits(draw: Random) -> Question:
    granule = draw.choice((G4K, G16K))
    format = DescriptorFormat(granule, OutputAddress.LPA2)
    pa = draw.choice((1, 2, 3)) << 50 | draw.randrange(1 << 20, 1 << 30) << granule.shift
    page = format.leaf(pa, 3, AF=1)
    assert isinstance(page, PageDescriptor)
    word = int(page)
    mask = (1 << 50) - (1 << granule.shift)
    return Question(
        text=f"LPA2: addresses of 52 bits with {granule.name} pages. Bits 49:{granule.shift} of the output address are in place; bits 51:50 are in bits 9:8 of the "
        f"entry. `{word:#018x}` is a page. Where does it begin?",
        answer=Number(pa, base=16),
        wrong=(
            Wrong(
                word & mask,
                "lpa2-bits-are-forgotten",
                "You left bits 9:8 out. With LPA2 they are not shareability but the top of the address.",
            ),
            Wrong(
                word & mask | (word >> 8 & 3) << 48,
                "lpa2-bits-go-to-48",
                "You put bits 9:8 at 49:48. They are bits 51:50.",
            ),
            Wrong(
                word & mask | word >> 8 & 3,
                "lpa2-bits-go-to-48",
                "You added bits 9:8 at the lower end. They are bits 51:50, the highest of the address.",
            ),
            Wrong(
                word >> 8 & 3, "lpa2-bits-are-forgotten", "That is bits 9:8, two bits of the address. And the others?"
            ),
            Wrong(
                word,
                "pointer-is-the-word",
                f"That is the whole word, with its type and flags. Keep bits 49:{granule.shift}, and put bits 9:8 above.",
            ),
        ),
        truth=f"`{word & mask:#x}` in place, and 0b{word >> 8 & 3:02b} for bits 51:50: **`{pa:#x}`**.",
        steps=(
            Intermediate(f"Keep bits 49:{granule.shift} of the entry, where they are.", Number(word & mask, base=16)),
            Intermediate("What is in bits 9:8? (A number from 0 to 3.)", Number(word >> 8 & 3)),
            Intermediate("At bits 51:50 that is worth?", Number((word >> 8 & 3) << 50, base=16)),
        ),
    )


def free_a_folded_level(draw: Random) -> Question:
    k = kernel("16k", WITHOUT)
    assert not k.pgtable_l4_enabled()
    right = "nothing: there is no such table"
    return Question(
        text="On a processor without LPA2, where the pud is folded, what must be done when `pud_free()` is called?",
        answer=Choice(
            right,
            (
                "free the page that the pud pointer points into",
                "clear the page, and keep it",
            ),
        ),
        reasons=Choice(
            "the pgd's page is still in use",
            ("freeing is the same for all levels", "the compiler has left pud_free() out"),
        ),
        wrong=(
            Wrong(
                "freeing is the same for all levels",
                "folded-is-freed",
                "It is the same for all levels that have a table of their own. This one has none.",
            ),
            Wrong(
                "the compiler has left pud_free() out",
                "run-time-is-compile-time",
                "It does that for a level that folds at compile time. This kernel also starts on processors with LPA2, where puds are freed: "
                "the function is in it, and is called.",
            ),
            Wrong(
                "free the page that the pud pointer points into",
                "folded-is-freed",
                "That page is the pgd. You have freed the first table of an address space that is in use.",
            ),
            Wrong(
                "clear the page, and keep it",
                "folded-is-freed",
                "It is the pgd's page. Cleared, it maps nothing any more.",
            ),
        ),
        truth="**Nothing.** So `pud_free()` has to ask at run time which of two things it is to do. Linux 6.8 and older did not have to ask: on arm64 no level folded at "
        "run time.",
    )
