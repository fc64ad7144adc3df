"""pgtlab's MMU against answers of QEMU that are new every time, and the oracle against answers recorded earlier."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import SystemRandom

import numpy as np
import pytest

from oracle import case_file
from oracle.case_file import Note
from oracle.mapped_images import NOT_MAPPED, mapped_images
from oracle.qemu import Answers, ask, missing_tools, version
from oracle.random_images import random_images
from oracle.rate import at_rate
from pgtlab.cli.vectors import Vectors, verify

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "tests" / "data" / "mmu" / "vectors_sample.npz"
PA = 0xF_FFFF_FFFF_F000

pytestmark = pytest.mark.oracle
needs_qemu = pytest.mark.skipif(missing_tools() is not None, reason=str(missing_tools()))


@pytest.fixture
def seed():
    """Another one every time, but in CI, where a commit is red or green whatever the day."""
    return 1 if os.environ.get("CI") else SystemRandom().getrandbits(32)


@needs_qemu
def test_both_walkers_agree_with_fresh_answers(tmp_path, seed):
    images = [*random_images(seed, 28), *(image for image, _ in mapped_images(seed, 6))]
    case_file.save(tmp_path / "cases.npz", case_file.arrays(images, ask(images), version()))
    verification = verify(Vectors.load(tmp_path / "cases.npz"))
    assert verification.compared.sum() > 4500
    assert verification.agrees, f"`make oracle SEED={seed}` shows where"


@needs_qemu
def test_qemu_finds_what_map_range_mapped_and_nothing_else(seed):
    images, expected = zip(*mapped_images(seed, 40), strict=True)
    for i, (image, pa, answers) in enumerate(zip(images, expected, ask([*images]), strict=True)):
        el1_reads = image.op == 0
        translated = answers.par & 1 == 0
        mapped = pa != NOT_MAPPED
        why = f"image {i} of mapped_images({seed}, 40)"
        assert (translated == mapped)[el1_reads].all(), why
        assert (answers.par & PA == pa & np.uint64(PA))[translated].all(), why
        assert mapped[translated].all(), why


@pytest.mark.long
@needs_qemu
def test_answers_recorded_with_another_program_come_again():
    recorded = dict(np.load(SAMPLE))
    answers = ask(case_file.images(recorded))
    par, esr = (np.concatenate([getattr(a, name) for a in answers]) for name in ("par", "esr"))
    suffix = "_q10" if version() >= case_file.SETTLED_VERSION else ""
    expected, mask, status = (recorded[name + suffix] for name in ("par_el1", "cmp_mask", "status"))
    compared = (status == case_file.COMPARE_PAR) & ~case_file.ignores_dbm(recorded, expected, par, version())
    assert not ((par ^ expected) & mask)[compared].any()
    assert ((esr ^ recorded["esr"]) & 0x3F == 0)[status == case_file.COMPARE_ESR].all()


@needs_qemu
def test_an_answer_does_not_depend_on_what_was_asked_before(seed):
    """Not even where AT itself writes to the tables."""
    updating = [image for image in random_images(seed, 40) if image.tcr >> 39 & 1]
    backwards = [replace(m, va=m.va[::-1], op=m.op[::-1], note=m.note[::-1]) for m in updating]
    for there, back in zip(ask(updating), ask(backwards), strict=True):
        assert (there.par == back.par[::-1]).all(), f"random_images({seed}, 40)"
        assert (there.esr == back.esr[::-1]).all(), f"random_images({seed}, 40)"


@pytest.mark.long
@needs_qemu
def test_two_hundred_images_show_everything():
    found = case_file.arrays(images := random_images(1, 200), ask(images), version())
    image = np.repeat(np.arange(len(images)), np.diff(found["img_case_off"].astype(int)))
    aborted, translated = found["esr"] != 0, (found["esr"] == 0) & (found["par_el1"] & 1 == 0)
    codes = np.where(aborted, found["esr"], found["par_el1"] >> 1) & 0x3F
    kinds = {"address size": 0x00, "translation": 0x04, "access flag": 0x08, "permission": 0x0C, "external abort": 0x14}
    assert {*codes[~translated]} == {0x29, 0x2B, *(kind + level for kind in kinds.values() for level in range(4))}
    upper = found["va"] >> 55 & 1
    shown = {
        (int(granule), int(ds), int(half))
        for granule, ds, half in zip(
            found["img_granule"][image, upper], found["img_tcr_el1"][image] >> 59 & 1, upper, strict=True
        )
    }
    assert shown == {(size, ds, half) for size in (4096, 16384, 65536) for ds in (0, 1) for half in (0, 1)}
    assert all((found["note"] & note.mask).any() for note in Note)
    assert (found["par_el1"][translated] >> 48 & 0xF != 0).any()


@needs_qemu
def test_the_rate_is_of_right_answers():
    rate = at_rate(1000, addresses=100, passes=3)
    assert (rate.pages, rate.count) == (1000, 300)
    assert rate.per_second > 0


def test_a_seed_always_means_the_same_images():
    for one, again in zip(random_images(7, 3), random_images(7, 5), strict=False):
        assert (one.tcr, one.ttbr0, one.mair) == (again.tcr, again.ttbr0, again.mair)
        assert np.array_equal(one.words, again.words)
        assert np.array_equal(one.va, again.va)


def test_what_old_qemu_has_wrong_is_compared_from_version_10_on():
    device, [image] = 0x04 << 56 | 0x300, random_images(1, 1)
    image = replace(image, va=image.va[:2], op=image.op[:2], note=np.array([0, Note.BLOCK_ILLEGAL.mask], np.uint32))
    answers = Answers(np.array([device, 0x809], np.uint64), np.zeros(2, np.uint64), 0.0)
    old, new = (case_file.arrays([image], [answers], v) for v in ((7, 2, 22), (10, 0, 2)))
    assert [hex(m) for m in old["cmp_mask"]] == ["0xfffffffffffff87f", "0x0"]
    assert [hex(m) for m in new["cmp_mask"]] == ["0xfffffffffffff9ff", "0xbff"]
    assert (old["status"].tolist(), new["status"].tolist()) == ([0, 2], [0, 0])
    assert {name for name in new if name not in old} == {"par_el1_q10", "cmp_mask_q10", "status_q10"}


def test_writes_to_clean_pages_are_left_out_from_version_11_on():
    """AT of QEMU 11.1 does not apply DBM: a permission fault, where 7.2 and the specification translate."""
    arrays = {
        "img_case_off": np.array([0, 4]),
        "img_tcr_el1": np.array([3 << 39], np.uint64),
        "op": np.array([1, 3, 0, 1]),
    }
    before, now = np.array([0x900, 0x900, 0x900, 0x900], np.uint64), np.array([0x81F, 0x81D, 0x81F, 0x80F], np.uint64)
    assert case_file.ignores_dbm(arrays, before, now, (11, 1, 3)).tolist() == [True, True, False, False]
    assert not case_file.ignores_dbm(arrays, before, now, (10, 0, 2)).any()


def test_without_qemu_it_names_the_package(tmp_path):
    environment = os.environ | {"PATH": str(tmp_path), "PYTHONPATH": str(ROOT / "tests")}
    done = subprocess.run([sys.executable, "-m", "oracle"], env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert "apt-get install gcc-aarch64-linux-gnu qemu-system-arm" in done.stderr
    assert len(done.stderr.splitlines()) == 1
