"""Faults of stage 1 and the two registers that report them (Arm ARM D8.15, D24.2 ESR_EL1 and PAR_EL1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from pgtlab.arch.registers import ESR_EL1, ISSDataAbort, PAR_EL1_Fault


class Access(IntEnum):
    """What an instruction does with an address."""

    READ = 0
    WRITE = 1
    FETCH = 2

    @classmethod
    def _missing_(cls, value: object) -> Access:
        raise ValueError(
            f"{value!r} is not an access: there are {', '.join(f'Access.{access.name}' for access in cls)}"
        )


class FaultKind(IntEnum):
    """The kinds of fault that a stage 1 walk ends in; the value is the status code without its level."""

    ADDRESS_SIZE = 0b000000
    TRANSLATION = 0b000100
    ACCESS_FLAG = 0b001000
    PERMISSION = 0b001100
    EXTERNAL_ABORT = 0b010100

    def __str__(self) -> str:
        return self.name.replace("_", " ").lower()


class Cause(Enum):
    """The stage of the walk at which a fault was found, in the order in which hardware looks."""

    INPUT_ADDRESS = "the address is outside the range that TCR_EL1.TxSZ gives"
    DISABLED = "TCR_EL1.EPD disables walks of this range"
    MMU_OFF = "translation is off, and the address has more bits than physical memory"
    E0PD = "TCR_EL1.E0PD keeps EL0 out of this range"
    BASE_ADDRESS = "the table base in TTBR has more bits than TCR_EL1.IPS allows"
    READ = "the descriptor is not in memory that exists"
    DESCRIPTOR = "the descriptor is invalid"
    OUTPUT_ADDRESS = "the output address has more bits than TCR_EL1.IPS allows"
    ACCESS_FLAG = "the access flag is clear, and TCR_EL1.HA leaves setting it to software"
    PERMISSIONS = "the permissions forbid the access"


# The codes of level -1 came later and are not regular; other faults need a leaf, which level -1 does not have.
_MINUS_ONE = {FaultKind.ADDRESS_SIZE: 0b101001, FaultKind.TRANSLATION: 0b101011, FaultKind.EXTERNAL_ABORT: 0b010011}


@dataclass(frozen=True)
class Fault:
    """A walk that ended without an address.

    >>> fault = Fault(FaultKind.TRANSLATION, 0, Cause.DESCRIPTOR)
    >>> str(fault), bin(fault.status_code)
    ('level 0 translation fault: the descriptor is invalid', '0b100')
    """

    kind: FaultKind
    level: int
    cause: Cause

    @property
    def status_code(self) -> int:
        """DFSC and IFSC of ESR_EL1, FST of PAR_EL1: six bits for the kind and the level.

        >>> bin(Fault(FaultKind.TRANSLATION, -1, Cause.DESCRIPTOR).status_code)
        '0b101011'
        """
        return _MINUS_ONE[self.kind] if self.level == -1 else self.kind | self.level

    @property
    def par(self) -> PAR_EL1_Fault:
        """PAR_EL1 after an `AT` that met this fault; bit 11 reads as one."""
        return PAR_EL1_Fault(1 << 11, F=1, FST=self.status_code)

    def esr(self, access: Access, el: int) -> ESR_EL1:
        """ESR_EL1 when the fault is taken to EL1 from `el`.

        An external abort on a walk is reported the same way, with its own status code.

        >>> Fault(FaultKind.TRANSLATION, 0, Cause.DESCRIPTOR).esr(Access.READ, 1)
        ESR_EL1(0x96000004: EC=0x25 IL=0x1 ISS=0x4)
        """
        fetch = access is Access.FETCH
        exception_class = (0b100000 if fetch else 0b100100) + el  # from a lower level, or from the same one
        iss = ISSDataAbort(DFSC=self.status_code, WnR=access is Access.WRITE)  # IFSC is where DFSC is
        return ESR_EL1(EC=exception_class, IL=1, ISS=int(iss))

    def as_dict(self) -> dict[str, object]:
        """The fault as plain data."""
        return {
            "kind": str(self.kind),
            "level": self.level,
            "status_code": f"{self.status_code:#x}",
            "cause": self.cause.value,
        }

    def __str__(self) -> str:
        return f"level {self.level} {self.kind} fault: {self.cause.value}"


def status_code_name(code: int) -> str:
    """The fault that a six-bit status code names, or its number where a stage 1 walk has no such fault.

    >>> status_code_name(0b101011), status_code_name(0b001111)
    ('translation fault, level -1', 'permission fault, level 3')
    """
    for kind, minus_one in _MINUS_ONE.items():
        if code == minus_one:
            return f"{kind} fault, level -1"
    kinds = [kind for kind in FaultKind if kind == code & ~3]
    return f"{kinds[0]} fault, level {code & 3}" if kinds else f"status code {code:#08b}"
