"""The class's server in use: students log in, run a chapter, keep their work when it changes, and stay within limits.

`make test-hub` runs it; USERS=2 takes fewer students.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest
from class_server import PASSWORD, ClassServer, class_server, descendants, memory

STUDENTS = [f"student-{number}" for number in range(int(os.environ.get("USERS", "10")))]
CHAPTER = "notebooks/02_a_tree.ipynb"
NOTEBOOK = f"page-tables/{CHAPTER}"
AT_ONCE = 2  # as many as there are cores


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A running hub with its students, whose servers are not started."""
    with class_server(tmp_path_factory.mktemp("hub"), PGTLAB_HUB_MEMORY="1G") as server:
        created = asyncio.run(server.answer("hub/api/users", "POST", {"usernames": STUDENTS}))
        assert [user["name"] for user in created] == STUDENTS
        yield server


def bench(hub: ClassServer, student: str) -> Path:
    return hub.data / "homes" / student / "page-tables"


def test_every_student_runs_a_chapter(hub):
    async def lesson(student: str, seats: asyncio.Semaphore) -> list[str]:
        async with seats:
            await hub.start(student)
            opened = await hub.ask(f"user/{student}/pgtlab/open/{CHAPTER}")
            assert (opened.code, opened.headers["Location"]) == (302, f"/user/{student}/lab/tree/{NOTEBOOK}")
            _, errors = await hub.run(student, NOTEBOOK, await hub.code_cells(student, NOTEBOOK))
            return errors

    async def lessons() -> list[list[str]]:
        seats = asyncio.Semaphore(AT_ONCE)
        return await asyncio.gather(*(lesson(student, seats) for student in STUDENTS))

    assert asyncio.run(lessons()) == [[]] * len(STUDENTS)
    readers = {json.loads((bench(hub, student) / "progress.json").read_text())["reader"] for student in STUDENTS}
    assert len(readers) == len(STUDENTS), "each has numbers of their own"
    for student in STUDENTS:
        assert (bench(hub, student) / "progress.json").stat().st_mode & 0o777 == 0o600
        assert bench(hub, student).stat().st_mode & 0o777 == 0o700


def test_memory_of_a_student_is_less_than_a_quarter_of_a_gigabyte(hub):
    used = {pid: memory(pid)["Pss"] for pid in descendants(hub.process.pid)}
    assert sum(used.values()) / len(STUDENTS) < 256 << 10


def test_a_changed_chapter_reaches_a_student_and_their_work_stays(hub):
    """What was given is made to look like an earlier version, in which the first cell had other words."""
    own = bench(hub, STUDENTS[0]) / CHAPTER
    notebook = json.loads(own.read_text())
    title = notebook["cells"][0]["source"]
    notebook["cells"][0]["source"] = "# An earlier title"
    notebook["metadata"]["pgtlab"]["sha256"] = "0" * 64
    (bench(hub, STUDENTS[0]) / ".course" / f"{'0' * 64}.ipynb").write_text(json.dumps(notebook))
    notebook["cells"][-1]["source"] = "what the student wrote"
    own.write_text(json.dumps(notebook))
    page = asyncio.run(hub.ask(f"user/{STUDENTS[0]}/pgtlab/open/{CHAPTER}"))
    assert (page.code, "and what you wrote" in page.body.decode()) == (200, True)
    cells = json.loads(own.read_text())["cells"]
    assert ["".join(cells[0]["source"]), "".join(cells[-1]["source"])] == ["".join(title), "what the student wrote"]


def test_a_server_asks_nothing_and_saves_the_views_with_a_notebook(hub):
    async def default(plugin: str, name: str) -> object:
        settings = await hub.answer(f"user/{STUDENTS[0]}/lab/api/settings/{plugin}")
        return settings["schema"]["properties"][name]["default"]

    assert asyncio.run(default("@jupyterlab/apputils-extension:notification", "fetchNews")) == "false"
    assert asyncio.run(default("@jupyter-widgets/jupyterlab-manager:plugin", "saveState")) is True
    assert asyncio.run(hub.answer(f"user/{STUDENTS[0]}/lab/api/update"))["notification"] is None


@pytest.mark.parametrize("path", ["notebooks/99.ipynb", "%2e%2e/%2e%2e/x"])
def test_a_link_to_nothing_leads_nowhere(hub, path):
    assert asyncio.run(hub.ask(f"user/{STUDENTS[0]}/pgtlab/open/{path}")).code == 404


def test_a_student_who_takes_too_much_memory_gets_an_error_and_goes_on(hub):
    async def allocate() -> list[str]:
        kernel, errors = await hub.run(STUDENTS[0], NOTEBOOK, ["memory = bytearray(2 << 30)"])
        return [*errors, *await hub.run_in(STUDENTS[0], kernel, ["1 + 1"])]

    errors = asyncio.run(allocate())
    assert [error.split(": ")[1] for error in errors] == ["MemoryError"]


def test_the_password_opens_and_no_other_does(hub):
    def log_in(name: str, password: str) -> str:
        browser = build_opener(HTTPCookieProcessor(CookieJar()))
        with browser.open(f"{hub.url}/hub/login") as form:
            xsrf = re.search(r'name="_xsrf" value="(.+?)"', form.read().decode())[1]
        asked = {"username": name, "password": password, "_xsrf": xsrf}
        with browser.open(f"{hub.url}/hub/login", urlencode(asked).encode()) as page:
            return page.url

    assert "/hub/login" not in log_in(STUDENTS[0], PASSWORD)
    with pytest.raises(HTTPError) as refused:
        log_in(STUDENTS[0], PASSWORD[:-1])
    assert refused.value.code == 403


def test_without_a_token_there_is_nothing(hub):
    async def codes() -> list[int]:
        stranger = ClassServer(hub.url, hub.process, "wrong", hub.data)
        paths = ["hub/api/users", f"user/{STUDENTS[0]}/api/contents", f"user/{STUDENTS[0]}/pgtlab/open/{CHAPTER}"]
        return [(await stranger.ask(path)).code for path in paths]

    assert all(code in (302, 403) for code in asyncio.run(codes()))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PGTLAB_HUB_PASSWORD", "short", "has 5 characters: JupyterHub asks for 8 or more."),
        (
            "PGTLAB_HUB_MEMORY",
            "much",
            "PGTLAB_HUB_MEMORY=much is not a size: write bytes, or a size such as 512M or 2G.",
        ),
    ],
)
def test_a_wrong_setting_is_said_in_a_sentence(tmp_path, name, value, said):
    with pytest.raises(AssertionError) as stopped, class_server(tmp_path, **{name: value}):
        pass
    assert said in str(stopped.value)
    assert "Traceback" not in str(stopped.value)


def test_a_server_that_nobody_uses_stops(tmp_path):
    async def idle(server: ClassServer) -> None:
        await server.answer("hub/api/users", "POST", {"usernames": ["idle"]})
        await server.answer("hub/api/users/idle/server", "POST")
        while (await server.answer("hub/api/users/idle"))["servers"]:
            await asyncio.sleep(0.5)

    with class_server(tmp_path, PGTLAB_HUB_IDLE="1") as server:
        asyncio.run(asyncio.wait_for(idle(server), 300))
