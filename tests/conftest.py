"""What holds for the whole suite."""

import os
from collections.abc import Generator

import pytest
from _pytest.doctest import DoctestModule
from hypothesis import settings

# A time limit for each example fails on a busy machine and finds no bug of ours.
settings.register_profile("pgtlab", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)  # a commit is red or green, whatever the day
settings.register_profile("search", deadline=None, max_examples=2000, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "pgtlab")


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Look for examples in the docstrings of the packages only: every file of tests would be read a second time."""
    collectors = yield
    return [collector for collector in collectors if not isinstance(collector, DoctestModule)]
