"""Recorded translations: what a real MMU answered, in a file, and both walkers held against it.

A file is an .npz of table images and of cases. An image is registers and memory pages; a case is an address, an access
and what came out: PAR_EL1 of an `AT`, or ESR_EL1 of an instruction fetch. `tests/data/mmu/SCHEMA.md` names
every array. `specified` has the files whose answers were computed from Arm's specification.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from pgtlab.arch.array_file import ArrayFileError, read_arrays
from pgtlab.arch.at import at
from pgtlab.arch.descriptor import Leaf
from pgtlab.arch.fault import Access, AccessDescriptor, Fault, FaultKind, status_code_name
from pgtlab.arch.granule import GRANULES
from pgtlab.arch.many.walk_many import walk_many
from pgtlab.arch.memory import Memory
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import MAIR_EL1, SCTLR_EL1, TCR_EL1, TTBR0_EL1, TTBR1_EL1
from pgtlab.arch.translations import Translations
from pgtlab.arch.walk import Walk, walk
from pgtlab.cli.terminal import printable

Mask = NDArray[np.bool_]

COMPARE, EXCEPTION, SKIP = range(3)  # the values of `status`
OPERATIONS = (
    *("AT S1E1R", "AT S1E1W", "AT S1E0R", "AT S1E0W"),
    *("EL1 fetch", "EL0 fetch", "AT S1E1RP", "AT S1E1WP"),
    *("EL1 load", "EL1 store", "EL0 load", "EL0 store"),
    *("AT S12E1R", "AT S12E1W", "AT S12E0R", "AT S12E0W"),
)
_ACCESSES = {"load": Access.READ, "store": Access.WRITE, "fetch": Access.FETCH}
FETCHED = 0x56000007  # ESR_EL1 of SVC #7, the instruction that a fetch case finds when it succeeds


class Note(IntEnum):
    """Bits of `note`: what is special about a case, as far as the architecture leaves its answer open."""

    SH_DEV_NC = 0  # Device or Non-cacheable memory: an older implementation reports the SH of the descriptor
    SH_RSVD = 1  # SH has the reserved value
    MAIR_RSVD = 2  # the byte of MAIR_EL1 is reserved
    BLOCK_ILLEGAL = 3  # 0b01 at a level without blocks: an older implementation makes it one
    CONTIG_MISPROG = 4  # the Contiguous bit in a run that is not one
    CONTIG_RANGE = 5  # a contiguous run that is larger than the input range
    NT_BLOCK = 6  # nT, bit 16 of a block
    HIADDR_PS = 7  # address bits 51:48 set where the output size is smaller: QEMU ignores them
    TXSZ_OOB = 8  # TCR_EL1.TxSZ outside its legal values
    BLOCK_GT_PS = 9  # a block larger than the output address space: QEMU checks its first address only
    EXT_ABORT = 10  # informational: the walk left memory
    TTBR52_SMALL = 11  # a 52-bit table base with a first table of less than 64 bytes
    HW_UPDATE = 12  # informational: hardware sets the access flag or the dirty state
    RES0_JUNK = 13  # informational: a block with bits set below its address
    OUTSIDE = 14  # the walk read memory that was not recorded
    BLOCK_RES0_PS = 15  # such bits above the output size
    IPS_RSVD = 16  # TCR_EL1.IPS has the reserved value
    MMU_OFF = 17  # informational: SCTLR_EL1.M = 0
    DBM_EXEC = 18  # a fetch from a page that is writable through DBM alone: to QEMU it is read-only


# In these cases two right answers may differ, or QEMU's is wrong, so that they may be left out of what it answered;
# below, in these bits of PAR_EL1.
OPEN = (
    *(Note.BLOCK_ILLEGAL, Note.CONTIG_MISPROG, Note.CONTIG_RANGE, Note.NT_BLOCK, Note.HIADDR_PS, Note.TXSZ_OOB),
    *(Note.BLOCK_GT_PS, Note.TTBR52_SMALL, Note.OUTSIDE, Note.BLOCK_RES0_PS, Note.IPS_RSVD, Note.DBM_EXEC),
)
SH, ATTR = 0x180, 0xFF << 56
OPEN_BITS = {Note.SH_DEV_NC: SH, Note.SH_RSVD: SH, Note.MAIR_RSVD: SH | ATTR}
SETTLED = (Note.SH_DEV_NC, Note.BLOCK_ILLEGAL)  # no longer open in the columns of the newer implementation
SUCCESS_MASK, FAULT_MASK = 0xFFFF_FFFF_FFFF_F9FF, 0xBFF

_REGISTERS = ["tcr_el1", "ttbr0_el1", "ttbr1_el1", "mair_el1", "sctlr_el1"]


class VectorFileError(ValueError):
    """A file that does not hold recorded translations, or contradicts itself."""


@dataclass(frozen=True, eq=False)
class Vectors:
    """The arrays of one file, checked against each other.

    `fetches` is True for a file of instruction fetches, False for one of `AT` cases.
    """

    path: Path
    arrays: dict[str, NDArray[Any]]
    fetches: bool

    @classmethod
    def load(cls, path: str | Path) -> Vectors:
        """Read a file.

        Raises
        ------
        VectorFileError
            Where it is not in the schema: one sentence that says what is wrong and where.
        OSError
            Where it cannot be read.
        """
        path = Path(path)
        try:
            arrays = read_arrays(path)
        except ArrayFileError as error:
            raise VectorFileError(f"{path}: not a readable .npz archive ({error})") from None
        from pgtlab.cli.specified import RefusedFile, SpecifiedVectors

        if "case" in arrays and "words" not in arrays:
            raise RefusedFile(f"{path}: its answers are about cases that another file has")
        if "fsc" in arrays:
            kind: type[Vectors] = SpecifiedVectors
        else:
            kind = cls
        vectors = kind(path, arrays, fetches="esr_el1" in arrays)
        vectors._check()
        return vectors

    def __getitem__(self, name: str) -> NDArray[Any]:
        """An array, the one recorded from the newer implementation where there are two."""
        newer = f"{name}_q10"
        return self.arrays[newer if newer in self.arrays else name]

    def __len__(self) -> int:
        return len(self["va"])

    def images(self) -> Iterator[tuple[MMU, slice]]:
        """Every image as an MMU, with the range of its cases."""
        offsets = {name: self[f"img_{name}_off"].astype(int) for name in ("page", "word", "case")}
        for i, page_bytes in enumerate(self["img_page_bytes"].tolist()):
            page, word, case = (slice(o[i], o[i + 1]) for o in offsets.values())
            pages = self["words"][word].reshape(-1, page_bytes // 8)
            try:
                memory = Memory.of_pages(
                    dict(zip(self["page_base"][page].tolist(), pages, strict=True)), page_bytes.bit_length() - 1
                )
                mmu = self._mmu(memory, i)
            except ValueError as error:
                self._refuse(i, error)
            yield mmu, case

    def _mmu(self, memory: Memory, i: int) -> MMU:
        """The MMU of an image."""
        tcr, ttbr0, ttbr1, mair, sctlr = (int(self[f"img_{name}"][i]) for name in _REGISTERS)
        return MMU(memory, TCR_EL1(tcr), TTBR0_EL1(ttbr0), TTBR1_EL1(ttbr1), MAIR_EL1(mair), SCTLR_EL1(sctlr))

    def _refuse(self, i: int, error: ValueError) -> NoReturn:
        raise VectorFileError(f"{self.path}: image {i}: {error}") from None

    def wrong(self, which: NDArray[np.int64], found: Translations) -> Mask:
        """Which of these cases have another answer than the recorded one."""
        wrong: Mask
        if self.fetches:
            esr = self["esr_el1"][which]
            wrong = np.where(esr == FETCHED, ~found.ok | (found.pa != self["pa"][which]), found.fault != esr & 0x3F)
        else:
            wrong_bits = (found.par ^ self["par_el1"][which]) & self["cmp_mask"][which]
            wrong_code = found.fault != self["esr"][which] & 0x3F
            wrong = np.where(self["status"][which] == EXCEPTION, wrong_code, wrong_bits != 0)
        return wrong

    def wrong_walks(self, which: NDArray[np.int64], walks: Sequence[Walk]) -> Mask:
        """Which fetches end in another ESR_EL1 than the recorded one, exception class and all."""
        if not self.fetches:
            return np.zeros(len(which), np.bool_)
        esr = np.array([int(walk.esr or 0) for walk in walks], np.uint64)
        recorded = self["esr_el1"][which]
        wrong: Mask = (recorded != FETCHED) & (esr != recorded)
        return wrong

    def ignores_dbm(self, which: NDArray[np.int64], walks: Sequence[Walk]) -> Mask:
        """The writes of an `AT` that QEMU 11.1 forbids, since its `AT` does not apply DBM with HA = HD = 1.

        QEMU 7.2 and 10, and Arm's specification, translate them: the page is writable, and AP[2] says that it is clean.
        """
        par = self["par_el1"][which].tolist() if "par_el1" in self.arrays else [0] * len(which)
        return np.array([_ignored_dbm(walk, answer) for walk, answer in zip(walks, par, strict=True)], np.bool_)

    @property
    def codes(self) -> NDArray[np.int64]:
        """The status code that each case ends in; -1 for those that are translated."""
        if self.fetches:
            faulted, code = self["esr_el1"] != FETCHED, self["esr_el1"] & 0x3F
        else:
            exception = self["status"] == EXCEPTION
            faulted = exception | (self["par_el1"] & 1 != 0)
            code = np.where(exception, self["esr"] & 0x3F, self["par_el1"] >> 1 & 0x3F)
        return np.where(faulted, code.astype(np.int64), -1)

    def recorded(self, case: int) -> str:
        """The answer of a case in words."""
        names = ("esr_el1", "pa") if self.fetches else ("par_el1", "esr")
        return ", ".join(f"{name} {int(self[name][case]):#x}" for name in names)

    def register_features(self, image: NDArray[np.int64], upper: NDArray[np.int64]) -> dict[str, Mask]:
        """The cases under each setting of registers, by its name; `image` is that of each case."""
        tcr, level = self[self.tcr][image], self.tcr[-3:]
        features = {}
        for field in ["TBI0", "TBI1", "HPD0", "HPD1", "EPD0", "EPD1", "E0PD0", "E0PD1", "HA", "HD"]:
            on = (tcr & getattr(TCR_EL1, field).mask) != 0
            features[f"TCR_{level.upper()}.{field}"] = on & (upper == int(field[-1])) if field[-1] in "01" else on
        wxn = (self[f"img_sctlr_{level}"][image] & SCTLR_EL1.WXN.mask) != 0
        return features | {f"SCTLR_{level.upper()}.WXN": wxn}

    @property
    def notes(self) -> dict[str, Mask]:
        """The cases with each note."""
        return {f"note {note.name}": self.noted(note) for note in Note}

    def _check(self) -> None:
        """`VectorFileError` where the arrays contradict the schema or each other."""
        answers = ["esr_el1", "pa"] if self.fetches else ["par_el1", "esr", "cmp_mask"]
        images = [f"img_{name}" for name in (*_REGISTERS, "granule", "page_bytes", "page_off", "word_off", "case_off")]
        self._check_arrays([*images, "page_base", "words", "va", "op", "note", "status", *answers])
        self._check_images(len(self["img_tcr_el1"]))
        self._check_cases(answers)

    def _check_arrays(self, needed: Sequence[str]) -> None:
        """`VectorFileError` where an array is missing or has no unsigned numbers."""
        for name in needed:
            if name not in self.arrays:
                raise VectorFileError(f"{self.path}: the array {name} is missing")
        for name, array in self.arrays.items():
            if array.dtype.kind != "u" or array.ndim != (2 if name == "img_granule" else 1):
                raise VectorFileError(
                    f"{self.path}: {name} is not an array of unsigned numbers, but {array.dtype} {array.shape}"
                )

    def _check_images(self, count: int) -> None:
        page_bytes = self["img_page_bytes"].astype(np.int64)
        self._require(np.isin(page_bytes, [granule.size for granule in GRANULES]), "img_page_bytes", "is not a granule")
        if self["img_granule"].shape != (count, 2) or len(page_bytes) != count:
            raise VectorFileError(f"{self.path}: the img_ arrays are not all of {count} images")
        self._check_pages(page_bytes)
        for name, total in ("page", len(self["page_base"])), ("word", len(self["words"])), ("case", len(self)):
            offsets = self[f"img_{name}_off"].astype(np.int64)
            if len(offsets) != count + 1 or offsets[0] or offsets[-1] != total or (np.diff(offsets) < 0).any():
                raise VectorFileError(
                    f"{self.path}: img_{name}_off does not share {total} {name}s out to {count} images"
                )
        pages, words = (np.diff(self[f"img_{name}_off"].astype(np.int64)) for name in ("page", "word"))
        self._require(words * 8 == pages * page_bytes, "img_word_off", "does not give each page its words")
        for i, (mmu, _) in enumerate(self.images()):
            granules = [r.granule.size for r in (mmu.lower, mmu.upper)]
            if granules != self["img_granule"][i].tolist():
                raise VectorFileError(
                    f"{self.path}: img_granule of image {i} is not what its {self.tcr[4:].upper()} says"
                )

    def _check_pages(self, page_bytes: NDArray[np.int64]) -> None:
        self._require(self["img_granule"].max(axis=1) == page_bytes, "img_page_bytes", "is not the larger granule")

    def _check_cases(self, answers: list[str]) -> None:
        for name in ("op", "note", "status", *answers):
            if len(self[name]) != len(self):
                raise VectorFileError(f"{self.path}: {name} has {len(self[name])} cases, and va {len(self)}")
        first, last = (4, 5) if self.fetches else (0, 3)
        self._require((first <= self["op"]) & (self["op"] <= last), "op", "is not an operation of this kind of file")
        status, settled = self["status"], SETTLED if "status_q10" in self.arrays else ()
        explained = np.logical_or.reduce([self.noted(note) for note in OPEN if note not in settled])
        self._require(status <= SKIP, "status", "is none of 0, 1 and 2")
        self._require((status != SKIP) | explained, "status", "leaves the case out, and no note says why")
        if not self.fetches:
            success = (self["par_el1"] & 1) == 0
            full = np.where(success, SUCCESS_MASK, FAULT_MASK).astype(np.uint64)
            for note, bits in OPEN_BITS.items():
                if note not in settled:
                    full &= ~np.where(success & self.noted(note), bits, 0).astype(np.uint64)
            masked = (status == COMPARE) & ((full & ~self["cmp_mask"]) != 0)
            self._require(~masked, "cmp_mask", "leaves out bits, and no note says why")

    @property
    def granule_names(self) -> NDArray[np.str_]:
        """For each image and range the granule, with DS where that counts."""
        granule = self["img_granule"] >> 10
        names = np.char.add(granule.astype(str), "K")
        ds = (self[self.tcr] >> TCR_EL1.DS.lo & 1).astype(bool)[:, np.newaxis]
        return np.where(ds & (granule < 64), np.char.add(names, " DS"), names)

    @property
    def tcr(self) -> str:
        """The array with the register that says how tables are read."""
        return next(name for name in ("img_tcr_el2", "img_tcr_el1") if name in self.arrays)

    def noted(self, note: Note) -> Mask:
        """Which cases carry a note."""
        return (self["note"] >> int(note) & 1).astype(np.bool_)

    def _require(self, good: Mask, name: str, rule: str) -> None:
        if not good.all():
            i = int(np.flatnonzero(~good)[0])
            raise VectorFileError(f"{self.path}: {name}[{i}] = {int(self[name][i]):#x} {rule}")


@dataclass(frozen=True, eq=False)
class Verification:
    """Both walkers' answers to one file: for every case, whether it was compared and who disagreed.

    `ignored_dbm` are cases that are left out for a known difference, `Vectors.ignores_dbm`.
    """

    vectors: Vectors
    compared: Mask
    walk_wrong: Mask
    many_wrong: Mask
    differ: Mask
    ignored_dbm: Mask

    @property
    def agrees(self) -> bool:
        """True where something was compared, both walkers gave what is recorded, and always the same."""
        return bool(self.compared.any()) and not (self.walk_wrong | self.many_wrong | self.differ).any()

    def features(self) -> dict[str, Mask]:
        """The cases that show each feature: what was asked, under which registers, what came out."""
        v = self.vectors
        cases = np.diff(v["img_case_off"].astype(np.int64)).astype(np.int64)
        image = np.repeat(np.arange(len(cases)), cases)
        upper = (v["va"] >> 55 & 1).astype(int)
        features = {}
        names = v.granule_names[image, upper]
        for name in np.unique(names):
            for half in (0, 1):
                features[f"{name} TTBR{half}_{v.tcr[-3:].upper()}"] = (names == name) & (upper == half)
        features |= v.register_features(image, upper)
        for number, operation in enumerate(OPERATIONS):
            features[operation] = v["op"] == number
        codes = v.codes
        for code in np.unique(codes):
            features["translated" if code < 0 else status_code_name(int(code))] = codes == code
        features |= v.notes
        return {name: cases for name, cases in features.items() if (cases & self.compared).any()}


def verify(vectors: Vectors, progress: bool = False) -> Verification:
    """Hold both walkers against a file.

    Every case is translated both ways, also those that are not compared with the record: there the walkers are still
    compared with each other.
    """
    from pgtlab.progress_bar import tqdm

    walk_wrong, many_wrong, differ, ignored_dbm = (np.zeros(len(vectors), bool) for _ in range(4))
    compared = vectors["status"] != SKIP
    with tqdm(
        total=len(vectors), unit="case", desc=printable(vectors.path.name), disable=None if progress else True
    ) as bar:
        for mmu, cases in vectors.images():
            for number, operation in enumerate(OPERATIONS):
                which = np.flatnonzero(vectors["op"][cases] == number) + cases.start
                if not len(which):
                    continue
                vas, d = vectors["va"][which], asked(mmu, operation)
                walks = [walk(mmu, va, d) for va in vas.tolist()]
                single, many = Translations.of(walks), walk_many(mmu, vas, d)
                ignored_dbm[which] = compared[which] & vectors.ignores_dbm(which, walks)
                compared[which] &= ~ignored_dbm[which]
                wrong = vectors.wrong(which, single) | vectors.wrong_walks(which, walks)
                walk_wrong[which] = compared[which] & wrong
                many_wrong[which] = compared[which] & vectors.wrong(which, many)
                differ[which] = single.differs(many)
                bar.update(len(which))
    return Verification(vectors, compared, walk_wrong, many_wrong, differ, ignored_dbm)


def _ignored_dbm(walk: Walk, par: int) -> bool:
    leaf = walk.steps[-1].descriptor if walk.steps else None
    if not isinstance(leaf, Leaf) or isinstance(walk.outcome, Fault) or not walk.va_range.hd:
        return False
    clean = leaf.DBM and leaf.AP >> 1 and walk.access is Access.WRITE
    return bool(clean) and par & FAULT_MASK == (FaultKind.PERMISSION | leaf.level) << 1 | 0x801


def asked(mmu: MMU, operation: str) -> AccessDescriptor:
    """What an operation asks of an MMU; its EL1 is EL2 in a host."""
    kind, _, what = operation.partition(" ")
    if kind == "AT":
        return at(mmu, what)
    return mmu.access(_ACCESSES[what], 0 if kind == "EL0" else None)
