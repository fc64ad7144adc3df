"""The configuration of deploy/jupyterhub on free ports, with a service that may create users and use their servers."""

import os
from pathlib import Path

c = get_config()  # noqa: F821 - JupyterHub defines it
load_subconfig(str(Path(__file__).parents[2] / "deploy" / "jupyterhub" / "jupyterhub_config.py"))  # noqa: F821
c.JupyterHub.hub_bind_url = os.environ["HUB_TEST_HUB_URL"]
c.ConfigurableHTTPProxy.api_url = os.environ["HUB_TEST_PROXY_URL"]
c.JupyterHub.services.append({"name": "test", "api_token": os.environ["HUB_TEST_TOKEN"]})
c.JupyterHub.load_roles.append(
    {"name": "test", "scopes": ["admin:users", "admin:servers", "access:servers"], "services": ["test"]}
)
