"""What a `Kernel` has by name besides its own attributes: `functions.pyi` lists it for editors and type checkers."""


class KernelFunctions:
    """Every function of the twins, called without the kernel, `k.pud_free(mm, pud)`, and every constant."""
