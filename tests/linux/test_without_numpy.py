"""What needs no array needs no numpy: in a browser's Python there may be none."""

import subprocess
import sys

import pytest

BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"numpy", "matplotlib", "IPython", "ipywidgets", "anywidget", "traitlets"}:
            raise ImportError(f"{name} is not here")

sys.meta_path.insert(0, Blocked())
"""


def run(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", BLOCKED + code], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("code", "printed"),
    [
        ("from pgtlab import configurations\nprint(len(configurations()))", "13"),
        ("from pgtlab import Config\nprint(hex(Config('4k', 48).constants.VMEMMAP_START))", "0xfffffdffc0000000"),
        (
            "from pgtlab import CPU, Config, boot\nprint(boot(Config('16k', 52), CPU.named('a64fx')).reason[:5])",
            "a64fx",
        ),
        (
            "from pgtlab import CPU, Config, boot\n"
            "b = boot(Config('16k', 52), CPU.named('neoverse-n1'))\nprint(b.vabits_actual, hex(b.tcr_el1))",
            "47 0x1b57551b511",
        ),
        (
            "from pgtlab import CPU, Config, boot, decompose\n"
            "d = decompose(0xffff800080001234, boot(Config('4k', 48), CPU.named('max')))\n"
            "print(d.ttbr, *(h.index for h in d.hardware), len(d._repr_mimebundle_()['image/svg+xml']) > 1000)",
            "TTBR1_EL1 256 2 0 1 True",
        ),
        (
            "from pgtlab.arch.output_address import OutputAddress\n"
            "from pgtlab.arch.registers import ESR_EL1\n"
            "print(OutputAddress.LPA2.pack(0x4000_0000), ESR_EL1(0x96000004)._repr_mimebundle_()['text/plain'])",
            "1073741824 ESR_EL1(0x96000004: EC=0x25 IL=0x1 ISS=0x4)",
        ),
    ],
)
def test_works_without_numpy(code, printed):
    done = run(code)
    assert (done.stdout.strip(), done.stderr) == (printed, "")


@pytest.mark.parametrize("words", ["esr 0x96000004 --svg", "pte 68000040000f07 --svg", "va PAGE_END --json"])
def test_words_without_numpy(words):
    done = run(f"from pgtlab.cli import main\nmain({words.split()})")
    assert done.stdout
    assert done.stderr == ""


def test_numpy_is_blocked():
    """Memory is an array, and says so."""
    done = run("import pgtlab.arch.memory")
    assert "ImportError: numpy is not here" in done.stderr
