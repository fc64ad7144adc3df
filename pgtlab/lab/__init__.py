"""The teaching machinery: trees, the matrix of outcomes, exercises and their checks."""

from pgtlab.lab.matrix import matrix
from pgtlab.lab.trees import Tree

__all__ = ["Tree", "matrix"]
