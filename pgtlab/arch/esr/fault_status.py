"""Every fault status code: DFSC and IFSC of ESR_EL1, in the words of the Arm ARM's tables (D24.2, ESR_EL1).

The faults of a stage 1 walk have their codes from `pgtlab.arch.fault`. This table has the others too: of memory, tags,
granule protection, and level -2, which 128-bit descriptors have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from pgtlab.arch.fault import Cause, Fault, FaultKind

EXTERNAL_ABORT = 0b010000  # not on a walk: the only code for which SET and FnV have a meaning
DEBUG_EXCEPTION = 0b100010  # in the syndromes of breakpoints, watchpoints and single steps

_ON_WALK = "on translation table walk or hardware update of translation table"
_WALK_FAULTS = {
    FaultKind.ADDRESS_SIZE: "Address size fault",
    FaultKind.TRANSLATION: "Translation fault",
    FaultKind.ACCESS_FLAG: "Access flag fault",
    FaultKind.PERMISSION: "Permission fault",
    FaultKind.EXTERNAL_ABORT: f"Synchronous External abort {_ON_WALK}",
}
_PARITY, _GRANULE_PROTECTION = "Synchronous parity or ECC error on memory access", "Granule Protection Fault"


def _walk_faults() -> Iterator[Fault]:
    for kind in _WALK_FAULTS:
        has_minus_one = kind not in (FaultKind.ACCESS_FLAG, FaultKind.PERMISSION)  # which only a leaf can raise
        for level in range(-1 if has_minus_one else 0, 4):
            yield Fault(kind, level, Cause.DESCRIPTOR)


def _codes() -> dict[int, str]:
    codes = {
        EXTERNAL_ABORT: f"Synchronous External abort, not {_ON_WALK}.",
        0b010001: "Synchronous Tag Check Fault.",
        0b011000: f"{_PARITY}, not on translation table walk.",
        0b100001: "Alignment fault.",
        0b101000: f"{_GRANULE_PROTECTION}, not {_ON_WALK}.",
        0b110000: "TLB conflict abort.",
        0b110001: "Unsupported atomic hardware update fault.",
        0b110100: "IMPLEMENTATION DEFINED fault (Lockdown).",
        0b110101: "IMPLEMENTATION DEFINED fault (Unsupported Exclusive or Atomic access).",
    }
    for fault in _walk_faults():
        codes[fault.status_code] = f"{_WALK_FAULTS[fault.kind]}, level {fault.level}."
    codes[FaultKind.ADDRESS_SIZE] = "Address size fault, level 0 of translation or translation table base register."
    for name, minus_one in ((_PARITY, 0b011011), (_GRANULE_PROTECTION, 0b100011)):
        for level in range(-1, 4):
            codes[minus_one + 1 + level] = f"{name} {_ON_WALK}, level {level}."
    for code, name in (
        (0b010010, _WALK_FAULTS[FaultKind.EXTERNAL_ABORT]),
        (0b100010, f"{_GRANULE_PROTECTION} {_ON_WALK}"),
        (0b101010, "Translation fault"),
        (0b101100, "Address size fault"),
    ):
        codes[code] = f"{name}, level -2."
    return codes


#: The codes that have a meaning, in ascending order.
FAULT_STATUS: Mapping[int, str] = MappingProxyType(dict(sorted(_codes().items())))


def fault_status(code: int) -> str | None:
    """The meaning of a six-bit status code; None where the architecture reserves it.

    >>> fault_status(0b000111), fault_status(0b111111)
    ('Translation fault, level 3.', None)
    """
    return FAULT_STATUS.get(code)


def walk_fault_kind(code: int) -> FaultKind | None:
    """The kind of stage 1 fault that a status code stands for; None for every other code.

    >>> str(walk_fault_kind(0b101011)), walk_fault_kind(0b100001)
    ('translation', None)
    """
    return next((fault.kind for fault in _walk_faults() if fault.status_code == code), None)
