"""Translations whose answers were computed from Arm's published specification, in a file.

Such a file asks about what no recorded MMU shows: PSTATE.PAN, the EL2&0 regime, indirect permissions, tags, access
flags in tables, stage 2. Its schema is in `tests/data/mmu/SCHEMA.md`. More is compared than of recorded cases: the
memory type, the syndrome of loads and stores, the IPA of a fault of stage 2, and every descriptor that hardware writes
back.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from pgtlab.arch.bitfield import BitFields
from pgtlab.arch.fault import Fault
from pgtlab.arch.memory import Memory
from pgtlab.arch.mmu import MMU
from pgtlab.arch.regime import UnsupportedRegime
from pgtlab.arch.registers import (
    HCR_EL2,
    MAIR_EL1,
    MAIR_EL2,
    PIR_EL1,
    PIRE0_EL1,
    POR_EL0,
    POR_EL1,
    SCTLR_EL1,
    SCTLR_EL2,
    TCR2_EL1,
    TCR_EL1,
    TCR_EL2,
    TTBR0_EL1,
    TTBR0_EL2,
    TTBR1_EL1,
    TTBR1_EL2,
    VTCR_EL2,
    VTTBR_EL2,
)
from pgtlab.arch.steps import Walk
from pgtlab.arch.translations import NO_FAULT, ON_WALK, STAGE_2, Translations
from pgtlab.cli.vectors import COMPARE, OPERATIONS, SKIP, Mask, VectorFileError, Vectors

_EL1: Final[dict[str, type[BitFields]]] = {
    "tcr": TCR_EL1,
    "ttbr0": TTBR0_EL1,
    "ttbr1": TTBR1_EL1,
    "mair": MAIR_EL1,
    "sctlr": SCTLR_EL1,
}
_EL2: Final[dict[str, type[BitFields]]] = {
    "tcr": TCR_EL2,
    "ttbr0": TTBR0_EL2,
    "ttbr1": TTBR1_EL2,
    "mair": MAIR_EL2,
    "sctlr": SCTLR_EL2,
}
#: The registers that a file can have besides, by their names as arguments of `MMU`.
_OTHERS: Final[dict[str, type[BitFields]]] = {
    "tcr2": TCR2_EL1,
    "pir": PIR_EL1,
    "pire0": PIRE0_EL1,
    "por_el1": POR_EL1,
    "por_el0": POR_EL0,
    "hcr": HCR_EL2,
    "vtcr": VTCR_EL2,
    "vttbr": VTTBR_EL2,
}
_ANSWERS: Final = ("par_el1", "cmp_mask", "fsc", "pa", "attr", "sh", "iss", "iss2", "s2", "ptw", "ipa", "hpfar")
_ISS: Final = 0x1FF_FFFF & ~(0x7FF << 14)  # without ISV and the fields that it makes valid


class OpenChoice(IntEnum):
    """Bits of `note`: what the architecture leaves open and was asked for in a case."""

    FETCH_FROM_DEVICE = 0
    RESERVED_MAIR = 1
    RESERVED_SH = 2
    ACCESS_FLAG_ON_FAULT = 3  # whether it is set where the access ends in a permission fault: here it is not
    DIRTY_STATE_ON_FAULT = 4
    CONTIGUOUS_RANGE = 5  # a contiguous run larger than the input range: here no fault


class RefusedFile(VectorFileError):
    """A file whose registers ask for what the model leaves out."""


class SpecifiedVectors(Vectors):
    """The arrays of such a file, checked against each other."""

    def _mmu(self, memory: Memory, i: int) -> MMU:
        own = _EL2 if self.tcr.endswith("el2") else _EL1
        registers = {name: kind for name, kind in (own | _OTHERS).items() if self._array(kind) in self.arrays}
        values = {name: kind(int(self[self._array(kind)][i])) for name, kind in registers.items()}
        return MMU(memory, pan=bool(self["img_pstate_pan"][i]), **values)  # type: ignore[arg-type]

    @staticmethod
    def _array(kind: type[BitFields]) -> str:
        return f"img_{kind.__name__.lower()}"

    def _refuse(self, i: int, error: ValueError) -> NoReturn:
        if isinstance(error, UnsupportedRegime):
            raise RefusedFile(f"{self.path}: image {i}: {error}") from None
        super()._refuse(i, error)

    def wrong(self, which: NDArray[np.int64], found: Translations) -> Mask:
        """Which of these cases have another answer: status code, address, memory, and PAR_EL1 of an `AT`."""
        at = np.array([operation.startswith("AT") for operation in OPERATIONS])[self["op"][which]]
        answer = {name: self[name][which] for name in _ANSWERS}
        wrong: Mask = found.fault != answer["fsc"]
        page = np.where(at, ~np.uint64(0xFFF), ~np.uint64(0))
        place = (found.pa & page != answer["pa"]) | (found.attributes & 0xFF != answer["attr"])
        place |= found.attributes >> 8 & 3 != answer["sh"]
        beside = (found.detail & STAGE_2 != 0) != answer["s2"]
        beside |= (found.detail & ON_WALK != 0) != answer["ptw"]
        par = (found.par ^ answer["par_el1"]) & answer["cmp_mask"] != 0
        more = np.where(answer["fsc"] == NO_FAULT, place, beside) | (par & at)
        wrong |= more & (self["status"][which] == COMPARE)
        return wrong

    def wrong_walks(self, which: NDArray[np.int64], walks: Sequence[Walk]) -> Mask:
        """Which loads, stores and fetches have another syndrome, IPA or list of descriptors written back."""
        wrong = np.zeros(len(which), np.bool_)
        for n, (case, walk) in enumerate(zip(which.tolist(), walks, strict=True)):
            if self["status"][case] != COMPARE or OPERATIONS[int(self["op"][case])].startswith("AT"):
                continue
            wrong[n] = [(update.address, update.after) for update in walk.updates] != self._updates(case)
            if isinstance(walk.outcome, Fault) and walk.esr is not None:
                own = walk.esr.ISS & _ISS, walk.esr.ISS2, walk.outcome.hpfar or 0
                wrong[n] |= own != tuple(int(self[name][case]) for name in ("iss", "iss2", "hpfar"))
        return wrong

    def ignores_dbm(self, which: NDArray[np.int64], walks: Sequence[Walk]) -> Mask:
        """No case: the specification applies DBM."""
        return np.zeros(len(which), np.bool_)

    def _updates(self, case: int) -> list[tuple[int, int]]:
        first, last = np.searchsorted(self["upd_case"], [case, case + 1])
        return list(zip(self["upd_addr"][first:last].tolist(), self["upd_after"][first:last].tolist(), strict=True))

    @property
    def codes(self) -> NDArray[np.int64]:
        """The status code that each case ends in; -1 for those that are translated."""
        code = self["fsc"].astype(np.int64)
        return np.where(code == NO_FAULT, -1, code)

    def recorded(self, case: int) -> str:
        """The answer of a case in words."""
        return ", ".join(f"{name} {int(self[name][case]):#x}" for name in ("fsc", "pa", "attr", "sh", "par_el1"))

    def register_features(self, image: NDArray[np.int64], upper: NDArray[np.int64]) -> dict[str, Mask]:
        """The cases under each setting of registers, by its name."""
        features = super().register_features(image, upper) | {"PSTATE.PAN": self["img_pstate_pan"][image] != 0}
        for kind in _OTHERS.values():
            if (name := self._array(kind)) in self.arrays:
                for field in (field for field in kind.fields if field.width == 1):
                    features[f"{kind.__name__}.{field.name}"] = self[name][image] & np.uint64(field.mask) != 0
        stage_2, on_walk = self["s2"] != 0, self["ptw"] != 0
        return features | {"fault of stage 2": stage_2, "fault of stage 2 on a walk": on_walk}

    @property
    def notes(self) -> dict[str, Mask]:
        """The cases with each note."""
        return {f"note {choice.name}": (self["note"] >> int(choice) & 1).astype(np.bool_) for choice in OpenChoice}

    def _check(self) -> None:
        images = ("granule", "page_bytes", "page_off", "word_off", "case_off", "pstate_pan")
        needed = [f"img_{name}" for name in images] + ["page_base", "words", "va", "op", "note", "status"]
        own = _EL2 if "img_tcr_el2" in self.arrays else _EL1
        needed += [*_ANSWERS, "upd_case", "upd_addr", "upd_after", *map(self._array, own.values())]
        self._check_arrays(needed)
        count = len(self["img_page_bytes"])
        if any(
            name.startswith("img_") and not name.endswith("_off") and len(self[name]) != count for name in self.arrays
        ):
            raise VectorFileError(f"{self.path}: the img_ arrays are not all of {count} images")
        self._check_images(count)
        for name in ("op", "note", "status", *_ANSWERS):
            if len(self[name]) != len(self):
                raise VectorFileError(f"{self.path}: {name} has {len(self[name])} cases, and va {len(self)}")
        self._require(self["op"] < len(OPERATIONS), "op", "is not an operation")
        self._require(self["status"] <= SKIP, "status", "is none of 0, 1 and 2")
        explained = self["note"] & 0b111 != 0
        self._require((self["status"] != SKIP) | explained, "status", "leaves the case out, and no note says why")
        if not len(self["upd_case"]) == len(self["upd_addr"]) == len(self["upd_after"]):
            raise VectorFileError(f"{self.path}: the upd_ arrays are not of the same length")
        if (np.diff(self["upd_case"].astype(np.int64)) < 0).any():
            raise VectorFileError(f"{self.path}: upd_case is not in order")

    def _check_pages(self, page_bytes: NDArray[np.int64]) -> None:
        """Pages may have any granule's size: those of stage 2 are others than those of stage 1."""
