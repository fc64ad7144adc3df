"""What the kernel printed: from the text of a log to its reports, as values."""
