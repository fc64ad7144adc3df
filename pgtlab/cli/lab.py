"""``pgtlab lab``: make a workbench folder and open JupyterLab in it."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import socket
import tempfile
from pathlib import Path
from urllib.parse import quote

FIRST = "notebooks/00_tour.ipynb"
PORTS = range(8888, 8988)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``pgtlab lab`` to the command."""
    parser = subparsers.add_parser(
        "lab",
        help="open the course in JupyterLab",
        description="Make a folder with the course's notebooks, and open JupyterLab in it. "
        "Notebooks that are there already are yours, and stay as they are.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path("workbench"),
        help="where your notebooks are kept (default: ./workbench)",
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--port", type=int, help=f"the port to use (default: the first free one from {PORTS[0]})")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Build the workbench, then serve it until Ctrl-C."""
    from pgtlab.lab import course

    port = free_port(args.port)
    pages = course.build(args.folder)
    new = sum(page.state == "new" for page in pages)
    print(f"Your notebooks are in {args.folder}: {new} new, {len(pages) - new} as you left them.")
    for page in pages:
        if page.state == "outdated":
            print(f"{page.path} is kept as it is; rename it to get the course's newer version.")
    return serve(args.folder.resolve(), port, open_browser=not args.no_browser)


def free_port(wanted: int | None) -> int:
    """Return the port to serve at: the one that is wanted, or the first free one.

    Raises
    ------
    ValueError
        If `wanted` is no port or is taken, or if all of `PORTS` are.
    """
    if wanted is not None and not 1 <= wanted <= 65535:
        raise ValueError(f"--port {wanted} is not a port: choose one from 1024 to 65535.")
    for port in PORTS if wanted is None else [wanted]:
        with socket.socket() as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                attempt.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    taken = f"{PORTS[0]} to {PORTS[-1]} are all" if wanted is None else f"{wanted} is"
    raise ValueError(f"port {taken} taken or not allowed: choose another one with --port.")


def serve(folder: Path, port: int, *, open_browser: bool) -> int:
    """Run JupyterLab over `folder` on the loopback interface, until Ctrl-C or SIGTERM."""
    token = secrets.token_hex(24)
    page = f"/lab/tree/{quote(FIRST)}" if (folder / FIRST).exists() else "/lab"
    print(f"JupyterLab: http://127.0.0.1:{port}{page}?token={token}")
    print("Ctrl-C stops it.", flush=True)
    options = [
        f"--ServerApp.root_dir={folder}",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.allow_root={os.geteuid() == 0}",  # root is who one is in a container
        f"--IdentityProvider.token={token}",
        "--ServerApp.answer_yes=True",  # Ctrl-C stops, without asking whether it should
        f"--ExtensionApp.open_browser={open_browser}",
        f"--LabApp.default_url={page}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--Application.log_level=WARN",
    ]
    with tempfile.TemporaryDirectory(prefix="pgtlab-") as scratch:
        _for_this_launch(Path(scratch))
        from jupyterlab.labapp import LabApp

        LabApp.launch_instance(argv=options)
    return 0


def _for_this_launch(scratch: Path) -> None:
    """Put in front of Jupyter's search paths what must hold now and must not change anything.

    The kernel ``python3`` is this Python, whatever else the user has registered under that name;
    and the question about JupyterLab's news is answered, unless the user has answered it already.
    """
    from ipykernel.kernelspec import write_kernel_spec

    write_kernel_spec(scratch / "kernels" / "python3")
    (scratch / "labconfig").mkdir()
    (scratch / "labconfig" / "default_setting_overrides.json").write_text(
        json.dumps({"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}})
    )
    for variable in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH"):
        paths = [str(scratch), *os.environ.get(variable, "").split(os.pathsep)]
        os.environ[variable] = os.pathsep.join(filter(None, paths))
