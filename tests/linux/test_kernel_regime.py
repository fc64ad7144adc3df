"""The running kernel's own MMU: in EL2 with VHE, and with indirect permissions where the CPU has them."""

import pytest

from pgtlab.arch.fault import Cause
from pgtlab.lab.tables_to_walk import AddressSpace
from pgtlab.lab.trees import Tree
from pgtlab.linux.boot import boot
from pgtlab.linux.kconfig import Config

OUTCOMES = {
    "mapped": None,
    "write to a read-only page": Cause.PERMISSIONS,
    "access flag clear": None,  # hardware sets it
    "linear map": None,
    "linear map, from EL0": Cause.E0PD,
}


@pytest.mark.parametrize("el2", [False, True])
def test_translations_of_a_kernel_with_indirect_permissions(el2):
    kernel = Tree.named("fixed").start_kernel(boot(Config.named("debian-6.12"), "max-11.1", el2=el2))
    assert kernel.mmu.name == ("EL2&0" if el2 else "EL1&0")
    assert kernel.mmu.tcr2.PIE
    space = AddressSpace.process(kernel)
    for trial in space.trials:
        if trial.name in OUTCOMES:
            outcome = space.translate(trial.va, trial.access, None if trial.el else 0).outcome
            assert getattr(outcome, "cause", None) is OUTCOMES[trial.name]
    assert space.translate(space.trials[0].va, el=0).permissions[0] == "rw-"
