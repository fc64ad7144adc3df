"""Wrong answers that come from a known wrong rule, each with what to say to it.

Every function computes what wrong rules give in one case, and returns `{wrong value: sentence}`. A sentence says which
rule computes the number and leads on; it does not say the answer. A number that two rules compute is left out, because
nobody can know which of them the reader used, and so is the right answer.

>>> from pgtlab import CPU, Config, boot
>>> wrong = index(0xffff_f6c9_a513_3456, 1, boot(Config("4k", 48), CPU.named("max")))
>>> wrong[0x326]
'That is one bit more than the index has. A table of 4K has 512 entries of 8 bytes: how many bits count to 512?'
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pgtlab.arch.descriptor import Leaf, Table
from pgtlab.arch.fault import Cause, Fault
from pgtlab.arch.granule import GRANULES, LAST_LEVEL
from pgtlab.arch.output_address import OutputAddress
from pgtlab.arch.word import is_upper
from pgtlab.linux.boot import Boot, Fold
from pgtlab.linux.decompose import HardwareLevel, LinuxLevel, decompose

if TYPE_CHECKING:
    from pgtlab.arch.walk import Step, Walk

WrongNumbers = dict[int, str]
_LEVELS = "Arm counts levels downwards to 3, the level of the pages, wherever the walk starts"


def explained(right: int, rules: Iterable[tuple[int, str]]) -> WrongNumbers:
    """The wrong values that exactly one rule computes.

    >>> explained(7, [(1, "rule a"), (2, "rule b"), (2, "rule c"), (7, "rule d")])
    {1: 'rule a'}
    """
    sentences: dict[int, set[str]] = {}
    for value, sentence in rules:
        sentences.setdefault(value, set()).add(sentence)
    return {value: said.pop() for value, said in sentences.items() if value != right and len(said) == 1}


def index(va: int, level: int, boot: Boot) -> WrongNumbers:
    """Wrong indices that an address selects at a level of the MMU's walk.

    Raises
    ------
    ValueError
        If the walk has no such level.
    """
    right = _hardware(boot, level, va)
    return explained(right.index, _indices(va, right, boot))


def _indices(va: int, right: HardwareLevel, boot: Boot) -> Iterator[tuple[int, str]]:
    granule, level, hi, lo = boot.config.granule, right.level, right.hi, right.lo
    per_level = granule.bits_per_level
    start = level == boot.start_level
    how_many = (
        f"Of the address {boot.vabits_actual} bits are in use: how many of them are left above bit {lo - 1}?"
        if start
        else f"A table of {granule} has {1 << per_level} entries of 8 bytes: how many bits count to {1 << per_level}?"
    )
    where = "below an index lie those of the levels under it, and the offset in the page"
    yield bits(va, hi - 1, lo), f"That is one bit fewer than the index has. {how_many}"
    yield bits(va, hi + 1, lo), f"That is one bit more than the index has. {how_many}"
    for too, by in (("high", 1), ("low", -1)):
        yield bits(va, hi + by, lo + by), f"You began one bit too {too}: {where}."
        yield bits(va, hi, lo + by), f"You began one bit too {too}: {where}."
    if start and hi - lo + 1 < per_level:
        sentence = f"That is a full index of {per_level} bits, but the walk starts here. {how_many}"
        yield bits(va, lo + per_level - 1, lo), sentence
    if start and boot.vabits_actual < boot.config.va_bits:
        built = f"The kernel was built for {boot.config.va_bits} bits, and you took them all. This CPU has fewer"
        yield bits(va, boot.config.va_bits - 1, lo), f"{built}: which level does its walk start at, with how many bits?"
    for other in decompose(va, boot).hardware:
        yield other.index, f"That is the index of level {other.level}. {_LEVELS}. Which bits belong to level {level}?"
    for size in GRANULES:
        shift, count = size.level_shift(level), size.bits_per_level
        sentence = f"That is the index with pages of {size}. Here a page and a table have {granule}: which bits follow?"
        if size != granule:
            yield bits(va, shift + count - 1, shift), sentence
    if per_level != 9:
        shift = granule.shift + 9 * (LAST_LEVEL - level)
        sentence = (
            f"You took 9 bits for a level, as with 4K: how many entries of 8 bytes does a table of {granule} have?"
        )
        yield bits(va, shift + 8, shift), sentence
    shift = granule.shift * (LAST_LEVEL - level + 1)
    sentence = (
        f"You took {granule.shift} bits for a level, as if an entry had one byte. It has 8: how many fit in a table?"
    )
    yield bits(va, shift + granule.shift - 1, shift), sentence
    shift = per_level * (LAST_LEVEL - level)
    sentence = f"You left out the offset in the page: how many bits select one byte of {granule}?"
    yield bits(va, shift + per_level - 1, shift), sentence
    yield right.index << lo, "These bits are still in their places. Shifted down to bit 0, they are the index."
    yield 8 * right.index, "That is how many bytes into the table the entry is. Which entry is it, counted from 0?"


def lowest_bit(level: int, boot: Boot) -> WrongNumbers:
    """Wrong answers to: which is the lowest address bit of the index at a level?"""
    granule, right = boot.config.granule, _hardware(boot, level)
    page, per_level, below = granule.shift, granule.bits_per_level, LAST_LEVEL - level
    rules = [
        (below * per_level, f"You left out the offset in the page: how many bits select one byte of {granule}?"),
        (right.hi, "That is the highest bit of the index. Which is the lowest?"),
        (page * (below + 1), f"An entry has 8 bytes, so a table of {granule} has fewer entries than bytes: how many?"),
        *((granule.level_shift(other), _neighbour(other)) for other in range(boot.start_level, LAST_LEVEL + 1)),
        *(
            (other.level_shift(level), f"That is right for pages of {other}. Here they have {granule}.")
            for other in GRANULES
        ),
        (page + 9 * below, f"You took 9 bits for each level below: how many entries does a table of {granule} have?"),
    ]
    return explained(right.lo, rules)


def _neighbour(level: int) -> str:
    return f"There the index of level {level} begins. {_LEVELS}."


def offset(va: int, boot: Boot) -> WrongNumbers:
    """Wrong offsets of an address in its page."""
    granule = boot.config.granule
    shift = granule.shift
    block = granule.level_shift(LAST_LEVEL - 1)
    how_many = f"How many bits select one byte of {granule}?"
    rules = [
        *((va & other.size - 1, f"That is the offset in a page of {other}. {how_many}") for other in GRANULES),
        (va & (1 << block) - 1, f"That is the offset in a block of level 2, not in a page. {how_many}"),
        (va & (1 << shift - 1) - 1, f"That is one bit too few. {how_many}"),
        (va & (1 << shift + 1) - 1, f"That is one bit too many. {how_many}"),
        (va & (1 << granule.bits_per_level) - 1, f"You took as many bits as an index has. {how_many}"),
        (va >> shift, "That is what is left of the address without its offset: you shifted where a mask was needed."),
    ]
    return explained(va & granule.size - 1, rules)


def start_level(boot: Boot) -> WrongNumbers:
    """Wrong levels at which the walk starts."""
    granule, right = boot.config.granule, boot.start_level
    used = boot.vabits_actual
    rules = [
        (LAST_LEVEL + 1 - right, f"That is how many levels the walk has. {_LEVELS}: which number has the first?"),
        (LAST_LEVEL - right, f"You counted from the pages upwards. {_LEVELS}."),
        (
            granule.start_level(boot.config.va_bits),
            f"That is right for {boot.config.va_bits} bits, but this CPU uses {used}.",
        ),
    ]
    return explained(right, rules)


def ttbr(va: int, boot: Boot) -> WrongNumbers:
    """The wrong answer to: does TTBR0_EL1 or TTBR1_EL1 have the first table?, as 0 or 1."""
    top = boot.vabits_actual - 1
    rules = [
        (va >> 63, "You looked at bit 63. The top byte can be a tag, which the MMU ignores: it looks at bit 55."),
        (va >> top & 1, f"You looked at bit {top}, the highest that an index uses. The MMU looks at bit 55."),
    ]
    return explained(int(is_upper(va)), rules)


def linux_index(va: int, name: str, boot: Boot) -> WrongNumbers:
    """Wrong values of `pgd_index()` and of the functions like it; `name` is `pgd`, `p4d`, `pud`, `pmd` or `pte`."""
    levels = {level.name: level for level in decompose(va, boot).linux}
    right = levels[name]
    rules = [
        (level.index, f"That is the index in the {other} table.")
        for other, level in levels.items()
        if other != name and level.hi is not None
    ]
    if right.hi is not None and right.lo is not None:
        rules.append(
            (bits(va, right.hi - 1, right.lo), f"That is one bit too few: how large is PTRS_PER_{name.upper()}?")
        )
        rules.append(
            (bits(va, right.hi + 1, right.lo), f"That is one bit too many: how large is PTRS_PER_{name.upper()}?")
        )
        rules.append(
            (right.index << right.lo, "These bits are still in their places. Shifted down, they are the index.")
        )
    if right.fold is Fold.RUN_TIME:
        rules.append((0, f"An index is always 0 where the compiler folds. This {name} folds at boot: its bits stay."))
    if name == "pgd" and right.hi is not None and right.hi >= boot.vabits_actual and right.lo is not None:
        used = f"That is the index of the MMU, which has {boot.vabits_actual} bits"
        rules.append(
            (bits(va, boot.vabits_actual - 1, right.lo), f"{used}. PGDIR_SHIFT and PTRS_PER_PGD are constants.")
        )
    return explained(right.index, rules)


#: What becomes of one of Linux's levels, as choices.
FATES = ("real", "folded at compile time", "folded at run time", "computed, not read")


def fate(level: LinuxLevel) -> str:
    """What becomes of a level, one of `FATES`.

    >>> from pgtlab import CPU, Config
    >>> [fate(level) for level in decompose(0, Boot(Config("16k", 52), CPU.named("max,lpa2=off"))).linux]
    ['computed, not read', 'folded at compile time', 'folded at run time', 'real', 'real']
    """
    return FATES[3] if level.fold is Fold.REAL and level.level is None else level.fold.value


def fates(name: str, boot: Boot) -> dict[str, str]:
    """Wrong fates of one of Linux's levels."""
    level = next(level for level in decompose(0, boot).linux if level.name == name)
    right, config = fate(level), boot.config
    levels = LAST_LEVEL + 1 - boot.start_level
    built = f"This kernel was built with PGTABLE_LEVELS = {config.PGTABLE_LEVELS}"
    says = {
        "real": f"The walk here reads {levels} tables, fewer than Linux has names. Is one of them the {name}'s own?",
        "folded at compile time": f"{built}: the compiler keeps as many of the names, counted from the pte upwards and "
        "with the pgd on top.",
        "folded at run time": f"{built}, and the MMU reads {levels} levels. A level folds at boot only if it was built "
        "and its bits are not in use; the pgd itself never folds.",
        "computed, not read": "That happens only to the pgd, where a level below it folds at boot and indexes its page "
        "again.",
    }
    return {choice: sentence for choice, sentence in says.items() if choice != right}


def table_address(step: Step) -> WrongNumbers:
    """Wrong addresses in the descriptor of a step, of a table, a block or a page."""
    descriptor = step.descriptor
    if not isinstance(descriptor, Table | Leaf):
        return {}
    word, packing, granule = int(descriptor), descriptor.format.packing, descriptor.format.granule
    right, low = descriptor.oa, 48 if packing is not OutputAddress.LPA2 else 50
    rules = [
        (word, "That is the whole word. Which of its bits are address, and which are attributes?"),
        (word & ~0b11, "You cleared bits 1:0 only. Which other bits are attributes?"),
        (word & (1 << low) - 1, "The attributes in the low bits are still there."),
        (word & ~(granule.size - 1), "The attributes in the high bits are still there."),
        (right << granule.shift, "The address was in its place already, and you shifted it once more."),
        (
            right >> granule.shift,
            "That is the number of the frame. The address has its low bits, which are zeros, too.",
        ),
        (step.address, "That is where this entry is. Where does it point?"),
        (step.table, "That is the table that you are in. Where does its entry point?"),
    ]
    if packing is not OutputAddress.PLAIN:
        rules.append(
            (
                OutputAddress.PLAIN.unpack(word, granule.shift),
                "Addresses of 52 bits keep their highest bits elsewhere in the word.",
            )
        )
    rules += [
        (packing.unpack(word, other.shift), f"That is aligned to {other}. To what is it aligned here?")
        for other in GRANULES
        if packing is not OutputAddress.LPA
    ]
    return explained(right, rules)


def entry_address(step: Step) -> WrongNumbers:
    """Wrong physical addresses of the descriptor that a step reads."""
    rules = [
        (step.table + step.index, "You added the index itself. An entry has 8 bytes: how far from the start is it?"),
        (8 * step.index, "That is how far the entry is from the start of the table. Where does the table start?"),
        (step.table, "That is entry 0 of the table. Which entry does the address choose?"),
        (step.table + 4 * step.index, "You counted 4 bytes for an entry. It has 64 bits."),
    ]
    return explained(step.address, rules)


def physical_address(walk: Walk) -> WrongNumbers:
    """Wrong physical addresses at the end of a walk that maps."""
    leaf = walk.steps[-1].descriptor if walk.steps else None
    if isinstance(walk.outcome, Fault) or not isinstance(leaf, Leaf):
        return {}
    granule, level = walk.va_range.granule, walk.steps[-1].level
    offset = walk.outcome.pa - leaf.oa
    rules = [
        (leaf.oa, "That is where the page or block begins. Which byte of it does the address select?"),
        (offset, "That is the offset. Where does the page or block begin?"),
        (walk.va, "That is the virtual address. Where does the entry point?"),
        (
            leaf.oa | walk.va & granule.size - 1,
            f"You added the offset in a page, but this is a block of level {level}.",
        ),
        (int(leaf) | offset, "The attributes of the entry are still in the address."),
        (leaf.oa >> granule.shift, "That is the number of the frame."),
        *(
            (leaf.oa | walk.va & other.size - 1, f"That is the offset in a page of {other}.")
            for other in GRANULES
            if other != granule and level == LAST_LEVEL
        ),
    ]
    return explained(walk.outcome.pa, rules)


def fault_level(walk: Walk) -> WrongNumbers:
    """Wrong levels of a fault."""
    if not isinstance(walk.outcome, Fault):
        return {}
    right, first = walk.outcome.level, walk.va_range.start_level or 0
    last = walk.steps[-1].level if walk.steps else first
    rules = [
        (len(walk.steps), f"That is how many entries were read. {_LEVELS}."),
        (LAST_LEVEL - right, f"You counted from the pages upwards. {_LEVELS}."),
        (last - 1, "The entry of that level was valid: it led to the next table. Which entry stopped the walk?"),
        (last + 1, "The walk never came to that level. Which entry stopped it?"),
    ]
    if walk.outcome.cause is Cause.INPUT_ADDRESS:
        rules.append(
            (first, "The walk would start there, but no table is read: such a fault is reported in another way.")
        )
    return explained(right, rules)


def stored_mapcount(value: int) -> WrongNumbers:
    """Wrong readings of the four bytes of `_mapcount`, which hold `value`, a number below 0 or not."""
    word = value & 0xFFFFFFFF
    rules = [
        (word, "That is right without a sign. `_mapcount` is signed: what does the highest bit mean?"),
        (value + 1, "That is what a report prints, which is one more than what is stored."),
        (-(word & 0x7FFFFFFF), "You read the highest bit as a minus sign. It counts -2^31."),
        (-(~word & 0xFFFFFFFF), "You turned every bit over. The number below 0 is one further down."),
        (int.from_bytes(word.to_bytes(4, "big"), "little"), "The bytes in memory are the lowest first."),
    ]
    return explained(value, rules)


def printed_mapcount(stored: int) -> WrongNumbers:
    """Wrong values of `mapcount:` in a report, for a `_mapcount` that is stored as `stored`."""
    rules = [
        (stored, "That is what is stored. A report prints how often the page is mapped, and -1 is stored for never."),
        (stored - 1, "A page that is mapped once stores 0, and the report prints 1: in which direction is that?"),
        (stored & 0xFFFFFFFF, "That is what is stored, read without its sign."),
        (stored + 1 & 0xFFFFFFFF, "The report prints it with its sign."),
    ]
    return explained(stored + 1, rules)


def page_type(before: int, after: int) -> WrongNumbers:
    """Wrong values of `page_type` once a type was set or cleared, in a kernel before v6.12."""
    bit = before ^ after
    if after & bit:
        rules = [
            (before, "That is the value before. A page without a type has no bit cleared."),
            (0, "A page without a type is not all zeros: a type clears its bit, and no type is set in all ones."),
            (bit, "That is the bit of the type alone. The other bits are set too."),
        ]
        return explained(after, rules)
    rules = [
        (bit, "There a type sets its bit, in a word of zeros. Here all bits are set, and a type clears its own."),
        (before, "That is the value before. A type changes one bit: which, and to what?"),
        (before - bit - 1 & 0xFFFFFFFF, "You subtracted one too many."),
        (
            before + bit & 0xFFFFFFFF,
            "You added the bit of the type. Here all bits are set, and a type clears its own.",
        ),
    ]
    return explained(after, rules)


def refcount(before: int, after: int, mapcount: int) -> WrongNumbers:
    """Wrong values of `_refcount` after a call."""
    rules = [
        (mapcount, "That is `_mapcount`. `_refcount` counts who holds the page, mapped or not."),
        (mapcount + 1, "That is how often the page is mapped. `_refcount` counts who holds it, mapped or not."),
        (before, "That is the value before. Who holds the page now?"),
        (before + 1, "Nobody took the page here."),
        (before - 1, "Nobody let the page go here."),
    ]
    return explained(after, rules)


def bits(value: int, hi: int, lo: int) -> int:
    """Bits `hi` to `lo` of a 64-bit word, shifted down.

    >>> hex(bits(0xabcd, 11, 4))
    '0xbc'
    """
    return value >> lo & (1 << hi - lo + 1) - 1


def _hardware(boot: Boot, level: int, va: int = 0) -> HardwareLevel:
    for each in decompose(va, boot).hardware:
        if each.level == level:
            return each
    raise ValueError(f"there is no level {level}: the walk has levels {boot.start_level} to {LAST_LEVEL}")
