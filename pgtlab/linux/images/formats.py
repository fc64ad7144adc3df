"""Which format a file is in."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from pgtlab import limits
from pgtlab.linux.images import capture, compressed, flattened, kdump, lime, npz, raw, text, unread, vmcore, vmcoreinfo
from pgtlab.linux.images.contents import Contents, ImageError
from pgtlab.linux.images.flattened import as_it_was
from pgtlab.linux.images.pieces import FileBytes

HEAD: Final = 1 << 16  # bytes that tell: text may begin with comments


def read(path: str, others: Sequence[str] = (), base: int | None = None) -> Contents:
    """The image in `path`; physical memory as it was, from address `base` on, where that is given.

    `FILE@ADDRESS` is such memory too, and `others` are more of it, of the same machine.

    Raises
    ------
    ImageError
        Where there is no such file, the format is not known, or the file is damaged.
    OSError
        Where a file cannot be read at all.
    """
    if raw.file_and_address(path) or others:
        return _raw(path, others, base)
    file = Path(path)
    _must_exist(file)
    with limits.naming(path):
        return _read(file, base)


def _read(path: Path, base: int | None) -> Contents:
    if path.is_dir() or path.name == capture.REGS:
        return capture.read(path if path.is_dir() else path.parent)
    with path.open("rb") as file:
        head = file.read(HEAD)
    if (how := compressed.kind(head)) and (how != "flattened" or as_it_was(FileBytes(path))[:8] != kdump.MAGIC):
        with compressed.unpacked(path, how) as (inner, notes):
            contents = _read(inner, base)
            return replace(contents, notes=(*notes, *contents.notes))
    if base is not None:
        return _searched(raw.read([(path, base)]), [path])
    if head.startswith(npz.MAGIC):
        beside = path.name == capture.TABLES and (path.parent / capture.REGS).is_file()
        return capture.read(path.parent) if beside else npz.read(path)
    if head.startswith(vmcore.MAGIC):
        return _searched(vmcore.read(path), [path])
    if head.startswith((kdump.MAGIC, flattened.MAGIC)):
        return kdump.read(path)
    if head.startswith(lime.MAGIC):
        return _searched(lime.read(path), [path])
    if text.is_text(head):
        return text.read(path)
    raise ImageError(f"{path} {unread.what_it_is(head) or _UNKNOWN}")


_UNKNOWN: Final = (
    "is not an image that pgtlab knows: those are folders with tables.npz and regs.json, .npz, ELF core dumps, "
    "compressed dumps of kdump and QEMU, files of LiME and AVML, text of @address and words, and any of them in .gz, "
    ".bz2, .xz or .zst; physical memory as it was needs the address of its first byte: FILE@ADDRESS, or base (--base)"
)


def _raw(path: str, others: Sequence[str], base: int | None) -> Contents:
    """Memory as it was in several files, or in one with its address."""
    files = []
    for name in (path, *others):
        at = raw.file_and_address(name)
        if at is None and name == path and base is not None:
            at = Path(name), base
        if at is None:
            raise ImageError(
                f"{name}: of several files each is raw memory of one machine, with the physical address of its first "
                "byte: FILE@0x40000000"
            )
        if name == path and base not in (None, at[1]):
            raise ImageError(f"{name} begins at {at[1]:#x}, and base says {base:#x}: give one of them")
        files.append(at)
    with ExitStack() as stack:
        plain: list[tuple[Path, int]] = []
        notes: tuple[str, ...] = ()
        for file, address in files:
            _must_exist(file)
            with file.open("rb") as opened:
                how = compressed.kind(opened.read(16))
            if how:
                file, notes = stack.enter_context(compressed.unpacked(file, how))
            plain.append((file, address))
        contents = raw.read(plain)
        return _searched(replace(contents, notes=(*notes, *contents.notes)), [file for file, _ in plain])


def _must_exist(path: Path) -> None:
    try:
        there = path.exists()
    except (OSError, ValueError):  # a name that is too long, or cannot be one
        there = False
    if not there:
        raise ImageError(f"there is no file or folder {path}: an image is one of a machine's memory and its registers")
    kind = path.stat().st_mode
    if not (stat.S_ISREG(kind) or stat.S_ISBLK(kind) or stat.S_ISDIR(kind)):
        what = "pipe" if stat.S_ISFIFO(kind) else "socket" if stat.S_ISSOCK(kind) else "device"
        raise ImageError(f"{path} is a {what}, and an image is read here and there: save it as a file first")


def _searched(contents: Contents, files: Sequence[Path]) -> Contents:
    """`contents` with the way to search the files, which stay open, for a VMCOREINFO."""
    opened = [FileBytes(file) for file in files]
    return replace(contents, search=lambda: vmcoreinfo.in_files(opened))
