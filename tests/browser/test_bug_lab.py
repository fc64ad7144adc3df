"""The bug lab as a learner meets it."""

import re

import pytest
from pgtlab_widgets import BugLab, bug_lab, kernel_run
from playwright.sync_api import expect

from tests.browser.drawing import assert_accessible, hold_steps

pytestmark = pytest.mark.long  # patches are judged in all configurations


@pytest.fixture
def one_kernel_a_step(monkeypatch):
    """Whatever the machine does in the time that a step is given."""
    monkeypatch.setattr(bug_lab, "STEP", -1)


def unfold(view, *stages):
    for stage in stages:
        view.locator(f"[data-unfold='stage {stage}']").click()


def choose(view, name):
    """Choose a tree or a bug."""
    chosen = view.locator("[data-unfold=tree]")
    if chosen.get_attribute("aria-expanded") == "false":
        chosen.click()
    view.get_by_role("button", name=name, exact=True).click()


def test_stages_fold(show):
    page, view = show(BugLab(), unfold=False)
    page.set_viewport_size({"width": 1280, "height": 720})
    heads = view.locator(".stage-head .unfold")
    expect(heads).to_have_text(["1 Boot", "2 Read", "3 Change", "4 Judge", "5 Everywhere"])
    assert [head.get_attribute("aria-expanded") for head in heads.all()] == ["true", *4 * ["false"]]
    expect(view.locator("svg.pgtlab-picture")).to_have_count(1)
    expect(view.locator("svg")).to_contain_text("Oops: Unable to handle kernel NULL pointer dereference")
    assert view.bounding_box()["y"] + view.bounding_box()["height"] < 720
    unfold(view, 1)
    for number in range(2, 6):
        unfold(view, number)
        assert view.locator(".stage.open").bounding_box()["height"] < 640, f"stage {number} is one screen"
        unfold(view, number)
    expect(view.locator(".stage .content")).to_have_count(0)
    expect(view.locator(".stage-head .says")).to_have_text(
        [
            "next-20240229 on max: panic",
            re.compile("lines, 3 reports, 2 diagnoses"),
            "nothing is patched",
            "not judged yet",
            "not run yet",
        ]
    )


def test_bug_is_shown_where_it_bites(show):
    _, view = show(BugLab("fixed"), unfold=False)
    choose(view, "small-pgd")
    expect(view.locator(".summary")).to_have_text("small-pgd on max: clean")
    expect(view.locator("svg")).to_contain_text("the run ends, and the kernel has nothing to report")
    view.get_by_role("button", name="Show it where it bites: 4k pages, VA_BITS=52 on max without LPA2").click()
    expect(view.locator(".summary")).to_contain_text("small-pgd on max without LPA2: unnoticed: a process that")
    expect(view.locator("svg")).to_contain_text("something is wrong, and the kernel did not see it")
    expect(view.get_by_role("button", name="Show it where it bites")).to_have_count(0)
    expect(view.locator(".where")).to_have_text("It shows itself in 10 of 88 kernels.")


def test_tree_is_looked_for(show):
    _, view = show(BugLab("arm64-for-next", "16k", 47), unfold=False)
    expect(view.locator(".summary")).to_contain_text("clean")
    view.get_by_role("button", name="Look for a kernel in which it shows").click()
    expect(view.locator(".summary")).to_contain_text("report")
    choose(view, "fixed")
    view.get_by_role("button", name="Look for a kernel in which it shows").click()
    expect(view.locator(".where")).to_contain_text("It is clean in all 17 kernels that differ.")


def test_editor_follows_the_bug_and_keeps_what_was_typed(show):
    _, view = show(BugLab(), unfold=False)
    unfold(view, 3)
    field = view.get_by_role("textbox", name="Your own patch")
    expect(field).to_have_value(re.compile("^def pud_free"))
    field.fill("def pud_free(k, mm, pud):\n    pass  # not done yet")
    choose(view, "small-pgd")
    expect(field).to_have_value(re.compile("^def pgdir_is_page_size"))
    field.fill("# an idea")
    choose(view, "next-20240229")
    expect(field).to_have_value("def pud_free(k, mm, pud):\n    pass  # not done yet")
    unfold(view, 3)  # folded, and unfolded
    unfold(view, 3)
    expect(field).to_have_value("def pud_free(k, mm, pud):\n    pass  # not done yet")
    choose(view, "small-pgd")
    expect(field).to_have_value("# an idea")


def test_no_empty_frames(show):
    """What is not there takes no room, or a sentence says what will come."""
    _, view = show(BugLab("fixed"), unfold=False)
    unfold(view, 2, 3, 4)
    expect(view.locator(".annotated")).to_have_text(re.compile("debug_vm_pgtable"))
    expect(view.get_by_text("There is no report in this log.")).to_be_visible()
    expect(view.locator("pre.diff")).to_have_count(0)
    expect(view.get_by_text("what is right and what is wrong is listed here")).to_be_visible()
    expect(view.locator(".follows")).to_have_count(0)
    expect(view.get_by_role("progressbar")).to_have_count(0)
    empty = view.evaluate(
        """view => [...view.querySelectorAll("*")].filter((e) => e.offsetHeight > 40 && !e.textContent.trim()
            && !["TEXTAREA", "INPUT", "PROGRESS"].includes(e.tagName) && !e.closest("svg")).map((e) => e.className)"""
    )
    assert empty == []


def test_from_panic_to_number_to_fix_to_matrix(show):
    page, view = show(BugLab())
    unfold(view, 2, 3)
    expect(view.locator(".summary")).to_have_text("next-20240229 on max: panic")
    expect(view.locator(".follows .legend dt")).to_have_text(["stated", "derived", "likely", "possible"])
    view.locator("[data-jump='line 39']").click()  # which is out of sight
    expect(view.locator("li.lit", has_text="destroy_args")).to_be_in_viewport()
    x1 = view.get_by_role("button", name=re.compile("^x1 [0-9a-f]{16}"))
    x1.click()
    expect(x1).to_have_attribute("aria-pressed", "true")
    expect(view.locator(".because li").first).to_contain_text("x1 = (x20 - vmemmap) >> 6: (0xffff80008007b910 - ")
    expect(view.locator(".value.input")).to_have_text(["ffff80008007b910"])
    expect(view.get_by_role("button", name="x20 ffff80008007b910, an input")).to_be_visible()
    expect(view.locator(".diagnosis .claim.lit")).to_contain_text("a struct page on the stack was used")
    page.keyboard.press("ArrowRight")
    expect(view.get_by_role("button", name=re.compile("^x0 "))).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(x1).to_be_focused()
    view.get_by_role("button", name=re.compile("^EC 0x25")).press("Enter")
    expect(view.locator(".because li")).to_contain_text(["EC = ESR_EL1[31:26] = 0x25: Data Abort"])
    expect(view.get_by_role("button", name=re.compile("^ESR 0x0+96000004, an input"))).to_be_visible()
    expect(view.get_by_role("region", name="Why").locator("svg")).to_contain_text("Translation fault, level 0.")
    view.get_by_role("button", name=re.compile("a struct page on the stack was used")).click()
    expect(view.locator(".because")).to_contain_text("(x20 - vmemmap) >> 6")
    expect(view.locator("li.lit", has_text="x1 : ")).to_be_visible()
    view.get_by_text("The functions of the commits and of the call trace").click()
    view.locator("summary", has_text="destroy_args()").click()
    expect(view.get_by_role("region", name="Sources")).to_contain_text("def destroy_args(k")

    view.get_by_role("button", name="fix-pud-free", exact=True).click()
    expect(view.locator(".summary")).to_have_text("next-20240229 on max: clean")
    unfold(view, 4, 5)
    view.get_by_role("button", name="Judge the kernel").click()
    expect(view.get_by_text("17 of 17")).to_be_visible()
    expect(view.locator(".judged li")).to_have_count(8)
    expect(view.get_by_text("8 of 8 checks hold")).to_be_visible()
    view.get_by_role("button", name="Run it everywhere").click()
    expect(view.get_by_text("104 of 104")).to_be_visible(timeout=30_000)
    view.get_by_role("button", name="16k/52/52/max: clean", exact=True).click()
    expect(view.get_by_role("toolbar", name="Page size").get_by_role("button", name="16k")).to_have_attribute(
        "aria-pressed", "true"
    )


def test_type_apply_and_remove_a_patch(show, one_kernel_a_step):
    lab = BugLab("arm64-for-next")
    _, view = show(lab)
    unfold(view, 3, 4)
    field = view.get_by_role("textbox", name="Your own patch")
    expect(field).to_have_value(re.compile(r"^def pud_free\(k: Kernel"))
    view.get_by_text("The functions of the commits and of the call trace").click()
    view.locator("summary", has_text="free_unref_page()").click()
    view.get_by_role("button", name="Edit free_unref_page()").click()
    expect(field).to_be_focused()
    expect(field).to_have_value(re.compile("^def free_unref_page"))

    field.fill("def pud_fre(k, mm, pud):\n    k.__pud_free(mm, pud)")
    view.get_by_role("button", name="Apply").click()
    expect(view.get_by_role("alert").filter(has_text="did you mean pud_free?")).to_be_visible()
    expect(view.locator(".summary")).to_have_text("arm64-for-next on max: report")
    field.fill("def pud_free(k, mm, pud):\n    k.__pud_free(mm, pud)")
    field.press_sequentially("  # adds: whether there is one or not")  # dd would delete a cell
    view.get_by_role("button", name="Apply").press("Enter")
    expect(view.locator(".summary")).to_have_text("arm64-for-next on max: clean")
    expect(view.get_by_role("region", name="The difference to the tree")).to_contain_text(
        "+    k.__pud_free(mm, pud)  # adds: whether there is one or not"
    )
    hold_steps(lab, after=3)
    view.get_by_role("button", name="Judge the kernel").click()
    expect(view.get_by_text("3 of 17")).to_be_visible()
    view.get_by_role("button", name="Stop").click()
    expect(view.get_by_role("button", name="Judge the kernel")).to_be_visible()
    del lab._attempt
    view.get_by_role("button", name="Judge the kernel").click()
    expect(view.locator(".judged")).to_contain_text("does your function check that the level exists?")
    view.get_by_role("button", name="Take pud_free() off").click()
    expect(view.locator(".summary")).to_have_text("arm64-for-next on max: report")
    expect(view.locator(".judged li")).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 700])
def test_choices_move_nothing(show, width):
    page, view = show(BugLab(page_size="16k", va_bits=52))
    page.set_viewport_size({"width": width, "height": 900})
    tops = "view => [...view.children].map((part) => part.offsetTop - view.offsetTop)"
    page.wait_for_function("width => innerWidth === width", arg=width)
    unfold(view, 1, 2)
    before = view.evaluate(tops)
    log = view.locator(".annotated")
    for name in (re.compile("^x1 "), re.compile("^EC 0x25"), re.compile("a struct page on the stack was used")):
        view.get_by_role("button", name=name).click()
        expect(view.locator("[data-item][aria-pressed=true]:not([role=toolbar] *):not(svg *)")).to_have_count(1)
        assert view.evaluate(tops) == before
    lit = log.locator("li.lit").first
    assert log.evaluate("(log, lit) => lit.offsetTop >= log.scrollTop", lit.element_handle())


def test_stop_the_matrix(show, one_kernel_a_step):
    lab = BugLab()
    held = hold_steps(lab, after=5)
    _, view = show(lab)
    unfold(view, 5)
    view.get_by_role("button", name="Run it everywhere").click()
    expect(view.get_by_text("5 of 104")).to_be_visible()
    view.get_by_role("button", name="Stop").click()
    expect(view.get_by_role("button", name="Run it everywhere")).to_be_visible()
    del lab._attempt
    lab.receive(held.pop())  # which was under way when the reader stopped
    assert len(lab.matrix.outcomes) == 5


def test_axe_finds_no_violation(show, one_kernel_a_step):
    lab = BugLab()
    hold_steps(lab, after=25)
    page, view = show(lab)
    assert_accessible(page, ".pgtlab-bug-lab")
    unfold(view, 2, 3, 4, 5)
    view.get_by_role("button", name="Run it everywhere").click()
    expect(view.get_by_text(re.compile("[2-9][0-9] of 104"))).to_be_visible()
    view.get_by_role("button", name="Stop").click()
    assert_accessible(page, ".pgtlab-bug-lab")


def test_javascript_draws_its_data(render):
    shape = {
        "key": "c",
        "tag": "rect",
        "attributes": {"x": 1, "y": 2, "width": 3, "height": 4, "data-cell": "k"},
        "hint": "C",
    }
    made_up = {"width": 9, "height": 5, "title": "T", "description": "D", "shapes": [shape]}
    pieces = [{"text": "no such "}, {"text": "line", "key": "number 1 8", "name": "a made-up number"}]
    row = {"number": 1, "text": "no such line", "remarks": ["made up"], "pieces": pieces}
    claim = {"key": "claim 0", "text": "No such claim", "sure": "", "lines": [1], "diagnosis": True}
    lab = BugLab()
    log = {"rows": [row], "claims": [claim], "sources": [], "functions": [], "diff": "", "chosen": "", "lit": []}
    drawn = {**lab.base_view, **lab.view, **log, "matrix": made_up, "inputs": ["number 1 8"]}
    view = render(BugLab, drawn)
    unfold(view, 2, 5)
    expect(view.get_by_role("button", name="a made-up number, an input")).to_have_text("line")
    expect(view.locator(".annotated")).to_contain_text("no such line")
    expect(view.locator(".annotated")).to_contain_text("made up")
    view.get_by_role("button", name="C", exact=True).press("Enter")
    assert view.page.evaluate("window.sent") == [{"cell": "k"}]


def test_patch_that_does_not_return_is_stopped_from_the_page(show, monkeypatch):
    monkeypatch.setattr(kernel_run, "WAITING", 600)
    lab = BugLab("arm64-for-next")
    page, view = show(lab, unfold=False)
    lab.editor.text = "def pud_free(k, mm, pud):\n    import time; time.sleep(1000)"
    lab.draw()
    unfold(view, 3)
    view.get_by_role("button", name="Apply", exact=True).click()
    expect(view.locator(".summary")).to_have_text("arm64-for-next on max: running")
    expect(view.locator("[role=status]", has_text="Your patch is running")).to_be_visible()
    assert_accessible(page, ".pgtlab-view")
    view.get_by_role("button", name="Stop", exact=True).click()
    expect(view.locator(".summary")).to_have_text("arm64-for-next on max: stopped")
    expect(view.locator(".own")).to_contain_text("`pud_free()` was stopped")
