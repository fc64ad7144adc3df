"""``pgtlab verify-mmu``: what it prints, and the exit status that a script goes by."""

from pathlib import Path

import numpy as np

from pgtlab.cli import main

FETCHES = Path(__file__).parents[1] / "data" / "mmu" / "exec_sample.npz"


def test_an_agreeing_file(capsys):
    assert main(["verify-mmu", str(FETCHES)]) == 0
    out = capsys.readouterr().out
    assert "90 images, 2000 cases" in out
    assert "1950 cases compared, 50 left out" in out
    assert "the walkers agree with the record" in out


def test_a_disagreement_is_shown_with_the_walk(tmp_path, capsys):
    arrays = dict(np.load(FETCHES))
    case = int(np.flatnonzero((arrays["status"] == 0) & (arrays["pa"] != 0))[0])
    arrays["pa"][case] ^= 1 << 13
    np.savez_compressed(tmp_path / "wrong.npz", **arrays)
    assert main(["verify-mmu", str(tmp_path / "wrong.npz")]) == 1
    out = capsys.readouterr().out
    assert "1 mismatches of translate, 1 of translate_many, 0 between them: the walkers do NOT agree" in out
    assert f"case {case}, image" in out
    assert "level 3" in out


def test_a_damaged_file_fails_and_the_others_are_still_verified(tmp_path, capsys):
    (tmp_path / "damaged.npz").write_bytes(FETCHES.read_bytes()[:5000])
    assert main(["verify-mmu", str(tmp_path / "damaged.npz"), str(FETCHES)]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith(f"pgtlab: {tmp_path / 'damaged.npz'}: not a readable .npz archive")
    assert "the walkers agree with the record" in captured.out


def test_file_of_another_kind(tmp_path, capsys):
    (tmp_path / "README.md").write_text("# Words\n")
    assert main(["verify-mmu", str(tmp_path / "README.md")]) == 1
    message = f"pgtlab: {tmp_path / 'README.md'}: not a readable .npz archive (it does not begin as one)\n"
    assert capsys.readouterr().err == message


def test_no_file(capsys):
    assert main(["verify-mmu", "nothing.npz"]) == 2
    assert capsys.readouterr().err == "pgtlab: nothing.npz: No such file or directory\n"
