"""Charts: matplotlib, from the values of the simulator."""
