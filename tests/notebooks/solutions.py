"""The solutions of the exercises, as lines that could be found in what a learner reads."""

import re

from pgtlab.lab.exercise import paths, read

SHORT = len("return page")  # a line as short as this one is in many functions


def _lines(source: str) -> frozenset[str]:
    """The lines of some functions, without what every function has."""
    lines = (line.partition("  #")[0].strip() for line in source.splitlines())
    every = ("def ", '"""', "#", "from ", "import ")
    return frozenset(line for line in lines if len(line) > SHORT and not line.startswith(every))


#: By exercise; those that are answered by numbers have others for each learner.
SOLUTIONS = {
    exercise.name: _lines(exercise.code("solution"))
    for exercise in (read(source) for source in paths().values())
    if exercise.is_function
}


def normal(text: str) -> str:
    """A text without what two writers do differently: spaces, parentheses, quotation marks, the signs of a comment."""
    return re.sub(r"[\s()\"'`#>]", "", text)


def shown_in(text: str) -> list[str]:
    """The exercises whose solution is in a text, line for line."""
    found = normal(text)
    return [name for name, lines in SOLUTIONS.items() if lines and all(normal(line) in found for line in lines)]
