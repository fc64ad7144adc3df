"""Why a field is where it is: the registers' bits that are named say so alone."""

import re

from hypothesis import given
from hypothesis import strategies as st
from kernels import KINDS

from pgtlab.arch.registers import TG0, TG1
from pgtlab.linux.decompose import decompose
from pgtlab.linux.explain import explain

addresses = st.integers(0, (1 << 64) - 1)


@given(va=addresses, booted=st.sampled_from(KINDS))
def test_every_field_is_explained_once_by_registers_of_its_half(va, booted):
    d = decompose(va, booted)
    explained = explain(d)
    assert [(e.field, e.hi, e.lo) for e in explained] == [(what, hi, lo) for what, hi, lo, _ in d.fields]
    half = va >> 55 & 1
    for e in explained:
        assert e.decided_by
        for deciding in e.decided_by:
            assert deciding.field in (f"T{half}SZ", f"TG{half}", f"TBI{half}", "DS")
            hi, lo = deciding.bits
            assert int(booted.tcr_el1) >> lo & (1 << hi - lo + 1) - 1 == int(str(deciding).rpartition("= ")[2], 0)


@given(va=addresses, booted=st.sampled_from(KINDS))
def test_the_registers_that_are_named_suffice_to_find_the_field(va, booted):
    """Granule and size, from the bits alone, give every level's place again."""
    half = va >> 55 & 1
    for e in explain(decompose(va, booted)):
        values = {d.field: getattr(d.register, d.field) for d in e.decided_by}
        shift = {4: 12, 16: 14, 64: 16}.get(_kib(values, half), 0)
        if e.field == "offset":
            assert (e.hi, e.lo) == (shift - 1, 0)
        elif e.field in ("zeros", "ones"):
            assert e.lo == 64 - values[f"T{half}SZ"]
        elif e.field.startswith("level"):
            level = int(e.field.split()[1])
            assert e.lo == shift + (3 - level) * (shift - 3)
            assert e.hi == (64 - values[f"T{half}SZ"] - 1 if f"T{half}SZ" in values else e.lo + shift - 4)


def _kib(values, half):
    name = f"TG{half}"
    return int(re.findall(r"\d+", (TG1 if half else TG0)(values[name]).name)[0]) if name in values else 0
