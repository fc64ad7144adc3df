"""What follows from the reports of a log about the kernel that printed them, with the evidence."""
