"""What holds for the whole suite."""

from hashlib import sha256
from pathlib import Path

from hypothesis import settings

# A time limit for each example fails on a busy machine and finds no bug of ours.
settings.register_profile("pgtlab", deadline=None)
settings.load_profile("pgtlab")


def forget_loops_compiled_from_other_sources():
    """Numba keeps a compiled loop until its own file changes, whatever it took in from others: functions, constants."""
    folder = Path(__file__).parents[1] / "pgtlab" / "arch"
    stamp = sha256(b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))).hexdigest()
    note = folder / "__pycache__" / "compiled-from.txt"
    if not note.exists() or note.read_text() != stamp:
        for compiled in folder.glob("__pycache__/*.nb[ic]"):
            compiled.unlink(missing_ok=True)
        note.parent.mkdir(exist_ok=True)
        note.write_text(stamp)


forget_loops_compiled_from_other_sources()
