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


BELOW_THE_TOP = """link => {
    const named = document.querySelectorAll(`[data-jupyter-id="${CSS.escape(link)}"]`);
    const section = [...named].find(heading => heading.getClientRects().length);
    const notebook = section?.closest(".jp-WindowedPanel-outer");
    return notebook ? Math.round(section.getBoundingClientRect().top - notebook.getBoundingClientRect().top) : null;
}"""


def test_a_line_of_the_log_leads_to_its_section_in_a_chapter_that_is_not_open(page, lab):
    """Its heading is at the top, and stays there when all cells are drawn."""
    page.goto(f"{lab.url}/lab/tree/notebooks/05_a_fault.ipynb?reset")
    idle = "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
    page.wait_for_function(idle)
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    bar = page.locator('.log-strip a[href*="10b_the_log.ipynb#10b.8"]').first
    section = bar.get_attribute("href").partition("#")[2]
    bar.click()
    page.wait_for_function(
        """() => {
            const {content, context} = window.jupyterapp.shell.currentWidget;
            return context.path.includes("10b") && content.widgets.every(cell => !cell.isPlaceholder());
        }"""
    )
    page.wait_for_function(f"section => Math.abs(({BELOW_THE_TOP})(section) - 20) < 20", arg=section)
