"""Find a Chromium for the browser tests; as a script, install one if there is none.

Prints its path or, if there is none, ``none: `` and why, which is what the tests then say
when they are skipped. `PGTLAB_CHROMIUM`, if it is set, is the answer and nothing is looked for.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def run(*command: str) -> str | None:
    """Run a command in silence; return None if it succeeds, else why it does not."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    if done.returncode == 0:
        return None
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("E")]  # apt's `E:`, Playwright's `Error:`
    return next(iter(errors + lines), f"exit status {done.returncode}")


def works(path: str) -> bool:
    """Say whether a Chromium starts: Ubuntu's, for one, may be a stub that asks for a snap."""
    return run(path, "--version") is None


def playwrights_own() -> str:
    """Return where Playwright keeps the Chromium that it downloads, be it there or not."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def find() -> str | None:
    """Return the path of a Chromium that works, or None."""
    named = os.environ.get("PGTLAB_CHROMIUM")
    if named:
        return named
    on_path = filter(None, map(shutil.which, NAMES))
    return next(filter(works, [*on_path, playwrights_own()]), None)


def install_debians() -> str | None:
    """Install Debian's package, if that needs no password; return why not."""
    if not shutil.which("apt-get"):
        return "there is no apt-get"
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if as_root and run(*as_root, "true"):
        return "apt-get needs root"
    apt = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-oDPkg::Lock::Timeout=300"]
    run(*apt, "update")  # where this fails, the lists of the last time may still do
    return run(*apt, "install", "--yes", "--no-install-recommends", "chromium")


def install_playwrights() -> str | None:
    """Let Playwright download its own; return why not."""
    return run(sys.executable, "-m", "playwright", "install", "--no-shell", "chromium")


def get() -> str:
    """Return the path of a Chromium, installing one if need be, or ``none:`` and why not."""
    found = find()
    whys = []
    for name, install in {
        "Debian's package": install_debians,
        "Playwright's download": install_playwrights,
    }.items():
        if found:
            return found
        print(f"The browser tests need a Chromium: trying {name}.", file=sys.stderr)
        why = install()
        found = find()
        whys.append(f"{name} ({why or 'it does not start'})")
    return found or f"none: no Chromium here, and none from {' or '.join(whys)}"


if __name__ == "__main__":
    print(get())
