"""The kernel's stack: frames and local variables as the procedure call standard (AAPCS64) has them."""

import pytest

from pgtlab.linux.kernel.stack import PT_REGS, SAVED, Stack

END = 0xFFFF_8000_8008_0000


def stack(*calls: str) -> Stack:
    return Stack(calls, inline={"inlined"}, leaf={"leaf"}, end=END)


def test_the_stack_pointer_is_a_multiple_of_16_whatever_is_on_the_stack():
    """AAPCS64, 6.4.5.1: SP mod 16 = 0."""
    running = stack("outer", "inner")
    for size in range(1, 100):
        before = running.sp
        start = running.alloca(size)
        assert running.sp % 16 == start % 16 == 0
        assert size <= before - running.sp < size + 16  # room for it, and no more than the alignment asks for


def test_local_variables_are_between_the_saved_registers_and_the_frame_of_the_caller():
    """The frame record (x29 and x30) and x19 to x28 are at its bottom: 12 registers of 8 bytes."""
    running = stack("outer", "inner")
    caller = stack("outer").sp
    assert running.sp == caller - 96
    start = running.alloca(64)  # of a struct page
    assert (start, start + 64) == (running.sp + 96, caller)


def test_only_real_frames_take_room():
    assert stack("outer").sp == END - PT_REGS - SAVED
    assert stack("outer", "inlined", "leaf").sp == stack("outer").sp
    assert stack("outer", "inner").sp == stack("outer").sp - SAVED


@pytest.mark.parametrize("size", [8, 64, 100])
def test_a_stack_that_was_moved_has_the_variable_where_it_is_wanted(size):
    running = stack("outer", "inner")
    assert running.alloca(size, at=0xFFFF_8000_8007_B950) == 0xFFFF_8000_8007_B950


def test_an_unwinder_misses_the_caller_of_a_leaf():
    """Its return address is only in x30."""
    assert stack("a", "b", "c").unwind() == ("c", "b", "a")
    assert stack("a", "b", "inlined", "leaf").unwind() == ("leaf", "a")
    assert stack("a", "b", "inlined", "leaf").functions() == ("leaf", "b", "a")
