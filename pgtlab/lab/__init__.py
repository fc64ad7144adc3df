"""The teaching machinery: trees, exercises and their checks."""
