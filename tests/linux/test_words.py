"""`esr`, `pte` and `va` in Python: the answers of the commands of the same names, with their defaults."""

import tomllib
from pathlib import Path

import pytest

import pgtlab
from pgtlab import CPU, BootError, Config, boot, decompose, esr, pte, va
from pgtlab.cli import main
from pgtlab.lab import Tree
from pgtlab.lab.bugs import BUGS, Bug
from pgtlab.linux.address import AddressError
from pgtlab.linux.boot import NoBoot
from pgtlab.linux.cpu import CPUS
from pgtlab.linux.decompose import Decomposition
from pgtlab.linux.image import Image
from pgtlab.linux.words import WordError

LPA2 = ["--page-size", "16k", "--va-bits", "52"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (esr(0x96000004), "esr 0x96000004"),
        (esr("f2000800"), "esr f2000800"),
        (esr(0xF2005512), "esr f2005512"),
        (pte(0x68000040000F07), "pte 68000040000f07"),
        (pte("10a04", "pmd", Config("16k", 52)), "pte 10a04 --level pmd --page-size 16k --va-bits 52"),
        (pte(0x68000040000F07, 3), "pte 0x68000040000f07 --level 3"),
        (va("VMEMMAP_START"), "va VMEMMAP_START"),
        (
            va(0x1234, boot(Config("16k", 52), "max,lpa2=off")),
            "va 0x1234 --page-size 16k --va-bits 52 --cpu max,lpa2=off",
        ),
    ],
    ids=str,
)
def test_python_shows_what_the_command_prints(value, words, capsys):
    assert main(words.split()) == 0
    assert capsys.readouterr().out == f"{value}\n"
    assert main([*words.split(), "--svg"]) == 0
    assert capsys.readouterr().out == f"{value._repr_mimebundle_()['image/svg+xml']}\n"
    assert len(repr(value)) < 120
    assert "0x" in repr(value)


@pytest.mark.parametrize("value", ["", "0x", "xyz", "1" * 17])
def test_bad_word_is_refused(value):
    with pytest.raises(WordError):
        esr(value)
    with pytest.raises(WordError):
        pte(value)


def test_default_kernel():
    assert boot(Config()) == boot(Config("4k", 48), CPU.named("max"))
    assert va("PAGE_OFFSET").decomposition.boot == boot(Config())
    assert Tree.named("fixed").start_kernel().boot == Tree.named("fixed").start_kernel(Config()).boot == boot(Config())


def test_address_by_name():
    booted = boot(Config("16k", 52))
    named = decompose("VMEMMAP_START + 0x40", booted)
    assert named == Decomposition(booted.constants.VMEMMAP_START + 0x40, booted)
    with pytest.raises(AddressError, match="VMEMMAP_START"):
        decompose("VMEMMAP_STRAT", booted)


def test_constants_of_compile_time_and_run_time():
    booted = boot(Config("16k", 52), "max,lpa2=off")
    assert booted.constants == {**booted.config.constants, **booted.runtime_constants}
    assert booted.constants.PAGE_OFFSET == booted.config.constants.PAGE_OFFSET
    assert booted.constants.vabits_actual == 47


def test_no_boot_used_as_a_boot():
    stuck = boot(Config("16k"), "cortex-a72")
    assert isinstance(stuck, NoBoot)
    for use in (
        lambda: stuck.vabits_actual,
        lambda: stuck.constants,
        lambda: decompose(0, stuck),
        lambda: va(0, stuck),
        lambda: Tree.named("fixed").start_kernel(stuck),
    ):
        with pytest.raises(BootError, match="cortex-a72 has no 16K granule"):
            use()
    with pytest.raises(AttributeError):
        getattr(stuck, "no_such_thing")  # noqa: B009
    assert "does not boot" in str(stuck)


def test_names():
    assert CPU.names() == tuple(CPUS)
    assert "next-20240229" in Tree.names()
    assert [Bug.named(name) for name in Bug.names()] == list(BUGS.values())


def test_version_is_the_packages():
    with open(Path(__file__).parents[2] / "pyproject.toml", "rb") as file:
        assert pgtlab.__version__ == tomllib.load(file)["project"]["version"]


def test_what_is_exported_is_there():
    assert all(getattr(pgtlab, name) for name in pgtlab.__all__)
    assert {*pgtlab.__all__} <= {*dir(pgtlab)}
    with pytest.raises(AttributeError, match="no_such_thing"):
        getattr(pgtlab, "no_such_thing")  # noqa: B009


def test_reports_show_numbers_in_hexadecimal():
    report = Tree.named("next-20240229").start_kernel().run().reports[-1]
    assert repr(report).startswith("Report(Oops: ")
    assert "address=0x8, esr=0x96000004" in repr(report)


def test_an_image_takes_names_and_symbols():
    image = Image.open(Path(__file__).parents[1] / "data" / "kernel" / "ptdump" / "4k-va48-max")
    assert image.translate("PAGE_OFFSET") == image.translate(image.boot.constants.PAGE_OFFSET)
    symbol, address = next(iter(image.symbols.items()))
    assert image.address(symbol) == image.address(f"{address:#x}") == address
    with pytest.raises(AddressError):
        image.translate("NO_SUCH_PLACE")
