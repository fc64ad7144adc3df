"""BTF, the kernel's compact type information: where the members of its structures are.

Source: `Documentation/bpf/btf.rst` and `include/uapi/linux/btf.h`, v6.12.
"""

from __future__ import annotations

import struct
from typing import Final

_HEADER: Final = struct.Struct("<HBBIIIII")
_TYPE: Final = struct.Struct("<III")  # name_off, info, size or type
_MEMBER: Final = struct.Struct("<III")  # name_off, type, offset
MAGIC: Final = 0xEB9F
_STRUCT, _UNION, _ENUM, _ENUM64, _ARRAY, _FUNC_PROTO, _VAR, _DATASEC, _INT, _DECL_TAG = (
    4,
    5,
    6,
    19,
    3,
    13,
    14,
    15,
    1,
    17,
)
#: Bytes that follow a type: always, and for each of `vlen` parts.
_AFTER: Final = {
    _INT: (4, 0),
    _ARRAY: (12, 0),
    _STRUCT: (0, 12),
    _UNION: (0, 12),
    _ENUM: (0, 8),
    _FUNC_PROTO: (0, 8),
    _VAR: (4, 0),
    _DATASEC: (0, 12),
    _DECL_TAG: (4, 0),
    _ENUM64: (0, 12),
}
LAST_KIND: Final = 19


class BTFError(ValueError):
    """Type information that is damaged, or that does not have what is looked for."""


class BTF:
    """The types in a section `.BTF`."""

    def __init__(self, content: bytes) -> None:
        if len(content) < _HEADER.size:
            raise BTFError(f"it has {len(content)} bytes, fewer than its header")
        magic, version, _, length, types, size, strings, strings_size = _HEADER.unpack_from(content)
        if magic != MAGIC or version != 1:
            raise BTFError(f"it begins with {magic:#x}, version {version}, and not with {MAGIC:#x}, version 1")
        self._types = content[length + types : length + types + size]
        self._strings = content[length + strings : length + strings + strings_size]
        self._at = [0]  # where each type is; number 0 is void
        self._structs: dict[str, int] = {}
        place = 0
        while place + _TYPE.size <= len(self._types):
            name, info, _ = _TYPE.unpack_from(self._types, place)
            kind, parts = info >> 24 & 0x1F, info & 0xFFFF
            if not 0 < kind <= LAST_KIND:
                raise BTFError(f"type {len(self._at)} has the kind {kind}, which is not known")
            if kind == _STRUCT and parts and name:
                self._structs.setdefault(self._text(name), len(self._at))
            self._at.append(place)
            always, each = _AFTER.get(kind, (0, 0))
            place += _TYPE.size + always + each * parts

    def offset(self, structure: str, member: str) -> int:
        """Bytes from the start of a structure to a member, which may be in a structure without a name inside it.

        Raises
        ------
        BTFError
            Where there is none of that name.
        """
        if structure not in self._structs:
            raise BTFError(f"it has no struct {structure}")
        found = self._find(self._structs[structure], member, 0)
        if found is None:
            raise BTFError(f"struct {structure} has no member {member}")
        return found // 8

    def _find(self, number: int, member: str, depth: int) -> int | None:
        """The offset of a member in bits."""
        if not 0 < number < len(self._at) or depth > 8:
            return None
        place = self._at[number]
        _, info, _ = _TYPE.unpack_from(self._types, place)
        if info >> 24 & 0x1F not in (_STRUCT, _UNION):
            return None
        for part in range(info & 0xFFFF):
            at = place + _TYPE.size + part * _MEMBER.size
            if at + _MEMBER.size > len(self._types):
                raise BTFError("it is cut off")
            name, type, offset = _MEMBER.unpack_from(self._types, at)
            bits: int = offset & 0xFF_FFFF if info >> 31 else offset  # with bit-fields, their width is above
            if name and self._text(name) == member:
                return bits
            if not name and (inner := self._find(type, member, depth + 1)) is not None:
                return bits + inner
        return None

    def _text(self, offset: int) -> str:
        end = self._strings.find(b"\0", offset)
        return self._strings[offset : end if end >= 0 else None].decode("ascii", "replace")
