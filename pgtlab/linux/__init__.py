"""Linux on arm64, v6.9 where versions differ: configurations, the memory map, folding, and enough of mm to fail."""
