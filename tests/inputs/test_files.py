"""What is written is there whole, or what was there before is: after a full disk and after an interrupt too."""

import ast
import json
import os
import resource
import stat
import subprocess
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest

from pgtlab.cli import main
from pgtlab.files import write_file
from pgtlab.lab import course, history
from pgtlab.lab.progress import FILE, Answered, Progress
from pgtlab.linux.image import Image

ROOT = Path(__file__).parents[2]
IMAGE = ROOT / "tests/data/kernel/ptdump/4k-va48-max"


@contextmanager
def full_disk(after: int):
    """Let no file grow beyond so many bytes: the system refuses to write, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (after, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def interrupt(file):
    file.write(b"half")
    raise KeyboardInterrupt


@pytest.mark.parametrize("before", [None, b"what was there"])
@pytest.mark.parametrize("replace", [True, False])
def test_an_interrupt_leaves_what_was_there(tmp_path, before, replace):
    path = tmp_path / "a"
    if before:
        path.write_bytes(before)
    with pytest.raises((KeyboardInterrupt, FileExistsError)):
        write_file(path, interrupt, replace=replace)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == ([before] if before else [])


def test_a_full_disk_leaves_what_was_there(tmp_path):
    path = tmp_path / "a"
    write_file(path, b"what was there")
    with full_disk(100), pytest.raises(OSError) as error:  # noqa: PT011 - the error is of the system
        write_file(path, bytes(1 << 20))
    assert error.value.filename == str(path)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"what was there"]


def test_a_file_that_must_stay_stays(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"mine")
    with pytest.raises(FileExistsError) as error:
        write_file(path, b"other", replace=False)
    assert error.value.filename == str(path)
    assert path.read_bytes() == b"mine"


def test_a_race_is_not_won_over_a_file(tmp_path):
    """Another program writes the file after it was looked for."""
    path = tmp_path / "a"
    with pytest.raises(FileExistsError):
        write_file(path, lambda file: path.write_bytes(b"quicker"), replace=False)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"quicker"]


@pytest.mark.parametrize("quicker", [True, False])
def test_a_file_system_without_links(tmp_path, monkeypatch, quicker):
    def no_links(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "a"
    if quicker:
        with pytest.raises(FileExistsError):
            write_file(path, lambda file: path.write_bytes(b"quicker"), replace=False)
    else:
        write_file(path, b"new", replace=False)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"quicker" if quicker else b"new"]


def test_permissions(tmp_path):
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "new", b"")
        write_file(tmp_path / "mine", b"", mode=0o600)
        (tmp_path / "old").write_bytes(b"")
        (tmp_path / "old").chmod(0o604)
        write_file(tmp_path / "old", b"")
        (tmp_path / "mine now").write_bytes(b"")
        write_file(tmp_path / "mine now", b"", mode=0o600)
    finally:
        os.umask(before)
    modes = {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in tmp_path.iterdir()}
    assert modes == {"new": "0o640", "mine": "0o600", "old": "0o604", "mine now": "0o600"}


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real" / "a")
    for content in b"one", b"two":
        write_file(tmp_path / "link", content)
        assert (tmp_path / "real" / "a").read_bytes() == content
    assert (tmp_path / "link").is_symlink()


def test_a_device_stays_one():
    write_file(Path("/dev/null"), b"gone")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        write_file(tmp_path / "none" / "a", b"")
    assert error.value.filename == str(tmp_path / "none" / "a")


def test_a_long_name(tmp_path):
    write_file(tmp_path / ("a" * 255), b"all")
    assert (tmp_path / ("a" * 255)).read_bytes() == b"all"
    assert len([*tmp_path.iterdir()]) == 1  # nothing that was written aside is left


@pytest.mark.slow
def test_a_notebook_that_was_cut_off_is_not_kept(tmp_path):
    """The next `pgtlab lab` writes all that the full disk had no room for."""
    bench = tmp_path / "bench"
    with full_disk(20_000), pytest.raises(OSError):  # noqa: PT011
        course.build(bench)
    course.build(bench)
    notebooks = [*bench.rglob("*.ipynb")]
    assert len(notebooks) > 20
    for path in notebooks:
        nbformat.validate(nbformat.read(path, as_version=4))
    assert Image.open(bench / "data" / "kernel-4k-va48.npz").mmu
    assert not [*bench.rglob(".pgtlab-*")]


def test_progress_on_a_full_disk(tmp_path):
    progress = Progress(tmp_path / FILE)
    progress.add(Answered("a/one", "a", "seed", "right", "4"))
    with full_disk(10):
        progress.add(Answered("a/two", "a", "seed", "right", "4"))
    assert "cannot be written" in progress.note
    assert [answer["question"] for answer in json.loads((tmp_path / FILE).read_text())["answers"]] == ["a/one"]


def test_an_image_on_a_full_disk(tmp_path):
    image, path = Image.open(IMAGE), tmp_path / "image.npz"
    image.save(path)
    whole = path.read_bytes()
    with full_disk(1000), pytest.raises(OSError):  # noqa: PT011
        image.save(path)
    assert path.read_bytes() == whole
    image.save(tmp_path / "any name")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["any name", "image.npz"]


@pytest.mark.parametrize("folder", ["new", "above/new", "empty"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_a_repository_that_was_cut_off_is_not_in_the_way(folder, error, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    git = history._git

    def cut_off(*args, **options):
        git(*args, **options)
        if args[0] == "fast-import":
            raise error

    monkeypatch.setattr(history, "_git", cut_off)
    assert main(["bisect-repo", folder]) in (2, 130)
    assert [path.name for path in tmp_path.rglob("*")] == ["empty"]
    monkeypatch.setattr(history, "_git", git)
    assert main(["bisect-repo", folder]) == 0
    assert (tmp_path / folder / "tree.txt").exists()


@pytest.mark.parametrize("name", ["-y", "a b", "--", "$(x)"])
def test_the_commands_of_a_bisection_are_for_any_name(name, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(history, "write_repo", lambda folder: folder.mkdir())
    main(["bisect-repo", "--json", "--", name])
    first = json.loads(capsys.readouterr().out)["bisection"][0]
    done = subprocess.run(["sh", "-c", f"{first} && pwd"], capture_output=True, text=True)
    assert done.stdout == f"{tmp_path / name}\n", done.stderr


#: What may write in another way: into a temporary folder, and to the end of a file of lines.
WRITERS = {"pgtlab/files.py", "pgtlab/cli/lab.py", "pgtlab/linux/images/compressed.py", "pgtlab/lab/grading/classes.py"}


def writes(tree: ast.AST):
    """The calls in a module that write to a file by its name."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            name = ast.unparse(call.func).rpartition(".")[2]
            values = [*call.args, *(keyword.value for keyword in call.keywords)]
            modes = {str(value.value) for value in values if isinstance(value, ast.Constant)}
            opens = name == "open" and any(set(mode) <= set("rwxabt+") and set(mode) & set("wxa+") for mode in modes)
            if opens or name in ("write_text", "write_bytes", "copyfile", "copy2", "copytree", "move"):
                yield ast.unparse(call)


@pytest.mark.slow
def test_nothing_is_written_in_another_way():
    assert [*writes(ast.parse("path.open('xb'); open('file', 'rb')"))] == ["path.open('xb')"]
    found = {}
    for path in [*(ROOT / "pgtlab").rglob("*.py"), *(ROOT / "widgets").rglob("*.py")]:
        name = str(path.relative_to(ROOT))
        calls = [call for call in writes(ast.parse(path.read_text())) if "os.devnull" not in call]
        if calls and name not in WRITERS:
            found[name] = calls
    assert found == {}
