"""What each student's server needs for the course, on any JupyterHub that starts it as a process of the machine.

The Littlest JupyterHub reads it from its folder `jupyterhub_config.d`; `jupyterhub_config.py` beside it loads it.
"""

c = get_config()  # noqa: F821 - JupyterHub defines it

# A student's server begins at a link of the course, which makes the student's folder, or brings it up to date.
c.Spawner.default_url = "/pgtlab/open/notebooks/index.ipynb"
c.Spawner.args = [
    "--ServerApp.jpserver_extensions=pgtlab.cli.course_links=True",
    # A kernel that has done nothing for an hour stops, also while its notebook is open: others can use its memory.
    # Answers and notebooks are files, and are not lost.
    "--MappingKernelManager.cull_idle_timeout=3600",
    "--MappingKernelManager.cull_interval=300",
    "--MappingKernelManager.cull_connected=True",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
]
c.Spawner.environment = {
    # Each student has a part of a core: numpy and numba would start a thread for each core of the machine.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}
