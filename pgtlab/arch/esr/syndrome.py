"""A value of ESR_EL1, taken apart (Arm ARM D24.2, ESR_EL1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pgtlab.arch.esr import abort, iss, trap
from pgtlab.arch.named_bits import NOT_ZERO, Meaning, NamedBits, name_bits
from pgtlab.arch.registers import ESR_EL1

if TYPE_CHECKING:
    from pgtlab.picture import Picture

BRK64 = 0x3C

#: The exception classes: what happened, and the layout of ISS. A class that is not here is reserved.
EXCEPTION_CLASSES: dict[int, tuple[str, type[iss.ISS]]] = {
    0x00: ("Unknown reason", iss.ISS),
    0x01: ("Trapped WF* instruction execution", trap.WFx),
    0x03: ("Trapped MCR or MRC access with coproc=0b1111", trap.MCR),
    0x04: ("Trapped MCRR or MRRC access with coproc=0b1111", trap.MCRR),
    0x05: ("Trapped MCR or MRC access with coproc=0b1110", trap.MCR),
    0x06: ("Trapped LDC or STC access", trap.LDC),
    0x07: ("Trapped access to SVE, Advanced SIMD or floating point", trap.Conditional),
    0x08: ("Trapped VMRS access from ID group traps", trap.MCR),
    0x09: ("Trapped use of a Pointer authentication instruction", iss.ISS),
    0x0A: ("Trapped execution of an LD64B, ST64B, ST64BV, or ST64BV0 instruction", trap.OtherInstruction),
    0x0C: ("Trapped MRRC access with (coproc==0b1110)", trap.MCRR),
    0x0D: ("Branch Target Exception", iss.BTI),
    0x0E: ("Illegal Execution state", iss.ISS),
    0x11: ("SVC instruction execution in AArch32 state", iss.Immediate),
    0x12: ("HVC instruction execution in AArch32 state", iss.Immediate),
    0x13: ("SMC instruction execution in AArch32 state", trap.SMC32),
    0x14: ("Trapped MSRR, MRRS or System instruction execution in AArch64 state", trap.MSRR),
    0x15: ("SVC instruction execution in AArch64 state", iss.Immediate),
    0x16: ("HVC instruction execution in AArch64 state", iss.Immediate),
    0x17: ("SMC instruction execution in AArch64 state", iss.Immediate),
    0x18: ("Trapped MSR, MRS or System instruction execution in AArch64 state", trap.MSR),
    0x19: (
        "Access to SVE functionality trapped as a result of CPACR_EL1.ZEN, CPTR_EL2.ZEN, CPTR_EL2.TZ, or CPTR_EL3.EZ",
        iss.ISS,
    ),
    0x1A: ("Trapped ERET, ERETAA or ERETAB instruction execution", trap.ERET),
    0x1B: ("Access to a TSTART instruction trapped", trap.TSTART),
    0x1C: ("Exception from a Pointer Authentication instruction authentication failure", iss.FPAC),
    0x1D: ("Access to SME functionality trapped", iss.SME),
    0x1E: ("Granule Protection Check exception", abort.GranuleProtection),
    0x1F: ("IMPLEMENTATION DEFINED exception to EL3", iss.ImplementationDefined),
    0x20: ("Instruction Abort from a lower Exception level", abort.InstructionAbort),
    0x21: ("Instruction Abort taken without a change in Exception level", abort.InstructionAbort),
    0x22: ("PC alignment fault exception", iss.ISS),
    0x24: ("Data Abort from a lower Exception level", abort.DataAbort),
    0x25: ("Data Abort taken without a change in Exception level", abort.DataAbort),
    0x26: ("SP alignment fault exception", iss.ISS),
    0x27: ("Memory Operation Exception", iss.MOPS),
    0x28: ("Trapped floating-point exception taken from AArch32 state", iss.FloatingPointException),
    0x2C: ("Trapped floating-point exception taken from AArch64 state", iss.FloatingPointException),
    0x2D: ("GCS exception", iss.GCS),
    0x2F: ("SError interrupt", iss.SError),
    0x30: ("Breakpoint exception from a lower Exception level", iss.Breakpoint),
    0x31: ("Breakpoint exception taken without a change in Exception level", iss.Breakpoint),
    0x32: ("Software Step exception from a lower Exception level", iss.SoftwareStep),
    0x33: ("Software Step exception taken without a change in Exception level", iss.SoftwareStep),
    0x34: ("Watchpoint exception from a lower Exception level", iss.Watchpoint),
    0x35: ("Watchpoint exception taken without a change in Exception level", iss.Watchpoint),
    0x38: ("BKPT instruction execution in AArch32 state", iss.Comment),
    0x3A: ("Vector Catch exception from AArch32 state", iss.Breakpoint),
    BRK64: ("BRK instruction execution in AArch64 state", iss.Comment),
    0x3D: ("Profiling exception", iss.PMU),
}
_ISS2 = {0x20: abort.ISS2InstructionAbort, 0x21: abort.ISS2InstructionAbort}
_ISS2 |= {0x24: abort.ISS2DataAbort, 0x25: abort.ISS2DataAbort}


@dataclass(frozen=True)
class Syndrome:
    """A value of ESR_EL1, taken apart.

    >>> syndrome = decode(0x96000045)
    >>> syndrome.ec, syndrome["WnR"].meaning, syndrome["DFSC"].meaning
    (37, 'Abort caused by writing to memory', 'Translation fault, level 1.')
    """

    value: int

    @property
    def register(self) -> ESR_EL1:
        """The word as the register that it is."""
        return ESR_EL1(self.value)

    @property
    def ec(self) -> int:
        """The exception class."""
        return self.register.EC

    @property
    def iss(self) -> iss.ISS | None:
        """The instruction specific syndrome in the layout of its class; None for a reserved class."""
        known = EXCEPTION_CLASSES.get(self.ec)
        return known[1](self.register.ISS) if known else None

    @cached_property
    def fields(self) -> tuple[NamedBits, ...]:
        """The 64 bits, highest first; ISS and ISS2 in parts where their class gives them any."""
        known = EXCEPTION_CLASSES.get(self.ec)
        meanings: dict[str, Meaning] = {
            "EC": {self.ec: known[0]} if known else {self.ec: "reserved exception class"},
            "IL": ("16-bit instruction trapped", "32-bit instruction trapped"),
        }
        parts = {"ISS": self._iss_parts(), "ISS2": self._iss2_parts()}
        whole = {"ISS": self.iss.meaning if self.iss else None, "ISS2": None}
        return tuple(
            NamedBits(
                bits.name, bits.hi, bits.lo, bits.value, bits.meaning or whole.get(bits.name), parts.get(bits.name, ())
            )
            for bits in name_bits(self.value, ESR_EL1.fields, meanings, 63)
        )

    def _iss_parts(self) -> tuple[NamedBits, ...]:
        syndrome = self.iss
        if syndrome is None:
            return ()
        parts = name_bits(syndrome.value, syndrome.present, syndrome.meanings, ESR_EL1.ISS.hi)
        if len(parts) == 1 and parts[0].name == "RES0":
            (only,) = parts
            return (NamedBits(only.name, only.hi, only.lo, only.value, only.meaning or "ISS is RES0"),)
        return parts

    def _iss2_parts(self) -> tuple[NamedBits, ...]:
        value, field = self.register.ISS2, ESR_EL1.ISS2
        layout = _ISS2.get(self.ec)
        if layout is None:  # reserved as a whole, which is worth a line only where it is not zero
            return (NamedBits("RES0", field.hi, field.lo, value, NOT_ZERO),) if value else ()
        return name_bits(value, layout.fields, layout.meanings, field.width - 1, at=field.lo)

    def __getitem__(self, name: str) -> NamedBits:
        """The field of that name, with its meaning; `KeyError` where this value has none."""
        bits = next((bits for part in self.fields for bits in part.flat() if bits.name == name), None)
        if bits is None:
            raise KeyError(name)
        return bits

    @property
    def reserved(self) -> tuple[NamedBits, ...]:
        """Reserved bits that are set: a word that is damaged, or of an architecture newer than this decoder."""
        leaves = (leaf for part in self.fields for leaf in part.leaves())
        return tuple(leaf for leaf in leaves if leaf.name == "RES0" and leaf.value)

    @property
    def summary(self) -> str:
        """The exception in one line."""
        what = self["EC"].meaning or ""
        details: list[str] = []
        match self.iss:
            case abort.DataAbort() | abort.InstructionAbort() as bits:
                code = self["DFSC" if isinstance(bits, abort.DataAbort) else "IFSC"]
                details.append((code.meaning or f"reserved status code {code.value:#x}").removesuffix("."))
                if isinstance(bits, abort.DataAbort):
                    details.append(
                        "cache maintenance or address translation" if bits.CM else "writing" if bits.WnR else "reading"
                    )
            case iss.Immediate() as immediate:
                details.append(f"#{immediate.imm16:#x}")
            case iss.Comment() as comment:
                details.append(f"#{comment.Comment:#x}")
            case trap.MSR() as msr:
                details.append(msr.meaning or "")
        return f"{what}: {', '.join(details)}" if details else what

    @property
    def picture(self) -> Picture:
        """The word, bit by bit."""
        from pgtlab.arch.named_picture import named_picture  # views load only where something is shown

        return named_picture(f"ESR_EL1 = {self.value:#018x}", self.value, self.fields, str(self))

    def as_dict(self) -> dict[str, object]:
        """The value as plain data, as `pgtlab esr --json` prints it: `fields` in order, each before its parts."""
        return {
            "esr": f"{self.value:#x}",
            "summary": self.summary,
            "fields": [bits.as_dict() for part in self.fields for bits in part.flat()],
        }

    def __str__(self) -> str:
        """The summary, and a line for each field, with its parts set off below it."""
        lines = [f"ESR_EL1 {self.value:#018x}", self.summary]
        lines += [line for part in self.fields for line in part.lines(1)]
        return "\n".join(lines)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return self.picture.mimebundle(str(self))


def decode(value: int) -> Syndrome:
    """Take a value of ESR_EL1 apart.

    >>> [(bits.name, bits.bits, bits.value) for bits in decode(0xF2000800).fields]
    [('RES0', '63:56', 0), ('ISS2', '55:32', 0), ('EC', '31:26', 60), ('IL', '25', 1), ('ISS', '24:0', 2048)]

    Parameters
    ----------
    value : int
        Any 64-bit word; the upper half may be missing, as older kernels print it.

    Returns
    -------
    Syndrome

    Raises
    ------
    FieldError
        Where it does not fit in 64 bits.
    """
    return Syndrome(int(ESR_EL1(value)))
