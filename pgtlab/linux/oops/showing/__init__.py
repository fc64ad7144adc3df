"""A log and what follows from it, for a reader: as text, as JSON, line by line, as pictures."""
