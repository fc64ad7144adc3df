"""Images of memory: every format gives the same machine, and the machine translates as the real one did."""

import json
import re

import image_files
import numpy as np
import pytest
from image_files import CAPTURES, PTDUMP, capture, lookups

from pgtlab.arch.cost.walk_cost import simulate
from pgtlab.arch.fault import Cause, Fault
from pgtlab.arch.memory import PhysicalAddressError
from pgtlab.arch.tables.mappings import mappings
from pgtlab.arch.translations import Translations
from pgtlab.linux.image import Image, ImageError

REGISTERS = ("TCR_EL1", "TTBR0_EL1", "TTBR1_EL1", "MAIR_EL1")


def registers(name):
    """Those of the moment in the kernel, with the process's TTBR0_EL1."""
    regs, _ = capture(name)
    stops = {**regs["el0_stop"], **regs["el1_stop"], "TTBR0_EL1": regs["el0_stop"]["TTBR0_EL1"]}
    found = {register: int(stops[register], 16) for register in REGISTERS}
    return found | {"SCTLR_EL1": int(stops["SCTLR"], 16), "ID_AA64MMFR0_EL1": int(stops["ID_AA64MMFR0_EL1"], 16)}


def agrees(image, name):
    """Both walkers find what QEMU found, for the process and for the kernel."""
    for who, el in (("user", 0), ("kernel", 1)):
        vas, expected = lookups(name, who)
        walks = [image.translate(va, el=el) for va in vas]
        assert [getattr(walk.outcome, "pa", None) for walk in walks] == expected
        assert not Translations.of(walks).differs(image.translate_many(vas, el=el)).any()


@pytest.mark.parametrize("name", CAPTURES)
def test_a_capture_translates_as_the_machine_did(name):
    agrees(Image.open(PTDUMP / name), name)


@pytest.mark.parametrize("name", CAPTURES)
def test_a_capture_says_which_kernel_it_is_of(name):
    image = Image.open(PTDUMP / name)
    page_size, va_bits = re.match(r"(\d+k)-va(\d+)", name).groups()
    assert (image.boot.config.page_size_name, image.boot.config.va_bits) == (page_size, int(va_bits))
    assert image.boot.tcr_el1 == image.mmu.tcr
    assert image.boot.vabits_actual == capture(name)[0]["runtime_va_bits"]


def test_a_capture_of_a_narrower_cpu_or_without_its_registers_is_of_the_same_kernel(tmp_path):
    regs, _ = capture("16k-va52-max")
    (tmp_path / "tables.npz").write_bytes((PTDUMP / "16k-va52-max/tables.npz").read_bytes())
    for cpu, va_bits in (("max", 52), ("max,lpa2=off", 47), ("max_lpa2-off+m512", 47), ("neoverse-n1", 47)):
        fewer = {key: value for key, value in regs["el0_stop"].items() if not key.startswith("ID_")}
        (tmp_path / "regs.json").write_text(json.dumps(regs | {"cpu": cpu, "el0_stop": fewer}))
        assert Image.open(tmp_path).boot.vabits_actual == va_bits


def test_with_kpti_the_kernels_tables_and_the_process_are_of_two_moments(tmp_path):
    """In the process TTBR1_EL1 has the trampoline's tables; in the kernel TTBR0_EL1 may have the empty ones."""
    regs, _ = capture("4k-va48-max")
    (tmp_path / "tables.npz").write_bytes((PTDUMP / "4k-va48-max/tables.npz").read_bytes())
    regs["el0_stop"]["TTBR1_EL1"] = regs["symbols_phys"]["tramp_pg_dir"]
    regs["el1_stop"]["TTBR0_EL1"] = regs["symbols_phys"]["reserved_pg_dir"]
    (tmp_path / "regs.json").write_text(json.dumps(regs))
    image = Image.open(tmp_path)
    agrees(image, "4k-va48-max")
    assert image.kpti
    assert image.boot.constants.PTE_MAYBE_NG != 0
    assert not Image.open(PTDUMP / "4k-va48-max").kpti


def test_what_reads_the_simulators_memory_reads_an_image(tmp_path):
    """A TLB over the tables in a mapped file counts as over the same tables in memory."""
    base, content = image_files.raw(capture("4k-va48-max")[1])
    (tmp_path / "ram").write_bytes(content)
    mapped = Image.open(tmp_path / "ram", base=base, **registers("4k-va48-max"))
    trace = np.arange(0xFFFF_8000_8001_0000, 0xFFFF_8000_8021_0000, 64, dtype=np.uint64)
    costs = [simulate(image.mmu, trace) for image in (mapped, Image.open(PTDUMP / "4k-va48-max"))]
    assert costs[0] == costs[1]
    assert costs[0].walks > 0


@pytest.mark.parametrize("name", CAPTURES)
def test_ptdump_is_what_the_kernel_printed(name):
    printed = (PTDUMP / name / "ptdump.txt").read_text().splitlines()
    assert [str(line).rstrip() for line in Image.open(PTDUMP / name).ptdump()] == [line.rstrip() for line in printed]


@pytest.mark.slow
@pytest.mark.parametrize("name", CAPTURES)
def test_raw_memory_needs_its_base_and_the_registers(tmp_path, name):
    base, content = image_files.raw(capture(name)[1])
    (tmp_path / "ram").write_bytes(content)
    image = Image.open(tmp_path / "ram", base=base, **registers(name))
    agrees(image, name)
    assert image.memory.extents == ((base, 0, len(content) // 8),)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["4k-va48-max", "64k-va52-max"])
def test_raw_memory_of_a_named_kernel_needs_only_where_its_tables_are(tmp_path, name):
    _, pages = capture(name)
    base, content = image_files.raw(pages)
    (tmp_path / "ram").write_bytes(content)
    page_size, va_bits = re.match(r"(\d+k)-va(\d+)", name).groups()
    roots = {register: registers(name)[register] for register in ("TTBR0_EL1", "TTBR1_EL1")}
    agrees(Image.open(tmp_path / "ram", base=base, page_size=page_size, va_bits=int(va_bits), **roots), name)


@pytest.mark.slow
@pytest.mark.parametrize("name", CAPTURES)
def test_text_gives_the_same_machine(tmp_path, name):
    _, pages = capture(name)
    (tmp_path / "tables.txt").write_text("# tables\n\n" + image_files.text(pages))
    agrees(Image.open(tmp_path / "tables.txt", **registers(name)), name)


@pytest.mark.parametrize("name", CAPTURES)
def test_a_saved_image_is_the_same_machine(tmp_path, name):
    image = Image.open(PTDUMP / name)
    image.save(tmp_path / "image.npz")
    again = Image.open(tmp_path / "image.npz")
    agrees(again, name)
    assert again.registers == image.registers
    assert (again.boot.config, again.boot.vabits_actual) == (image.boot.config, image.boot.vabits_actual)
    for user in (False, True):
        assert np.array_equal(again.mappings(user=user), image.mappings(user=user))


@pytest.mark.parametrize("file", ["regs.json", "tables.npz"])
def test_a_file_of_a_capture_opens_its_folder(file):
    agrees(Image.open(PTDUMP / "4k-va48-max" / file), "4k-va48-max")


def test_the_tables_of_a_capture_open_without_its_folder_given_the_registers(tmp_path):
    (tmp_path / "tables.npz").write_bytes((PTDUMP / "4k-va48-max/tables.npz").read_bytes())
    with pytest.raises(ImageError, match=r"give page_size and va_bits \(--page-size 4k --va-bits 48\), or TCR_EL1"):
        Image.open(tmp_path / "tables.npz")
    agrees(Image.open(tmp_path / "tables.npz", **registers("4k-va48-max")), "4k-va48-max")


@pytest.mark.parametrize("user", [False, True], ids=["kernel", "user"])
@pytest.mark.parametrize("name", CAPTURES)
def test_the_mappings_are_those_of_the_tree_and_every_one_translates(name, user):
    image = Image.open(PTDUMP / name)
    found = image.mappings(user=user)
    listed = [(m.va, m.size, m.pa, m.level, m.first.value) for m in mappings(image.mmu, upper=not user)]
    assert found[["va", "size", "pa", "level", "descriptor"]].tolist() == listed
    for at in (found["va"], found["va"] + found["size"] - np.uint64(1)):
        there = image.translate_many(at)
        assert np.array_equal(there.ok, found["af"] | image.mmu.tcr.HA)
        assert np.array_equal(there.pa[there.ok], (found["pa"] + at - found["va"])[there.ok])


@pytest.mark.parametrize("name", CAPTURES)
def test_the_tree_has_the_tables_that_were_counted(name):
    image, (regs, _) = Image.open(PTDUMP / name), capture(name)
    for user, which in ((True, "TTBR0_EL1"), (False, "TTBR1_EL1 (EL1 stop)")):
        levels = [table.level for table in image.tree(user=user).tables() if not table.again]
        counted = {int(level): count for level, count in regs["tables_per_level"][which].items()}
        assert {level: levels.count(level) for level in sorted(set(levels))} == counted


def test_what_is_not_in_the_image_is_a_fault_of_the_walk():
    image = Image.open(PTDUMP / "4k-va48-max", TTBR1_EL1=0x1_0000_0000)
    assert image.translate(0xFFFF_8000_8000_0000).outcome == Fault(20, 0, Cause.READ)


def test_an_image_is_read_only():
    memory = Image.open(PTDUMP / "4k-va48-max").memory
    with pytest.raises(PhysicalAddressError, match="is in the memory of an image, which is read-only"):
        memory.write64(next(iter(memory.pages)), 0)


def test_what_is_not_known_is_asked_for_by_name(tmp_path):
    (tmp_path / "ram").write_bytes(bytes(4096))
    with pytest.raises(ImageError, match=r"needs the address of its first byte: FILE@ADDRESS, or base \(--base\)"):
        Image.open(tmp_path / "ram")
    with pytest.raises(ImageError, match=r"give page_size and va_bits \(--page-size 4k --va-bits 48\), or TCR_EL1 \("):
        Image.open(tmp_path / "ram", base=0)
    image = Image.open(tmp_path / "ram", base=0, page_size="4k", va_bits=48, TTBR1_EL1=0)
    image.translate(0xFFFF_0000_0000_0000)
    for asked in (lambda: image.translate(0x1000), lambda: image.translate_many([0]), lambda: image.tree(user=True)):
        with pytest.raises(ImageError, match=r"where the tables of the process are: give TTBR0_EL1 \(--ttbr0\)"):
            asked()
    with pytest.raises(ImageError, match="TTBR_EL1 is not a register of an image, which has TCR_EL1, TTBR0_EL1"):
        Image.open(tmp_path / "ram", base=0, TTBR_EL1=0)
    with pytest.raises(ImageError, match="VA_BITS=40 with 4k pages"):
        Image.open(tmp_path / "ram", base=0, page_size="4k", va_bits=40)
    with pytest.raises(ImageError, match="does not say which kernel it is of"):
        Image.open(tmp_path / "ram", base=0, TCR_EL1=0x1E_001E, TTBR1_EL1=0).boot  # noqa: B018


@pytest.mark.parametrize(
    ("head", "advice"),
    [
        (b"KDUMP   \x06", "is damaged: a compressed dump begins with a header"),
        (b"makedumpfile\0", "is not an image that pgtlab knows"),
        (b"", "is not an image that pgtlab knows"),
        (b"[    0.000000] Booting Linux", "is not an image that pgtlab knows"),
    ],
)
def test_another_format_is_declined_with_what_would_help(tmp_path, head, advice):
    (tmp_path / "dump").write_bytes(head)
    with pytest.raises(ImageError, match=advice):
        Image.open(tmp_path / "dump")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ImageError, match=f"^there is no file or folder {tmp_path / 'vmcore'}: an image is"):
        Image.open(tmp_path / "vmcore")
    with pytest.raises(ImageError, match=r"has no tables\.npz"):
        Image.open(tmp_path)


@pytest.mark.parametrize(
    "name", ["nowhere", "a\0b", "x" * 5000, "dangling", "empty/inside", "~/nowhere", "empty/../x/y"]
)
def test_what_is_not_there_is_an_image_error(name, tmp_path):
    (tmp_path / "empty").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    with pytest.raises(ImageError, match="there is no file or folder"):
        Image.open(tmp_path / name)
