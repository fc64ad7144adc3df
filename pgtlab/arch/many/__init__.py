"""The walk of many addresses at once: compiled with numba where that is installed, else with numpy."""
