"""A link into the course makes the reader's folder or brings it up to date, and leads to the notebook."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress

import pytest

pytestmark = pytest.mark.long  # it starts a Jupyter server
CHAPTER = "notebooks/02_a_tree.ipynb"
TOKEN = "of-the-test"


class Stay(urllib.request.HTTPRedirectHandler):
    """Do not follow where an answer leads."""

    def redirect_request(self, *_):
        return None


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def follow(home):
    """A function that follows a link of the course, with the token or without: status, where it leads, page."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = [
        "--ServerApp.jpserver_extensions=pgtlab.cli.course_links=True",
        *(f"--ServerApp.root_dir={home}", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *(f"--IdentityProvider.token={TOKEN}", "--no-browser", "--allow-root"),
    ]
    process = subprocess.Popen([sys.executable, "-m", "jupyter_server", *options], stderr=subprocess.DEVNULL)

    def ask(path, token=TOKEN):
        address = f"http://127.0.0.1:{port}/pgtlab/open/{path}"
        request = urllib.request.Request(address, headers={"Authorization": f"token {token}"})
        try:
            answer = urllib.request.build_opener(Stay).open(request, timeout=300)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.headers.get("Location"), answer.read().decode()

    def is_up():
        with suppress(OSError):
            return ask(CHAPTER)
        assert process.poll() is None, "the server has stopped"
        time.sleep(0.1)
        return None

    assert next(filter(None, iter(is_up, 0)))[:2] == (302, f"/lab/tree/page-tables/{CHAPTER}")
    yield ask
    process.terminate()
    process.communicate(timeout=300)


def test_a_link_makes_the_folder(follow, home):
    assert (home / "page-tables" / CHAPTER).exists()
    assert (home / "page-tables" / "progress.json").exists()


def test_a_link_says_what_the_course_changed(follow, home):
    own = home / "page-tables" / CHAPTER
    notebook = json.loads(own.read_text())
    notebook["metadata"]["pgtlab"]["sha256"] = "of another version"
    notebook["cells"][-1]["source"] = "mine"
    own.write_text(json.dumps(notebook))
    status, leads_to, page = follow(CHAPTER)
    assert (status, leads_to) == (200, None)
    assert "02_a_tree.ipynb is as you left it." in page
    assert f'<a href="/lab/tree/page-tables/{CHAPTER}">Go to the notebook</a>' in page
    assert follow(CHAPTER)[0] == 302, "it is said once"


@pytest.mark.parametrize("path", ["%2e%2e/%2e%2e/etc/passwd", "%3Cscript%3E", "notebooks/%00"])
def test_a_link_to_nothing(follow, path):
    status, _, page = follow(path)
    assert status == 404
    assert "<script>" not in page


def test_a_stranger_changes_nothing(follow, home):
    before = sorted(home.rglob("*"))
    assert follow("notebooks/../x", token="wrong")[0] in (302, 403)
    assert sorted(home.rglob("*")) == before
