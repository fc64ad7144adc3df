"""Which format a file is in."""

from __future__ import annotations

from pathlib import Path

from pgtlab.linux.images import capture, npz
from pgtlab.linux.images.contents import Contents, ImageError

HEAD = 4096  # bytes that tell


def read(path: Path, base: int | None) -> Contents:
    """The image in `path`; physical memory as it was, from address `base` on, where that is given.

    Raises
    ------
    ImageError
        Where the format is not known, or the file is damaged.
    OSError
        Where the file cannot be read at all.
    """
    if path.is_dir():
        return capture.read(path)
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(npz.MAGIC):
        beside = path.name == capture.TABLES and (path.parent / capture.REGS).is_file()
        return capture.read(path.parent) if beside else npz.read(path)
    raise ImageError(f"{path} is in no format that pgtlab knows")
