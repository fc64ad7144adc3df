"""Mutated inputs for every reader: they are read, or refused in one sentence, and nothing else happens."""
