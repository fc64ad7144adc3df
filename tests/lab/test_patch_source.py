"""A patch as a learner types it: from text to functions of a running kernel."""

import inspect

import pytest

from pgtlab import CPU, Config, boot
from pgtlab.lab.attempt import AnswerError, attempt
from pgtlab.lab.bugs import BUGS
from pgtlab.lab.kernel_checks import judge_kernel, judging
from pgtlab.lab.patch_source import PatchError, read_patch
from pgtlab.lab.trees import Tree
from pgtlab.lab.variants import distinct_boots
from pgtlab.linux.kernel import LivepatchError
from pgtlab.linux.kernel.symbols import source_of

ANY = boot(Config("4k", 48), CPU.named("max"))


def kernel(tree="fixed"):
    return Tree.named(tree).start_kernel(ANY)


def test_every_kernel_function_round_trips():
    """The source of each function, compiled among the names of its module, does the same."""
    before = kernel()
    sources = {name: source_of(function) for name, function in before.symbols.items()}
    patched = kernel()
    for name, source in sources.items():
        patched.livepatch(**read_patch(source, before))
        assert source_of(patched.symbols[name]).strip() == source.strip()
    assert patched.run() == before.run()


def test_several_functions_and_imports():
    patch = read_patch(
        "from math import log2\ndef pgd_free(k, mm, pgdp): pass\ndef pud_free(k, mm, pud): log2(2)", kernel()
    )
    assert list(patch) == ["pgd_free", "pud_free"]


def test_each_patch_has_its_own_source():
    first, second = (read_patch(f"def pud_free(k, mm, pud):\n    return {n}", kernel())["pud_free"] for n in (1, 2))
    assert inspect.getsource(first).endswith("return 1\n")
    assert inspect.getsource(second).endswith("return 2\n")


@pytest.mark.parametrize("margin", ["", "    "])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_indentation_and_line_ends(margin, end):
    text = end.join(margin + line for line in ("def pud_free(k, mm, pud):", "    return 1"))
    assert read_patch(text, kernel())["pud_free"](None, None, None) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def pud_free(k, mm, pud)", r"^line 1, `def pud_free\(k, mm, pud\)`: expected ':'$"),
        ("def pud_free(k, mm, pud):\nreturn", "^line 2, `return`: expected an indented block"),
        ("x = 1", "^line 1, `x = 1`: neither a function nor an import; a patch is a kernel function, such as"),
        ("", "^the patch has no function; a patch is"),
        ("\0", "null bytes; a patch is"),
        ("import no_such_module\ndef pud_free(k, mm, pud): pass", "^ModuleNotFoundError: No module named"),
        ("def pud_free(k, mm, pud=no_such_name): pass", "^NameError: name 'no_such_name' is not defined; a patch is"),
    ],
)
def test_text_that_is_not_a_patch(text, message):
    with pytest.raises(PatchError, match=message):
        read_patch(text, kernel())


def test_unknown_function_name():
    running = kernel()
    with pytest.raises(LivepatchError, match="did you mean pud_free"):
        running.livepatch(**read_patch("def pud_fre(k, mm, pud): pass", running))


def test_exception_names_the_line():
    running = kernel()
    patch = read_patch("def pud_free(k, mm, pud):\n    pud / 0", running)
    running.livepatch(**patch)
    with pytest.raises(AnswerError, match=r"`pud_free\(\)` stopped in line 2, `pud / 0`: ZeroDivisionError"):
        attempt(running.run, patch)
    with pytest.raises(ZeroDivisionError):
        attempt(running.run, {})  # without a patch it is an error of the model


def test_unusable_return_value():
    running = kernel()
    patch = read_patch("def pud_offset(k, p4dp, addr):\n    return 'nowhere'", running)
    running.livepatch(**patch)
    with pytest.raises(AnswerError, match=r"^What `pud_offset\(\)` returned could not be used: TypeError"):
        attempt(running.run, patch)


@pytest.mark.long
def test_judging_step_by_step():
    running = kernel("next-20240229")
    running.livepatch(**read_patch("def pud_free(k, mm, pud):\n    k.__pud_free(mm, pud)", running))
    steps = judging(running)
    tried = [next(steps) for _ in distinct_boots()]
    assert tried == list(range(1, len(distinct_boots()) + 1))
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == judge_kernel(running)


def test_a_patch_of_its_function_repairs_a_bug():
    bug = BUGS["copied-guard"]
    at = next(bug.boots())
    broken, good = bug.tree.start_kernel(at), Tree.named("fixed").start_kernel(at)
    broken.livepatch(**read_patch(source_of(good.symbols["mm_dec_nr_pmds"]), broken))
    assert bug.observe(bug.tree.start_kernel(at)) is not None
    assert bug.observe(broken) is None
