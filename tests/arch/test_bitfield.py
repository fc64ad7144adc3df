"""Bit-fields: declared once, checked when declared and when written, and never changed in place."""

import copy
import inspect
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtlab.arch import registers
from pgtlab.arch.bitfield import BitFields, Field, FieldError
from pgtlab.arch.registers import TCR_EL1, PARange

REGISTERS = [
    value
    for name, value in inspect.getmembers(registers, inspect.isclass)
    if issubclass(value, BitFields) and value is not BitFields and not name.startswith("_")
]
WORDS = st.integers(0, (1 << 64) - 1)


def test_a_field_is_the_bits_that_it_names():
    class Word(BitFields):
        LOW = Field(3, 0)
        ONE = Field(17)
        TOP = Field(63, 60)

    word = Word(0xA000_0000_0002_0005)
    assert (word.LOW, word.ONE, word.TOP) == (5, 1, 0xA)
    assert [field.bits for field in Word.fields] == ["3:0", "17", "63:60"]
    assert Word.TOP.mask == 0xF000_0000_0000_0000


@pytest.mark.parametrize("second", [Field(3, 0), Field(2), Field(4), Field(9, 2), Field(11, 8), Field(63, 0)])
def test_overlapping_fields_are_rejected(second):
    with pytest.raises(FieldError, match=r"Word: \w+\[[\d:]+\] overlaps \w+\[[\d:]+\]"):
        type("Word", (BitFields,), {"FIRST": Field(8, 2), "SECOND": second})


def test_subclass_may_not_overlap_its_base():
    with pytest.raises(FieldError, match="overlaps"):
        type("Word", (TCR_EL1,), {"EXTRA": Field(59, 57)})


@pytest.mark.parametrize(("hi", "lo"), [(64, 60), (3, 4), (5, -1), (64, 64)])
def test_a_range_is_inside_the_word_and_highest_first(hi, lo):
    with pytest.raises(FieldError, match="not a range inside 63:0"):
        Field(hi, lo)


@given(st.data())
def test_a_value_that_does_not_fit_is_refused_and_named(data):
    register = data.draw(st.sampled_from(REGISTERS))
    field = data.draw(st.sampled_from(register.fields))
    value = data.draw(st.one_of(st.integers(max_value=-1), st.integers(min_value=1 << field.width)))
    with pytest.raises(
        FieldError, match=rf"{field.name}=.*does not fit in bits {field.bits}: at most {field.mask >> field.lo:#x}$"
    ):
        register(**{field.name: value})


@pytest.mark.parametrize("value", [16.0, "16", None])
def test_values_must_be_integers(value):
    with pytest.raises(TypeError):
        TCR_EL1(T0SZ=value)


@pytest.mark.parametrize("word", [-1, 1 << 64])
def test_a_register_holds_64_bits(word):
    with pytest.raises(FieldError, match="64 bits"):
        TCR_EL1(word)


def test_an_unknown_field_is_refused_with_those_there_are():
    with pytest.raises(FieldError, match=r"TCR_EL1 has no field T2SZ; it has T0SZ, EPD0"):
        TCR_EL1(T2SZ=1)


@pytest.mark.parametrize("register", REGISTERS)
@settings(max_examples=30)
@given(word=WORDS)
def test_decoding_and_encoding_are_inverse(register, word):
    decoded = register(word)
    fields = dict(decoded.items())
    named = sum(field.mask for field in register.fields)
    assert register(**fields).value == word & named  # fields are all that is needed for the bits with a name
    assert register(word & ~named, **fields).value == word  # and the others are kept as they are
    assert all(int(getattr(decoded, name)) == int(value) for name, value in fields.items())


@pytest.mark.parametrize("register", REGISTERS)
@settings(max_examples=30)
@given(word=WORDS, data=st.data())
def test_replacing_one_field_leaves_the_others(register, word, data):
    field = data.draw(st.sampled_from(register.fields))
    value = data.draw(st.integers(0, (1 << field.width) - 1))
    before, after = register(word), register(word).replace(**{field.name: value})
    assert int(getattr(after, field.name)) == value
    assert (before.value ^ after.value) & ~field.mask == 0


def test_enum_values_have_names_and_reserved_ones_are_numbers():
    assert TCR_EL1(IPS=6).IPS is PARange.PA52
    reserved = TCR_EL1(IPS=7).IPS
    assert reserved == 7
    assert not isinstance(reserved, PARange)


def test_a_word_does_not_change():
    word = TCR_EL1(T0SZ=16)
    for change in (
        lambda: setattr(word, "T0SZ", 17),
        lambda: setattr(word, "value", 17),
        lambda: setattr(word, "anything", 17),
    ):
        with pytest.raises(AttributeError, match=r"use \.replace"):
            change()
    assert word == TCR_EL1(16)
    assert {word: "as a key"}[TCR_EL1(16)] == "as a key"


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda word: pickle.loads(pickle.dumps(word))])
def test_a_copy_is_the_same_value(clone):
    assert clone(TCR_EL1(0x1234)) == TCR_EL1(0x1234)


def test_registers_of_different_kinds_differ():
    assert registers.TTBR0_EL1(0x1000) != registers.TTBR1_EL1(0x1000)


def test_the_repr_names_what_is_set():
    assert repr(TCR_EL1(T0SZ=16, IPS=5)) == "TCR_EL1(0x500000010: IPS=PA48 T0SZ=0x10)"
    assert repr(TCR_EL1()) == "TCR_EL1(0x0)"
