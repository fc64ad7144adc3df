"""Marks for a folder of submissions.

`collect` finds the notebooks and who wrote them, `notebook` takes the answer out of one, `sandbox` is where the answer
runs, `grade` judges, `classes` spreads the work over processes, and `marks` and `summary` write what came of it.
"""
