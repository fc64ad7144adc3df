"""A JupyterHub for a trial with a class on one machine: `make hub` starts it.

All students are the same user of the machine and log in with one password, so anybody can read and change anybody's
files: for trials only. docs/class-server.md says what to use for a course that counts.
"""

import os
import secrets
import sys
from pathlib import Path

from jupyterhub.traitlets import ByteSpecification
from traitlets import TraitError

c = get_config()  # noqa: F821 - JupyterHub defines it
HERE = Path(__file__).resolve().parent
#: The students' homes, the database and the secrets.
DATA = Path(os.environ.get("PGTLAB_HUB_DATA", "hub")).resolve()
#: At most, for each process of a student: bytes, or as 512M or 2G.
MEMORY = os.environ.get("PGTLAB_HUB_MEMORY", "2G")
#: Seconds after which a server that nobody uses stops.
IDLE = int(os.environ.get("PGTLAB_HUB_IDLE", 3600))
try:
    memory = ByteSpecification().validate(None, MEMORY)
except TraitError:
    sys.exit(f"PGTLAB_HUB_MEMORY={MEMORY} is not a size: write bytes, or a size such as 512M or 2G.")
DATA.mkdir(mode=0o700, parents=True, exist_ok=True)

load_subconfig(str(HERE / "course.py"))  # noqa: F821
c.Spawner.environment["JUPYTER_CONFIG_PATH"] = str(HERE / "jupyter")

c.JupyterHub.bind_url = os.environ.get("PGTLAB_HUB_URL", "http://127.0.0.1:8000")
c.JupyterHub.db_url = f"sqlite:///{DATA / 'hub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(DATA / "cookie_secret")
c.ConfigurableHTTPProxy.command = [str(HERE / "node_modules" / ".bin" / "configurable-http-proxy")]
c.ConfigurableHTTPProxy.pid_file = str(DATA / "proxy.pid")

# Who may come in: everybody who knows the password, under any name.
password = os.environ.get("PGTLAB_HUB_PASSWORD") or secrets.token_urlsafe(9)
if len(password) < 8:
    sys.exit(f"PGTLAB_HUB_PASSWORD has {len(password)} characters: JupyterHub asks for 8 or more.")
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = password
c.Authenticator.allow_all = True
if "PGTLAB_HUB_PASSWORD" not in os.environ:
    print(f"The password for all students is {password}", file=sys.stderr, flush=True)

# Limits. Without systemd or containers the kernel counts memory by process and not by student.
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(DATA / "homes" / "{username}")
single_user = str(Path(sys.executable).with_name("jupyterhub-singleuser"))
c.Spawner.cmd = ["prlimit", f"--data={memory}", "--core=0", single_user]
c.Spawner.mem_limit = MEMORY  # told to the student's server, which does not enforce it
c.JupyterHub.active_server_limit = 60
c.JupyterHub.concurrent_spawn_limit = 5

if os.geteuid() == 0:  # as in a container, where that is all that there is
    print("The students' code runs as root: only for a machine with nothing else on it.", file=sys.stderr, flush=True)
    c.Spawner.args = ["--allow-root"]

# A server that nobody uses stops.
c.JupyterHub.services = [
    {
        "name": "cull-idle",
        "command": [
            *(sys.executable, "-m", "jupyterhub_idle_culler"),
            *(f"--timeout={IDLE}", f"--cull-every={min(300, IDLE)}"),
        ],
    }
]
c.JupyterHub.load_roles = [
    {
        "name": "cull-idle",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["cull-idle"],
    }
]
