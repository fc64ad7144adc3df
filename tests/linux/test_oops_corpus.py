"""The corpus of field logs: everything that is known to be true of them is read, and nothing else is claimed."""

import importlib.util
from pathlib import Path

import pytest
from work import growth, steps

from pgtlab.linux import oops

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("oops_corpus", ROOT / "benchmarks/oops_corpus.py")
assert SPEC is not None
assert SPEC.loader is not None
corpus = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(corpus)
SCORE = corpus.score()


def test_every_log_has_its_truths():
    assert set(SCORE) == {path.name for path in corpus.FIELD.glob("*.txt")}


@pytest.mark.parametrize("name", SCORE)
def test_log_is_read_rightly(name):
    verdict, single = SCORE[name]
    assert verdict == "right", [about for kind, about in single if kind != "right"]


def test_the_score_knows_what_is_wrong(tmp_path):
    (tmp_path / "a.txt").write_text((corpus.FIELD / "page-map-2.txt").read_text())
    (tmp_path / "truths.toml").write_text('["a.txt"]\ncauses = ["poison"]\nvalues = {"reports.0.esr" = "0x96000004"}\n')
    verdict, single = corpus.score(tmp_path)["a.txt"]
    assert (verdict, [kind for kind, _ in single]) == ("wrong", ["wrong", "silent"])


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name == "wrapped-2.txt" else pytest.mark.sweep)
        for name, truth in corpus.truths().items()
        if "declined" not in truth and "like" not in truth
    ],
)
def test_work_is_proportional_to_the_length(name):
    """A log 2 and 4 times as long takes 2 and 4 times the steps."""
    text = (corpus.FIELD / name).read_text() + "\n"
    oops.read(text)  # what is loaded and kept the first time
    assert growth(lambda n: steps(lambda: oops.read(text * n)), 4) < 2.5
