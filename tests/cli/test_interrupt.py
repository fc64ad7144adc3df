"""Ctrl-C whenever it comes: status 130, and not a word."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: Runs the command, and sends itself Ctrl-C when Python looks for the n-th module after the first.
AT_AN_IMPORT = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the shell of the tests does
from pgtlab.__main__ import main

class AtImport:
    left = int(sys.argv.pop(1))
    def find_spec(self, name, path=None, target=None):
        AtImport.left -= 1
        if AtImport.left == 0:
            print("reached", flush=True)
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, AtImport())
sys.exit(main())
"""


def run(code, *args):
    return subprocess.run([sys.executable, "-c", code, *args], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("which", [1, 2, 3, 20, 40, 60, 80, 120, 200])
def test_while_the_command_is_loaded(which):
    done = run(AT_AN_IMPORT, str(which), "ptdump", "tests/data/kernel/ptdump/4k-va48-max")
    assert (done.stdout, done.stderr, done.returncode) == ("reached\n", "", 130)


def test_while_its_first_module_loads_another():
    code = """
import os, sys, _signal
_signal.signal(_signal.SIGINT, _signal.default_int_handler)

class AtSignal:
    def find_spec(name, path=None, target=None):
        if name == "signal":
            print("reached", flush=True)
            os.kill(os.getpid(), _signal.SIGINT)

sys.modules.pop("signal", None)
sys.meta_path.insert(0, AtSignal)
import pgtlab.__main__
"""
    done = run(code)
    assert (done.stdout, done.stderr, done.returncode) == ("reached\n", "", 130)


def test_nothing_is_loaded_before_its_first_module():
    code = "import sys; before = {*sys.modules, '__future__'}; import pgtlab; print(*sys.modules.keys() - before)"
    assert run(code).stdout == "pgtlab\n"


@pytest.mark.parametrize("last", ["return 0", "raise ValueError(9)", "raise SystemExit(0)"])
def test_whatever_a_library_makes_of_it(last):
    """An extension module may turn the exception into another one, or swallow it."""
    code = f"""
import os, signal, sys, pgtlab.__main__, pgtlab.cli
signal.signal(signal.SIGINT, signal.default_int_handler)
def run():
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        {last}
pgtlab.cli.main = run
sys.exit(pgtlab.__main__.main())
"""
    done = run(code)
    assert (done.stderr, done.returncode) == ("", 0 if last == "return 0" else 130)


def test_where_no_exception_can_be_raised():
    code = """
import os, signal, sys, pgtlab.__main__, pgtlab.cli
signal.signal(signal.SIGINT, signal.default_int_handler)
class Thing:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
def run():
    Thing()
    print("still here")
pgtlab.cli.main = run
sys.exit(pgtlab.__main__.main())
"""
    done = run(code)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 130)


def test_when_the_answer_is_complete():
    code = """
import atexit, os, signal, sys, pgtlab.__main__, pgtlab.cli
signal.signal(signal.SIGINT, signal.default_int_handler)
atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))
pgtlab.cli.main = lambda: 1
sys.exit(pgtlab.__main__.main())
"""
    done = run(code)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 1)


def test_where_it_is_ignored():
    code = """
import os, signal, sys, pgtlab.__main__, pgtlab.cli
signal.signal(signal.SIGINT, signal.SIG_IGN)
pgtlab.cli.main = lambda: os.kill(os.getpid(), signal.SIGINT)
sys.exit(pgtlab.__main__.main())
"""
    assert run(code).returncode == 0
