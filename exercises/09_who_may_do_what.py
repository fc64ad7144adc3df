# %% tags=["about"]
kind = "compute"
chapter = "03_an_entry"
difficulty = 2
minutes = 10
points = {"read_and_write": 2, "execute": 1, "invalid": 1, "others": 1}
alone = True

# %% [markdown]
# # Exercise 9: who may do what?
#
# `ls -l` writes permissions as letters: `r-x` for somebody who may read and execute, and not write. You do the same for the
# entry of a page: three letters for programs (EL0), a space, and three letters for the kernel (EL1). So `r-- rw-` is a page
# that programs may only read, that the kernel may read and write, and that nobody may execute.
#
# These are five entries of level 3:

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("09_who_may_do_what", SEED))

# %% [markdown]
# **Your task.** Write `may(entry)`, which returns such a text for any entry of level 3. In all of them AF is 1. Take the five
# above to pencil and paper first: bits 7:6 are AP, bit 54 is UXN, bit 53 is PXN, and bits 1:0 say whether there is a page at
# all; if there is none, nobody may do anything.


# %% tags=["stub"]
def may(entry):
    raise NotImplementedError


# %% What do the bits of AP say? [markdown] tags=["hint"]
# Bit 6 is about programs only: 1 lets them read, and write if bit 7 allows it. Bit 7 is about writing only, by programs and by the kernel: 1 forbids it. The
# kernel may always read.

# %% And the others? [markdown] tags=["hint"]
# *Execute never*: a 1 forbids. U is for unprivileged, that is EL0; P is for privileged. Has AP any part in that?

# %% tags=["call"]
from pgtlab.lab import check

check("09_who_may_do_what", may, seed=SEED)

# %% [markdown] tags=["solution"]
# Programs may execute what UXN lets them execute, also a page that they may not read: with bit 6 = 0 and UXN = 0 that is
# `--x`, a page of code that nobody can copy.


# %% tags=["solution"]
def may(entry):
    if entry & 3 != 3:
        return "--- ---"
    programs, writing = entry >> 6 & 1, not entry >> 7 & 1
    letters = (programs, programs and writing, not entry >> 54 & 1, True, writing, not entry >> 53 & 1)
    text = "".join(letter if allowed else "-" for letter, allowed in zip("rwxrwx", letters, strict=True))
    return f"{text[:3]} {text[3:]}"


# %% Takes bit 7 to permit writing tags=["wrong"] mark=0 feedback="bit 7 is 1 where writing is forbidden"
def may(entry):
    if entry & 3 != 3:
        return "--- ---"
    programs, writing = entry >> 6 & 1, entry >> 7 & 1
    letters = (programs, programs and writing, not entry >> 54 & 1, True, writing, not entry >> 53 & 1)
    text = "".join(letter if allowed else "-" for letter, allowed in zip("rwxrwx", letters, strict=True))
    return f"{text[:3]} {text[3:]}"


# %% Keeps the kernel out where programs are let in tags=["wrong"] mark=0 feedback="The kernel may always read"
def may(entry):
    if entry & 3 != 3:
        return "--- ---"
    programs, writing = entry >> 6 & 1, not entry >> 7 & 1
    kernel = not programs
    letters = (programs, programs and writing, not entry >> 54 & 1, kernel, kernel and writing, not entry >> 53 & 1)
    text = "".join(letter if allowed else "-" for letter, allowed in zip("rwxrwx", letters, strict=True))
    return f"{text[:3]} {text[3:]}"


# %% Takes UXN and PXN to permit tags=["wrong"] mark=2 feedback="execute *never*"
def may(entry):
    if entry & 3 != 3:
        return "--- ---"
    programs, writing = entry >> 6 & 1, not entry >> 7 & 1
    letters = (programs, programs and writing, entry >> 54 & 1, True, writing, entry >> 53 & 1)
    text = "".join(letter if allowed else "-" for letter, allowed in zip("rwxrwx", letters, strict=True))
    return f"{text[:3]} {text[3:]}"


# %% Takes bit 6 to forbid running, too tags=["wrong"] mark=2 feedback="Bit 6 is about reading and writing"
def may(entry):
    if entry & 3 != 3:
        return "--- ---"
    programs, writing = entry >> 6 & 1, not entry >> 7 & 1
    letters = (
        programs,
        programs and writing,
        programs and not entry >> 54 & 1,
        True,
        writing,
        not entry >> 53 & 1,
    )
    text = "".join(letter if allowed else "-" for letter, allowed in zip("rwxrwx", letters, strict=True))
    return f"{text[:3]} {text[3:]}"


# %% Does not ask whether there is a page tags=["wrong"] mark=3 feedback="is this a page at all"
def may(entry):
    programs, writing = entry >> 6 & 1, not entry >> 7 & 1
    letters = (programs, programs and writing, not entry >> 54 & 1, True, writing, not entry >> 53 & 1)
    text = "".join(letter if allowed else "-" for letter, allowed in zip("rwxrwx", letters, strict=True))
    return f"{text[:3]} {text[3:]}"


# %% tags=["check"]
from dataclasses import dataclass
from random import Random

from pgtlab.arch.fault import Access, Fault
from pgtlab.lab.expectations import expect
from pgtlab.lab.machine import Machine

ORDER = [(Access.READ, 0), (Access.WRITE, 0), (Access.FETCH, 0), (Access.READ, 1), (Access.WRITE, 1), (Access.FETCH, 1)]
# AP, UXN and PXN. A page that programs may write is never executed by the kernel, whatever PXN says: those are left out.
PERMISSIONS = [(ap, uxn, pxn) for ap in range(4) for uxn in (0, 1) for pxn in (0, 1) if ap != 1 or pxn]


@dataclass(frozen=True)
class Entries:
    """The entries of one student."""

    words: list

    def __str__(self):
        return "\n".join(f"{word:#018x}" for word in self.words)


def entries(seed, how_many):
    """Entries of level 3 with drawn permissions and addresses."""
    draw = Random(f"entries {seed}")
    for ap, uxn, pxn in draw.sample(PERMISSIONS, how_many):
        word = draw.randrange(1 << 19, 1 << 20) << 12 | draw.choice((0x403, 0x703, 0xF03))
        yield word | ap << 6 | uxn << 54 | pxn << 53


def given(seed):
    """A student's entries."""
    return Entries([*entries(seed, 5)])


def right(word):
    """What the MMU of the model permits, for each access at each level."""
    process = Machine().process("a")
    process.map(0x40_0000, 0x8000_0000)
    at = process.walk(0x40_0000).steps[-1].address
    process.mmu.memory.write64(at, word)
    walks = (process.mmu.translate(0x40_0000, access, el=el) for access, el in ORDER)
    text = "".join(
        "-" if isinstance(walk.outcome, Fault) else letter for walk, letter in zip(walks, "rwxrwx", strict=True)
    )
    return f"{text[:3]} {text[3:]}"


def returned(may, word):
    """The answer's text, if it is one."""
    got = may(word)
    shape = isinstance(got, str) and len(got) == 7 and got[3] == " " and {*got} <= {*"rwx- "}
    assert shape, f'{word:#x}: return a text such as "r-x rw-": `{got!r:.40}` is something else.'
    return got


def check_read_and_write(may, seed):
    """You know who may read and who may write."""
    for word in [*given(seed).words, *entries(f"{seed} more", len(PERMISSIONS))]:
        got, wanted, ap = returned(may, word).replace("x", "-"), right(word).replace("x", "-"), word >> 6 & 3
        rules = [
            (swapped(ap), "ap-bits-permit", "Note the direction: bit 7 is 1 where writing is forbidden."),
            (kernel_out(ap), "read-only-for-the-kernel-only", "Bit 6 is about programs. The kernel may always read."),
        ]
        where = f"{word:#x} with AP = {ap:02b}, reading and writing"
        expect(got, wanted, rules, "What does bit 6 say, and what does bit 7 say?", where)


def swapped(ap):
    """The letters for reading and writing, if bit 7 permitted writing."""
    write = "w" if ap & 2 else "-"
    return f"{'r' + write if ap & 1 else '--'}- r{write}-"


def kernel_out(ap):
    """The letters for reading and writing, if bit 6 kept the kernel out."""
    write = "-" if ap & 2 else "w"
    return f"{'r' + write if ap & 1 else '--'}- {'--' if ap & 1 else 'r' + write}-"


def check_execute(may, seed):
    """You know who may execute."""
    words = [*given(seed).words, *entries(f"{seed} more", len(PERMISSIONS))]
    for word in sorted(
        words, key=lambda word: word >> 53 & 3 in (1, 2)
    ):  # where both are alike it is seen what 1 means
        uxn, pxn = word >> 54 & 1, word >> 53 & 1
        got, wanted = returned(may, word), right(word)
        rules = [
            (
                f"{wanted[:2]}{'-x'[uxn]} {wanted[4:6]}{'-x'[pxn]}",
                "ap-bits-permit",
                "The two bits say execute *never*: what does a 1 mean?",
            ),
            (f"{wanted[:2]}{'x-'[pxn]} {wanted[4:6]}{'x-'[uxn]}", "", "U is for programs, P is for the kernel."),
            (
                wanted if word >> 6 & 1 else f"---{wanted[3:]}",
                "reading-is-running",
                "Bit 6 is about reading and writing. Which bit says whether programs may run the page?",
            ),
        ]
        where = f"{word:#x} with UXN = {uxn}, PXN = {pxn}"
        expect(got, wanted, rules, "Which of the two bits is for whom?", where)


def check_invalid(may, seed):
    """Where there is no page, nobody may do anything."""
    for word in entries(f"{seed} invalid", 6):
        for bits in (0, 1, 2):
            no_page = word & ~3 | bits
            assert returned(may, no_page) == right(no_page), f"{no_page:#x}: is this a page at all?"


# %% tags=["hidden"]
def check_others(may, seed):
    """It is right for other entries, too."""
    for word in entries(f"hidden {seed}", len(PERMISSIONS)):
        assert returned(may, word) == right(word), f"{word:#x}: `{right(word)}`."
