"""Formats that pgtlab does not read: recognised, and named with the way to one that it reads."""

from __future__ import annotations

from typing import Final, NamedTuple


class Unread(NamedTuple):
    """A format: the bytes that tell it, where they are, and what to say."""

    magic: bytes
    at: int
    what: str


_QEMU: Final = "the monitor's `dump-guest-memory FILE` writes ELF of a machine that runs"
_SUSPENDED: Final = (
    "its memory beside, in the .vmem file, is raw: FILE@ADDRESS, with the physical address of the machine's RAM"
)
_HIBERNATION: Final = (
    "is a swap device with a hibernation image, whose pages are packed: let the machine resume, then take a dump "
    "(kdump, LiME, AVML, /proc/kcore)"
)
_WINDOWS: Final = "is a dump in Windows's format, of QEMU's `dump-guest-memory -w` or of Windows: leave out `-w`"
_UNREAD: Final = (
    Unread(b"QEVM", 0, f"is a saved state of QEMU's (savevm, migrate): start it with `-incoming`, then {_QEMU}"),
    Unread(
        b"LibvirtQemud",
        0,
        "is a machine that `virsh save` or `managedsave` stored: `virsh restore` it, then `virsh dump --memory-only`",
    ),
    Unread(b"QFI\xfb", 0, f"is a qcow2 disk: if it has a snapshot of memory, start QEMU with `-loadvm`, then {_QEMU}"),
    *(
        Unread(
            magic, 0, f"is a suspended machine of VMware's (.vmss, .vmsn): {_SUSPENDED}, or convert it to a core dump"
        )
        for magic in (b"\xd0\xbe\xd2\xbe", b"\xd1\xba\xd1\xba", b"\xd2\xbe\xd2\xbe", b"\xd3\xbe\xd3\xbe")
    ),
    *(
        Unread(magic, page - 10, _HIBERNATION)
        for page in (1 << 12, 1 << 14, 1 << 16)
        for magic in (b"S1SUSPEND\0", b"S2SUSPEND\0", b"ULSUSPEND\0", b"LINHIB0001")
    ),
    Unread(b"PAGEDU64", 0, _WINDOWS),
    Unread(b"PAGEDUMP", 0, _WINDOWS),
    Unread(b"MDMP", 0, "is a minidump, which has no physical memory: take a dump of the machine (kdump, LiME, AVML)"),
    *(
        Unread(magic, 0, "is a hibernation file of Windows's, not a dump of an arm64 Linux")
        for magic in (b"hibr", b"HIBR", b"wake", b"WAKE", b"RSTR")
    ),
    Unread(b"DISKDUMP", 0, "is a dump of diskdump's, which is older than arm64: makedumpfile writes KDUMP"),
    Unread(b"EVF\x09\r\n\xff\0", 0, "is an EnCase file (EWF): `ewfexport` makes raw memory of it, for FILE@ADDRESS"),
    Unread(b"ARM\x64", 56, "is a kernel to boot (Image), not the memory of a machine that runs it"),
    Unread(b"ANDROID!", 0, "is a boot image of Android's, not the memory of a machine that runs it"),
    Unread(b"7z\xbc\xaf\x27\x1c", 0, "is a 7z archive: unpack it first"),
    Unread(b"\x04\x22\x4d\x18", 0, "is compressed with lz4: `unlz4` it first"),
    Unread(b"\x89LZO\0\r\n\x1a\n", 0, "is compressed with lzop: `lzop -d` it first"),
    Unread(b"ustar", 257, "is a tar archive: unpack it first"),
)


def what_it_is(head: bytes) -> str | None:
    """What a file that begins so is, and what to do, if it is of a format that is known and not read.

    >>> what_it_is(b"QFI\\xfb...")[:15]
    'is a qcow2 disk'
    """
    return next((what for magic, at, what in _UNREAD if head[at : at + len(magic)] == magic), None)
