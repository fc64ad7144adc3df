"""The teaching machinery: the course, its exercises and their checks."""
