"""Replacing a kernel function: a wrong patch is refused with a reason, and every caller uses a good one."""

import pytest

from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel, LivepatchError
from pgtlab.linux.kernel.gfp import GFP_KERNEL
from pgtlab.linux.kernel.running import INIT_TRACE


@pytest.fixture
def kernel():
    return Kernel(boot(Config("4k", 48), CPU.named("max")))


@pytest.mark.parametrize(
    ("name", "nearest"), [("pud_fre", "pud_free"), ("pud_freed", "pud_free"), ("__pud_alloc_one", "pud_alloc_one")]
)
def test_unknown_function_is_refused_with_a_suggestion(kernel, name, nearest):
    with pytest.raises(LivepatchError, match=f"no function {name}; did you mean {nearest}\\?"):
        kernel.livepatch(**{name: lambda k: None})


def test_unknown_attribute_raises_with_a_suggestion(kernel):
    with pytest.raises(AttributeError, match=r"no symbol or constant pud_fre; did you mean pud_free\?"):
        kernel.pud_fre()
    with pytest.raises(AttributeError, match=r"no symbol or constant PAGE_SHIFTS; did you mean PAGE_SHIFT\?"):
        _ = kernel.PAGE_SHIFTS


def test_unknown_function_without_a_suggestion(kernel):
    with pytest.raises(LivepatchError, match=r"no function zzzzzz$"):
        kernel.livepatch(zzzzzz=lambda k: None)


@pytest.mark.parametrize("value", [None, 3, "pud_free"])
def test_not_callable_is_refused(kernel, value):
    with pytest.raises(LivepatchError, match="is not a function"):
        kernel.livepatch(pud_free=value)


@pytest.mark.parametrize("function", [lambda mm, pud: None, lambda k, mm, pud, more: None, lambda: None])
def test_wrong_parameters_are_refused(kernel, function):
    with pytest.raises(LivepatchError, match=r"the kernel calls pud_free\(k, mm, pud\), and .* takes \("):
        kernel.livepatch(pud_free=function)


class Escapes(BaseException):
    """Not an `Exception`."""


def escapes(*_):
    raise Escapes


@pytest.mark.parametrize(
    "make",
    [lambda: dict, type("Odd", (), {"__getattribute__": escapes, "__call__": lambda self, *args: None})],
    ids=["a built-in type", "an object that cannot be asked"],
)
def test_what_does_not_say_its_parameters_is_refused(kernel, make):
    with pytest.raises(LivepatchError, match=r"pud_free=\.\.\. does not say what parameters it takes"):
        kernel.livepatch(pud_free=make())


def test_a_number_of_thousands_of_digits_is_refused(kernel):
    with pytest.raises(LivepatchError, match=r"pud_free=0x\w+\.\.\.0+ is not a function"):
        kernel.livepatch(pud_free=10**5000)


def test_refused_patch_changes_nothing(kernel):
    before = dict(kernel.symbols)
    with pytest.raises(LivepatchError):
        kernel.livepatch(pud_free=lambda k, mm, pud: None, pud_fre=lambda k: None)
    assert kernel.symbols == before


def test_patch_of_a_patch(kernel):
    kernel.livepatch(pud_free=lambda k, *anything: None)
    kernel.livepatch(pud_free=lambda k, mm, pud: k.__pud_free(mm, pud))
    assert kernel.run().outcome == "clean"


def test_all_callers_use_the_patch(kernel):
    callers = []
    original = kernel.symbols["alloc_pages"]

    def alloc_pages(k, order=0, gfp=GFP_KERNEL):
        callers.append(k.trace()[1])
        return original(k, order, gfp)

    kernel.livepatch(alloc_pages=alloc_pages)
    kernel.run()
    assert callers == ["pgd_alloc", "__pud_alloc", "__pmd_alloc", "__pte_alloc", "init_args"]


def test_trace_omits_inlined_functions(kernel):
    traces = []
    kernel.livepatch(pte_alloc_one=lambda k, mm: traces.append(k.trace()))
    kernel.run()
    assert traces == [("__pte_alloc", "init_args", "debug_vm_pgtable", *INIT_TRACE)]
    assert kernel.trace() == INIT_TRACE


def test_trace_after_a_panic(kernel):
    kernel.livepatch(pud_free=lambda k, mm, pud: k.BUG_ON(True, "true"))
    assert kernel.run().outcome == "panic"
    assert kernel.trace() == INIT_TRACE


def test_kernels_are_independent(kernel):
    other = Kernel(kernel.boot)
    kernel.livepatch(pud_free=lambda k, mm, pud: None)
    assert len(kernel.run().lost) == 1
    assert other.run().lost == ()
