"""A JupyterHub that a test starts, uses over its REST interface, and stops, with all that it started."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.websocket import websocket_connect

ROOT = Path(__file__).resolve().parents[2]
CONFIG = Path(__file__).with_name("hub_config.py")
PASSWORD = "for-a-trial-only"
SECONDS = 300


@dataclass(frozen=True)
class ClassServer:
    """A running JupyterHub.

    Attributes
    ----------
    url : str
        Where the students find it.
    process : Popen
        The hub.
    token : str
        Lets the test create users, start and stop their servers, and use them.
    data : Path
        The folder with the students' homes.
    """

    url: str
    process: subprocess.Popen[bytes]
    token: str
    data: Path

    async def ask(self, path: str, method: str = "GET", content: Any = None) -> HTTPResponse:
        """Send a request with the token, and do not follow where it leads."""
        request = HTTPRequest(
            f"{self.url}/{path}",
            method=method,
            headers={"Authorization": f"token {self.token}"},
            body=None if content is None else json.dumps(content),
            allow_nonstandard_methods=True,
            follow_redirects=False,
            request_timeout=SECONDS,
        )
        return await AsyncHTTPClient().fetch(request, raise_error=False)

    async def answer(self, path: str, method: str = "GET", content: Any = None) -> Any:
        """Send a request that has to succeed, and return the JSON of its answer."""
        response = await self.ask(path, method, content)
        assert response.code < 400, f"{method} {path}: {response.code} {response.body.decode()[:500]}"
        return json.loads(response.body or "null")

    async def start(self, user: str) -> int:
        """Start the server of a user, wait until it is ready, and return its process id."""
        await self.answer(f"hub/api/users/{user}/server", "POST")
        for _ in range(SECONDS * 2):
            server = (await self.answer(f"hub/api/users/{user}?include_stopped_servers"))["servers"].get("", {})
            if server.get("ready"):
                return int(server["state"]["pid"]) if server.get("state") else 0
            await asyncio.sleep(0.5)
        raise TimeoutError(f"the server of {user} is not ready")

    async def run(self, user: str, path: str, cells: list[str]) -> tuple[str, list[str]]:
        """Run cells in a kernel of their own; return the kernel and the errors."""
        asked = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
        kernel = (await self.answer(f"user/{user}/api/sessions", "POST", asked))["kernel"]["id"]
        return kernel, await self.run_in(user, kernel, cells)

    async def run_in(self, user: str, kernel: str, cells: list[str]) -> list[str]:
        """Run cells in a kernel, one after the other, and return the errors."""
        url = f"{self.url.replace('http', 'ws', 1)}/user/{user}/api/kernels/{kernel}/channels"
        socket = await websocket_connect(
            HTTPRequest(url, headers={"Authorization": f"token {self.token}"}), max_message_size=1 << 28
        )
        errors = []
        for code in cells:
            identifier = uuid4().hex
            header = {"msg_id": identifier, "msg_type": "execute_request", "session": user, "username": user}
            content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
            message = {"header": header | {"version": "5.3", "date": ""}, "parent_header": {}, "metadata": {}}
            await socket.write_message(json.dumps(message | {"content": content, "channel": "shell", "buffers": []}))
            while True:
                reply = await asyncio.wait_for(socket.read_message(), SECONDS)
                assert reply is not None, f"the kernel of {user} stopped"
                if isinstance(reply, bytes):
                    continue  # a view's pixels
                message = json.loads(reply)
                if message["parent_header"].get("msg_id") != identifier:
                    continue
                if message["msg_type"] == "error":
                    errors.append(f"{code[:80]}: {message['content']['ename']}: {message['content']['evalue']}")
                if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                    break
        socket.close()
        return errors

    async def code_cells(self, user: str, path: str) -> list[str]:
        """Return the code of a notebook of the user."""
        content = (await self.answer(f"user/{user}/api/contents/{quote(path)}"))["content"]
        return [cell["source"] for cell in content["cells"] if cell["cell_type"] == "code"]


@contextmanager
def class_server(data: Path, **environment: str) -> Iterator[ClassServer]:
    """Start a hub on free ports of the loopback interface, and stop it with everything that it started."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        public, hub, proxy = (f"http://127.0.0.1:{each.getsockname()[1]}" for each in sockets)
    token = secrets.token_hex(16)
    paths = [str(ROOT), str(ROOT / "widgets")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "PGTLAB_HUB_DATA": str(data),
        "PGTLAB_HUB_URL": public,
        "PGTLAB_HUB_PASSWORD": PASSWORD,
        "HUB_TEST_HUB_URL": hub,
        "HUB_TEST_PROXY_URL": proxy,
        "HUB_TEST_TOKEN": token,
        **environment,
    }
    data.mkdir(parents=True, exist_ok=True)
    with open(data / "hub.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "--config", str(CONFIG)],
            cwd=data,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    server = ClassServer(public, process, token, data)
    try:
        asyncio.run(_until_up(server))
        yield server
    finally:
        started = descendants(process.pid)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        finally:
            left = _still_there(started)
            for pid in left:
                os.kill(pid, signal.SIGKILL)
        assert not left, f"the hub left processes behind: {left}"


async def _until_up(server: ClassServer) -> None:
    for _ in range(SECONDS * 5):
        assert server.process.poll() is None, (server.data / "hub.log").read_text()
        with suppress(OSError):  # nothing listens yet
            if (await server.ask("hub/api/")).code == 200:
                return
        await asyncio.sleep(0.2)
    raise TimeoutError("the hub is not up")


def descendants(pid: int) -> list[int]:
    """Return the processes that a process started, and those that these started."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    found, new = [], [pid]
    while new:
        new = [child for parent in new for child in children.get(parent, [])]
        found += new
    return found


def _still_there(pids: list[int]) -> list[int]:
    """Return those of the processes that have not ended after a while."""
    left = pids
    for _ in range(100):
        left = [pid for pid in left if (stat := Path(f"/proc/{pid}/stat")).exists() and ") Z " not in stat.read_text()]
        if not left:
            return []
        time.sleep(0.1)
    return left


def memory(pid: int) -> dict[str, int]:
    """Return the memory of a process in KiB: `Pss` shares what several processes use, `Rss` does not."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {name: int(rest.split()[0]) for name, rest in (line.split(":") for line in lines)}
