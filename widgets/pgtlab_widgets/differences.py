"""What differs between two states of a view, so that a page gets only that.

States are data as JSON has it. In a list whose items are dicts with different strings as `key`, such as the shapes of a
picture, items are compared by key, else by their place. `differences.js` applies a difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: `[new]` replaces the whole; `in` has a difference for each name within, and `names` all names if they changed.
Difference = list[Any] | dict[str, Any]


def difference(old: object, new: object) -> Difference | None:
    """What turns `old` into `new`; None if they are equal.

    >>> difference({"title": "a", "on": True}, {"title": "b", "on": True})
    {'in': {'title': ['b']}}
    >>> difference([{"key": "x", "at": 1}, {"key": "y"}], [{"key": "x", "at": 2}])
    {'in': {'x': {'in': {'at': [2]}}}, 'names': ['x']}
    >>> difference({"claims": []}, {"claims": []}) is None
    True
    """
    if old is new or old == new:
        return None
    before, now = _named(old), _named(new)
    if isinstance(old, dict) != isinstance(new, dict) or before.keys().isdisjoint(now):
        return [new]
    changes = {
        name: [value] if name not in before else change
        for name, value in now.items()
        if name not in before or (change := difference(before[name], value)) is not None
    }
    return {"in": changes} if [*before] == [*now] else {"in": changes, "names": [*now]}


def _named(data: object) -> Mapping[str, Any]:
    """The parts of a dict or a list by their names; nothing for other data."""
    match data:
        case dict():
            return data
        case list() | tuple():
            keys: list[Any] = [item.get("key") if isinstance(item, dict) else None for item in data]
            by_key = all(isinstance(key, str) for key in keys) and len(set(keys)) == len(keys)
            return dict(zip(keys if by_key else [str(place) for place in range(len(data))], data, strict=True))
    return {}
