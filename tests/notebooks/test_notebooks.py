"""Every notebook of the course runs from its first cell to its last, as it does when `make site` builds the pages."""

import psutil
import pytest
from nbclient import NotebookClient

from pgtlab.lab import course_text
from tests.notebooks.solutions import shown_in

#: Seconds of CPU: twice what the course promises, since a machine that tests has other work.
LIMIT = 4.0
NOTEBOOKS = sorted((course_text.sources() / "notebooks").glob("*.py"))


#: Cells that compile code when they run for the first time on a machine: prose says so before, and they show a bar.
SHOW_PROGRESS = ['chapter.ask("one_more_level")']


@pytest.mark.sweep
@pytest.mark.parametrize("source", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(source, tmp_path):
    notebook = course_text.notebook(source)
    used = [0.0]
    client = NotebookClient(
        notebook,
        timeout=900,
        kernel_name="python3",
        resources={"metadata": {"path": tmp_path}},  # a notebook leans on no file beside it
        on_cell_executed=lambda cell, cell_index, execute_reply: used.append(
            sum(psutil.Process(client.km.provisioner.pid).cpu_times()[:2])
        ),
    )
    client.execute()  # raises with the cell and its traceback
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    took = {source: after - before for source, before, after in zip(code, used, used[1:], strict=False)}
    assert {source for source, seconds in took.items() if seconds > LIMIT} <= {*SHOW_PROGRESS}
    said = [
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream" and output.name == "stderr"
    ]
    assert said == [], "a warning in a guided notebook is a question that a learner cannot answer"
    assert shown_in("\n".join(printed(notebook))) == [], "the solution of an exercise"


def printed(notebook) -> list[str]:
    """What the cells of a notebook that was run show, as text."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in outputs]
