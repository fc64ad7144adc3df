"""The address translation instructions, `AT`: what each asks the MMU (Arm ARM C5.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pgtlab.arch.fault import Access, AccessDescriptor

if TYPE_CHECKING:
    from pgtlab.arch.regime import TranslationRegime

_READ_OR_WRITE: Final = {"R": Access.READ, "W": Access.WRITE}

#: By name: the access, whether it is EL0's, whether PSTATE.PAN counts, and whether stage 2 translates the result.
INSTRUCTIONS: Final = {
    **{f"S1E1{letter}": (access, False, False, False) for letter, access in _READ_OR_WRITE.items()},
    **{f"S1E0{letter}": (access, True, False, False) for letter, access in _READ_OR_WRITE.items()},
    **{f"S1E1{letter}P": (access, False, True, False) for letter, access in _READ_OR_WRITE.items()},
    **{f"S1E2{letter}": (access, False, False, False) for letter, access in _READ_OR_WRITE.items()},
    **{f"S12E1{letter}": (access, False, False, True) for letter, access in _READ_OR_WRITE.items()},
    **{f"S12E0{letter}": (access, True, False, True) for letter, access in _READ_OR_WRITE.items()},
}


class UnsupportedInstruction(ValueError):
    """An `AT` instruction that the model leaves out, or that the regime does not have."""


def at(regime: TranslationRegime, instruction: str) -> AccessDescriptor:
    """The access of an `AT` instruction in a regime; S1E1 means the host's kernel in EL2&0, as the hardware has it.

    >>> from pgtlab.arch.mapper import Mapper
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> at(Mapper.in_ram(TCR_EL1(T0SZ=25)).mmu, "S1E0W").access
    <Access.WRITE: 1>

    Raises
    ------
    UnsupportedInstruction
        Where the model leaves the instruction out, by its name, or the regime is another one's.
    """
    name = instruction.upper().removeprefix("AT ").strip()
    if name not in INSTRUCTIONS:
        why = " (FEAT_ATS1A)" if name in ("S1E1A", "S1E2A") else ""
        raise UnsupportedInstruction(f"AT {name}{why} is not modelled; the model has {', '.join(INSTRUCTIONS)}")
    access, user, pan, both_stages = INSTRUCTIONS[name]
    foreign = "S12" if regime.host else "E2"
    if foreign in name:
        own = [each for each in INSTRUCTIONS if foreign not in each]
        raise UnsupportedInstruction(f"AT {name} does not ask about the {regime.name} regime; {', '.join(own)} do")
    return AccessDescriptor(access, 0 if user else regime.privileged, pan=pan, at=True, stage_1_only=not both_stages)
