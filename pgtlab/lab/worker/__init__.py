"""A process of its own for a learner's code: what runs there cannot reach the model that judges it.

`contained` has what the rest of pgtlab uses. `child` is the program of that process, `process` starts and watches it,
`exposed` says what of the model the learner's code may use, `wire` is how values travel, by way of a `pipe`, and
`received` checks what arrives.
"""
