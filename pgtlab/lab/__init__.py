"""The teaching machinery: trees, the matrix of outcomes, exercises and their checks."""

from pgtlab.lab.judge import check, task
from pgtlab.lab.matrix import matrix
from pgtlab.lab.trees import Tree
from pgtlab.lab.variants import variant

__all__ = ["Tree", "check", "matrix", "task", "variant"]
