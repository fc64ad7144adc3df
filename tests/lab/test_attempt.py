"""A learner's function that does not end is stopped, and leaves nothing behind in the thread that ran it."""

import subprocess
import sys

PROGRAM = """
import sys
from pgtlab.lab.attempt import AnswerError, attempt

def endless():
    while True:
        try:
            while True:
                pass
        except Exception:
            pass

for function in (lambda: None, endless):
    try:
        attempt(function, {"answer": function}, seconds=0.05)
    except AnswerError as error:
        assert "still busy" in str(error), error
sys.setprofile(lambda *_: None)
print(list(x for x in iter(range(3))))
"""


def test_a_profiler_works_after_an_attempt():
    """CPython 3.11 hangs in a generator under a profiler once an asynchronous exception was cancelled."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=300)
    assert (done.stdout, done.stderr) == ("[0, 1, 2]\n", "")
