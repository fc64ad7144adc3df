"""What changed: all of it, once, and the most telling first."""

from itertools import product

import pytest
from kernels import EVERYWHERE
from pgtlab_widgets.changes import changes

from pgtlab import CPU, Config, boot

PAIRS = list(product(EVERYWHERE[:: len(EVERYWHERE) // 8], repeat=2))


def changed(before, after) -> dict[str, tuple]:
    """Every row by name; fails where a name comes twice in a group."""
    rows = {
        (group.name, change.name): (change.before, change.after)
        for group in changes(before, after)
        for change in group.changes
    }
    assert len(rows) == sum(len(group.changes) for group in changes(before, after))
    return rows


@pytest.mark.parametrize("kernel", EVERYWHERE, ids=repr)
def test_same_kernel_has_no_changes(kernel):
    assert changes(kernel, kernel) == ()


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_every_difference_is_listed(before, after):
    rows = changed(before, after)
    names = {name for group, name in rows if group != "TCR_EL1"}
    for one, other in ((before.config.constants, after.config.constants), (before.constants, after.constants)):
        assert {name for name in {*one, *other} if one.get(name) != other.get(name)} <= names
    fields, others = dict(before.tcr_el1.items()), dict(after.tcr_el1.items())
    assert {name for group, name in rows if group == "TCR_EL1"} == {n for n in fields if fields[n] != others[n]}


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_changes_are_symmetric(before, after):
    assert changed(after, before) == {name: (now, was) for name, (was, now) in changed(before, after).items()}


def test_most_important_change_comes_first():
    there, back = (boot(Config("16k", 52), CPU.named(cpu)) for cpu in ("max", "max,lpa2=off"))
    booted, *_ = changes(there, back)
    assert [(c.name, c.before, c.after) for c in booted.changes] == [
        ("vabits_actual", "52", "47"),
        ("start_level", "0", "1"),
        ("pud", "real", "folded at run time"),
    ]
    fields = {c.name: (c.before, c.after) for group in changes(there, back) for c in group.changes}
    assert fields["DS"] == ("1", "0")
    assert fields["IPS"] == ("PA52", "PA48")


def test_changes_to_a_kernel_that_does_not_boot():
    config = Config("16k", 52)
    stuck = boot(config, CPU.named("cortex-a72"))
    rows = changed(boot(config, CPU.named("max")), stuck)
    assert rows == {("Booted", "boots"): ("yes", "no")}
