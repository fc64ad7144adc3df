"""The page inspector's Python side: what is done to the page is done by the kernel's functions."""

import pytest
from pgtlab_widgets import PageInspector
from pgtlab_widgets.page_inspector import ACTIONS, START_OVER

LIFE = ("alloc_pages(0)", "pagetable_pud_ctor(page)", "pagetable_pud_dtor(page)", "__free_pages(page, 0)")


def after(*actions, **kernel):
    inspector = PageInspector(**kernel)
    for action in actions:
        inspector.do(action)
    return inspector


def test_life_of_a_page_table_restores_the_page():
    free = after()
    inspector = after(*LIFE)
    assert inspector.page.words() == free.page.words()
    assert inspector.kernel.reports == []
    assert [after(*LIFE[:n]).page.page_type for n in range(1, 4)] == [0xFFFFFFFF, 0xFFFFFDFF, 0xFFFFFFFF]


def test_missing_destructor_is_reported():
    inspector = after(LIFE[0], LIFE[1], LIFE[3])
    log = [line["text"] for line in inspector.view["log"]]
    assert any("page_type: 0xfffffdff(table)" in line for line in log)
    (explained,) = (line for line in inspector.view["log"] if line["remark"])
    assert "mapcount:-512" in explained["text"]
    assert explained["remark"] == "stored -513, printed plus one: -512"
    assert "BUG: Bad page state" in inspector.text()


@pytest.mark.parametrize("tree", ["next-20240229", "fixed"])
def test_panic_allows_only_starting_over(tree):
    inspector = after(LIFE[0], LIFE[3], LIFE[3], tree=tree)
    assert inspector.view["stopped"]
    inspector._on_message(inspector, {"do": "alloc_pages(0)"}, [])
    assert "start over" in inspector.view["failed"]
    inspector.do(START_OVER)
    assert not inspector.view["stopped"]
    assert inspector.view["log"] == []
    assert inspector.page.words() == after().page.words()


def test_changed_bytes_of_the_last_action():
    inspector = after(*LIFE[:2])
    assert "(was 0xffffffff)" in inspector.text()
    inspector.do("dump_page(page, NULL)")
    assert "(was" not in inspector.text().partition("\n[")[0]


def test_history_repeats_what_was_done():
    inspector = after(*LIFE[:2], LIFE[3])
    inspector.go(2)
    assert inspector.page.words() == after(*LIFE[:2]).page.words()
    assert inspector.done == LIFE[:2]
    assert inspector.kernel.reports == []
    inspector.go(3)
    assert len(inspector.kernel.reports) == 1
    inspector.go(2)
    inspector.do(LIFE[2])
    assert inspector.done == LIFE[:3]
    with pytest.raises(ValueError, match="4 actions: the history has 3"):
        inspector.go(4)


def test_suggested_actions_lead_to_the_report():
    inspector, done = after(), []
    while inspector.next_action()[0]:
        done.append(inspector.next_action()[0])
        inspector.do(done[-1])
    assert done == [LIFE[0], LIFE[1], LIFE[3]]
    assert inspector.kernel.reports[-1].text == "nonzero mapcount"
    assert after(*LIFE[:3]).next_action()[0] == LIFE[3]


def test_other_kernel_starts_over():
    inspector = after(*LIFE[:2])
    inspector.choose(page_size="64k", va_bits=42)
    assert inspector.view["history"] == ["free page"]
    inspector.cpu = "max"
    inspector.choose(page_size="16k", va_bits=48, pa_bits=48)
    inspector.cpu = "cortex-a72"
    assert inspector.view["picture"] is None
    assert "no 16K granule" in inspector.text()
    with pytest.raises(ValueError, match="no kernel is running"):
        inspector.do(ACTIONS[0])


def test_unknown_action_is_refused():
    with pytest.raises(ValueError, match="choose from alloc_pages"):
        PageInspector().do("free")
