"""A kernel function that is reached through a kernel shows what its twin is: name, docstring, signature and source."""

import inspect
import pydoc
import runpy
from pathlib import Path

import pytest

from pgtlab import CPU, Config, boot
from pgtlab.linux.kernel import Kernel, pgalloc
from pgtlab.linux.kernel.symbols import functions_of
from pgtlab.linux.kernel.vmlinux import TWINS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def k():
    return Kernel(boot(Config("4k", 48), CPU.named("max")))


def test_help_shows_signature_and_docstring(k):
    text = pydoc.render_doc(k.pud_free, renderer=pydoc.plaintext)
    assert "in module pgtlab.linux.kernel.pgalloc" in text
    assert "pud_free(mm: 'MmStruct', pud: 'int') -> 'None'" in text
    assert inspect.getdoc(pgalloc.pud_free) in text


def test_functions_have_docstring_signature_and_source_of_their_twin(k):
    for name, function in k.symbols.items():
        through = getattr(k, name)
        assert through.__name__ == function.__name__
        assert through.__module__ == function.__module__
        assert inspect.getdoc(through) == inspect.getdoc(function)
        assert inspect.getsource(through) == inspect.getsource(function)
        assert list(inspect.signature(through).parameters) == list(inspect.signature(function).parameters)[1:]


def test_functions_have_docstrings():
    for module in TWINS.values():
        for name, function in functions_of(module).items():
            assert inspect.getdoc(function), f"{module.__name__}.{name}"


def test_parameters_by_name(k):
    assert k.pgd_index(addr=0) == k.pgd_index(0)


def test_help_after_a_livepatch(k):
    def pte_none(k, pte):
        """My own."""
        return pte == 0

    patched = Kernel(k.boot)
    patched.livepatch(pte_none=pte_none)
    assert inspect.getdoc(patched.pte_none) == "My own."
    assert inspect.getdoc(k.pte_none) != "My own."


def test_function_held_before_a_livepatch_calls_the_patch(k):
    patched = Kernel(k.boot)
    held = patched.pte_none
    patched.livepatch(pte_none=lambda k, pte: "patched")
    assert held(0) == "patched"


def test_running_function_has_a_frame(k):
    patched = Kernel(k.boot)
    traces = []
    patched.livepatch(mm_alloc=lambda k: traces.append(k.trace()))
    patched.mm_alloc()
    assert traces[0][0] == "mm_alloc"
    assert "mm_alloc" not in patched.trace()


def test_stub_is_current():
    write = runpy.run_path(str(ROOT / "docs" / "write_kernel_functions.py"))
    assert write["STUB"].read_text() == write["stub"](), "run `make stubs`"
