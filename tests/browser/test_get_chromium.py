"""Which Chromium the browser tests get, tried with stand-ins on a PATH of their own.

apt-get, sudo and the browsers are scripts; Playwright's installer is the real one, downloading from a
server of ours that hands out a browser which is a script too.
"""

import io
import os
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.browser import get_chromium

pytestmark = pytest.mark.long  # it starts Python many times

BROWSER = "#!/bin/sh\necho Chromium 1.0\n"
STUB = "#!/bin/sh\necho install the snap >&2\nexit 10\n"
SUDO = '#!/bin/sh\nshift\nexec "$@"\n'
APT = """\
#!/bin/sh
case "$*" in *install*chromium)
    printf '#!/bin/sh\\necho Chromium 1.0\\n' > {bin}/chromium
    /bin/chmod +x {bin}/chromium;;
esac
"""
BROKEN_APT = "#!/bin/sh\necho W: an old list >&2\necho E: Unable to locate package chromium >&2\nexit 100\n"


class Machine:
    """A PATH with only stand-ins on it, and no Playwright download that works."""

    def __init__(self, folder: Path):
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.put("env", '#!/bin/sh\nexec /usr/bin/env "$@"\n')
        self.environment = {
            "PATH": str(self.bin),
            "HOME": str(folder),
            "PLAYWRIGHT_BROWSERS_PATH": str(folder / "browsers"),
            "PLAYWRIGHT_DOWNLOAD_HOST": "http://127.0.0.1:9",  # nothing listens there
        }

    def put(self, name: str, script: str) -> str:
        (self.bin / name).write_text(script.replace("{bin}", str(self.bin)))
        (self.bin / name).chmod(0o755)
        return str(self.bin / name)

    def get(self) -> str:
        command = [sys.executable, get_chromium.__file__]
        done = subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True)
        assert done.stdout.count("\n") == 1
        return done.stdout.strip()


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_installed_chromium_is_used(machine):
    machine.put("google-chrome", BROWSER)
    first = machine.put("chromium", BROWSER)
    assert machine.get() == first


def test_environment_variable_decides(machine):
    machine.put("chromium", BROWSER)
    machine.environment["PGTLAB_CHROMIUM"] = "none: not today"
    assert machine.get() == "none: not today"


def test_broken_chromium_is_skipped(machine):
    machine.put("chromium-browser", STUB)
    machine.put("sudo", SUDO)
    machine.put("apt-get", APT)
    assert machine.get() == f"{machine.bin}/chromium"


def test_no_chromium_gives_one_line(machine):
    machine.put("sudo", SUDO)
    machine.put("apt-get", BROKEN_APT)
    answer = machine.get()
    assert answer.startswith("none: no Chromium here, and none from Debian's package (E: Unable to locate")
    assert "Playwright's download (Error: " in answer


def test_no_apt_without_root_or_sudo(machine, monkeypatch):
    machine.put("apt-get", APT)
    monkeypatch.setenv("PATH", str(machine.bin))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert get_chromium.install_debians() == "apt-get needs root"


class Downloads(BaseHTTPRequestHandler):
    """Answers every request for an archive with one that has the script `chrome` in it."""

    def do_GET(self) -> None:
        folder = self.path.rpartition("/")[2].removesuffix(".zip")
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as made:
            browser = zipfile.ZipInfo(f"{folder}/chrome")
            browser.external_attr = 0o755 << 16
            made.writestr(browser, BROWSER)
        self.send_response(200)
        self.send_header("Content-Length", str(len(archive.getvalue())))
        self.end_headers()
        self.wfile.write(archive.getvalue())

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="the archive is laid out as Linux's is")
def test_playwright_download_is_the_last_resort(machine):
    with ThreadingHTTPServer(("127.0.0.1", 0), Downloads) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        machine.environment["PLAYWRIGHT_DOWNLOAD_HOST"] = f"http://127.0.0.1:{server.server_port}"
        got = machine.get()
        server.shutdown()
    assert got.startswith(machine.environment["PLAYWRIGHT_BROWSERS_PATH"])
    assert machine.get() == got, "the second time it is there"
