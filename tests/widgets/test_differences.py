"""Differences of states: made in Python, applied in JavaScript."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pgtlab_widgets.differences import difference
from pgtlab_widgets.view import HERE

from tests.widgets.test_module import imported, run

LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=2)
KEYS = st.sampled_from(["0", "1", "a", "b", "key", "names", "in", "__proto__"])
STATES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)


@pytest.mark.slow
def test_applied_difference_gives_the_new_state():
    pairs = []

    @settings(max_examples=300, database=None)
    @given(st.lists(STATES, min_size=2, max_size=2))
    def gather(states):
        pairs.append(states)

    gather()
    pairs += [[old, new] for old in ORDERS for new in ORDERS]
    cases = [[old, new, difference(old, new)] for old, new in pairs]
    given_back = run(
        f"const {{ applied }} = {imported((HERE / 'differences.js').read_text())};"
        f"const cases = JSON.parse({json.dumps(json.dumps(cases))});"
        "console.log(JSON.stringify(cases.map(([old, , change]) => change ? applied(old, change) : old)))"
    )
    for (_, new, _), state in zip(cases, json.loads(given_back), strict=True):
        assert state == new


#: Lists whose items have keys, or have the same one twice, or none.
ORDERS = [
    [{"key": "a", "at": 1}, {"key": "b", "at": [1, 2]}],
    [{"key": "b", "at": [1, 3]}, {"key": "a", "at": 1}],
    [{"key": "b", "at": [1]}, {"key": "c"}, {"key": "a"}],
    [{"key": "a", "at": 1}, {"key": "a", "at": 2}],
    [{"key": "0"}, {"key": 1}],
    [{"key": "1"}, {"key": "0"}],
    [],
]


def test_difference_names_only_what_changed():
    shapes = [{"key": f"bit-{n}", "attributes": {"x": n, "class": "level-0"}} for n in range(64)]
    moved = [*shapes[:7], {**shapes[7], "attributes": {"x": 7, "class": "level-1"}}, *shapes[8:]]
    assert difference({"shapes": shapes}, {"shapes": moved}) == {
        "in": {"shapes": {"in": {"bit-7": {"in": {"attributes": {"in": {"class": ["level-1"]}}}}}}}
    }
