"""The walk stepper's Python side."""

import dataclasses
import json
from pathlib import Path

import pytest
from pgtlab_widgets import Explorer, WalkStepper

from pgtlab.arch.fault import Fault
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import TCR_EL1
from pgtlab.cli.vectors import Vectors
from pgtlab.lab.bugs.address_space import map_page
from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.image import Image
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel


def send(view, **message):
    """What the browser does: a message."""
    view._on_message(view, message, [])


# Stepping


def test_steps_forward_and_back():
    stepper = WalkStepper()
    assert stepper.step == 1
    assert stepper.view["status"].startswith("Level 0: bits 47:39 of the address choose entry")
    for step in range(2, 8):
        send(stepper, by=1)
        assert stepper.view["step"] == stepper.step == min(step, 5)
    assert stepper.view["status"].startswith("PA 0x")
    send(stepper, by=-1)
    assert stepper.view["status"].startswith("Level 3: bits 20:12 of the address choose entry")
    for _ in range(9):
        send(stepper, by=-1)
    assert stepper.step == 0
    assert stepper.view["status"].startswith("Bit 55 is 0: TTBR0_EL1 has the level 0 table")
    stepper.step = 99
    assert stepper.step == stepper.last


def rows(stepper):
    return {name: (digits, meaning) for _, name, digits, meaning in stepper.view["word"]["rows"]}


def test_word_of_each_step():
    stepper = WalkStepper()
    names = []
    for step in range(stepper.last + 1):
        stepper.step = step
        names.append(stepper.view["word"]["name"])
    assert names == ["TTBR0_EL1", "Table", "Table", "Table", "Page", "PAR_EL1"]
    stepper.step = 4
    assert stepper.view["word"]["digits"].replace(" ", "") == f"{stepper.walk.steps[3].descriptor.value:016x}"
    assert rows(stepper)["AF"] == ("1", "accessed: PTE_AF")
    send(stepper, **{"try": "write to a read-only page"})
    assert rows(stepper)["DFSC"][1] == "Permission fault, level 3."
    assert rows(stepper)["WnR"][1] == "Abort caused by writing to memory"


# Changed entries


def test_changed_entry_is_walked_again():
    stepper = WalkStepper(cpu="cortex-a72")  # which has no hardware that sets AF
    stepper.step = 4
    pa = stepper.walk.outcome.pa
    send(stepper, edit="set AF = 0")
    assert stepper.step == 4
    assert rows(stepper)["AF"][0] == "0"
    assert "access flag fault" in str(stepper.walk.outcome)
    assert stepper.lookups[-1].value == stepper.walk.steps[-1].descriptor.value
    assert stepper.view["undo"] == "set AF = 0"
    stepper.step = 3
    send(stepper, edit="make it a block")  # with the attributes of the page
    assert "level 2 access flag fault" in str(stepper.walk.outcome)
    send(stepper, edit="set AF = 1")
    assert stepper.walk.outcome.pa == pa & -(2 << 20) | stepper.walk.va & (2 << 20) - 1
    assert stepper.step == 3
    assert stepper.view["word"]["name"] == "Block"
    for _ in range(3):
        send(stepper, undo=True)
    assert stepper.walk.outcome.pa == pa
    assert stepper.view["undo"] == ""


@pytest.mark.parametrize(
    ("step", "edit", "outcome"),
    [
        (2, "clear bit 0", "level 1 translation fault"),
        (3, "make all below it read-only", "level 3 permission fault"),
        (4, "make it read-only", "level 3 permission fault"),
        (4, "keep EL0 out", "level 3 permission fault"),
    ],
)
def test_what_a_change_does_to_a_write(step, edit, outcome):
    stepper = WalkStepper(access="WRITE")
    assert not isinstance(stepper.walk.outcome, Fault)
    stepper.step = step
    stepper.edit(edit)
    assert outcome in str(stepper.walk.outcome)


def test_change_stays_in_its_view():
    stepper, other = WalkStepper(), WalkStepper()
    stepper.edit("clear bit 0")
    other.el = 1
    assert not isinstance(other.walk.outcome, Fault)
    assert isinstance(stepper.walk.outcome, Fault)
    stepper.choose(page_size="16k")
    assert not isinstance(stepper.walk.outcome, Fault)


def test_impossible_change_is_refused():
    with pytest.raises(ValueError, match="'set AF = 0' cannot be done at step 1: choose from clear bit 0"):
        WalkStepper().edit("set AF = 0")
    stepper = WalkStepper()
    stepper.step = 0
    with pytest.raises(ValueError, match="no entry is read at this step"):
        stepper.edit("clear bit 0")


def test_image_is_changed_in_the_view_only():
    image = Image.open("tests/data/kernel/ptdump/4k-va48-max")
    stepper = WalkStepper(image)
    stepper.edit("clear bit 0")
    assert "level 0 translation fault" in str(stepper.walk.outcome)
    assert not isinstance(WalkStepper(image).walk.outcome, Fault)


# What is chosen


def test_trials_are_grouped_by_their_outcome():
    groups = {
        group["label"]: [option["label"] for option in group["options"]] for group in WalkStepper().view["trials"]
    }
    assert list(groups) == ["Maps", "Faults at a level", "Permission", "Not canonical"]
    assert groups["Permission"] == ["write to a read-only page"]
    assert "access flag clear" in groups["Maps"]  # hardware sets it
    groups = {group["label"]: group["options"] for group in WalkStepper(cpu="cortex-a72").view["trials"]}
    assert "access flag clear" in [option["label"] for option in groups["Permission"]]


def test_share_string_of_the_explorer():
    share = Explorer("16k", 52, "max,lpa2=off", "VMEMMAP_START").share
    stepper = WalkStepper()
    send(stepper, address=share)
    assert stepper.view["address"]["error"] == ""
    assert (stepper.boot.vabits_actual, stepper.address, stepper.el) == (47, "VMEMMAP_START", 1)
    assert stepper.walk.va_range.start_level == 1
    before = stepper.walk
    send(stepper, address="pgtlab://16k/52/lpa3/0")
    assert "lpa3" in stepper.view["address"]["error"]
    assert stepper.walk is before
    given = WalkStepper(Image.open("tests/data/kernel/ptdump/4k-va48-max"))
    send(given, address="pgtlab://4k/48/lpa2/KIMAGE_VADDR + 0x1000")
    assert given.walk.va == given.boot.constants.KIMAGE_VADDR + 0x1000


def test_other_kernel_repeats_the_trial():
    stepper = WalkStepper(page_size="16k", va_bits=52)
    send(stepper, choose={"cpu": "max,lpa2=off"})
    assert not isinstance(stepper.walk.outcome, Fault)
    stepper = WalkStepper()
    send(stepper, **{"try": "access flag clear"})
    assert "hardware writes AF = 0x1" in stepper.view["status"]
    send(stepper, choose={"cpu": "cortex-a72"})  # which has no hardware that sets it
    assert stepper.step == stepper.last
    assert "Level 3 access flag fault" in stepper.view["status"]
    stepper.step = 2
    send(stepper, choose={"cpu": "max"})
    assert stepper.step == 2
    selected = [option for group in stepper.view["trials"] for option in group["options"] if option["selected"]]
    assert [option["label"] for option in selected] == ["access flag clear"]


def test_typed_address_is_kept_while_its_names_exist():
    stepper = WalkStepper(address="PAGE_OFFSET + PUD_SIZE", el=1)
    stepper.cpu = "cortex-a72"
    assert stepper.address == "PAGE_OFFSET + PUD_SIZE"
    stepper.choose(page_size="64k", va_bits=42)
    assert stepper.walk is not None


def test_access_and_exception_level():
    stepper = WalkStepper()
    assert not isinstance(stepper.walk.outcome, Fault)
    send(stepper, access="FETCH")
    assert "permission fault" in str(stepper.walk.outcome)
    send(stepper, access="READ")
    send(stepper, el=1)
    assert not isinstance(stepper.walk.outcome, Fault)
    assert stepper.view["els"][1]["selected"]


def test_bad_address_is_not_walked():
    stepper = WalkStepper()
    before = stepper.walk
    send(stepper, address="0xzz")
    assert "'0xzz'" in stepper.view["address"]["error"]
    assert stepper.walk is before
    send(stepper, address="PAGE_OFFSET")
    assert stepper.view["address"]["error"] == ""
    assert stepper.walk.va_range.upper
    with pytest.raises(ValueError, match="0xzz"):
        stepper.address = "0xzz"


def test_impossible_trial_says_why():
    stepper = WalkStepper()
    with pytest.raises(ValueError, match=r"address too large: TCR_EL1\.IPS allows 48 bits"):
        stepper.try_out("address too large")
    with pytest.raises(ValueError, match="'luck' is not a trial; choose from mapped, "):
        stepper.try_out("luck")
    send(stepper, **{"try": "luck"})
    assert "luck" in stepper.view["failed"]


def test_mmu_source():
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=16))
    mapper.map_range(0x1000, 0x4000_0000, 0x1000)
    stepper = WalkStepper(mapper.mmu, 0x1234, el=1)
    assert stepper.walk.outcome.pa == 0x4000_0234
    assert (stepper.lookups, stepper.view["choices"], stepper.view["address"]["names"]) == ((), [], [])


def test_image_source():
    stepper = WalkStepper(Image.open("tests/data/kernel/ptdump/16k-va52-max"), "KIMAGE_VADDR")
    assert (stepper.el, stepper.walk.outcome.pa) == (1, 0x4020_0000)
    assert stepper.view["choices"] == []
    assert stepper.boot.vabits_actual == 52
    assert stepper.lookups[-1].value == stepper.walk.steps[-1].descriptor.value


def test_kernel_source_with_an_mm():
    k = Kernel(boot(Config("4k", 39), CPU.named("cortex-a72")))
    mm = k.mm_alloc()
    map_page(k, mm, 0x1000, 0x40123)
    stepper = WalkStepper(k, 0x1000, mm=mm)
    assert stepper.walk.outcome.pa == 0x4012_3000
    assert [lookup.level for lookup in stepper.lookups] == ["pgd", "p4d", "pud", "pmd", "pte"]
    assert "level 1 translation fault" in str(WalkStepper(k, 0x1000).walk.outcome)


def test_source_without_tables_is_refused():
    with pytest.raises(ValueError, match="'tables' has no tables to walk"):
        WalkStepper("tables")


def test_address_missing_from_an_image_shows_error():
    image = Image.open("tests/data/kernel/ptdump/4k-va48-max")
    unknown = dataclasses.replace(image, registers={n: v for n, v in image.registers.items() if n != "TTBR0_EL1"})
    stepper = WalkStepper(unknown, "KIMAGE_VADDR")
    before = stepper.walk
    send(stepper, address="0x1000")
    assert "does not say where the tables of the process are" in stepper.view["address"]["error"]
    assert stepper.walk is before


# What is shown


def test_kernel_that_does_not_boot_shows_why():
    stepper = WalkStepper(page_size="16k", va_bits=48)
    stepper.cpu = "cortex-a72"
    assert stepper.view["picture"] is None
    assert "no 16K granule" in stepper.text()
    stepper.cpu = "max"
    assert stepper.walk is not None


def test_view_is_small_plain_data():
    stepper = WalkStepper(va_bits=52)
    stepper.step = stepper.last
    sent = json.dumps(stepper.view)
    assert json.loads(sent) == stepper.view
    assert len(sent) < 50_000


def test_text_has_both_walks():
    text = WalkStepper().text()
    assert "level 0  0x" in text
    assert "pte_offset_kernel(pmdp, addr) -> 0x" in text


def test_the_functions_of_arms_pseudocode_are_named():
    stepper = WalkStepper()
    stepper.try_out("write to a read-only page")
    assert stepper.drawn()["pseudocode"] == "Arm's pseudocode (Arm ARM J1.3): AArch64.S1CheckPermissions"
    stepper.step = 1
    assert "AArch64.S1SLTTEntryAddress, FetchDescriptor" in stepper.drawn()["pseudocode"]
    stepper.step = 0
    assert "AArch64.S1TTBaseAddress" in stepper.drawn()["pseudocode"]
    assert WalkStepper(quiz=True).drawn()["pseudocode"] == ""


def test_a_host_and_a_guest_are_walked():
    host = mmu_of_specification("el20")
    stepper = WalkStepper(host, 0, el=1)
    assert [option["label"] for option in stepper.drawn()["els"]] == ["EL0", "EL2"]
    assert stepper.walk.el == 2
    guest = mmu_of_specification("s2")
    va = next(va for va in (0, 1 << 20, 1 << 30, guest.upper.first) if guest.translate(va).steps)
    stepper = WalkStepper(guest, va, el=1)
    stepper.step = 1
    assert "Stage 2 reads" in stepper.status()
    assert stepper.picture() is not None


def mmu_of_specification(name):
    """The first MMU of a file of cases computed from Arm's specification."""
    path = Path(__file__).parents[1] / "data" / "mmu" / f"specification_{name}.npz"
    return next(mmu for mmu, _ in Vectors.load(path).images())


def test_where_no_kernel_boots_there_is_no_walk_and_no_step():
    """A Cortex-A72 has no granule of 16K."""
    stepper = WalkStepper(page_size="16k", va_bits=47, cpu="cortex-a72")
    assert "16" in stepper.view["stuck"]
    assert stepper.walk is None
    assert (stepper.view["last"], stepper.view["reached"]) == (0, 0)
    assert stepper.view["word"] is None
    assert not stepper.view["faults"]
