"""The small machine of the course's first chapters: isolation, sharing, and the tables that mapping makes."""

from pgtlab.arch.fault import Fault
from pgtlab.arch.walk import Translation
from pgtlab.lab.machine import Machine


def test_two_processes_have_two_values_at_one_address():
    machine = Machine()
    a, b = machine.process("a"), machine.process("b")
    for process, value in ((a, 42), (b, 7)):
        process.map(0x40_0000, machine.frame())
        process.write(0x40_0010, value)
    assert (a.read(0x40_0010), b.read(0x40_0010)) == (42, 7)


def test_a_shared_frame_has_one_value():
    machine = Machine()
    a, b = machine.process("a"), machine.process("b")
    frame = machine.frame()
    a.map(0x40_0000, frame)
    b.map(0x7F_0000_0000, frame)
    b.write(0x7F_0000_0010, 1234)
    assert a.read(0x40_0010) == machine.ram(frame + 0x10) == 1234


def test_a_process_cannot_reach_the_frame_of_another():
    machine = Machine()
    a, b = machine.process("a"), machine.process("b")
    frame = machine.frame()
    a.map(0x40_0000, frame)
    assert isinstance(b.read(frame), Fault)
    assert isinstance(b.read(0x40_0000), Fault)


def test_a_read_only_page_is_read_and_not_written():
    process = Machine().process("a")
    process.map(0x40_0000, 0x8000_0000, AP=3)
    assert process.read(0x40_0000) == 0
    assert str(process.write(0x40_0000, 1)) == "level 3 permission fault: the permissions forbid the access"
    assert process.machine.ram(0x8000_0000) == 0


def test_one_page_takes_a_table_at_each_level():
    for granule, bits, levels in (("4k", 48, 4), ("4k", 39, 3), ("16k", 47, 3), ("64k", 42, 2)):
        process = Machine(granule, bits).process("a")
        process.map(1 << 30, 0x8000_0000)
        assert [table.level for table in process.tables] == list(range(4 - levels, 4))


def test_blocks_are_one_level_higher():
    process = Machine().process("a")
    process.map(0x4000_0000, 0x8000_0000, count=512, blocks=True)
    outcome = process.walk(0x4012_3456).outcome
    assert isinstance(outcome, Translation)
    assert (outcome.pa, outcome.level) == (0x8012_3456, 2)


def test_unmapping_frees_the_frame_and_keeps_the_page_of_others():
    machine = Machine()
    a, b = machine.process("a"), machine.process("b")
    frame = machine.frame()
    a.map(0x40_0000, frame)
    b.map(0x40_0000, frame)
    a.unmap(0x40_0000)
    assert a.pages == {}
    assert b.pages == {0x40_0000: frame}


def test_the_pictures_name_what_is_there():
    machine = Machine()
    process = machine.process("a")
    process.map(0x40_0000, machine.frame())
    assert "frame 0x80000000" in str(machine)
    assert "1 page in 1 frame of 4 KiB" in machine._repr_mimebundle_()["text/html"]
    assert "The tables of process a: 4 tables" in process._repr_mimebundle_()["text/html"]
