"""Cases and answers as a file of recorded translations, for `pgtlab verify-mmu`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oracle.qemu import Answers, Image

REGISTERS = ("tcr", "ttbr0", "ttbr1", "mair", "sctlr")
COMPARE_PAR, COMPARE_ESR, COMPARE_NOTHING = range(3)
# Of PAR_EL1, NS (bit 9) is UNKNOWN in Non-secure state, bit 10 IMPLEMENTATION DEFINED; a fault has F, FST, PTW and S.
SUCCESS_MASK, FAULT_MASK, SH_MASK = 0xFFFF_FFFF_FFFF_F9FF, 0xBFF, 0x180
SETTLED_VERSION = (10,)  # from this QEMU on, SH and blocks at levels without blocks are as the architecture has them


class Note(IntEnum):
    """Those bits of `note` that these cases have; the numbers are the file format's."""

    SH_DEV_NC = 0
    BLOCK_ILLEGAL = 3
    EXT_ABORT = 10
    RES0_JUNK = 13
    MMU_OFF = 17

    @property
    def mask(self) -> int:
        """The bit by itself."""
        return 1 << self


def arrays(asked: list[Image], answers: list[Answers], version: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    """Every array of the file, by name.

    `version` is QEMU's. Before 10 the SH of Device and Non-cacheable memory is the descriptor's instead of Outer
    Shareable, and 0b01 is a block at every level; such bits and cases are then left out of the comparison. From 10 on
    they are compared, and the arrays are there also under the names that end in `_q10`.
    """
    settled = version >= SETTLED_VERSION
    image = np.repeat(np.arange(len(asked)), [len(m.va) for m in asked])
    par = np.concatenate([a.par for a in answers])
    esr = np.concatenate([a.esr for a in answers]).astype(np.uint32)
    off = np.array([not m.sctlr & 1 for m in asked])[image]
    aborted = esr != 0
    translated = ~aborted & (par & 1 == 0)
    attr = par >> 56
    note = np.concatenate([m.note for m in asked])
    for kind, cases in [
        (Note.SH_DEV_NC, translated & ((attr >> 4 == 0) | (attr == 0x44))),
        (Note.EXT_ABORT, aborted),
        (Note.MMU_OFF, off),
    ]:
        note |= np.where(cases, np.uint32(kind.mask), np.uint32(0))

    status = np.where(aborted, COMPARE_ESR, COMPARE_PAR).astype(np.uint8)
    mask = np.where(translated, SUCCESS_MASK, FAULT_MASK).astype(np.uint64)
    if not settled:
        status[note & Note.BLOCK_ILLEGAL.mask != 0] = COMPARE_NOTHING
        mask[note & Note.SH_DEV_NC.mask != 0] &= np.uint64(~SH_MASK & (1 << 64) - 1)
    mask[status != COMPARE_PAR] = 0

    found: dict[str, NDArray[Any]] = {
        f"img_{name}_el1": np.array([getattr(m, name) for m in asked], np.uint64) for name in REGISTERS
    }
    found["img_granule"] = np.array([m.granules for m in asked], np.uint32)
    found["img_page_bytes"] = found["img_granule"].max(axis=1)
    for name, counts in [
        ("page", [len(m.page_base) for m in asked]),
        ("word", [m.words.size for m in asked]),
        ("case", [len(m.va) for m in asked]),
    ]:
        found[f"img_{name}_off"] = np.cumsum([0, *counts]).astype(np.uint32)
    found["page_base"] = np.concatenate([m.page_base for m in asked])
    found["words"] = np.concatenate([m.words.ravel() for m in asked])
    found["va"] = np.concatenate([m.va for m in asked])
    found["op"] = np.concatenate([m.op for m in asked])
    found |= {"par_el1": par, "esr": esr, "note": note, "cmp_mask": mask, "status": status}
    if settled:
        found |= {f"{name}_q10": found[name] for name in ("par_el1", "cmp_mask", "status")}
    return found


def ignores_dbm(
    found: Mapping[str, NDArray[Any]], before: NDArray[Any], now: NDArray[Any], version: tuple[int, ...]
) -> NDArray[np.bool_]:
    """The writes with HA = HD = 1 that translated `before` and end in a permission fault `now`, in PAR_EL1.

    From some version after 10.0 on, at the latest 11.1, QEMU's `AT` does not apply DBM. Arm's specification does.
    """
    image = np.repeat(np.arange(len(found["img_tcr_el1"])), np.diff(found["img_case_off"].astype(int)))
    by_hardware = found["img_tcr_el1"][image] >> np.uint64(39) & np.uint64(3) == 3
    forbidden = (before & np.uint64(1) == 0) & ((now & np.uint64(0x7F)) >> np.uint64(3) == 0b0011)
    fault = now & np.uint64(1) == 1
    return (found["op"] & 1 == 1) & by_hardware & forbidden & fault & (version > (10, 0, 99))


def images(found: Mapping[str, NDArray[Any]]) -> list[Image]:
    """The images of a file and what was asked, without the answers."""
    offsets = {name: found[f"img_{name}_off"].astype(int) for name in ("page", "word", "case")}
    result = []
    for i, page_bytes in enumerate(found["img_page_bytes"].tolist()):
        page, word, case = (slice(off[i], off[i + 1]) for off in offsets.values())
        tcr, ttbr0, ttbr1, mair, sctlr = (int(found[f"img_{name}_el1"][i]) for name in REGISTERS)
        lower, upper = found["img_granule"][i].tolist()
        result.append(
            Image(
                *(tcr, ttbr0, ttbr1, mair, sctlr, (lower, upper), found["page_base"][page]),
                words=found["words"][word].reshape(-1, page_bytes // 8),
                va=found["va"][case],
                op=found["op"][case],
                note=found["note"][case],
            )
        )
    return result


def save(path: Path, found: dict[str, Any]) -> None:
    """Write the arrays to an .npz file, in a folder that is made if it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **found)
