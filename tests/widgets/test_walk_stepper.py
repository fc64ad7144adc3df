"""The walk stepper's Python side."""

import pytest
from pgtlab_widgets import WalkStepper

from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import TCR_EL1
from pgtlab.linux.image import Image


def test_it_steps_forward_and_back_and_stops_at_both_ends():
    stepper = WalkStepper()
    assert "TTBR0_EL1 says where the first table is, of level 0" in stepper.view["told"]
    for step in range(1, 7):
        stepper.receive({"forward": True})
        assert stepper.step == min(step, 5)
    assert stepper.view["told"].startswith("PA 0x")
    assert stepper.view["word"] is None
    stepper.receive({"back": True})
    assert stepper.view["told"] == str(stepper.walk.steps[-1])
    assert stepper.view["word"]["title"].startswith("Page = ")
    for _ in range(9):
        stepper.receive({"back": True})
    assert stepper.step == 0


@pytest.mark.parametrize(
    "kernel", [("4k", 48, "max"), ("16k", 52, "max,lpa2=off"), ("64k", 42, "a64fx"), ("4k", 52, "max")]
)
def test_each_preset_ends_as_its_name_says(kernel):
    page_size, va_bits, cpu = kernel
    stepper = WalkStepper(page_size=page_size, va_bits=va_bits, cpu=cpu)
    ends = {}
    for name in stepper.view["presets"]:
        stepper.receive({"preset": name})
        ends[name] = str(stepper.walk.outcome)
        assert stepper.step == stepper.last
    assert ends["a page of the process"].startswith("PA 0x")
    assert "level 3 permission fault" in ends["a write to a page that is read-only"]
    assert "level 3 translation fault" in ends["a page that is not mapped"]
    assert "translation fault" in ends["NULL"]
    assert ends["the linear map"].startswith("PA 0x4000")
    assert "fault" in ends["the linear map, from user space"]
    assert "the address is outside the range" in ends["not canonical"]


def test_a_bad_address_is_told_and_nothing_is_walked():
    stepper = WalkStepper()
    before = stepper.walk
    stepper.receive({"address": "0xzz"})
    assert "'0xzz'" in stepper.view["address"]["error"]
    assert stepper.walk is before
    stepper.receive({"address": "PAGE_OFFSET"})
    assert stepper.view["address"]["error"] == ""
    assert stepper.walk.va_range.upper


def test_it_walks_any_mmu_and_the_image_of_a_real_kernel():
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=16))
    mapper.map_range(0x1000, 0x4000_0000, 0x1000)
    stepper = WalkStepper(mapper.mmu, 0x1234, el=1)
    assert stepper.walk.outcome.pa == 0x4000_0234
    assert (stepper.lookups, stepper.view["presets"], stepper.view["choices"]) == ((), [], [])
    image = Image.open("tests/data/kernel/ptdump/16k-va52-max")
    stepper = WalkStepper(image, 0xFFFF_C000_8000_0000, el=1)
    assert stepper.walk.outcome.pa == 0x4020_0000
    assert stepper.boot.vabits_actual == 52


def test_a_kernel_that_does_not_boot_shows_why():
    stepper = WalkStepper(page_size="16k", va_bits=48)
    stepper.cpu = "cortex-a72"
    assert stepper.view["picture"] is None
    assert "no 16K granule" in stepper.text()
    stepper.cpu = "max"
    assert stepper.walk is not None
