"""`pgtlab lab` as a user starts it: token on, loopback only, the first notebook there."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest

from pgtlab.cli import main
from pgtlab.cli.lab import FIRST, _have_a_home, check_port

pytestmark = pytest.mark.long  # it starts JupyterLab


@contextmanager
def started(home: Path):
    """The command's process, the address it printed and its token, in a home of its own."""
    # Another Python that the user once registered under the name that every notebook asks for.
    registered = home / ".local" / "share" / "jupyter" / "kernels" / "python3"
    registered.mkdir(parents=True)
    (registered / "kernel.json").write_text(
        json.dumps({"argv": ["/bin/false"], "display_name": "Another", "language": "python"})
    )
    runtime = home / "runtime"
    runtime.mkdir()
    with subprocess.Popen(["true"]) as dead:
        pass
    for name in (f"jpserver-{dead.pid}.json", f"jpserver-{dead.pid}-open.html"):
        (runtime / name).write_text("a token")
    (runtime / f"jpserver-{os.getpid()}.json").write_text("{}")
    process = subprocess.Popen(
        [sys.executable, "-m", "pgtlab.cli", "lab", "bench", "--no-browser"],
        cwd=home,
        env={**os.environ, "HOME": str(home), "JUPYTER_PREFER_ENV_PATH": "0", "JUPYTER_RUNTIME_DIR": str(runtime)},
        # A shell lets what it runs in the background ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        output = ""
        while not (found := re.search(r"(http://\S+:\d+)/(\S+)\?token=(\w+)", output)):
            line = process.stdout.readline()
            assert line, output
            output += line
        yield process, found
    finally:
        process.terminate()
        process.wait(300)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server for all tests that leave it running."""
    with started(tmp_path_factory.mktemp("home")) as made:
        yield made


def get(url: str, token: str = ""):
    """Ask the server for JSON, waiting until it is up."""
    request = urllib.request.Request(url, headers={"Authorization": f"token {token}"})
    for _ in range(3000):
        try:
            with urllib.request.urlopen(request, timeout=900) as answer:
                return json.load(answer)
        except urllib.error.HTTPError:
            raise
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(url)


def test_first_notebook_with_token(server):
    _, address = server
    base, page, token = address.groups()
    assert page == f"lab/tree/{FIRST}"
    assert get(f"{base}/api/contents/{FIRST}", token)["type"] == "notebook"


def test_without_token(server):
    _, address = server
    base, _, token = address.groups()
    for wrong in ("", token[:-1] + "x"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            get(f"{base}/api/contents", wrong)
        assert refused.value.code == 403


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's /proc/net/tcp")
def test_it_listens_on_loopback_only(server):
    _, address = server
    get(f"{address[1]}/api/status", address[3])
    port = int(address[1].rpartition(":")[2])
    listening = [
        line.split()[1]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{port:04X}")
    ]
    assert listening == [f"0100007F:{port:04X}"]


def test_notebooks_run_in_the_python_that_runs_the_command(server):
    _, address = server
    specs = get(f"{address[1]}/api/kernelspecs", address[3])["kernelspecs"]
    assert specs["python3"]["spec"]["argv"][0] == sys.executable


def test_no_questions_about_news_or_updates(server):
    _, address = server
    plugin = "@jupyterlab/apputils-extension:notification"
    settings = get(f"{address[1]}/lab/api/settings/{plugin}", address[3])
    assert settings["schema"]["properties"]["fetchNews"]["default"] == "false"
    assert get(f"{address[1]}/lab/api/update", address[3])["notification"] is None


def test_an_exported_page_shows_a_widgets_picture(server):
    """nbconvert would choose the widget, of which a page without a network shows nothing."""
    _, address = server
    get(f"{address[1]}/api/status", address[3])
    view = {"model_id": "0123", "version_major": 2, "version_minor": 0}
    model = {"model_module": "anywidget", "model_name": "AnyModel", "model_module_version": "*", "state": {}}
    forms = {"application/vnd.jupyter.widget-view+json": view, "text/plain": "Slider()"}
    outputs = [
        {"output_type": "display_data", "metadata": {}, "data": data}
        for data in (forms, forms | {"text/html": "<svg class='picture'></svg>"})
    ]
    cell = {"cell_type": "code", "id": "one", "metadata": {}, "source": "", "execution_count": 1, "outputs": outputs}
    state = {"version_major": 2, "version_minor": 0, "state": {"0123": model}}
    metadata = {"widgets": {"application/vnd.jupyter.widget-state+json": state}}
    notebook = {"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    headers = {"Authorization": f"token {address[3]}"}
    body = json.dumps({"type": "notebook", "content": notebook}).encode()
    saved = urllib.request.Request(f"{address[1]}/api/contents/saved.ipynb", body, headers, method="PUT")
    urllib.request.urlopen(saved, timeout=300).close()
    asked = urllib.request.Request(f"{address[1]}/nbconvert/html/saved.ipynb", headers=headers)
    with urllib.request.urlopen(asked, timeout=300) as answer:
        page = answer.read().decode()
    assert page.count("<svg class='picture'>") + page.count('<svg class="picture">') == 1
    assert page.count('<script type="application/vnd.jupyter.widget-view+json">') == 1, (
        "what has no picture is a widget"
    )


def test_ctrl_c_stops_it_cleanly(tmp_path):
    with started(tmp_path) as (process, address):
        get(f"{address[1]}/api/status", address[3])
        runtime = tmp_path / "runtime"
        alive = f"jpserver-{os.getpid()}.json"
        assert {path.name for path in runtime.glob("jpserver*")} == {
            alive,
            f"jpserver-{process.pid}.json",
            f"jpserver-{process.pid}-open.html",
        }, "the tokens of servers that were killed are removed"
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=300)
        assert process.returncode == 0
        assert "Traceback" not in rest
        assert {path.name for path in runtime.glob("jpserver*")} == {alive}, "its token is removed"


def test_a_home_that_cannot_be_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("USERPROFILE", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    _have_a_home(tmp_path / "scratch")
    assert os.environ["HOME"] == str(tmp_path)
    for home in ("/nonexistent", "/dev/null", "/proc"):
        (tmp_path / home[1:]).mkdir(parents=True)
        monkeypatch.setenv("HOME", home)
        _have_a_home(tmp_path / home[1:])
        assert os.access(os.environ["HOME"], os.W_OK)
        assert capsys.readouterr().out.startswith("Your home folder cannot be written")


def test_invalid_ports():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ValueError, match=f"--port {port} is taken"):
            check_port(port)
    check_port(port)
    with pytest.raises(ValueError, match="65536 is not a port"):
        check_port(65536)


def test_it_says_what_the_course_changed(tmp_path, capsys):
    """Three chapters are made to look like earlier ones, of which the learner has changed one."""
    assert main(["lab", str(tmp_path), "--no-server"]) == 0
    assert re.search(r"\d\d new, 0 updated, 0 as you left them\.\n$", capsys.readouterr().out)
    for number, name in enumerate(("00_hexadecimal", "01_two_programs", "02_a_tree")):
        own = tmp_path / "notebooks" / f"{name}.ipynb"
        earlier = nbformat.read(own, as_version=4)
        earlier["cells"][0]["source"] += "\n\nIt was longer."
        earlier["metadata"]["pgtlab"]["sha256"] = f"earlier-{number}"
        (tmp_path / ".course" / f"earlier-{number}.ipynb").write_text(nbformat.writes(earlier))
        earlier["cells"][-1]["source"] += "mine" * (number == 2)
        own.write_text(nbformat.writes(earlier))
    assert main(["lab", str(tmp_path), "--no-server"]) == 0
    counted, *said = capsys.readouterr().out.splitlines()
    assert " 0 new, 3 updated, " in counted
    assert f"{own} has the course's changes to 1 cell, and what you wrote." in said[0]
    assert said[1:] == ["2 that you had not changed are the course's newer now."]
