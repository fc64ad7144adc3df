"""Core dumps that QEMU itself writes: the memory that was put into a machine comes out, and translates as it did."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from image_files import RAM, capture, lookups, raw

from oracle.qemu import EMULATOR, PACKAGES
from pgtlab.linux.image import Image, ImageError

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(not shutil.which(EMULATOR), reason=f"{EMULATOR} not found: install {PACKAGES[EMULATOR]}"),
]


def dump(folder, base, content, form="elf"):
    """A machine with `content` from `base` on, dumped before it runs: QEMU's core dump of it."""
    (folder / "tables").write_bytes(content)
    machine = ["-M", "virt", "-cpu", "max", "-m", "128", "-S", "-nodefaults", "-display", "none", "-qmp", "stdio"]
    loader = ["-device", f"loader,file={folder / 'tables'},addr={base:#x},force-raw=on"]
    commands = [
        {"execute": "qmp_capabilities"},
        {
            "execute": "dump-guest-memory",
            "arguments": {"paging": False, "protocol": f"file:{folder / 'vmcore'}", "format": form},
        },
        {"execute": "quit"},
    ]
    said = subprocess.run(
        [EMULATOR, *machine, *loader],
        input="".join(json.dumps(command) + "\n" for command in commands),
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert said.returncode == 0, said.stderr
    assert '"error"' not in said.stdout, said.stdout
    return folder / "vmcore"


@pytest.mark.parametrize("name", ["4k-va48-max", "64k-va52-max"])  # of 16K a page is where QEMU has its device tree
def test_a_dump_of_qemu_translates_as_the_machine_did(tmp_path, name):
    regs, pages = capture(name)
    base, content = raw(pages)
    path = dump(tmp_path, base, content)
    with pytest.raises(ImageError, match="give page_size and va_bits"):  # the dump has no register of translation
        Image.open(path)
    stop = {register: int(value, 16) for register, value in regs["el1_stop"].items()}
    ttbr0 = int(regs["el0_stop"]["TTBR0_EL1"], 16)
    image = Image.open(path, TCR_EL1=stop["TCR_EL1"], TTBR1_EL1=stop["TTBR1_EL1"], TTBR0_EL1=ttbr0)
    assert [(extent.pa, 8 * extent.length) for extent in image.memory.extents if extent.pa >= RAM] == [(RAM, 128 << 20)]
    for pa, words in pages.items():
        assert np.array_equal(image.memory.read(pa, len(words)), words)
    for who, el in (("user", 0), ("kernel", 1)):
        vas, expected = lookups(name, who)
        assert [getattr(image.translate(va, el=el).outcome, "pa", None) for va in vas] == expected
        found = image.translate_many(vas, el=el)
        assert found.pa.tolist() == [pa or 0 for pa in expected]


def test_a_compressed_dump_of_qemu_is_the_same_memory(tmp_path):
    """Flattened, in blocks of 64K, and without the name of the machine."""
    regs, pages = capture("4k-va48-max")
    base, content = raw(pages)
    path = dump(tmp_path, base, content, "kdump-zlib")
    with pytest.raises(ImageError, match="give page_size and va_bits"):
        Image.open(path)
    stop = {register: int(value, 16) for register, value in regs["el1_stop"].items()}
    image = Image.open(path, TCR_EL1=stop["TCR_EL1"], TTBR1_EL1=stop["TTBR1_EL1"])
    for pa, words in pages.items():
        assert np.array_equal(image.memory.read(pa, len(words)), words)
    vas, expected = lookups("4k-va48-max", "kernel")
    assert [getattr(image.translate(va).outcome, "pa", None) for va in vas] == expected
    assert image.translate_many(vas).pa.tolist() == [pa or 0 for pa in expected]
