"""What others wrote, in a log, a name or an error, gives no command to the terminal; colours are ours alone."""

import ast
import io
import json
import unicodedata
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from pgtlab.cli import main
from pgtlab.cli.terminal import COLOURS, Terminal, coloured, complain, printable

CLI = Path(__file__).parents[2] / "pgtlab" / "cli"

HOSTILE = {
    "title": "\x1b]0;PWNED\x07",
    "clipboard": "\x1b]52;c;cm0gLXJm\x1b\\",
    "link": "\x1b]8;;http://example.invalid\x1b\\here\x1b]8;;\x1b\\",
    "colour": "\x1b[32mgood\x1b[0m",
    "one of our colours": "\x1b[1;31mbad",
    "cursor": "\x1b[2K\x1b[1A",
    "device control": "\x1bP$q\x1b\\",
    "C1": "\x9b31m\x9d0;PWNED\x9c",
    "bell and backspace": "\x07\x08\x08\x08",
    "carriage return": "hidden\rshown",
    "bidi": "\u202eabc\u2066\u2069\u200f\u061c",
    "other ends of lines": "a\x0bb\x0cc\x85d\u2028e\u2029f\x1cg",
    "no width": "a\u200bb\ufeffc",
    "half a character": "a\udc9bb",
}


def unseen(text: str) -> set[str]:
    """The characters of a text that a terminal would obey."""
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in "\n\t"}


def answer(capsys, *words) -> tuple[str, str]:
    """What the command prints."""
    with suppress(SystemExit):
        main([str(word) for word in words])
    return capsys.readouterr()


ALL = "+".join(HOSTILE.values()).replace("/", "|")  # as a file can be called


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_each_kind(hostile):
    assert unseen(printable(hostile)) == set()
    assert printable(hostile) != hostile


def test_of_a_log(capsys, tmp_path):
    log = tmp_path / "log"
    log.write_bytes(
        f"BUG: Bad page state in process {ALL}  pfn:1\n"
        "page: refcount:0 mapcount:-1 mapping:0000000000000000 index:0x0 pfn:0x1\n"
        f"Hardware name: {ALL} (DT)\nModules linked in: {ALL}\n".encode(errors="replace")
    )
    out, err = answer(capsys, "oops", log)
    assert "Bad page state" in out
    assert unseen(out + err) == set()
    out, err = answer(capsys, "oops", log, "--json")
    assert out.isascii()
    assert unseen(out + err) == set()
    assert unseen(json.loads(out)["reports"][0]["message"]) > {"\x07", "\u202e", "\u061c"}


def test_of_the_name_of_a_file(capsys, tmp_path):
    name = tmp_path / ALL
    for command in (
        ["oops", name],
        ["walk-cost", "--accesses", 10, "--trace", name],
        ["verify-mmu", name],
        ["translate", name, "0"],
        ["ptdump", name],
        ["debug-vm-pgtable", "--tree-file", name],
    ):
        out, err = answer(capsys, *command)
        assert err
        assert unseen(out + err) == set(), command
    name.write_bytes(b"nothing that anything reads")
    for command in (
        ["oops", name],
        ["walk-cost", "--accesses", 10, "--trace", name],
        ["verify-mmu", name],
        ["tables", name],
    ):
        out, err = answer(capsys, *command)
        assert err
        assert unseen(out + err) == set(), command


def test_of_what_is_in_a_file(capsys, tmp_path):
    path = tmp_path / "file"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{ALL}.npy".encode(errors="replace").decode(), "x")
    for command in ["verify-mmu", path], ["tables", path]:
        out, err = answer(capsys, *command)
        assert unseen(out + err) == set(), command
    path.write_text(f"@0x1000\n{ALL}", errors="replace")
    out, err = answer(capsys, "tables", path)
    assert "is not a word" in err
    assert unseen(out + err) == set()
    path.write_text(ALL, errors="replace")
    for command in ["walk-cost", "--accesses", 10, "--trace", path], ["debug-vm-pgtable", "--tree-file", path]:
        out, err = answer(capsys, *command)
        assert err
        assert unseen(out + err) == set(), command


def test_of_the_command_line(capsys):
    for command in (
        [ALL],
        ["esr", ALL],
        ["esr", "0", ALL],
        ["esr", "0", f"--{ALL}"],
        ["va", ALL],
        ["pte", ALL],
        ["config", "--page-size", ALL],
        ["config", "--cpu", ALL],
        ["show", ALL],
        ["matrix", ALL],
        ["bugs", ALL],
        ["debug-vm-pgtable", "--bad", ALL],
        ["debug-vm-pgtable", "--phys-offset", ALL],
    ):
        out, err = answer(capsys, *command)
        assert err
        assert unseen(out + err) == set(), command


def test_text_stays_as_it_is():
    text = "Käse\t0x1f – 漢字 🙂 and a narrow\u202fspace\n"
    assert printable(text) == text
    assert printable("") == ""


def test_an_escape_says_which_character_it_was():
    assert printable("\x1b\x7f\x9b\u202e") == r"\x1b\x7f\x9b\u202e"


class Output(io.StringIO):
    def isatty(self):
        return self.terminal


def on_a_screen(monkeypatch) -> Output:
    """Make standard output that of a command on a terminal that has colours."""
    output = Output()
    output.terminal = True
    monkeypatch.setattr("sys.stdout", Terminal(output))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return output


def test_when_colour_is_used(monkeypatch):
    screen = on_a_screen(monkeypatch)
    print(*(coloured("x", how) for how in COLOURS), coloured("x", None))
    assert screen.getvalue() == " ".join([*(f"\033[{code}mx\033[0m" for code in COLOURS.values()), "x\n"])
    monkeypatch.setenv("NO_COLOR", "")  # which asks nothing
    assert coloured("x", "bad") != "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert coloured("x", "bad") == "x"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert coloured("x", "bad") == "x"
    monkeypatch.setenv("TERM", "xterm")
    assert coloured("x", "bad") != "x"
    screen.terminal = False
    assert coloured("x", "bad") == "x"


def test_no_text_takes_a_colour_of_ours(monkeypatch):
    screen = on_a_screen(monkeypatch)
    print(coloured("\x1b[32mx", "bad"))
    assert screen.getvalue() == "\033[1;31m\\x1b[32mx\033[0m\n"


def test_standard_output_is_what_it_was(capsys):
    import sys

    before = sys.stdout
    main(["esr", "0x96000004"])
    assert sys.stdout is before


def test_a_complaint_is_one_safe_sentence(capsys):
    complain(ValueError("a\x1bb"))
    assert capsys.readouterr().err == "pgtlab: a\\x1bb\n"


def test_nothing_else_in_the_command_writes_to_a_stream():
    """Everything is printed, to the `Terminal` that standard output is, or is a complaint."""
    for path in CLI.glob("*.py"):
        if path.name != "terminal.py":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    call = ast.unparse(node)
                    assert "file=sys.stderr" not in call, path
                    assert not call.startswith(("sys.stderr.write", "sys.stdout.write", "os.write", "sys.__std")), path
