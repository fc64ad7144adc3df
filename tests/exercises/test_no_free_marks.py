"""No point for an answer that somebody did not work for: a constant, the identity, a copy of what the course prints."""

import ast
import inspect
import pkgutil
import re
import textwrap
from functools import cache
from importlib import import_module

import pytest

import pgtlab
from pgtlab.lab import course_text
from pgtlab.lab.exercise import paths, read
from pgtlab.lab.judge import define, judge, prelude
from pgtlab.lab.trees import COMMITS

pytestmark = pytest.mark.long  # it judges each exercise with many wrong answers

SEED = "practice"
EXERCISES = [read(source) for source in paths().values()]
FUNCTIONS = [exercise for exercise in EXERCISES if exercise.is_function]
VALUES = [exercise for exercise in EXERCISES if not exercise.is_function]
each = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
each_function = pytest.mark.parametrize("exercise", FUNCTIONS, ids=lambda exercise: exercise.name)
each_value = pytest.mark.parametrize("exercise", VALUES, ids=lambda exercise: exercise.name)

ELSEWHERE = re.compile(r"\.(cli|plot|worker|grading|__main__)\b")  # these start processes, or read and write files
CONSTANTS = (
    None,
    0,
    1,
    -1,
    3,
    8,
    4096,
    True,
    False,
    "",
    "yes",
    "real",
    (),
    (0, 0),
    [],
    {},
    {3: 0},
    ({}, 0),
    ({3: 0}, 0),
)


def points(exercise, answer) -> int:
    return judge(exercise, answer, SEED).points


@each_function
def test_constants_and_the_identity_get_nothing(exercise):
    for value in CONSTANTS:
        assert points(exercise, lambda *args, value=value: value) == 0, value
    for number, name in enumerate(exercise.parameters):
        assert points(exercise, lambda *args, number=number: args[number]) == 0, name


@each_function
def test_an_empty_function_gets_nothing(exercise):
    parameters = ", ".join(exercise.parameters)
    answer = define(f"def {exercise.answer}({parameters}):\n    pass\n", "<answer>")[exercise.answer]
    assert points(exercise, answer) == 0


@each_value
def test_constants_in_every_place_get_nothing(exercise):
    blank = define(exercise.code("stub"), "<answer>")[exercise.answer]
    words = {option for option in _texts(exercise.code("")) if len(option) < 40}
    for value in (0, 1, 2, 3, 4096, True, False, "", *sorted(words)):
        filled = dict.fromkeys(blank, value) if isinstance(blank, dict) else [value] * len(blank or [0])
        assert points(exercise, filled) == 0, value
    assert points(exercise, 42) == points(exercise, []) == points(exercise, {}) == 0


@each_value
def test_what_is_right_for_one_student_is_not_solved_for_another(exercise):
    for seed, other in (("practice", "another"), ("1f9a33c0", "00000000")):
        answer = define(prelude(exercise, seed) + exercise.code("solution"), "<answer>")[exercise.answer]
        assert judge(exercise, answer, seed).passed
        assert not judge(exercise, answer, other).passed


@cache
def course_functions() -> dict[str, str]:
    """The functions that chapters define, that tasks show, and that trees are made of: sources by title."""
    found = {}
    for chapter in sorted((course_text.sources() / "notebooks").glob("*.py")):
        for node in ast.walk(ast.parse(chapter.read_text())):
            if isinstance(node, ast.FunctionDef):
                found[f"{chapter.stem}: {node.name}"] = ast.unparse(node)
    for exercise in EXERCISES:
        words = "\n".join(cell.source for cell in exercise.tagged("") if not cell.is_code).replace("\n# ", "\n")
        for number, source in enumerate(re.findall(r"```python\n(def .*?)```", words, re.DOTALL)):
            found[f"{exercise.name}, {number}"] = source
    for commit in COMMITS:
        for name in commit.functions:
            found[f"{commit.subject}: {name}"] = textwrap.dedent(commit.source(name))
    return found


@cache
def package_functions(*prefixes: str) -> list:
    """The functions of the package, or of the modules with these names, by title."""
    found = {}
    for module in pkgutil.walk_packages(pgtlab.__path__, "pgtlab."):
        wanted = module.name.startswith(prefixes) if prefixes else not ELSEWHERE.search(module.name)
        if wanted:
            for function in vars(import_module(module.name)).values():
                if inspect.isfunction(function) and function.__module__.startswith("pgtlab."):
                    found[f"{function.__module__}.{function.__qualname__}"] = function
    return sorted(found.items())


def callable_as(exercise, functions) -> list:
    """Those of the functions that can be called as the answer is."""
    fitting = []
    for title, function in functions:
        try:
            inspect.signature(function).bind(*exercise.parameters)
        except TypeError:
            continue
        fitting.append((title, function))
    return fitting


@each_function
def test_a_function_that_the_course_prints_gets_nothing(exercise):
    for title, source in course_functions().items():
        name = ast.parse(source).body[0].name
        copied = define(f"from __future__ import annotations\n{source}", "<copied>")[name]
        assert points(exercise, copied) == 0, title


@each_function
def test_a_function_that_does_the_like_in_the_package_gets_nothing_called_or_pasted(exercise):
    modules = (
        "pgtlab.linux.kernel.pgtable",
        "pgtlab.linux.kernel.pgalloc",
        "pgtlab.linux.decompose",
        "pgtlab.arch.word",
    )
    for title, function in callable_as(exercise, package_functions(*modules)):
        assert points(exercise, function) == 0, title
        assert points(exercise, _pasted(function)) == 0, f"{title}, pasted"


@each_function
@pytest.mark.sweep
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of what a stopped call leaves behind
def test_no_function_of_the_package_gets_anything_called_or_pasted(exercise):
    for title, function in callable_as(exercise, package_functions()):
        assert points(exercise, function) == 0, title
        assert points(exercise, _pasted(function)) == 0, f"{title}, pasted"


def _pasted(function):
    """A function made of the source of one of the package's, as a learner would paste it: without the module."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    tree.body[0].decorator_list = []
    source = "from __future__ import annotations\nENTRY_SIZE = 8\n" + ast.unparse(tree)
    try:
        return define(source, "<pasted>")[function.__name__]
    except NameError:  # a default that is a name of the module
        return None


def _texts(code: str) -> set[str]:
    """The texts in some code, such as the names of choices."""
    return {
        node.value
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
