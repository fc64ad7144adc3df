"""One translation in sentences: what happens at each step, and how it ends."""

from __future__ import annotations

from pgtlab.arch.descriptor import Block, Descriptor, PageDescriptor, Table
from pgtlab.arch.fault import Fault
from pgtlab.arch.pseudocode import BEFORE_TABLES
from pgtlab.arch.walk import Step, Update, Walk


def step_of(walk: Walk, at: int) -> str:
    """What happens at a step, in a sentence or two; 0 is the register, the number of steps plus one the outcome.

    >>> from pgtlab.arch.mapper import Mapper
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
    >>> mapper.map_range(0x40_0000, 0x8020_0000, 0x20_0000)
    >>> walk = mapper.mmu.translate(0x40_1234)
    >>> for at in range(4):
    ...     print(step_of(walk, at))
    Bit 55 is 0: TTBR0_EL1 has the level 1 table, at 0x40000000.
    Level 1: bits 38:30 of the address choose entry 0x0. It is a table descriptor: the level 2 table is at 0x40002000.
    Level 2: bits 29:21 of the address choose entry 0x2. It is a block descriptor: its memory begins at 0x80200000.
    PA 0x80201234, Normal WB RWA, Inner Shareable. An AT instruction would report it as PAR_EL1 = 0xff00000080201980.
    """
    r = walk.va_range
    if at == 0:
        bit = f"Bit 55 is {int(r.upper)}: {r.ttbr}"
        if walk.steps:
            return f"{bit} has the level {walk.steps[0].level} table, at {walk.steps[0].table:#x}."
        return f"{bit} would have the first table, but it is not read."
    if at > len(walk.steps):
        sentence = f"{str(walk.outcome)[0].upper()}{str(walk.outcome)[1:]}."
        if walk.esr is not None:
            return f"{sentence} ESR_EL{_taken_to(walk)} = {int(walk.esr):#x}."
        if walk.update:
            sentence = f"{sentence} Besides, {_written(walk.steps[-1], walk.update)}."
        return f"{sentence} An AT instruction would report it as PAR_EL1 = {int(walk.par):#x}."
    step = walk.steps[at - 1]
    hi, lo = index_bits(walk, step.level)
    chosen = f"Level {step.level}: bits {hi}:{lo} of the address choose entry {step.index:#x}."
    if step.stage_2:
        count = len(step.stage_2)
        chosen += f" Stage 2 reads {count} entr{'y' if count == 1 else 'ies'} for its address"
        chosen += "." if step.physical is None else f", and it is at {step.physical:#x}."
        if step.physical is None:
            return f"{chosen} It is not found."
    return f"{chosen} {_found(step.descriptor, step.level)}"


def pseudocode_of(walk: Walk, at: int) -> str:
    """The functions of Arm's pseudocode that decide a step, as `step_of` numbers them.

    >>> from pgtlab.arch.mapper import Mapper
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> pseudocode_of(Mapper.in_ram(TCR_EL1(T0SZ=25)).mmu.translate(0), 2)
    "Arm's pseudocode (Arm ARM J1.3): AArch64.DecodeDescriptorType"
    """
    if at == 0:
        functions: tuple[str, ...] = BEFORE_TABLES
    else:
        functions = walk.pseudocode if at > len(walk.steps) else walk.steps[at - 1].pseudocode
    return f"Arm's pseudocode (Arm ARM J1.3): {', '.join(functions)}"


def outcome_of(walk: Walk) -> tuple[str, ...]:
    """The outcome of the walk, in lines: the physical address and its memory, or the fault and its ESR_EL1."""
    if isinstance(walk.outcome, Fault):
        kind, _, cause = str(walk.outcome).partition(": ")
        return kind, cause, f"ESR_EL{_taken_to(walk)} = {int(walk.esr or 0):#x}"
    address, memory = str(walk.outcome).split(", ", 1)
    written = [_written(walk.steps[-1], walk.update)] if walk.update else []
    return address, memory, *written


def _taken_to(walk: Walk) -> int:
    assert isinstance(walk.outcome, Fault)
    return walk.outcome.taken_to


def _written(step: Step, update: Update) -> str:
    """The fields that hardware changes in a descriptor."""
    assert step.descriptor is not None
    changed = (
        f"{field.name} = {field.extract(update.after):#x}"
        for field in step.descriptor.fields
        if field.extract(update.before) != field.extract(update.after)
    )
    return f"hardware writes {', '.join(changed)}"


def _found(descriptor: Descriptor | None, level: int) -> str:
    match descriptor:
        case None:
            return "There is no memory."
        case Table():
            return f"It is a table descriptor: the level {level + 1} table is at {descriptor.oa:#x}."
        case Block():
            return f"It is a block descriptor: its memory begins at {descriptor.oa:#x}."
        case PageDescriptor():
            return f"It is a page descriptor: its page begins at {descriptor.oa:#x}."
        case _:
            return "It is invalid: the walk ends here."


def index_bits(walk: Walk, level: int) -> tuple[int, int]:
    """The address bits that choose an entry of a level's table, the highest first."""
    r = walk.va_range
    above = r.granule.level_shift(level - 1)
    return (r.input_bits if level == r.start_level else above) - 1, r.granule.level_shift(level)
