"""Images of a machine's memory: one module for each format, and what they have in common."""
