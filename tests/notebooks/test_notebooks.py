"""Every notebook of the course runs from its first cell to its last, as it does when `make site` builds the pages."""

import pytest
from nbclient import NotebookClient

from pgtlab.lab import course_text
from tests.notebooks.solutions import shown_in

NOTEBOOKS = sorted((course_text.sources() / "notebooks").glob("*.py"))


@pytest.mark.sweep
@pytest.mark.parametrize("source", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(source, tmp_path):
    notebook = course_text.notebook(source)
    client = NotebookClient(
        notebook,
        timeout=900,
        kernel_name="python3",
        resources={"metadata": {"path": tmp_path}},  # a notebook leans on no file beside it
    )
    client.execute()  # raises with the cell and its traceback
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
