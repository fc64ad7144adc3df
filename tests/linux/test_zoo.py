"""The zoo: every image is read back in each of its forms, and by another program, with what it says is right."""

import json
import sys

import pytest
from drgn import FaultError, Program

from pgtlab.arch.fault import Access, Fault
from pgtlab.cli import main
from pgtlab.linux.image import Image
from pgtlab.linux.kconfig import configurations
from pgtlab.linux.zoo import specimens

NAMES = [specimen.name for specimen in specimens()]


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("zoo")
    assert main(["zoo", str(folder)]) == 0
    return folder


def test_every_configuration_is_there_with_and_without_wide_addresses(zoo):
    assert sorted(NAMES) == sorted(path.name for path in zoo.iterdir() if path.is_dir())
    assert len(NAMES) == len(configurations()) + sum(config.va_bits == 52 for config in configurations())
    assert "CC0" in (zoo / "README").read_text()


def opened(folder):
    """The image in each form, by what is said in the folder alone."""
    expected = json.loads((folder / "expected.json").read_text())
    registers = {name: int(value, 16) for name, value in expected["registers"].items()}
    ttbr0 = {"TTBR0_EL1": registers["TTBR0_EL1"]}
    narrow = {} if expected["vabits_actual"] == expected["va_bits"] else {"cpu": "max,lpa2=off"}
    yield Image.open(folder / "image.elf", **ttbr0)
    yield Image.open(folder / "image.kdump", **ttbr0)
    sizes = {name: expected[name] for name in ("page_size", "va_bits", "pa_bits")}
    if not (narrow and expected["page_size"] == 1 << 16):  # no CPU of that name is without FEAT_LVA
        yield Image.open(f"{folder}/image.raw@{expected['raw_base']}", **sizes, **narrow, **registers)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_each_form_of_an_image_feeds_back(zoo, name):
    expected = json.loads((zoo / name / "expected.json").read_text())
    for image in opened(zoo / name):
        assert image.notes == ()
        assert image.boot.vabits_actual == expected["vabits_actual"]
        assert {register: f"{image.registers[register]:#x}" for register in expected["registers"]} == expected[
            "registers"
        ]
        assert "".join(f"{line}\n" for line in image.ptdump()) == (zoo / name / "ptdump.txt").read_text()
        assert "".join(f"{line}\n" for line in image.ptdump(user=True)) == (zoo / name / "ptdump-user.txt").read_text()
    for row in expected["translations"]:  # by the image that was opened last
        outcome = image.translate(int(row["va"], 16), Access[row["access"].upper()], row["el"]).outcome
        if isinstance(outcome, Fault):
            assert row["fault"] == {"kind": outcome.kind.name.lower(), "level": outcome.level}, row
        else:
            assert (row["pa"], row["fault"]) == (f"{outcome.pa:#x}", None), row


def test_faults_of_every_kind_are_there(zoo):
    found = {}
    for name in NAMES:
        rows = json.loads((zoo / name / "expected.json").read_text())["translations"]
        found[name] = {row["fault"]["kind"] for row in rows if row["fault"]}
    kinds = {"translation", "permission", "external_abort"}  # with HA=1 the CPU sets access flags itself
    assert all(kinds <= those for those in found.values()), found


@pytest.mark.skipif(sys.platform != "linux", reason="drgn runs on Linux")
@pytest.mark.parametrize("form", ["image.elf", "image.kdump"])
@pytest.mark.parametrize("name", NAMES)
def test_drgn_reads_the_kernels_virtual_memory_alike(zoo, name, form):
    """drgn walks the tables by itself: what it reads at an address is what is at the physical address that we say.

    libkdumpfile, with which it reads a compressed dump, does not know that swapper_pg_dir has an unused beginning where
    a kernel of 52 bits with 64K pages runs with 48.
    """
    if form == "image.kdump" and name.startswith("64k-va52") and name.endswith("-on-48"):
        pytest.skip("libkdumpfile looks for the first table where a CPU of 52 bits has it")
    image = Image.open(zoo / name / form)
    program = Program()
    program.set_core_dump(zoo / name / form)
    rows = json.loads((zoo / name / "expected.json").read_text())["translations"]
    reads = {int(row["va"], 16): row for row in rows if (row["el"], row["access"]) == (1, "read")}
    compared = 0
    for va, row in reads.items():
        if va >> 55 and row["pa"] and int(row["pa"], 16) in image.memory:
            assert program.read_u64(va) == image.memory.read64(int(row["pa"], 16)), hex(va)
            compared += 1
        elif va >> 55 and row["fault"] and row["fault"]["kind"] == "translation":
            with pytest.raises(FaultError):
                program.read_u64(va)
    assert compared >= 10
