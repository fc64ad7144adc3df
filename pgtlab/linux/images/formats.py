"""Which format a file is in."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pgtlab.linux.images import capture, npz, raw, text, vmcore, vmcoreinfo
from pgtlab.linux.images.contents import Contents, ImageError

HEAD: Final = 1 << 16  # bytes that tell: text may begin with comments
OTHERS: Final = {
    b"KDUMP   ": "is a compressed dump of makedumpfile's: `makedumpfile -E` writes ELF, which pgtlab reads",
    b"DISKDUMP": "is a compressed dump of diskdump's: pgtlab reads ELF",
    b"makedumpfile": "is a flattened dump: `makedumpfile -R` makes a dump of it; pgtlab reads those in ELF",
}


def read(path: Path, base: int | None, *, look: bool = False) -> Contents:
    """The image in `path`; physical memory as it was, from address `base` on, where that is given.

    With `look`, memory itself is searched for a VMCOREINFO where the file has no note of it.

    Raises
    ------
    ImageError
        Where there is no such file, the format is not known, or the file is damaged.
    OSError
        Where the file cannot be read at all.
    """
    if not path.exists():
        raise ImageError(f"there is no file or folder {path}: an image is one of a machine's memory and its registers")
    if path.is_dir() or path.name == capture.REGS:
        return capture.read(path if path.is_dir() else path.parent)
    with path.open("rb") as file:
        head = file.read(HEAD)
    if base is not None:
        contents = raw.read(path, base)
    elif head.startswith(npz.MAGIC):
        beside = path.name == capture.TABLES and (path.parent / capture.REGS).is_file()
        return capture.read(path.parent) if beside else npz.read(path)
    elif head.startswith(vmcore.MAGIC):
        contents = vmcore.read(path)
    elif text.is_text(head):
        return text.read(path)
    else:
        raise ImageError(f"{path} {_what(head)}")
    if look and not contents.numbers and (info := vmcoreinfo.search(path)):
        return vmcoreinfo.add(contents, info, "VMCOREINFO found in the kernel's own memory")
    return contents


def _what(head: bytes) -> str:
    """Why a file with this beginning is not opened, and what would help."""
    for magic, what in OTHERS.items():
        if head.startswith(magic):
            return what
    return (
        "is not an image that pgtlab knows: those are folders with tables.npz and regs.json, .npz, ELF core dumps, and "
        "text of @address and words; physical memory as it was needs the address of its first byte, base (--base)"
    )
