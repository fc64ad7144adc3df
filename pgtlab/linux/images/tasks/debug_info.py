"""The layout of the kernel's structures by debug information (DWARF), which drgn reads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pgtlab.extras import needed_by
from pgtlab.linux.images.contents import ImageError


def read(path: Path, members: Iterable[str]) -> tuple[dict[str, int], int]:
    """The offset of each member, named `struct.member`, and where `init_task` was linked to be.

    Raises
    ------
    ImageError
        Where the file is not a kernel with debug information.
    """
    with needed_by("debug information"):
        from drgn import Architecture, Platform, PlatformFlags, Program, offsetof

    if not path.is_file():
        raise ImageError(f"there is no file {path}: debug information is in a vmlinux")
    program = Program(Platform(Architecture.AARCH64, PlatformFlags.IS_64_BIT | PlatformFlags.IS_LITTLE_ENDIAN))
    try:
        module = program.extra_module(str(path), create=True)
        module = module[0] if isinstance(module, tuple) else module  # before drgn 0.1
        module.address_ranges = [(0, (1 << 64) - 1)]
        module.try_file(path)
        layout = {}
        for name in members:
            structure, member = name.split(".")
            layout[name] = offsetof(program.type(f"struct {structure}"), member)
        bias = module.debug_file_bias or module.loaded_file_bias or 0
        return layout, program.symbol("init_task").address - bias & (1 << 64) - 1
    except Exception as error:  # drgn and what it is made of have their own errors
        raise ImageError(f"{path} has no debug information of a kernel that drgn reads: {error}") from None
