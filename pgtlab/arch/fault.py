"""Faults of address translation and the registers that report them (Arm ARM D8.15, D24.2 ESR_EL1 and PAR_EL1)."""

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


@dataclass(frozen=True)
class AccessDescriptor:
    """An access as the MMU is told of it.

    `pan` is whether PSTATE.PAN counts: for a load or a store, not for a plain `AT`. `at` marks an `AT` instruction,
    which makes no page dirty, and `stage_1_only` one that does not translate the IPA any further.
    """

    access: Access
    el: int
    pan: bool = True
    at: bool = False
    stage_1_only: bool = False

    @property
    def fetch(self) -> bool:
        """Whether an instruction is fetched."""
        return self.access is Access.FETCH


class FaultKind(IntEnum):
    """The kinds of fault that a walk ends in; the value is the status code without its level."""

    ADDRESS_SIZE = 0b000000
    TRANSLATION = 0b000100
    ACCESS_FLAG = 0b001000
    PERMISSION = 0b001100
    EXTERNAL_ABORT = 0b010100

    def __str__(self) -> str:
        return self.name.replace("_", " ").lower()


class Cause(Enum):
    """The step of the walk at which a fault was found, in the order in which hardware looks."""

    INPUT_ADDRESS = "the address is outside the range that TCR_EL1.TxSZ gives"
    START_LEVEL = "VTCR_EL2.SL0 and SL2 name no level at which an address of this size can begin"
    DISABLED = "TCR_EL1.EPD disables walks of this range"
    MMU_OFF = "translation is off, and the address has more bits than physical memory"
    E0PD = "TCR_EL1.E0PD keeps EL0 out of this range"
    BASE_ADDRESS = "the table base in TTBR has more bits than TCR_EL1.IPS allows"
    READ = "the descriptor is not in memory that exists"
    DESCRIPTOR = "the descriptor is invalid"
    OUTPUT_ADDRESS = "the output address has more bits than TCR_EL1.IPS allows"
    ACCESS_FLAG = "the access flag is clear, and TCR_EL1.HA leaves setting it to software"
    PERMISSIONS = "the permissions forbid the access"
    PAN = "PSTATE.PAN keeps EL1 out of memory that EL0 has access to"
    OVERLAY = "the permission overlay in POR_EL1 or POR_EL0 forbids the access"
    DIRTY_STATE = "the page is clean, and TCR_EL1.HD leaves making it dirty to software"
    DEVICE_TABLE = "HCR_EL2.PTW forbids tables of stage 1 in Device memory"

    def text(self, *, stage: int = 1, taken_to: int = 1) -> str:
        """The cause in words, with the names that the registers of a stage and an exception level have.

        >>> Cause.OUTPUT_ADDRESS.text(stage=2), Cause.DISABLED.text(taken_to=2)
        ('the output address has more bits than VTCR_EL2.PS allows', 'TCR_EL2.EPD disables walks of this range')
        """
        names = _STAGE_2 if stage == 2 else _HOST if taken_to == 2 else {}
        words = self.value
        for name, other in names.items():
            words = words.replace(name, other)
        return words


_HOST = {"TCR_EL1": "TCR_EL2", "keeps EL1 out": "keeps EL2 out", "POR_EL1": "POR_EL2"}
_STAGE_2 = {
    "TCR_EL1.TxSZ": "VTCR_EL2.T0SZ",
    "TCR_EL1.IPS": "VTCR_EL2.PS",
    "TCR_EL1": "VTCR_EL2",
    "in TTBR": "in VTTBR_EL2",
    "the address": "the intermediate physical address",
}

# The codes of level -1 came later and are not regular; other faults need a leaf, which level -1 does not have.
_MINUS_ONE = {FaultKind.ADDRESS_SIZE: 0b101001, FaultKind.TRANSLATION: 0b101011, FaultKind.EXTERNAL_ABORT: 0b010011}


@dataclass(frozen=True)
class Fault:
    """A walk that ended without an address.

    `on_walk` is set where stage 2 did not translate the address `ipa` of a descriptor of stage 1 (S1PTW); `taken_to` is
    the exception level that the fault is taken to.

    >>> fault = Fault(FaultKind.TRANSLATION, 0, Cause.DESCRIPTOR)
    >>> str(fault), bin(fault.status_code)
    ('level 0 translation fault: the descriptor is invalid', '0b100')
    """

    kind: FaultKind
    level: int
    cause: Cause
    stage: int = 1
    on_walk: bool = False
    ipa: int | None = None
    taken_to: int = 1

    @property
    def status_code(self) -> int:
        """DFSC and IFSC of ESR_EL1, FST of PAR_EL1: six bits for the kind and the level.

        >>> bin(Fault(FaultKind.TRANSLATION, -1, Cause.DESCRIPTOR).status_code)
        '0b101011'
        """
        return _MINUS_ONE[self.kind] if self.level == -1 else self.kind | self.level

    @property
    def overlay(self) -> bool:
        """Whether a permission overlay caused it, which registers report apart."""
        return self.cause is Cause.OVERLAY

    @property
    def dirty_bit(self) -> bool:
        """Whether dirty state caused it, which registers report apart."""
        return self.cause is Cause.DIRTY_STATE

    @property
    def par(self) -> PAR_EL1_Fault:
        """PAR_EL1 after an `AT` that met this fault; bit 11 reads as one."""
        return PAR_EL1_Fault(
            1 << 11,
            F=1,
            FST=self.status_code,
            PTW=self.on_walk,
            S=self.stage == 2,
            Overlay=self.overlay,
            DirtyBit=self.dirty_bit,
        )

    def esr(self, access: Access, el: int) -> ESR_EL1:
        """ESR_EL1, or ESR_EL2 for a fault that EL2 takes, when the access was made at `el`.

        An external abort on a walk is reported the same way, with its own status code. ISV is 0: of an abort of stage 2
        the registers of the instruction are not modelled.

        >>> Fault(FaultKind.TRANSLATION, 0, Cause.DESCRIPTOR).esr(Access.READ, 1)
        ESR_EL1(0x96000004: EC=0x25 IL=0x1 ISS=0x4)
        """
        fetch = access is Access.FETCH
        exception_class = (0b100000 if fetch else 0b100100) + (el == self.taken_to)  # or from a lower level
        iss = ISSDataAbort(  # IFSC is where DFSC is
            DFSC=self.status_code, WnR=access is Access.WRITE, S1PTW=self.on_walk
        )
        iss2 = self.overlay << 6 | self.dirty_bit << 5
        return ESR_EL1(EC=exception_class, IL=1, ISS=int(iss), ISS2=iss2)

    @property
    def hpfar(self) -> int | None:
        """HPFAR_EL2, which has the IPA of a fault of stage 2; None where it is UNKNOWN.

        >>> hex(Fault(FaultKind.TRANSLATION, 3, Cause.DESCRIPTOR, stage=2, ipa=0x4000_1234, taken_to=2).hpfar)
        '0x400010'
        """
        unknown = self.kind is FaultKind.EXTERNAL_ABORT or (self.kind is FaultKind.PERMISSION and not self.on_walk)
        return None if self.ipa is None or unknown else self.ipa >> 12 << 4

    @property
    def reason(self) -> str:
        """The cause in words."""
        return self.cause.text(stage=self.stage, taken_to=self.taken_to)

    def as_dict(self) -> dict[str, object]:
        """The fault as plain data."""
        nested = {"stage": 2, "on_walk": self.on_walk, "ipa": None if self.ipa is None else f"{self.ipa:#x}"}
        return {
            "kind": str(self.kind),
            "level": self.level,
            "status_code": f"{self.status_code:#x}",
            "cause": self.reason,
        } | (nested if self.stage == 2 else {})

    def __str__(self) -> str:
        if self.stage == 1:
            return f"level {self.level} {self.kind} fault: {self.reason}"
        where = " while stage 1 was walked" if self.on_walk else ""
        ipa = "" if self.ipa is None else f" of IPA {self.ipa:#x}"
        return f"stage 2 level {self.level} {self.kind} fault{ipa}{where}: {self.reason}"


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
