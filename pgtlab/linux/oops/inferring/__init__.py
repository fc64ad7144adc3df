"""What follows from the reports of a log about the kernel that wrote it, with the evidence."""
