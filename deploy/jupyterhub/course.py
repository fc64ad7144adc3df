"""What each student's server begins with, on any JupyterHub that starts it as a process of the machine.

The Littlest JupyterHub reads it from its folder `jupyterhub_config.d`; `jupyterhub_config.py` beside it loads it.
The settings of the servers themselves are in the folder `jupyter`.
"""

c = get_config()  # noqa: F821 - JupyterHub defines it

# A link of the course, which makes the student's folder, or brings it up to date.
c.Spawner.default_url = "/pgtlab/open/notebooks/index.ipynb"
c.Spawner.environment = {
    # Each student has a part of a core: numpy and numba would start a thread for each core of the machine.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}
