"""What holds for the whole suite."""

import gc
import os
from collections.abc import Generator
from random import Random

import pytest
from _pytest.doctest import DoctestModule
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

# A time limit for each example fails on a busy machine and finds no bug of ours.
settings.register_profile("pgtlab", deadline=None, max_examples=40)
settings.register_profile("ci", settings.get_profile("pgtlab"), derandomize=True)  # red or green, whatever the day
settings.register_profile("search", deadline=None, max_examples=2000, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "pgtlab")


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Look for examples in the docstrings of the packages only: every file of tests would be read a second time."""
    collectors = yield
    return [collector for collector in collectors if not isinstance(collector, DoctestModule)]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--shuffle`."""
    parser.addoption("--shuffle", metavar="SEED", help="run the tests of each file in another order, and the files too")


IN_ORDER = ("tests/browser/", "tests/hub/")  # whose tests share a page, a server or a class from the first to the last


@pytest.hookimpl(tryfirst=True)  # before pytest brings together those that share a fixture
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Change the order of tests as the option says: none may depend on what ran before it, but for those `IN_ORDER`."""
    if seed := config.getoption("shuffle"):
        random, by_file = Random(seed), dict[str, list[pytest.Item]]()
        for item in items:
            by_file.setdefault(item.nodeid.partition("::")[0], []).append(item)
        for file, tests in by_file.items():
            if not file.startswith(IN_ORDER):
                random.shuffle(tests)
        files = list(by_file.values())
        random.shuffle(files)
        items[:] = [item for tests in files for item in tests]


class ByFile(LoadScopeScheduling):
    """Give a file of tests to one worker, which makes its fixtures once; all that need JupyterLab to the same one.

    xdist's own way to keep tests together, the mark `xdist_group`, has no effect with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "JupyterLab" if file in NEED_JUPYTERLAB else file


NEED_JUPYTERLAB = {f"tests/browser/test_{name}.py" for name in ("jupyterlab", "lab_opens", "lifetime")}


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: a test in a browser waits about half of its time."""
    return (os.cpu_count() or 1) + 1


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """Say which tests stay together when the suite runs on several processes."""
    return ByFile(config, log)


@pytest.fixture
def no_other_views(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no view of another test count as shown on the page."""
    from pgtlab_widgets.kernel_view import on_the_page

    for view in on_the_page():
        monkeypatch.setattr(view, "displayed", False)


def pytest_collection_finish() -> None:
    """Let the garbage collector leave alone what collection made, thousands of tests, which lives to the end."""
    gc.freeze()
