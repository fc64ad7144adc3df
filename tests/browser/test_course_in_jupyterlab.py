"""A chapter in JupyterLab: typed answers reach Python and no shortcut, light the log, and survive a restart."""

import json

from playwright.sync_api import expect

from pgtlab.lab import chapters
from pgtlab.lab.question import draw

HEAD = "from pgtlab_widgets import Chapter\nchapter = Chapter('05_a_fault')\nchapter.head"
RESTART = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
NAME = "05_a_fault/which_swapper"


def test_answers_survive_a_restart(run_cells, scratch, lab):
    page, _ = run_cells(HEAD, f"chapter.ask({NAME!r})", "1 + 1")
    question = page.locator(".pgtlab-question")
    question.get_by_role("radio").first.focus()
    page.keyboard.press("ArrowDown")
    expect(question.get_by_role("radio", checked=True)).to_have_count(1)
    question.get_by_role("button", name="I don't know").click()
    expect(question.get_by_role("group", name="Feedback")).to_be_focused()
    question.get_by_role("button", name="Answer again").click()
    right = draw(chapters.question(NAME, "05_a_fault")[1], "").answer.right.replace("`", "")
    question.get_by_label(right).check()
    question.get_by_role("button", name="Answer", exact=True).click()
    expect(question.get_by_role("group", name="Feedback")).to_contain_text("Right.")
    answers = json.loads((lab.folder / "progress.json").read_text())["answers"]
    assert [(answer["question"], answer["verdict"]) for answer in answers] == [(NAME, "unknown"), (NAME, "right")]
    page.evaluate(RESTART)
    scratch.run_all()
    expect(page.locator(".pgtlab-question .said")).to_contain_text(right)
    (lab.folder / "progress.json").unlink()


def test_typed_letters_and_enter_stay_in_the_question(run_cells):
    page, _ = run_cells(HEAD, "chapter.ask('exception_class')", "1 + 1")
    field = page.get_by_label("Your answer")
    field.press_sequentially("dd x")  # dd would delete a cell
    page.keyboard.press("Enter")
    expect(page.locator(".pgtlab-question .error")).to_contain_text("is not a number")
    expect(field).to_be_focused()
    assert page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.length") == 3
