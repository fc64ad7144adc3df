"""Build the browser edition: a JupyterLite site in which the course runs in a reader's browser, without a server.

The site has four parts: JupyterLite; Pyodide, which is Python compiled to WebAssembly; the wheel of pgtlab and those of
the pure Python packages that it and the kernel need; and the notebooks of the course. Numpy and matplotlib are not pure
Python: they come from Pyodide's own distribution, which the published site reads over the network, or which lies in a
folder and is copied into the site.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from lockfile import Lock, restricted, with_wheels

from pgtlab.lab import course
from pgtlab.lab.progress import FILE

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
FIRST = ("pgtlab", "ipython", "micropip")  # what the kernel and the notebooks load by name


def main() -> None:
    """Build the site."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("output", type=Path)
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--pyodide", type=Path, metavar="FOLDER", help="the distribution, for a site that needs no other"
    )
    where.add_argument("--alone", action="store_true", help="a site that needs no other and has no numpy, for tests")
    args = parser.parse_args()
    output = args.output.resolve()
    parts = output.with_name("lite-parts")  # what is made from, and kept for the next time
    parts.mkdir(parents=True, exist_ok=True)

    tools = install_tools(parts / "tools")
    core = install_pyodide(parts / "npm", tools)
    wheels = [build_pgtlab(parts / "pgtlab"), *download_wheels(parts / "wheels")]
    lock = json.loads((core / "pyodide-lock.json").read_text())
    distribution: list[Path] = []
    if args.pyodide:
        lock = restricted(with_wheels(lock, wheels, ""), *FIRST)
        distribution = from_distribution(args.pyodide, lock, wheels)
    else:
        lock = with_wheels(lock, wheels, None if args.alone else constant(tools, "PYODIDE_CDN_URL") + "/")

    source = fresh(parts / "source")
    pyodide = source / "static" / "pyodide"
    pyodide.mkdir(parents=True)
    for path in (*(core / name for name in CORE), *wheels, *distribution):
        shutil.copy(path, pyodide)
    (pyodide / "pyodide-lock.json").write_text(json.dumps(lock))
    pages = notebooks(source / "course")
    (source / "jupyter-lite.json").write_text(json.dumps(settings(fetches=not (args.pyodide or args.alone))))
    (source / "jupyter_lite_config.json").write_text(json.dumps(how_to_build(source, fresh(output), wheels)))
    run(tools / "bin" / "python", "-m", "jupyterlite_core", "build", cwd=source)
    files = [path for path in output.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    print(f"{args.output}: {len(pages)} notebooks, {len(files)} files, {size:.0f} MB")


def notebooks(folder: Path) -> list[Path]:
    """The course, with the kernel that the site has; its readers do not share a file of answers."""
    pages = [page.path for page in course.build(folder, ROOT)]
    (folder / FILE).unlink(missing_ok=True)
    shutil.rmtree(folder / course.GIVEN)
    for path in pages:
        notebook = json.loads(path.read_text())
        notebook["metadata"]["kernelspec"] = {
            "name": "python",
            "display_name": "Python (Pyodide)",
            "language": "python",
        }
        path.write_text(json.dumps(notebook))
    return pages


def settings(*, fetches: bool) -> Lock:
    """What JupyterLite reads in the browser; `%pip` installs from the network only where the site fetches."""
    kernel = {"disablePyPIFallback": not fetches}
    return {
        "jupyter-lite-schema-version": 0,
        "jupyter-config-data": {
            "appName": "pgtlab",
            "litePluginSettings": {"@jupyterlite/pyodide-kernel-extension:kernel": kernel},
        },
    }


def how_to_build(source: Path, output: Path, wheels: list[Path]) -> Lock:
    """What JupyterLite reads when it builds the site; two of the wheels have JavaScript in them."""
    extensions = [str(wheel) for wheel in wheels if wheel.name.startswith(("anywidget-", "jupyterlab_widgets-"))]
    return {
        "LiteBuildConfig": {
            "apps": ["lab"],
            "contents": [str(source / "course")],
            "federated_extensions": extensions,
            "no_sourcemaps": True,
            "output_dir": str(output),
        }
    }


def install_tools(folder: Path) -> Path:
    """JupyterLite, in an environment of its own: in that of JupyterLab, its kernel would be offered there too."""
    lock = HERE / "requirements.lock"
    if not is_made_from(folder, lock):
        run(sys.executable, "-m", "venv", "--clear", folder)
        pip = (folder / "bin" / "python", "-m", "pip", "install", "-qq", "--disable-pip-version-check")
        run(*pip, "--require-hashes", "--requirement", lock)
        note(folder, lock)
    return folder


def install_pyodide(folder: Path, tools: Path) -> Path:
    """Pyodide without its packages, from npm; `deno.lock` has its hash."""
    sources = (HERE / "package.json", HERE / "deno.lock")
    wanted, given = constant(tools, "PYODIDE_VERSION"), json.loads(sources[0].read_text())["dependencies"]["pyodide"]
    if given != wanted:
        sys.exit(f"lite/package.json names Pyodide {given}, and jupyterlite-pyodide-kernel is made for {wanted}")
    if not is_made_from(folder, *sources):
        folder.mkdir(exist_ok=True)
        for path in sources:
            shutil.copy(path, folder)
        run(Path(sys.executable).with_name("deno"), "install", "--quiet", "--frozen", cwd=folder)
        note(folder, *sources)
    return folder / "node_modules" / "pyodide"


def build_pgtlab(folder: Path) -> Path:
    """The wheel of this tree."""
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", fresh(folder), cwd=ROOT)
    [wheel] = folder.glob("*.whl")
    return wheel


def download_wheels(folder: Path) -> list[Path]:
    """The wheels of `browser.lock`, which has their hashes."""
    lock = HERE / "browser.lock"
    if not is_made_from(folder, lock):
        run(
            *(sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--no-deps"),
            *("--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none", "--python-version=3.14"),
            *("--require-hashes", "--requirement", lock, "--dest", fresh(folder)),
        )
        note(folder, lock)
    return sorted(folder.glob("*.whl"))


def from_distribution(folder: Path, lock: Lock, wheels: list[Path]) -> list[Path]:
    """The packages of the lock that are not wheels of ours, in the folder of Pyodide's distribution."""
    names = {package["file_name"] for package in lock["packages"].values()} - {wheel.name for wheel in wheels}
    if missing := [name for name in sorted(names) if not (folder / name).exists()]:
        sys.exit(
            f"{folder} has no {missing[0]}: the site needs the full distribution of the Pyodide in lite/package.json"
        )
    return [folder / name for name in sorted(names)]


def constant(tools: Path, name: str) -> str:
    """What JupyterLite's kernel knows of Pyodide."""
    code = f"from jupyterlite_pyodide_kernel.constants import {name}\nprint({name})"
    return subprocess.check_output([tools / "bin" / "python", "-c", code], text=True).strip()


def fresh(folder: Path) -> Path:
    """An empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def is_made_from(folder: Path, *sources: Path) -> bool:
    """Whether a folder was made from files with this content."""
    made_from = folder / ".made-from"
    return made_from.exists() and made_from.read_text() == _digest(*sources)


def note(folder: Path, *sources: Path) -> None:
    """Note what a folder was made from."""
    (folder / ".made-from").write_text(_digest(*sources))


def _digest(*sources: Path) -> str:
    return sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def run(*command: object, **options: Any) -> None:
    """Run a command in silence; if it fails, show what it printed and stop."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, **options)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
