"""A fix to try: does `pud_free()` of arm64 do right, in every configuration, if it calls the destructor?"""

from pgtlab import CPU, Config, boot
from pgtlab.lab import Tree, check


def pud_free(k, mm, pud):
    if not k.pgtable_l4_enabled():
        return
    k.__pud_free(mm, pud)


kernel = Tree.named("arm64-for-next").start_kernel(boot(Config("16k", 52), CPU.named("max")))
kernel.livepatch(pud_free=pud_free)
result = check(kernel)
print(result)
raise SystemExit(not result.passed)
