"""What holds for the whole suite."""

from hypothesis import settings

# A time limit for each example fails on a busy machine and finds no bug of ours.
settings.register_profile("pgtlab", deadline=None)
settings.load_profile("pgtlab")
