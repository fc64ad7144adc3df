"""Every word of a table is one kind of descriptor, and what is encoded is decoded."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtlab.arch.descriptor import Block, DescriptorError, DescriptorFormat, Invalid, Leaf, PageDescriptor, Table
from pgtlab.arch.granule import G4K, G16K, G64K
from pgtlab.arch.output_address import OutputAddress, OutputAddressError

FORMATS = [
    DescriptorFormat(G4K, OutputAddress.PLAIN),
    DescriptorFormat(G4K, OutputAddress.LPA2),
    DescriptorFormat(G16K, OutputAddress.PLAIN),
    DescriptorFormat(G16K, OutputAddress.LPA2),
    DescriptorFormat(G64K, OutputAddress.PLAIN),
    DescriptorFormat(G64K, OutputAddress.LPA),
]
# The levels with blocks, as the Arm ARM lists them (D8.3.1, table of block and page sizes).
BLOCK_LEVELS = [{1, 2}, {0, 1, 2}, {2}, {1, 2}, {2}, {1, 2}]
words = st.integers(0, (1 << 64) - 1)
formats = st.sampled_from(FORMATS)
levels = st.integers(-1, 3)


@pytest.mark.parametrize("level", range(-1, 4))
@pytest.mark.parametrize(("format", "block_levels"), list(zip(FORMATS, BLOCK_LEVELS, strict=True)))
def test_descriptor_kind(format, block_levels, level):
    kinds = [type(format.decode(bits, level)).__mro__[1] for bits in range(4)]
    table_or_page = PageDescriptor if level == 3 else Table
    assert kinds == [Invalid, Block if level in block_levels else Invalid, Invalid, table_or_page]


@given(formats, levels, words)
def test_a_word_is_kept_whole(format, level, word):
    descriptor = format.decode(word, level)
    assert int(descriptor) == word
    assert format.decode(int(descriptor), level) == descriptor
    assert pickle.loads(pickle.dumps(descriptor)) == descriptor == copy.deepcopy(descriptor)


@given(formats, st.data())
def test_a_leaf_is_decoded_as_it_was_encoded(format, data):
    level = data.draw(st.integers(format.first_block_level, 3))
    size = 1 << format.granule.level_shift(level)
    oa = size * data.draw(st.integers(0, (1 << format.packing.bits) // size - 1))
    fields = {
        field.name: data.draw(st.integers(0, (1 << field.width) - 1), label=field.name)
        for field in Leaf.fields
        if field.name not in ("VALID", "TYPE")
    }
    descriptor = format.leaf(oa, level, **fields)
    assert descriptor == format.decode(int(descriptor), level)
    assert descriptor.oa == oa
    assert {name: value for name, value in descriptor.items() if name in fields} == fields


@given(formats, st.integers(-1, 2), st.data())
def test_a_table_is_decoded_as_it_was_encoded(format, level, data):
    size = format.granule.size
    pa = size * data.draw(st.integers(0, (1 << format.packing.bits) // size - 1))
    fields = {"PXNTable": 1, "APTable": data.draw(st.integers(0, 3))}
    descriptor = format.table(pa, level, **fields)
    assert descriptor == format.decode(int(descriptor), level)
    assert (descriptor.oa, descriptor.PXNTable, descriptor.APTable) == (pa, 1, fields["APTable"])


@given(formats, levels, words)
def test_output_address_bits(format, level, word):
    descriptor = format.decode(word, level)
    if not isinstance(descriptor, Invalid):
        shift = format.granule.shift if isinstance(descriptor, Table) else format.granule.level_shift(level)
        assert descriptor.oa % (1 << shift) == 0
        assert descriptor.oa < 1 << format.packing.bits


def test_each_bit_is_named_where_the_format_has_it():
    plain, lpa2 = (DescriptorFormat(G4K, packing).page(0) for packing in (OutputAddress.PLAIN, OutputAddress.LPA2))
    assert {field.name for field in plain.fields} - {field.name for field in lpa2.fields} == {"SH"}
    assert {field.name for field in lpa2.fields} - {field.name for field in plain.fields} == {"OA_51_50"}
    block = DescriptorFormat(G64K, OutputAddress.LPA).leaf(0, 2)
    assert {field.name: field.bits for field in block.fields}["OA"] == "47:29"
    assert {field.name: field.bits for field in block.fields}["OA_51_48"] == "15:12"


@pytest.mark.parametrize(
    ("make", "error", "sentence"),
    [
        (lambda f: f.leaf(0, 0), DescriptorError, "level 0 of the 4K granule has no blocks: the nearest .* is 1"),
        (lambda f: f.leaf(0, 4), DescriptorError, "level 4 of the 4K granule has no blocks: the nearest .* is 3"),
        (lambda f: f.leaf(0x1000, 2), DescriptorError, "0x1000 is not aligned to the 0x200000 bytes .* below is 0x0"),
        (lambda f: f.page(1 << 48), OutputAddressError, "is not an output address of 48 bits"),
        (lambda f: f.table(0, 3), DescriptorError, "there is no table below level 3"),
    ],
)
def test_descriptors_that_do_not_exist_are_refused(make, error, sentence):
    with pytest.raises(error, match=sentence):
        make(FORMATS[0])
