"""Write figures for slides into build/figures: each as SVG and PNG, for a light and for a dark background.

    .venv/bin/python docs/write_figures.py

They are the pictures of the chapters, made by the model. They are under CC BY 4.0, as the course is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pgtlab import CPU, Config, boot, decompose, esr
from pgtlab.arch.address_cut import cut
from pgtlab.lab.machine import Machine
from pgtlab.lab.machine_picture import spaces_picture, tables_picture
from pgtlab.linux.address_picture import address_picture
from pgtlab.linux.walk_picture import walk_picture
from pgtlab.picture import Picture
from pgtlab.plot.png import fixed_style, png

FOLDER = Path(__file__).resolve().parents[1] / "build" / "figures"


def figures() -> Mapping[str, Picture]:
    """The figures by name, in the order of the course."""
    machine = Machine("4k", 48)
    a, b = machine.process("a"), machine.process("b")
    a.map(0x40_0000, machine.frame())
    b.map(0x40_0000, machine.frame())
    spaces = spaces_picture({process.name: process.pages for process in machine.processes}, machine.page_size)
    one = Machine("4k", 48).process("a")
    one.map(0x7F00_1234_5000, 0x8000_0000, UXN=1, PXN=1)
    walk = one.walk(0x7F00_1234_5678)
    with_lpa2, without = (boot(Config("16k", 52), CPU.named(name)) for name in ("max", "max,lpa2=off"))
    return {
        "01-two-programs": spaces,
        "02-an-address-is-cut": cut(0x7F00_1234_5678).picture(),
        "02-a-first-level-of-one-bit": cut(0xFF00_1234_5678, "16k", 48).picture(),
        "02-tables-for-one-byte": tables_picture(one.tree, "The tables for one byte", one.mmu.va_range(0)),
        "04-a-walk": walk_picture(walk, one.mmu.memory),
        "05-the-esr-of-the-log": esr(0x9600_0004).picture,
        "07-five-names": address_picture(decompose(0xFFFF_8000_8000_1234, boot(Config("4k", 48)))),
        "08-with-lpa2": address_picture(decompose(0xFFFF_C000_8000_1234, with_lpa2)),
        "08-without-lpa2": address_picture(decompose(0xFFFF_C000_8000_1234, without)),
    }


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, picture in figures().items():
        for theme in ("light", "dark"):
            path = FOLDER / f"{name}-{theme}"
            path.with_suffix(".svg").write_text(picture.svg(fixed_style(dark=theme == "dark")), encoding="utf-8")
            path.with_suffix(".png").write_bytes(png(picture, dark=theme == "dark"))
            print(path.with_suffix(".svg"), path.with_suffix(".png").name)
