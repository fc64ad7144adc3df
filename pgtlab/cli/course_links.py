"""Links into the course on a server: ``/pgtlab/open/notebooks/02_a_tree.ipynb`` opens a chapter in the reader's folder.

This is an extension of a Jupyter server. The folder is first made or brought up to date, as ``pgtlab lab`` does, and
what a student wrote stays; then the notebook opens in JupyterLab. On a JupyterHub the address
``https://HUB/hub/user-redirect/pgtlab/open/notebooks/02_a_tree.ipynb`` is the same for everybody.
"""

from __future__ import annotations

import asyncio
import os
import sys
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

#: The folder in the reader's home, unless the environment names another.
FOLDER = os.environ.get("PGTLAB_WORKBENCH", "page-tables")

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }}
body {{ max-width: 45rem; margin: 3rem auto; padding: 0 1rem }}
</style>
<h1>{title}</h1>
<ul>{lines}</ul>
<p><a href="{address}">{link}</a></p>
"""


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "pgtlab.cli.course_links"}]


def _load_jupyter_server_extension(server: Any) -> None:
    from jupyter_server.base.handlers import JupyterHandler
    from jupyter_server.utils import url_path_join
    from tornado import web

    lab = url_path_join(server.base_url, "lab", "tree")
    home = Path(server.root_dir)
    one_at_a_time = asyncio.Lock()
    shown: set[str] = set()  # what is still so is not said at every link

    class Open(JupyterHandler):
        @web.authenticated
        async def get(self, path: str) -> None:
            if "\0" in path:  # no file has such a name
                raise web.HTTPError(404)
            target = (home / FOLDER / path).resolve()
            if not target.is_relative_to((home / FOLDER).resolve()):
                raise web.HTTPError(404)
            async with one_at_a_time:
                status, said = await update(home)
            there, title = target.is_file(), "The course has changed"
            lines = [line for line in said[1:] if line not in shown]  # the first line only counts
            shown.update(lines)
            if status:
                lines = said
                title = "The course could not be updated"
                self.set_status(500)
            elif not there:
                title = "Page not found"
                lines.append(f"The course has no {path}.")
                self.set_status(404)
            address = url_path_join(lab, quote(f"{FOLDER}/{path if there else 'notebooks/index.ipynb'}"))
            if not lines:
                self.redirect(address)
                return
            self.finish(
                PAGE.format(
                    title=title,
                    lines="".join(f"<li>{escape(line)}" for line in lines),
                    address=escape(address),
                    link="Go to the notebook" if there else "Go to the map of the course",
                )
            )

    server.web_app.add_handlers(".*", [(url_path_join(server.base_url, r"/pgtlab/open/(.+)"), Open)])


async def update(home: Path) -> tuple[int, list[str]]:
    """Make the course's folder or bring it up to date, and return the exit status and what was said.

    It runs in a process of its own, which takes a second or two and leaves no memory in use.
    """
    command = [sys.executable, "-m", "pgtlab.cli", "lab", FOLDER, "--no-server"]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=home
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode(errors="replace").splitlines()
