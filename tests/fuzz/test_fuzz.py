"""A few hundred mutated inputs for each reader: each is read, or refused in one sentence. `make fuzz` tries 5,000."""

import os
from functools import partial

import numpy as np
import pytest

from fuzz.__main__ import fuzz, inputs
from fuzz.readers import READERS, outcome, sentence

pytestmark = pytest.mark.long  # it gives each reader many inputs

COUNT = 200
SEED = int(os.environ.get("FUZZ_SEED", "0"))  # the same every day: red or green, whatever the day


@pytest.mark.parametrize("name", READERS)
@pytest.mark.filterwarnings("error")
def test_no_input_ends_in_anything_but_a_sentence(name, tmp_path):
    counts = fuzz(name, SEED, COUNT, tmp_path)
    assert counts.failed == [], counts.failed[0]
    assert counts.accepted + counts.refused == COUNT


@pytest.mark.parametrize("name", READERS)
def test_samples_are_read(name, tmp_path):
    for sample in READERS[name].samples(tmp_path):
        assert outcome(READERS[name], sample, tmp_path) == "accepted"


def test_the_same_seed_makes_the_same_inputs(tmp_path):
    first, second = ([inputs("trace", 1, number, tmp_path) for number in range(20)] for _ in range(2))
    assert first == second
    assert len({*first}) > 15
    assert inputs("trace", 2, 0, tmp_path) != first[0]


def test_mutations_find_what_is_wrong(tmp_path, monkeypatch):
    """A reader that lets another exception out is noticed."""
    monkeypatch.setattr("fuzz.readers.read_trace", partial(np.load, allow_pickle=False))
    assert fuzz("trace", 0, COUNT, tmp_path).failed


@pytest.mark.parametrize("said", ["", " ", "two\nlines", "x" * 5000])
def test_what_is_not_a_sentence(said):
    with pytest.raises(AssertionError):
        sentence(ValueError(said))
