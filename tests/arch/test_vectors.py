"""Both walkers agree with a real MMU on every recorded case, and a damaged recording does not pass for a good one."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtlab.arch.fault import Access
from pgtlab.arch.many import vectorised, walk_many
from pgtlab.cli.specified import RefusedFile
from pgtlab.cli.vectors import Note, VectorFileError, Vectors, verify

DATA = Path(__file__).parents[1] / "data" / "mmu"
AT_CASES, FETCHES = DATA / "vectors_sample.npz", DATA / "exec_sample.npz"
SPECIFIED = {"pan": 92, "el20": 91, "pie": 113, "mte_tbi": 82, "haft": 92, "s2": 117}
SPECIFIED_AT, SPECIFIED_FETCHES = DATA / "specification_at.npz", DATA / "specification_exec.npz"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "compared"),
    [
        *((AT_CASES, 7800), (FETCHES, 1950), (SPECIFIED_AT, 31), (SPECIFIED_FETCHES, 36)),
        *((DATA / f"specification_{name}.npz", compared) for name, compared in SPECIFIED.items()),
    ],
    ids=["AT", "fetch", "specified AT", "specified fetch", *SPECIFIED],
)
def test_both_walkers_agree_with_the_record(path, compared):
    verification = verify(Vectors.load(path))
    assert verification.agrees
    assert verification.compared.sum() == compared
    assert not (verification.walk_wrong | verification.many_wrong | verification.differ).any()


def test_specification_decides_where_qemu_differs():
    compared = {}
    for path in SPECIFIED_AT, SPECIFIED_FETCHES:
        verification = verify(Vectors.load(path))
        compared |= {name: int(cases.sum()) for name, cases in verification.features().items()}
    assert (compared["note HIADDR_PS"], compared["note BLOCK_GT_PS"], compared["note DBM_EXEC"]) == (15, 16, 36)


@pytest.mark.parametrize("name", SPECIFIED)
def test_numpy_agrees_with_the_specification(name, monkeypatch):
    """Also where numba is missing, and then stage 2 of a guest too."""
    monkeypatch.setattr(walk_many, "translate", vectorised.translate)
    assert verify(Vectors.load(DATA / f"specification_{name}.npz")).agrees


def test_the_specification_is_asked_about_every_feature():
    features = {
        name for file in SPECIFIED for name in verify(Vectors.load(DATA / f"specification_{file}.npz")).features()
    }
    registers = {f"TCR2_EL1.{field}" for field in ("PIE", "POE", "E0POE", "HAFT")} | {"PSTATE.PAN", "HCR_EL2.FWB"}
    operations = {"EL1 load", "EL0 store", "AT S1E1RP", "AT S1E1WP", "AT S12E1R", "AT S12E0W"}
    assert features >= registers | operations | {"4K DS TTBR1_EL2", "64K TTBR0_EL2", "fault of stage 2 on a walk"}


def test_registers_that_ask_for_more_are_refused_by_name(tmp_path):
    arrays = dict(np.load(DATA / "specification_haft.npz"))
    arrays["img_tcr2_el1"] |= np.uint64(1 << 5)
    np.savez_compressed(tmp_path / "wide.npz", **arrays)
    with pytest.raises(
        RefusedFile, match=r"image 0: TCR2_EL1.D128=1: descriptors of 128 bits \(FEAT_D128\) are not modelled"
    ):
        Vectors.load(tmp_path / "wide.npz")


WRONG_ANSWERS = {
    "fsc": ("pan", 0),
    "attr": ("mte_tbi", 2),
    "hpfar": ("s2", 9),
    "iss2": ("pie", 6),
    "upd_after": ("haft", 10),
}


@pytest.mark.parametrize("array", WRONG_ANSWERS)
def test_a_flipped_bit_of_a_specified_answer_is_caught(tmp_path, array):
    name, bit = WRONG_ANSWERS[array]
    arrays = dict(np.load(DATA / f"specification_{name}.npz"))
    loads = arrays["op"] >= 8 if name != "s2" else (arrays["op"] >= 8) & (arrays["op"] < 12) & (arrays["hpfar"] != 0)
    answered = loads & (arrays["status"] == 0) & ((arrays["fsc"] == 0xFF) == (array in ("attr", "upd_after")))
    place = 0 if array == "upd_after" else int(np.flatnonzero(answered)[0])
    arrays[array][place] ^= arrays[array].dtype.type(1 << bit)
    np.savez_compressed(tmp_path / "wrong.npz", **arrays)
    assert verify(Vectors.load(tmp_path / "wrong.npz")).walk_wrong.sum() == 1


@pytest.mark.slow
def test_the_sample_has_every_feature():
    features = {name for path in (AT_CASES, FETCHES) for name in verify(Vectors.load(path)).features()}
    granules = [f"{granule} TTBR{n}_EL1" for granule in ("4K", "4K DS", "16K", "16K DS", "64K") for n in (0, 1)]
    kinds = ["address size", "translation", "access flag", "permission", "external abort"]
    faults = [f"{kind} fault, level {level}" for kind in kinds for level in range(4)]
    controls = [f"TCR_EL1.{name}{n}" for name in ("TBI", "HPD", "EPD", "E0PD") for n in (0, 1)]
    assert features >= {*granules, *faults, *controls, "TCR_EL1.HA", "TCR_EL1.HD", "SCTLR_EL1.WXN", "note MMU_OFF"}
    assert "translation fault, level -1" in features


@pytest.fixture(scope="module")
def arrays():
    """The first forty images of the sample: enough to damage."""
    whole = dict(np.load(AT_CASES))
    per_image = {"page_base": "page", "words": "word"}
    kept = {}
    for name, array in whole.items():
        if name.endswith("_off"):
            kept[name] = array[:41]
        elif name.startswith("img_"):
            kept[name] = array[:40]
        else:
            kept[name] = array[: whole[f"img_{per_image.get(name, 'case')}_off"][40]]
    return kept


def saved(path, arrays, **changed):
    """A file like the sample, with some arrays changed or (None) left out."""
    kept = {name: array for name, array in (arrays | changed).items() if array is not None}
    np.savez_compressed(path / "changed.npz", **kept)
    return path / "changed.npz"


def flipped(array, i, bit):
    array = array.copy()
    array[i] ^= array.dtype.type(1 << bit)
    return array


def compared_case(arrays, *, fault):
    """A case that is compared, and whose page or fault a walk found in memory."""
    faulted = (arrays["par_el1_q10"] & 1).astype(bool)
    walked = (arrays["note"] & (1 << Note.MMU_OFF)) == 0
    return int(np.flatnonzero((arrays["status_q10"] == 0) & (faulted == fault) & walked)[0])


@pytest.mark.slow
@pytest.mark.parametrize("bit", [0, 7, 12, 40, 51, 56, 63])
def test_a_flipped_bit_of_an_address_or_attribute_is_caught(tmp_path, arrays, bit):
    case = compared_case(arrays, fault=False)
    changed = flipped(arrays["par_el1_q10"], case, bit)
    try:
        verification = verify(Vectors.load(saved(tmp_path, arrays, par_el1_q10=changed)))
    except VectorFileError:
        return  # the mask no longer fits what PAR_EL1.F says
    assert verification.walk_wrong.nonzero()[0].tolist() == [case]
    assert verification.many_wrong.nonzero()[0].tolist() == [case]


@pytest.mark.parametrize("bit", range(1, 7))
def test_a_flipped_bit_of_a_status_code_is_caught(tmp_path, arrays, bit):
    case = compared_case(arrays, fault=True)
    changed = flipped(arrays["par_el1_q10"], case, bit)
    assert verify(Vectors.load(saved(tmp_path, arrays, par_el1_q10=changed))).walk_wrong.nonzero()[0].tolist() == [case]


def test_a_flipped_bit_of_memory_is_caught(tmp_path, arrays):
    valid = np.flatnonzero(arrays["words"] & 1)
    changed = arrays["words"].copy()
    changed[valid] ^= 1
    assert not verify(Vectors.load(saved(tmp_path, arrays, words=changed))).agrees


def test_a_wrong_fetch_is_caught(tmp_path):
    arrays = dict(np.load(FETCHES))
    reached = int(np.flatnonzero((arrays["status"] == 0) & (arrays["pa"] != 0))[0])
    faulted = int(np.flatnonzero((arrays["status"] == 0) & (arrays["pa"] == 0))[0])
    changed = {"pa": flipped(arrays["pa"], reached, 20), "esr_el1": flipped(arrays["esr_el1"], faulted, 26)}
    verification = verify(Vectors.load(saved(tmp_path, arrays, **changed)))
    assert set(verification.walk_wrong.nonzero()[0]) == {reached, faulted}


def test_a_write_that_qemu_11_forbids_is_left_out_by_name(tmp_path, arrays):
    """A clean page with DBM and HA = HD = 1: a permission fault there, a translation in the specification and here."""
    v = Vectors.load(saved(tmp_path, arrays))
    clean = None
    for mmu, cases in v.images():
        for case in range(cases.start, cases.stop):
            if v["op"][case] in (1, 3) and v["status"][case] == 0:
                walk = mmu.translate(int(v["va"][case]), Access.WRITE, 1 if v["op"][case] == 1 else 0)
                leaf = walk.steps[-1].descriptor if walk.steps and walk.va_range.hd else None
                if walk.update is not None and getattr(leaf, "DBM", 0) and leaf.AP >> 1 and leaf.AF:
                    clean = case, leaf.level
    assert clean is not None
    changed = arrays["par_el1_q10"].copy()
    changed[clean[0]] = 0x801 | (0b001100 | clean[1]) << 1
    mask = arrays["cmp_mask_q10"].copy()
    mask[clean[0]] = 0xBFF
    verification = verify(Vectors.load(saved(tmp_path, arrays, par_el1_q10=changed, cmp_mask_q10=mask)))
    assert verification.ignored_dbm.nonzero()[0].tolist() == [clean[0]]
    assert verification.agrees


def test_a_file_that_compares_nothing_does_not_agree(tmp_path, arrays):
    every = {"status_q10": np.full_like(arrays["status"], 2), "note": arrays["note"] | (1 << Note.TXSZ_OOB)}
    verification = verify(Vectors.load(saved(tmp_path, arrays, **every)))
    assert not verification.compared.any()
    assert not verification.agrees


def widened(array):
    return np.append(array, array[-1:])


DAMAGE = {
    "an array is missing": (lambda a: {"va": None}, "the array va is missing"),
    "an array of fractions": (
        lambda a: {"va": a["va"].astype(float)},
        "va is not an array of unsigned numbers, but float64",
    ),
    "a case too many": (lambda a: {"op": widened(a["op"])}, r"op has \d+ cases, and va \d+"),
    "an unknown operation": (lambda a: {"op": flipped(a["op"], 5, 2)}, r"op\[5\] = 0x[4-7] is not an operation"),
    "an unknown status": (lambda a: {"status_q10": flipped(a["status_q10"], 0, 6)}, "is none of 0, 1 and 2"),
    "left out without a reason": (
        lambda a: {"status_q10": np.full_like(a["status"], 2)},
        r"status\[\d+\] = 0x2 leaves the case out, and no note says why",
    ),
    "masked without a reason": (
        lambda a: {"cmp_mask_q10": np.zeros_like(a["cmp_mask"])},
        r"cmp_mask\[\d+\] = 0x0 leaves out bits, and no note says why",
    ),
    "cases of no image": (lambda a: {"img_case_off": a["img_case_off"][:-1]}, "img_case_off does not share"),
    "offsets that go back": (lambda a: {"img_page_off": a["img_page_off"][::-1]}, "img_page_off does not share"),
    "another granule": (
        lambda a: {"img_page_bytes": a["img_page_bytes"] * 3},
        r"img_page_bytes\[0\] = \S+ is not a granule",
    ),
    "another TCR_EL1": (
        lambda a: {"img_tcr_el1": flipped(a["img_tcr_el1"], 0, 14)},
        "img_granule of image 0 is not what",
    ),
    "a page at no page's address": (
        lambda a: {"page_base": flipped(a["page_base"], 0, 3)},
        "image 0: 0x.* is not the physical address of a page",
    ),
    "big-endian tables": (
        lambda a: {"img_sctlr_el1": flipped(a["img_sctlr_el1"], 0, 25)},
        "image 0: SCTLR_EL1.EE=1: tables are read as little-endian only",
    ),
}


@pytest.mark.parametrize(("damage", "sentence"), DAMAGE.values(), ids=DAMAGE)
def test_a_file_that_contradicts_itself_is_refused(tmp_path, arrays, damage, sentence):
    with pytest.raises(VectorFileError, match=sentence):
        Vectors.load(saved(tmp_path, arrays, **damage(arrays)))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_damaged_bytes_end_in_a_sentence(tmp_path_factory, data):
    """Whatever happens to a file, it is read or refused: no other error, no endless loop."""
    whole = FETCHES.read_bytes()
    path = tmp_path_factory.mktemp("damaged") / "damaged.npz"
    if data.draw(st.booleans()):
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    else:
        at = data.draw(st.integers(0, len(whole) - 1))
        path.write_bytes(whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :])
    with suppress(VectorFileError):
        Vectors.load(path)
