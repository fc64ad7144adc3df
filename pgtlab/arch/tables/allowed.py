"""What leaves allow: the classes by which a map of tables can be coloured."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pgtlab.arch.attributes import inherit, permitted
from pgtlab.arch.descriptor import Leaf
from pgtlab.arch.fault import Access
from pgtlab.arch.memory import U64

READ, EXECUTE, WRITE, BOTH = range(1, 5)
#: The classes in words, by their number; 0 stands for other entries.
ALLOWED: Final = {
    READ: "read only",
    EXECUTE: "executable",
    WRITE: "writable",
    BOTH: "writable and executable",
}


def allowed(words: U64, inherited: int = 0, wxn: int = 0) -> NDArray[np.uint8]:
    """The class of each leaf: what the kernel or a program may do with its memory.

    BOTH is memory that the same exception level may write and execute.

    Parameters
    ----------
    words : array of uint64
        Leaves.
    inherited : int
        Bits 62:59 of the tables above, joined by OR.
    wxn : int
        SCTLR_EL1.WXN.

    Examples
    --------
    >>> leaves = np.array([0x0068000040000F03, 0x0040000040000F83, 0x0060000040000F83, 0x703], np.uint64)
    >>> [ALLOWED[int(number)] for number in allowed(leaves)]
    ['writable', 'executable', 'read only', 'writable and executable']
    """
    ap, uxn, pxn = (
        ((words >> np.uint64(field.lo)) & np.uint64((1 << field.hi - field.lo + 1) - 1)).astype(np.int64)
        for field in (Leaf.AP, Leaf.UXN, Leaf.PXN)
    )
    bits = inherit(ap, uxn, pxn, inherited)  # type: ignore[arg-type]
    writes, fetches = (
        [np.asarray(permitted(access, el, *bits, wxn)) != 0 for el in (0, 1)] for access in (Access.WRITE, Access.FETCH)
    )
    both = writes[0] & fetches[0] | writes[1] & fetches[1]
    result = np.full(len(words), READ, np.uint8)
    result[fetches[0] | fetches[1]] = EXECUTE
    result[writes[0] | writes[1]] = WRITE
    result[both] = BOTH
    return result
