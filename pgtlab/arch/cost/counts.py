"""Places in the vector in which `walk_cost` counts what an access did.

READS and WALK_CACHE_HITS begin with level -1, HITS with the first L1 TLB. (Numba builds these numbers into the compiled
loop: after a change, remove `__pycache__`.)
"""

LEVELS = 5  # from -1 on
FAULTS, WALKS, READS, WALK_CACHE_HITS, HITS = 0, 1, 2, 2 + LEVELS, 2 + 2 * LEVELS
