"""Loops that numba compiles: the walk of many addresses, and a trace through TLBs and walk caches."""
