"""How many small faults in the code the tests notice: `make mutation`."""
