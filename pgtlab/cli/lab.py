"""``pgtlab lab``: open the course in JupyterLab.

Make a folder with the course's notebooks, and open JupyterLab in it. What you write in them is
yours: changes of the course are merged in around it.

example: pgtlab lab ~/page-tables
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import signal
from pathlib import Path

JSON = False
FIRST = "notebooks/index.ipynb"
FIRST_PORT = 8888

#: The form of an output that an exported page shows, if it has several. nbconvert would choose the widget, which needs
#: a network; the picture beside it does not.
EXPORTED = ["text/html", "image/svg+xml", "image/png", "image/jpeg", "text/markdown", "text/latex"]
EXPORTED += ["application/vnd.jupyter.widget-view+json", "text/plain"]

#: Settings of JupyterLab, unless its user has chosen others.
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false"},
    "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True},
    # Cells out of sight have their real height, so that a link leads to its section and not past it.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "defer"},
}


#: Large arrays come from the system and go back to it: glibc would keep the room of those of earlier kernels, a
#: quarter of what a notebook with all views holds after some hundred toggles.
KERNEL_ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": str(1 << 17)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``pgtlab lab`` takes."""
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path("workbench"),
        help="where your notebooks are kept (default: ./workbench)",
    )
    parser.add_argument("--no-server", action="store_true", help="only make the notebooks, or bring them up to date")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--port", type=int, help=f"the port to use (default: a free one, {FIRST_PORT} if it is)")


def run(args: argparse.Namespace) -> int:
    """Build the workbench, then serve it until Ctrl-C, unless only the notebooks are wanted."""
    from pgtlab.lab import course

    if args.port is not None:
        check_port(args.port)
    pages = course.build(args.folder)
    new, updated = (sum(page.state == state for page in pages) for state in ("new", "updated"))
    print(
        f"Your notebooks are in {args.folder}: {new} new, {updated} updated, {len(pages) - new - updated} as you left "
        "them."
    )
    said = [page.said for page in pages if page.said]
    if unchanged := updated - sum(page.state == "updated" for page in pages if page.said):
        said.append(f"{unchanged} that you had not changed {'is' if unchanged == 1 else 'are'} the course's newer now.")
    print(*said, sep="\n", end="\n" * bool(said))
    if args.no_server:
        return 0
    course.trust(page for page in pages if page.state == "new")
    return serve(args.folder.resolve(), args.port, open_browser=not args.no_browser)


def check_port(port: int) -> None:
    """Refuse a port that cannot be served at.

    Raises
    ------
    ValueError
        If `port` is not a port number, is taken, or may not be used.
    """
    import socket

    if not 1 <= port <= 65535:
        raise ValueError(f"--port {port} is not a port: choose one from 1024 to 65535.")
    with socket.socket() as attempt:
        if os.name == "posix":  # on Windows it would let two programs have one port
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError as error:
            why = "is taken" if error.errno == errno.EADDRINUSE else "may not be used"
            raise ValueError(f"--port {port} {why}: choose another, or leave --port out.") from None


def serve(folder: Path, port: int | None, *, open_browser: bool) -> int:
    """Run JupyterLab over `folder` on the loopback interface, until Ctrl-C or SIGTERM."""
    import secrets
    import tempfile
    from urllib.parse import quote

    token = secrets.token_hex(24)
    page = f"/lab/tree/{quote(FIRST)}" if (folder / FIRST).exists() else "/lab"
    options = [
        f"--ServerApp.root_dir={folder}",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port or FIRST_PORT}",
        f"--ServerApp.port_retries={0 if port else 50}",
        f"--ServerApp.allow_root={hasattr(os, 'geteuid') and os.geteuid() == 0}",  # a container's user is root
        f"--IdentityProvider.token={token}",
        "--ServerApp.answer_yes=True",  # Ctrl-C stops without a question
        f"--ExtensionApp.open_browser={open_browser}",
        f"--LabApp.default_url={page}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--KernelManager.transport_encryption=auto",  # otherwise each kernel warns that it is not encrypted
        "--Application.log_level=ERROR",
        *(f"--WidgetsDataTypeFilter.display_data_priority={mime}" for mime in EXPORTED),
    ]
    with tempfile.TemporaryDirectory(prefix="pgtlab-") as scratch:
        _have_a_home(Path(scratch))
        _for_this_launch(Path(scratch))
        from jupyterlab.labapp import LabApp

        server = LabApp.initialize_server(argv=options)
        try:
            if hasattr(signal, "SIGHUP"):  # the terminal was closed
                signal.signal(signal.SIGHUP, server._signal_stop)
            _forget_the_dead(Path(server.runtime_dir))
            print(f"JupyterLab: http://127.0.0.1:{server.port}{page}?token={token}")
            print("Ctrl-C stops it.", flush=True)
            server.start()
        finally:  # Jupyter leaves them where Ctrl-C does not come from a terminal
            server.remove_server_info_file()
            server.remove_browser_open_files()
    return 0


def _forget_the_dead(folder: Path) -> None:
    """Remove the files with the tokens of servers that were killed; the numbers of their processes are in the names."""
    from jupyter_server.utils import check_pid

    for pattern in ("jpserver-*.json", "jpserver-*-open.html"):
        for path in folder.glob(pattern):
            pid = path.name.split("-")[1].removesuffix(".json")
            if pid.isdecimal() and not check_pid(int(pid)):
                path.unlink(missing_ok=True)


def _have_a_home(scratch: Path) -> None:
    """Let Jupyter and what it starts keep their files in `scratch`, if the user has no home that can be written."""
    import tempfile

    try:
        tempfile.TemporaryFile(dir=os.path.expanduser("~")).close()
    except OSError:
        (scratch / "home").mkdir()
        os.environ["HOME"] = os.environ["USERPROFILE"] = str(scratch / "home")
        print("Your home folder cannot be written: JupyterLab's settings last until it stops.")


def _for_this_launch(scratch: Path) -> None:
    """Put settings for this launch in front of Jupyter's search paths, and change no file of the user.

    The kernel ``python3`` is this Python, whatever the user has registered under that name; the question about
    JupyterLab's news is answered, unless the user has answered it; and a notebook is saved with the state of its
    widgets, so that they are there when it is opened again.
    """
    from ipykernel.kernelspec import write_kernel_spec

    write_kernel_spec(scratch / "kernels" / "python3", overrides={"env": KERNEL_ENVIRONMENT})
    (scratch / "labconfig").mkdir()
    (scratch / "labconfig" / "default_setting_overrides.json").write_text(json.dumps(SETTINGS))
    for variable in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH"):
        paths = [str(scratch), *os.environ.get(variable, "").split(os.pathsep)]
        os.environ[variable] = os.pathsep.join(filter(None, paths))
