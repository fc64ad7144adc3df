"""Where a descriptor keeps its output address: against what QEMU's `AT` made of real descriptors."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtlab.arch.granule import G4K, G16K, G64K, Granule
from pgtlab.arch.output_address import OutputAddress, OutputAddressError

RECORDED = json.loads((Path(__file__).parents[1] / "data/mmu/output_addresses.json").read_text())["rows"]
PACKINGS = [(OutputAddress.PLAIN, 48, 12), (OutputAddress.LPA, 52, 16), (OutputAddress.LPA2, 52, 12)]


def test_which_packing_is_in_force():
    of = OutputAddress.of
    assert of(G4K, ds=False, pa_bits=48) is of(G16K, ds=False, pa_bits=48) is of(G64K, ds=False, pa_bits=48)
    assert of(G4K, ds=False, pa_bits=52) is OutputAddress.PLAIN  # 52-bit addresses need DS with a small granule
    assert of(G4K, ds=True, pa_bits=52) is of(G16K, ds=True, pa_bits=52) is OutputAddress.LPA2
    assert of(G64K, ds=False, pa_bits=52) is of(G64K, ds=True, pa_bits=52) is OutputAddress.LPA


@pytest.mark.parametrize("row", RECORDED, ids=lambda row: f"{1 << row[0] - 10}K DS={row[1]} level {row[2]} {row[4]}")
def test_a_real_mmu_finds_the_same_address(row):
    shift, ds, _, low_bit, descriptor, offset, pa = (int(x, 16) if isinstance(x, str) else x for x in row)
    packing = OutputAddress.of(Granule(shift), ds=bool(ds), pa_bits=52)
    assert packing.unpack(descriptor, low_bit) | offset == pa


@pytest.mark.parametrize(("packing", "bits", "low_bit"), PACKINGS, ids=lambda p: getattr(p, "name", p))
@given(data=st.data())
def test_packing_and_unpacking_are_inverse(packing, bits, low_bit, data):
    pa = data.draw(st.integers(0, (1 << bits - low_bit) - 1)) << low_bit
    packed = packing.pack(pa)
    assert packing.unpack(packed, low_bit) == pa
    attributes = data.draw(st.integers(0, (1 << 64) - 1)) & ~packing.pack((1 << bits) - (1 << low_bit))
    assert packing.unpack(packed | attributes, low_bit) == pa  # no attribute is taken for address


@pytest.mark.parametrize(("packing", "bits", "low_bit"), PACKINGS, ids=lambda p: getattr(p, "name", p))
def test_output_address_does_not_overlap_the_type(packing, bits, low_bit):
    highest = (1 << bits) - (1 << low_bit)
    assert packing.pack(highest) & 0b11 == 0
    assert packing.pack(highest).bit_count() == bits - low_bit  # each address bit has a place of its own


@pytest.mark.parametrize(("packing", "bits", "low_bit"), PACKINGS, ids=lambda p: getattr(p, "name", p))
@given(data=st.data())
def test_output_addresses_that_do_not_fit_are_refused(packing, bits, low_bit, data):
    pa = data.draw(
        st.one_of(
            st.integers(max_value=-1),
            st.integers(min_value=1 << bits, max_value=(1 << 64) - 1),
            st.integers(0, (1 << bits) - 1).filter(lambda pa: pa % (1 << low_bit)),
        )
    )
    with pytest.raises(OutputAddressError, match=f"{pa:#x} .*{bits} bits") as refused:
        packing.pack(pa)
    packing.pack(int(str(refused.value).rsplit(" ", 1)[1], 16))  # the nearest address that it names does fit
