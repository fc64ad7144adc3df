"""docs/howto.md: eight tasks, and every command in it prints what the page shows."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "howto.md").read_text(encoding="utf-8")


def script():
    """docs/write_howto.py as a module."""
    spec = importlib.util.spec_from_file_location("write_howto", ROOT / "docs" / "write_howto.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


write_howto = script()
HEAD, *TASKS = write_howto.tasks(PAGE)


def test_there_are_eight_tasks_and_each_asks_a_question():
    assert len(TASKS) == 8
    assert all(task.partition("\n")[0].endswith("?") for task in TASKS)


def test_every_block_of_commands_is_run():
    assert "```" not in HEAD
    for task in TASKS:
        assert len(write_howto.BLOCKS.findall(task)) == len(re.findall("^```sh$", task, re.MULTILINE)) > 0


@pytest.mark.long
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.partition("\n")[0].removeprefix("## "))
def test_the_commands_print_what_is_shown(task):
    assert write_howto.run(task) == task, "run `make docs`"


@pytest.mark.long
def test_so_do_those_of_the_page_about_json():
    page = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    assert write_howto.BLOCKS.search(page)
    assert write_howto.run(page) == page


def test_what_is_shown_matters():
    shown = "```sh\necho 1\n```\n\n```text\n2\n```\n"
    assert write_howto.run(shown) == shown.replace("2", "1")
