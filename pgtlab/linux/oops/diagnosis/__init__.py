"""What went wrong, where a report carries that."""
