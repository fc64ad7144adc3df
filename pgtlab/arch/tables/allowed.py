"""What leaves allow: the classes by which a map of tables can be coloured."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pgtlab.arch.descriptor import Leaf
from pgtlab.arch.fault import Access
from pgtlab.arch.memory import U64
from pgtlab.arch.permissions import ALLOWED as PERMITTED
from pgtlab.arch.permissions import DIRECT, LeafBits, PermissionRules

READ, EXECUTE, WRITE, BOTH = range(1, 5)
#: The classes in words, by their number; 0 stands for other entries.
ALLOWED: Final = {
    READ: "read only",
    EXECUTE: "executable",
    WRITE: "writable",
    BOTH: "writable and executable",
}


def allowed(words: U64, inherited: int = 0, rules: PermissionRules = DIRECT) -> NDArray[np.uint8]:
    """The class of each leaf: what the kernel or a program may do with its memory.

    BOTH is memory that the same exception level may write and execute.

    Parameters
    ----------
    words : array of uint64
        Leaves.
    inherited : int
        Bits 62:59 of the tables above, joined by OR.
    rules : PermissionRules
        What the registers say about permissions.

    Examples
    --------
    >>> leaves = np.array([0x0068000040000F03, 0x0040000040000F83, 0x0060000040000F83, 0x703], np.uint64)
    >>> [ALLOWED[int(number)] for number in allowed(leaves)]
    ['writable', 'executable', 'read only', 'writable and executable']
    """
    bits = leaf_fields(words, inherited)
    writes, fetches = (
        [np.asarray(rules.verdict(access, el, bits)) == PERMITTED for el in (0, 1)]
        for access in (Access.WRITE, Access.FETCH)
    )
    both = writes[0] & fetches[0] | writes[1] & fetches[1]
    result = np.full(len(words), READ, np.uint8)
    result[fetches[0] | fetches[1]] = EXECUTE
    result[writes[0] | writes[1]] = WRITE
    result[both] = BOTH
    return result


def leaf_fields(words: U64, inherited: int | NDArray[np.int64] = 0) -> LeafBits:
    """The bits of each leaf that its permissions depend on, and what it inherits."""
    ap, uxn, pxn, dbm = (
        ((words & np.uint64(field.mask)) >> np.uint64(field.lo)).astype(np.int64)
        for field in (Leaf.AP, Leaf.UXN, Leaf.PXN, Leaf.DBM)
    )
    return LeafBits(ap, uxn, pxn, dbm, inherited, (words >> np.uint64(60) & np.uint64(7)).astype(np.int64))
