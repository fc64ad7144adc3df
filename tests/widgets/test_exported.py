"""A notebook with views, made a page or slides by nbconvert: every picture is there, with no kernel and no network."""

from copy import deepcopy

import nbformat
import pgtlab_widgets
import pytest
from ipywidgets import Widget
from nbconvert import HTMLExporter, MarkdownExporter, SlidesExporter
from traitlets.config import Config

WORDS = ("Chapter", "CourseMap", "QuestionView")  # of the course: they have no picture of their own
VIEWS = [getattr(pgtlab_widgets, name) for name in pgtlab_widgets.__all__ if name not in WORDS]


@pytest.fixture(scope="module")
def saved():
    """Every view in a notebook, saved with its widgets as `pgtlab lab` does."""
    cells = []
    for view in VIEWS:
        data, metadata = view()._repr_mimebundle_()
        output = nbformat.v4.new_output("display_data", data, metadata=metadata)
        cells.append(
            nbformat.v4.new_code_cell(view.__name__, outputs=[output], metadata={"slideshow": {"slide_type": "slide"}})
        )
    state = {"application/vnd.jupyter.widget-state+json": Widget.get_manager_state()}
    return nbformat.v4.new_notebook(cells=cells, metadata={"widgets": state})


@pytest.mark.slow
@pytest.mark.parametrize("exporter", [HTMLExporter, SlidesExporter])
def test_export_with_the_documented_option(saved, exporter):
    """`--ClearMetadataPreprocessor.enabled=True --ClearMetadataPreprocessor.clear_cell_metadata=False`"""
    config = Config(ClearMetadataPreprocessor={"enabled": True, "clear_cell_metadata": False})
    page, _ = exporter(
        config=config, template_name="reveal" if exporter is SlidesExporter else "basic"
    ).from_notebook_node(saved)
    assert page.count('class="pgtlab-picture"') == len(VIEWS) > 8
    assert "application/vnd.jupyter.widget-view+json" not in page
    assert page.count("<section") >= (len(VIEWS) if exporter is SlidesExporter else 0), "a slide a view"


def test_image_without_html(saved):
    """As in Markdown, or on a site that shows notebooks and strips what could run."""
    stripped = deepcopy(saved)
    for cell in stripped.cells:
        del cell.outputs[0].data["text/html"]
    _, resources = MarkdownExporter().from_notebook_node(stripped)
    images = resources["outputs"].values()
    assert len(images) == len(VIEWS)
    assert all(image.startswith(b'<svg xmlns="http://www.w3.org/2000/svg"') for image in images)
