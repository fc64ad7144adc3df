"""What a leaf lets EL1 and EL0 do, by all the rules that registers can choose (Arm ARM D8.4).

The rules are written with bit operations on zeros and ones. They mean the same for numbers and for arrays of numbers,
so the walk of one address and the tables that the walk of many consults come from the same lines.

Direct permissions are a leaf's AP, UXN and PXN with those of the tables above. Indirect ones (FEAT_S1PIE) are entries
of PIR_EL1 and PIRE0_EL1 that four bits of the leaf choose. An overlay (FEAT_S1POE) takes some of either away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, NamedTuple

from pgtlab.arch.fault import Access

# Which of the sixteen values of an entry of PIR_EL1 allow what, each value a bit. Those that are missing are reserved.
_READ, _WRITE, _EXECUTE = 0x57EA, 0x50E0, 0x44CC
_GCS = 1 << 9  # a guarded control stack: ordinary instructions read it, and only those of FEAT_GCS write it
_ANYTHING = 0xFFFE  # not "no access": PSTATE.PAN counts then
_OVERLAID = 0x00FF  # the values that POR_EL1 and POR_EL0 can take permissions from
_WRITE_OR_EXECUTE = 1 << 6  # writable and executable, and WXN for this entry
# The same for an entry of POR_EL1.
_OVERLAY_READ, _OVERLAY_WRITE, _OVERLAY_EXECUTE = 0x00AA, 0x00F0, 0x00CC

#: What `PermissionRules.verdict` can say.
ALLOWED, FORBIDDEN, FORBIDDEN_BY_OVERLAY, FORBIDDEN_BY_DIRTY_STATE = range(4)


class LeafBits(NamedTuple):
    """The bits of a leaf that decide what may be done with it, each a number or an array of numbers.

    `table` is bits 62:59 of the tables above, joined by OR; `po_index` is bits 62:60 of the leaf.
    """

    ap: Any
    uxn: Any
    pxn: Any
    dbm: Any
    table: Any = 0
    po_index: Any = 0


class Rights(NamedTuple):
    """What one exception level may do, as zeros and ones; `wxn` is set where writing takes execution away.

    `overlaid` is set where an overlay has a say, and then `o_read`, `o_write` and `o_execute` are what it leaves.
    """

    read: Any
    write: Any
    execute: Any
    wxn: Any
    overlaid: Any
    o_read: Any = 1
    o_write: Any = 1
    o_execute: Any = 1


@dataclass(frozen=True)
class PermissionRules:
    """All that registers say about permissions; the fields are named as in the registers.

    `hd` is dirty state by hardware, TCR.HA and HD together; `pan` is PSTATE.PAN. `epan` is SCTLR.EPAN.
    """

    hd: bool = False
    wxn: bool = False
    pan: bool = False
    epan: bool = False
    pie: bool = False
    pir: int = 0
    pire0: int = 0
    poe: bool = False
    e0poe: bool = False
    por_el1: int = 0
    por_el0: int = 0

    def verdict(self, access: Access, el: int, leaf: LeafBits) -> Any:
        """Whether the access is allowed at an exception level: `ALLOWED`, or what forbids it.

        >>> rules = PermissionRules(pan=True)
        >>> user, kernel = LeafBits(ap=0b01, uxn=0, pxn=1, dbm=0), LeafBits(ap=0b00, uxn=1, pxn=1, dbm=0)
        >>> [rules.verdict(Access.READ, 1, leaf) for leaf in (user, kernel)]
        [1, 0]
        """
        rights = self.rights(el, leaf, for_data=access is not Access.FETCH)
        if access is Access.READ:
            overlay, base = rights.o_read, rights.read
        elif access is Access.WRITE:
            overlay, base = rights.o_write, rights.write
        else:
            overlay, base = rights.o_execute, rights.execute
        by_overlay = rights.overlaid & (1 ^ overlay)
        forbidden = (1 ^ by_overlay) & (1 ^ base)
        result = by_overlay * FORBIDDEN_BY_OVERLAY + forbidden * FORBIDDEN
        if self.pie and not self.hd and access is Access.WRITE:
            # AP[2] is nDirty then: without hardware to clear it, the first write faults.
            result = result + (1 ^ by_overlay) * (1 ^ forbidden) * (leaf.ap >> 1 & 1) * FORBIDDEN_BY_DIRTY_STATE
        return result

    def rights(self, el: int, leaf: LeafBits, *, for_data: bool = True) -> Rights:
        """What an exception level may do; PSTATE.PAN counts `for_data`, not for a fetch."""
        pan = self.pan and for_data
        read, write, execute, wxn, overlaid = (self._indirect if self.pie else self._direct)(el, leaf, pan)
        if not (self.poe if el else self.e0poe):
            return Rights(read, write, execute & (1 ^ wxn), wxn, 0)
        por = self.por_el1 if el else self.por_el0
        o_read, o_write, o_execute = (
            _entries(por, values) >> leaf.po_index & 1 for values in (_OVERLAY_READ, _OVERLAY_WRITE, _OVERLAY_EXECUTE)
        )
        # With an overlay that leaves execution, WXN takes writing away instead.
        takes_write = overlaid & wxn & o_execute
        execute = execute & (1 ^ (wxn & (1 ^ takes_write)))
        return Rights(read, write, execute, wxn, overlaid, o_read, o_write & (1 ^ takes_write), o_execute)

    def allowed(self, el: int, leaf: LeafBits) -> Any:
        """What an exception level may do: 4 to read, 2 to write, 1 to execute, added up.

        >>> PermissionRules().allowed(1, LeafBits(ap=0b01, uxn=0, pxn=0, dbm=0))
        6
        """
        data, fetch = self.rights(el, leaf), self.rights(el, leaf, for_data=False)
        pairs = (data.read, data.o_read), (data.write, data.o_write), (fetch.execute, fetch.o_execute)
        read, write, execute = (base & (1 ^ (data.overlaid & (1 ^ overlay))) for base, overlay in pairs)
        return read << 2 | write << 1 | execute

    def letters(self, el: int, leaf: LeafBits) -> str:
        """What an exception level may do, as `rwx`, PSTATE.PAN left out.

        >>> PermissionRules().letters(0, LeafBits(ap=0b11, uxn=0, pxn=1, dbm=0))
        'r-x'
        """
        allowed = replace(self, pan=False).allowed(el, leaf)
        return "".join(letter if allowed & bit else "-" for letter, bit in (("r", 4), ("w", 2), ("x", 1)))

    def is_stack(self, el: int, leaf: LeafBits) -> bool:
        """Whether a leaf is a guarded control stack of an exception level (FEAT_GCS), by its entry of PIR_EL1."""
        entry = (self.pir if el else self.pire0) >> 4 * pi_index(leaf) & 0xF
        return self.pie and bool(_GCS >> entry & 1)

    def _direct(self, el: int, leaf: LeafBits, pan: bool) -> tuple[Any, Any, Any, Any, Any]:
        """By AP, UXN and PXN, of the leaf and of the tables above."""
        ap, uxn, pxn = inherit(leaf.ap & ~(leaf.dbm << 1) if self.hd else leaf.ap, leaf.uxn, leaf.pxn, leaf.table)
        user, writable = ap & 1, 1 ^ (ap >> 1 & 1)
        if el:
            execute = 1 ^ (pxn | (user & writable))
            kept_out = (user | (int(self.epan) & (1 ^ uxn))) if pan else 0
            read, write = 1 ^ kept_out, writable & (1 ^ kept_out)
        else:
            read, write, execute = user, user & writable, 1 ^ uxn
        return read, write, execute, int(self.wxn) & write & execute, 1

    def _indirect(self, el: int, leaf: LeafBits, pan: bool) -> tuple[Any, Any, Any, Any, Any]:
        """By entries of PIR_EL1 and PIRE0_EL1."""
        index, mine = pi_index(leaf), self.pir if el else self.pire0
        # Nothing that EL0 can write is executable at EL1, or a stack that EL1 trusts: such entries allow nothing.
        conflict = _entries(self.pir, _EXECUTE | _GCS) & _entries(self.pire0, _WRITE | _GCS)
        kept_out = _entries(self.pire0, _ANYTHING) if pan and el else 0
        read, write, execute, overlaid, wxn = (
            entries >> index & 1
            for entries in (
                _entries(mine, _READ) & ~conflict & ~kept_out,
                _entries(mine, _WRITE) & ~conflict & ~kept_out,
                _entries(mine, _EXECUTE) & ~conflict,
                _entries(mine, _OVERLAID),
                _entries(mine, _WRITE_OR_EXECUTE),
            )
        )
        return read, write, execute, wxn, overlaid


@lru_cache(maxsize=256)
def _entries(register: int, values: int) -> int:
    """The entries of a permission register that have one of `values`, each entry a bit and each value a bit."""
    return sum((values >> (register >> 4 * entry & 0xF) & 1) << entry for entry in range(16))


DIRECT: Final = PermissionRules()


def pi_index(leaf: LeafBits) -> Any:
    """PIIndex of a leaf: the bits of UXN, PXN, DBM and AP[1], highest first.

    >>> pi_index(LeafBits(ap=0b01, uxn=1, pxn=0, dbm=1))
    11
    """
    return leaf.uxn << 3 | leaf.pxn << 2 | leaf.dbm << 1 | leaf.ap & 1


def inherit(ap: Any, uxn: Any, pxn: Any, table: Any) -> tuple[Any, Any, Any]:
    """AP, UXN and PXN of a leaf below tables whose bits 62:59, joined by OR, are `table`.

    APTable[0] takes EL0's access away, which is to clear AP[1]; APTable[1] forbids writes, which is to set AP[2].

    >>> inherit(0b01, 0, 0, 0b0100), inherit(0b01, 0, 0, 0b1010)
    ((0, 0, 0), (3, 1, 0))
    """
    return (ap & ~(table >> 2 & 1)) | (table >> 3 & 1) << 1, uxn | (table >> 1 & 1), pxn | (table & 1)
