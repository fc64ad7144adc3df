"""VMSAv8-64 stage 1, with no Linux in it: registers, descriptors, tables, the walk, and what it costs."""
