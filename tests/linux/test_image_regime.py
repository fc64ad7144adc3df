"""Which registers of an image count: those of EL1, of EL2 for a kernel that runs there, and what is refused by name."""

from pathlib import Path

import numpy as np
import pytest

from pgtlab.arch.fault import Access, Cause
from pgtlab.arch.registers import HCR_EL2, TCR2_EL1, VTCR_EL2
from pgtlab.cli import main
from pgtlab.lab.trees import Tree
from pgtlab.linux.boot import boot
from pgtlab.linux.image import Image, ImageError
from pgtlab.linux.kconfig import Config

FOLDER = Path(__file__).parents[1] / "data" / "kernel" / "ptdump" / "4k-va48-max"
TCR, TTBR1, STALE = 0x10001B5B5503510, 0x2000040518000, 0x85000F6B54C3510  # the last as 52-bit Debian leaves it
IN_EL2 = {
    "HCR_EL2": 0x488000000,
    "TCR_EL1": STALE,
    "TCR_EL2": TCR,
    "TTBR1_EL2": TTBR1,
    "TTBR0_EL2": 0x4099A000,
    "MAIR_EL2": 0x40044F0FF,
    "SCTLR_EL2": 0x20000003474591D,
}
PIE = {"TCR2_EL1": 2, "PIR_EL1": 0xCC880E0AC0800000, "PIRE0_EL1": 0x5010000070320000}  # as Debian's 6.12 sets them
LINEAR = 0xFFFF_0000_0000_0000


def test_registers_of_el2_count_where_the_kernel_runs_there():
    image, at_el1 = Image.open(FOLDER, **IN_EL2), Image.open(FOLDER)
    walk = image.translate(LINEAR)
    assert (walk.el, walk.va_range.ttbr) == (2, "TTBR1_EL2")
    assert walk.outcome.pa == at_el1.translate(LINEAR).outcome.pa
    assert walk.outcome.attributes.memory_type == "Tagged Normal WB RWA"
    assert image.config == at_el1.config
    assert "TCR_EL1 is stale" in image.notes[0]
    assert image.registers["TCR_EL1"] == STALE
    assert list(map(str, image.ptdump())) == list(map(str, at_el1.ptdump()))


def test_el1_is_not_translated_by_a_host():
    with pytest.raises(ValueError, match="EL1 is not translated by the EL2&0 regime; did you mean EL2"):
        Image.open(FOLDER, **IN_EL2).translate(LINEAR, Access.READ, 1)


def test_an_image_of_a_host_is_saved_and_opened(tmp_path):
    image = Image.open(FOLDER, **IN_EL2)
    image.save(tmp_path / "host.npz")
    again = Image.open(tmp_path / "host.npz")
    assert again.mmu.host
    assert again.translate(LINEAR).outcome == image.translate(LINEAR).outcome


def test_a_root_that_is_missing_has_the_name_of_its_level():
    without = {name: value for name, value in IN_EL2.items() if name != "TTBR1_EL2"}
    with pytest.raises(ImageError, match="give TTBR1_EL2"):
        Image.open(FOLDER / "tables.npz", **without).translate(LINEAR)


def test_indirect_permissions_decide():
    direct, indirect = Image.open(FOLDER), Image.open(FOLDER, **PIE)
    for access in Access:
        outcomes = [type(image.translate(LINEAR, access).outcome) for image in (direct, indirect)]
        assert outcomes[0] is outcomes[1]
    assert indirect.translate(LINEAR).permissions == ("---", "rw-")
    nothing = Image.open(FOLDER, **PIE | {"PIR_EL1": 0}).translate(LINEAR)
    assert nothing.outcome.cause is Cause.PERMISSIONS


def test_pan_is_read_from_pstate():
    image = Image.open(FOLDER)
    user = int(next(iter(image.mappings(user=True)))["va"])
    assert image.translate(user).outcome.pa == image.translate(user, el=0).outcome.pa
    assert Image.open(FOLDER, PSTATE=1 << 22).translate(user).outcome.cause is Cause.PAN


LEFT_OUT = {
    "D128": {"TCR2_EL1": int(TCR2_EL1(D128=1))},
    "AIE": {"TCR2_EL1": int(TCR2_EL1(AIE=1))},
    "PIR_EL1 and PIRE0_EL1": {"TCR2_EL1": int(TCR2_EL1(PIE=1))},
    "HCR_EL2.DC": {"HCR_EL2": int(HCR_EL2(DC=1))},
    "HCR_EL2.NV1": {"HCR_EL2": int(HCR_EL2(NV1=1))},
    "HCR_EL2.TGE": {"HCR_EL2": int(HCR_EL2(TGE=1))},
    "give VTCR_EL2 and VTTBR_EL2": {"HCR_EL2": 1, "VTCR_EL2": 0x80022558},
    "VTCR_EL2.S2PIE": {"HCR_EL2": 1, "VTCR_EL2": int(VTCR_EL2(S2PIE=1))},
    "SCR_EL3.NSE": {"SCR_EL3": 1 << 62},
    "GPCCR_EL3.GPC": {"GPCCR_EL3": 1 << 16},
    "SCTLR_EL1.EE": {"SCTLR_EL1": 1 << 25},
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_left_out_is_refused_by_name(name):
    with pytest.raises(ImageError, match=name):
        Image.open(FOLDER, **LEFT_OUT[name])


@pytest.mark.parametrize(
    ("release", "memory", "notes"),
    [
        ("4.14.2", "Device-nGnRnE", 0),
        ("5.10.1", "Normal WB RWA", 0),
        ("6.1.5", "Normal WB RWA", 0),
        (None, "Normal", 1),
    ],
)
def test_memory_types_follow_from_the_release_where_no_table_shows_them(tmp_path, release, memory, notes):
    """A process's tables alone: AttrIndx 0 was device memory before v5.10 (`MT_DEVICE_nGnRnE` of asm/memory.h)."""
    path = tmp_path / "user.txt"
    path.write_text("@0x40000000\n0x40001003\n@0x40001000\n0x40002003\n@0x40002000\n0x40200f41\n")
    image = Image.open(path, TCR_EL1=0x500000010, TTBR0_EL1=0x40000000, release=release)
    assert image.translate(0).outcome.attributes.memory_type.startswith(memory)
    assert sum("MAIR_EL1 is not known" in note for note in image.notes) == notes


def test_overlays_that_are_not_known_are_said():
    image = Image.open(FOLDER, TCR2_EL1=int(TCR2_EL1(E0POE=1)))
    assert "the image has no POR_EL0" in image.notes[0]
    assert not Image.open(FOLDER, TCR2_EL1=int(TCR2_EL1(E0POE=1)), POR_EL0=7).notes


def test_a_note_where_pan_would_matter(capsys):
    user = hex(int(next(iter(Image.open(FOLDER).mappings(user=True)))["va"]))
    assert main(["translate", str(FOLDER), user, "--kernel"]) == 0
    assert "PSTATE.PAN is not known and taken for 0" in capsys.readouterr().err
    assert main(["translate", str(FOLDER), user, "--kernel", "--register", "PSTATE=0x400000"]) == 1
    assert capsys.readouterr().err == ""


def test_kpti_is_read_from_the_kernels_entries(tmp_path):
    """Entries of the kernel are global, or not where it keeps its tables from user space."""
    for global_entries in (True, False):
        kernel = Tree.named("fixed").start_kernel(boot(Config("4k", 48), kpti=not global_entries))
        path = tmp_path / f"{global_entries}.npz"
        tables = {page: kernel.memory.read(page, 512) for page in kernel.memory.pages}
        np.savez(
            path,
            phys=np.array(list(tables), np.uint64),
            count=np.full(len(tables), 512, np.uint64),
            data=np.concatenate(list(tables.values())),
            TCR_EL1=np.uint64(kernel.mmu.tcr.value),
            TTBR1_EL1=np.uint64(kernel.mmu.ttbr1.value),
        )
        assert Image.open(path).kpti is not global_entries


@pytest.fixture
def guest_image(tmp_path):
    """The physical memory under a guest whose own tables are those of the folder, one page further up."""
    moved = 1 << 30
    image = Image.open(FOLDER)
    second = np.zeros(1024, np.uint64)  # stage 2: level 1, 40 bits, two tables side by side; blocks of 1G
    second[: 1 << 9] = [(i << 30) + moved | 0x7FD for i in range(1 << 9)]
    pages = {extent + moved: image.memory.read(extent, 512) for extent in image.memory.pages}
    phys = np.array([0x1000_0000, *pages], np.uint64)
    np.savez(
        tmp_path / "host.npz",
        phys=phys,
        count=np.array([1024, *[512] * len(pages)]),
        data=np.concatenate([second, *pages.values()]),
        **{name: np.uint64(value) for name, value in image.registers.items()},
        HCR_EL2=np.uint64(1),
        VTCR_EL2=np.uint64(int(VTCR_EL2(T0SZ=24, SL0=1, PS=2))),
        VTTBR_EL2=np.uint64(0x1000_0000),
    )
    return image, Image.open(tmp_path / "host.npz"), moved


def test_a_guests_address_is_followed_through_both_stages(guest_image):
    alone, guest, moved = guest_image
    walk = guest.translate(LINEAR)
    assert walk.outcome.ipa == alone.translate(LINEAR).outcome.pa
    assert walk.outcome.pa == walk.outcome.ipa + moved
    assert [step.address for step in walk.steps] == [step.address for step in alone.translate(LINEAR).steps]
    assert [step.physical - step.address for step in walk.steps] == [moved] * 4
    assert list(map(str, guest.ptdump())) == list(map(str, alone.ptdump()))
    assert guest.translate_many([LINEAR]).pa.tolist() == [walk.outcome.pa]
    with pytest.raises(ImageError, match="a guest's tables and those of stage 2 is not saved"):
        guest.save("anywhere.npz")


def test_big_endian_tables_of_stage_2_are_refused():
    with pytest.raises(ImageError, match=r"SCTLR_EL2\.EE=1: the tables of stage 2 are big-endian"):
        Image.open(FOLDER, HCR_EL2=1, VTCR_EL2=int(VTCR_EL2(T0SZ=24, SL0=1)), SCTLR_EL2=1 << 25)
