"""VMSAv8-64 stage 1, with no Linux in it: registers, granules and the addresses that they bound."""
