"""Who may do what, as the Arm ARM tabulates it (D8.4), and what kind of memory a byte of MAIR_EL1 names."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtlab.arch.attributes import (
    MemoryAttributes,
    effective_memory,
    effective_shareability,
    memory_type,
)
from pgtlab.arch.fault import Access
from pgtlab.arch.permissions import ALLOWED, LeafBits, PermissionRules, inherit
from pgtlab.arch.registers import MAIR_EL1, Shareability

READ, WRITE, FETCH = Access
BITS = st.integers(0, 1)
LEAVES = st.tuples(st.integers(0, 3), BITS, BITS)
TABLES = st.integers(0, 15)


def permitted(access, el, ap, uxn, pxn, wxn):
    return PermissionRules(wxn=wxn).verdict(access, el, LeafBits(ap, uxn, pxn, dbm=0)) == ALLOWED


def rights(el, ap, uxn=0, pxn=0, wxn=0):
    return "".join(
        letter for letter, access in zip("rwx", Access, strict=True) if permitted(access, el, ap, uxn, pxn, wxn)
    )


@pytest.mark.parametrize(
    ("ap", "el1", "el0"), [(0b00, "rw", ""), (0b01, "rw", "rw"), (0b10, "r", ""), (0b11, "r", "r")]
)
def test_data_accesses(ap, el1, el0):
    assert (rights(1, ap, 1, 1), rights(0, ap, 1, 1)) == (el1, el0)


@pytest.mark.parametrize(
    ("wxn", "uxn", "pxn", "el1", "el0"),
    [
        # Whether EL1 and EL0 may execute, for AP[2:1] of 0b00, 0b01, 0b10 and 0b11.
        (0, 0, 0, "x-xx", "xxxx"),
        (0, 0, 1, "----", "xxxx"),
        (0, 1, 0, "x-xx", "----"),
        (0, 1, 1, "----", "----"),
        (1, 0, 0, "--xx", "x-xx"),
        (1, 0, 1, "----", "x-xx"),
        (1, 1, 0, "--xx", "----"),
        (1, 1, 1, "----", "----"),
    ],
)
def test_instruction_fetches(wxn, uxn, pxn, el1, el0):
    for el, expected in (1, el1), (0, el0):
        assert "".join("x" if "x" in rights(el, ap, uxn, pxn, wxn) else "-" for ap in range(4)) == expected


def test_pan_keeps_the_kernel_from_what_el0_has_access_to():
    user, kernel, execute_only = (LeafBits(ap, uxn, 1, 0) for ap, uxn in ((0b01, 1), (0b00, 1), (0b00, 0)))
    for rules, allowed in (
        (PermissionRules(pan=True), (False, True, True)),
        (PermissionRules(pan=True, epan=True), (False, True, False)),  # execute-only memory of EL0 counts too
        (PermissionRules(), (True, True, True)),
    ):
        for access in READ, WRITE:
            leaves = user, kernel, execute_only
            assert tuple(rules.verdict(access, 1, leaf) == ALLOWED for leaf in leaves) == allowed
            assert rules.verdict(access, 0, user) == ALLOWED


def test_pan_does_not_make_executable_what_wxn_forbids():
    writable = LeafBits(ap=0b00, uxn=0, pxn=0, dbm=0)
    assert PermissionRules(pan=True, epan=True, wxn=True).verdict(FETCH, 1, writable) != ALLOWED


@pytest.mark.parametrize(
    ("pir", "pire0", "por", "el1", "el0"),
    [
        (0x5, 0x0, 0x7, "rw-", "---"),
        (0x3, 0x1, 0x7, "r-x", "r--"),
        (0x3, 0x5, 0x7, "---", "---"),  # EL1 would execute what EL0 writes: nothing is allowed
        (0x9, 0x5, 0x7, "---", "---"),  # and so with a stack of EL1's
        (0x6, 0x0, 0x7, "r-x", "---"),  # writable and executable with WXN: an overlay that lets execute takes writing
        (0x6, 0x0, 0x5, "rw-", "---"),  # and one that does not, execution
        (0xE, 0x0, 0x0, "rwx", "---"),  # no overlay applies
        (0x7, 0x0, 0x4, "-w-", "---"),
        (0x7, 0x7, 0x2, "---", "---"),
        (0xC, 0xA, 0x1, "rw-", "r-x"),
    ],
)
def test_indirect_permissions_and_overlays(pir, pire0, por, el1, el0):
    """Arm ARM D8.4.2: entry 3 of each register, which the leaf chooses."""
    entry = 4 * 3
    rules = PermissionRules(
        pie=True, pir=pir << entry, pire0=pire0 << entry, poe=True, e0poe=True, por_el1=por << entry, por_el0=7 << entry
    )
    leaf = LeafBits(ap=0b01, uxn=0, pxn=0, dbm=1, po_index=3)
    assert (rules.letters(1, leaf), rules.letters(0, leaf)) == (el1, el0)


@pytest.mark.parametrize(("aptable", "el1", "el0"), [(0, "rw", "rw"), (1, "rw", ""), (2, "r", "r"), (3, "r", "")])
def test_tables_take_data_accesses_away(aptable, el1, el0):
    ap, uxn, pxn = inherit(0b01, 1, 1, aptable << 2)
    assert (rights(1, ap, uxn, pxn), rights(0, ap, uxn, pxn)) == (el1, el0)


def test_tables_take_fetches_away():
    assert [rights(el, *inherit(0b11, 0, 0, 0b0000)) for el in (1, 0)] == ["rx", "rx"]
    assert [rights(el, *inherit(0b11, 0, 0, 0b0001)) for el in (1, 0)] == ["r", "rx"]  # PXNTable
    assert [rights(el, *inherit(0b11, 0, 0, 0b0010)) for el in (1, 0)] == ["rx", "r"]  # UXNTable


def test_readonly_table_lets_el1_execute():
    assert [rights(1, *inherit(0b01, 0, 0, aptable << 2)) for aptable in (0, 1, 2)] == ["rw", "rwx", "rx"]


@given(LEAVES, TABLES)
def test_no_table_gives_a_data_access(leaf, table):
    for el in 0, 1:
        after, before = rights(el, *inherit(*leaf, table)), rights(el, *leaf)
        assert set(after) & {"r", "w"} <= set(before)


@given(LEAVES, TABLES, TABLES)
def test_attributes_of_tables_are_joined(leaf, one, other):
    assert inherit(*inherit(*leaf, one), other) == inherit(*leaf, one | other)
    assert inherit(*leaf, 0) == leaf


def test_the_rules_mean_the_same_for_arrays():
    ap, uxn, pxn, table = columns = np.array(list(product(range(4), *[range(2)] * 2, range(16)))).T
    leaves = inherit(ap, uxn, pxn, table)
    assert np.array_equal(np.array(leaves).T, [inherit(*row[:4]) for row in columns.T.tolist()])
    for access, el, wxn in product(Access, (0, 1), (0, 1)):
        found = permitted(access, el, *leaves, wxn)
        expected = [permitted(access, el, *row, wxn) for row in zip(*(leaf.tolist() for leaf in leaves), strict=True)]
        assert np.array_equal(np.broadcast_to(found, len(expected)), expected)


@pytest.mark.parametrize(
    ("attr", "words"),
    [
        (0x00, "Device-nGnRnE"),
        (0x04, "Device-nGnRE"),
        (0x08, "Device-nGRE"),
        (0x0C, "Device-GRE"),
        (0x44, "Normal Non-cacheable"),
        (0xFF, "Normal WB RWA"),
        (0xBB, "Normal WT RWA"),
        (0x33, "Normal WT transient RWA"),
        (0x77, "Normal WB transient RWA"),
        (0x4F, "Normal inner WB RWA, outer NC"),
        (0xF4, "Normal inner NC, outer WB RWA"),
        (0x40, "Normal Non-cacheable XS=0"),
        (0xA0, "Normal WT RA XS=0"),
        (0x01, "Device-nGnRnE XS=0"),
        (0x0D, "Device-GRE XS=0"),
        (0x02, "reserved 0x02"),
        (0x03, "reserved 0x03"),
        (0x10, "reserved 0x10"),
    ],
)
def test_memory_types(attr, words):
    assert memory_type(attr) == MemoryAttributes(ATTR=attr).memory_type == words


def test_every_byte_has_a_type_of_its_own():
    assert len({memory_type(attr) for attr in range(256)}) == 256


def test_only_cacheable_memory_keeps_its_shareability():
    for attr, sh in product(range(256), Shareability):
        not_cached = memory_type(attr).startswith("Normal Non-cacheable") or attr < 0x10
        assert effective_shareability(attr, sh) == (Shareability.OUTER if not_cached else sh)


@pytest.mark.parametrize("fetch", [False, True])
@pytest.mark.parametrize("cached", [False, True])
def test_non_cacheable_memory(fetch, cached):
    for attr, sh in product(range(256), range(4)):
        kind = memory_type(attr)
        unchanged = not fetch if attr < 0x10 else cached
        non_cacheable = 0x40 if kind.endswith("XS=0") else 0x44
        expected = (attr, effective_shareability(attr, sh)) if unchanged else (non_cacheable, Shareability.OUTER)
        assert effective_memory(attr, sh, fetch=fetch, cached=cached) == expected


def test_attributes_fit_the_arrays_that_hold_them():
    assert MemoryAttributes.fields[-1].hi < 16
    assert [field.width for field in MAIR_EL1.fields] == [8] * 8
