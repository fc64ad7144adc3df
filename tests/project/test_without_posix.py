"""Windows has no `fcntl`, no `resource`, no alarms and no user ids: what a student needs does without."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long  # it starts Python many times
ROOT = Path(__file__).resolve().parents[2]
#: Modules are blocked for our own code alone: on such a system Python's own and Jupyter's do not ask for them.
BLOCKED = """
import os, signal, sys
import numpy  # which asks for `sys.platform`, and is told Linux

POSIX = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}

class Missing:
    def find_spec(self, name, path=None, target=None):
        frame = sys._getframe(1)
        while "importlib" in frame.f_code.co_filename:
            frame = frame.f_back
        if name in POSIX and frame.f_globals["__name__"].startswith(("pgtlab", "__main__")):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

for name in POSIX & sys.modules.keys():
    del sys.modules[name]
sys.meta_path.insert(0, Missing())
for name in ("alarm", "setitimer", "getitimer", "pause", "SIGALRM", "SIGVTALRM", "SIGPIPE", "SIGHUP"):
    delattr(signal, name)
for name in ("fork", "geteuid", "getuid", "pread", "pwrite", "uname", "mkfifo", "SEEK_DATA", "SEEK_HOLE"):
    delattr(os, name)
"""
LAB = """
import types
from pgtlab.cli import main

class Server:
    port, runtime_dir = 1234, "."
    def start(self): pass
    def remove_server_info_file(self): pass
    def remove_browser_open_files(self): pass

class LabApp:
    @staticmethod
    def initialize_server(argv):
        assert "--ServerApp.allow_root=False" in argv
        return Server()

sys.modules["jupyterlab.labapp"] = types.SimpleNamespace(LabApp=LabApp)
sys.exit(main(["lab", "bench", "--no-browser"]))
"""
CHECK = """
from pgtlab import CPU, Config, boot
from pgtlab.lab import attempt, check
from pgtlab.lab.trees import Tree

attempt.SECONDS = 0.3

def pud_free(k, mm, pud):
    while True:
        try:
            k.pgtable_l4_enabled()
        except Exception:
            pass

print(check("03_pud_free", pud_free).findings[0].hint)
attempt.SECONDS = 10
print(check(Tree.named("fixed").start_kernel(boot(Config(), CPU.named("max")))).passed)
"""
COMMANDS = """
from pgtlab.cli import main
data = {data!r}
for words in (
    ["config"], ["va", "PAGE_OFFSET"], ["pte", "68000040000f07"], ["esr", "0x96000004"], ["trees"], ["bugs"],
    ["debug-vm-pgtable"], ["oops", data + "/seed/next-20240229.log"], ["completion", "bash"],
    ["translate", data + "/kernel/ptdump/4k-va48-max", "PAGE_OFFSET"], ["walk-cost", "--trace", "uniform"],
):
    assert main(words) in (0, 1), words
"""


def without_posix(code: str, folder: Path, before: str = "") -> str:
    done = subprocess.run([sys.executable, "-c", before + BLOCKED + code], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_the_modules_are_blocked(tmp_path):
    code = "try:\n    import resource\nexcept ModuleNotFoundError:\n    print('missing')\nimport subprocess"
    assert without_posix(code, tmp_path) == "missing\n"


def test_an_answer_that_does_not_end_is_stopped_and_a_kernel_is_judged(tmp_path):
    stopped, judged = without_posix(CHECK, tmp_path).splitlines()
    assert stopped.startswith("`pud_free()` was still busy ")
    assert judged == "True"


def test_lab_prepares_the_course_and_starts(tmp_path):
    printed = without_posix(LAB, tmp_path, before="import ipykernel.kernelspec, jupytext")
    assert "http://127.0.0.1:1234/lab/tree/notebooks/index.ipynb?token=" in printed
    assert (tmp_path / "bench/exercises/03_pud_free.ipynb").exists()


def test_the_commands_work(tmp_path):
    without_posix(COMMANDS.replace("{data!r}", repr(str(ROOT / "tests" / "data"))), tmp_path)
