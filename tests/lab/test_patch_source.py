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


def test_every_function_of_a_kernel_can_be_taken_out_and_put_in_again():
    """Its text as it is shown compiles, among the names of its module, to what does the same."""
    before = kernel()
    sources = {name: source_of(function) for name, function in before.symbols.items()}
    patched = kernel()
    for name, source in sources.items():
        patched.livepatch(**read_patch(source, before))
        assert source_of(patched.symbols[name]).strip() == source.strip()
    assert patched.run() == before.run()


def test_several_functions_and_imports_are_one_patch():
    patch = read_patch(
        "from math import log2\ndef pgd_free(k, mm, pgdp): pass\ndef pud_free(k, mm, pud): log2(2)", kernel()
    )
    assert list(patch) == ["pgd_free", "pud_free"]


def test_each_patch_keeps_its_own_lines():
    one, other = (read_patch(f"def pud_free(k, mm, pud):\n    return {n}", kernel())["pud_free"] for n in (1, 2))
    assert inspect.getsource(one).endswith("return 1\n")
    assert inspect.getsource(other).endswith("return 2\n")


@pytest.mark.parametrize("margin", ["", "    "])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_margins_and_ends_of_lines_are_as_an_editor_has_them(margin, end):
    text = end.join(margin + line for line in ("def pud_free(k, mm, pud):", "    return 1"))
    assert read_patch(text, kernel())["pud_free"](None, None, None) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("def pud_free(k, mm, pud)", r"^line 1, `def pud_free\(k, mm, pud\)`: expected ':'$"),
        ("def pud_free(k, mm, pud):\nreturn", "^line 2, `return`: expected an indented block"),
        ("x = 1", "^line 1, `x = 1`: neither a function nor an import; a patch is a function of the kernel's, such as"),
        ("", "^there is no function in it; a patch is"),
        ("\0", "null bytes; a patch is"),
        ("import no_such_module\ndef pud_free(k, mm, pud): pass", "^ModuleNotFoundError: No module named"),
        ("def pud_free(k, mm, pud=no_such_name): pass", "^NameError: name 'no_such_name' is not defined; a patch is"),
    ],
)
def test_what_is_no_patch_is_refused_in_a_sentence(text, told):
    with pytest.raises(PatchError, match=told):
        read_patch(text, kernel())


def test_a_name_that_the_kernel_has_not_is_refused_by_livepatch():
    running = kernel()
    with pytest.raises(LivepatchError, match="did you mean pud_free"):
        running.livepatch(**read_patch("def pud_fre(k, mm, pud): pass", running))


def test_what_stops_in_a_patch_is_told_with_its_line():
    running = kernel()
    patch = read_patch("def pud_free(k, mm, pud):\n    pud / 0", running)
    running.livepatch(**patch)
    with pytest.raises(AnswerError, match=r"`pud_free\(\)` stopped in line 2, `pud / 0`: ZeroDivisionError"):
        attempt(running.run, patch)
    with pytest.raises(ZeroDivisionError):
        attempt(running.run, {})  # nobody's patch: that is an error of the model


def test_a_patch_that_gives_what_cannot_be_used_is_told():
    running = kernel()
    patch = read_patch("def pud_offset(k, p4dp, addr):\n    return 'nowhere'", running)
    running.livepatch(**patch)
    with pytest.raises(AnswerError, match=r"^What `pud_offset\(\)` returned could not be used: TypeError"):
        attempt(running.run, patch)


def test_judging_step_by_step_comes_to_the_same():
    running = kernel("next-20240229")
    running.livepatch(**read_patch("def pud_free(k, mm, pud):\n    k.__pud_free(mm, pud)", running))
    steps = judging(running)
    tried = [next(steps) for _ in distinct_boots()]
    assert tried == list(range(1, len(distinct_boots()) + 1))
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == judge_kernel(running)


def test_a_bug_is_mended_by_a_patch_of_its_function():
    bug = BUGS["copied-guard"]
    at = next(bug.boots())
    broken, good = bug.tree.start_kernel(at), Tree.named("fixed").start_kernel(at)
    broken.livepatch(**read_patch(source_of(good.symbols["mm_dec_nr_pmds"]), broken))
    assert bug.observe(bug.tree.start_kernel(at)) is not None
    assert bug.observe(broken) is None
