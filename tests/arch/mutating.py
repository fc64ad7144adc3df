"""Ways to break a rule of the walk.

Each function makes a mutation, which is a function of pytest's `monkeypatch` that replaces a function or an attribute
of pgtlab.arch. The compiled loops cannot be changed that way; what is changed is what they are told: `Geometry`, the
tables of leaf rules and memory types, `Banks`.
"""

import sys
from dataclasses import replace

from pgtlab.arch import attributes, fault, permissions, va_range, walk
from pgtlab.arch.descriptor import DescriptorFormat, Leaf
from pgtlab.arch.fault import Access, Cause, Fault, FaultKind
from pgtlab.arch.many import rules
from pgtlab.arch.memory import Memory
from pgtlab.arch.output_address import OutputAddress
from pgtlab.arch.permissions import PermissionRules
from pgtlab.arch.va_range import VARange
from pgtlab.arch.walk import Translation, Update

READ, WRITE, FETCH = Access


def clear_caches():
    """Forget what was worked out with other rules, in whatever module of pgtlab.arch keeps it."""
    for name, module in list(sys.modules.items()):
        if name.startswith("pgtlab.arch."):
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def broken(owner, name, mutate):
    """`mutate(original)` in place of an attribute; of a property, in place of its function."""

    def mutation(monkeypatch):
        original = vars(owner)[name]
        if isinstance(original, property):
            monkeypatch.setattr(owner, name, property(mutate(original.fget)))
        elif isinstance(original, classmethod):
            monkeypatch.setattr(owner, name, classmethod(mutate(original.__func__)))
        else:
            monkeypatch.setattr(owner, name, mutate(original))

    return mutation


def function(original, mutate):
    """`mutate(original)` in place of a function, in every module that imported it."""

    def mutation(monkeypatch):
        mutated = mutate(original)
        for name, module in list(sys.modules.items()):
            if name.startswith("pgtlab.arch.") and getattr(module, original.__name__, None) is original:
                monkeypatch.setattr(module, original.__name__, mutated)

    return mutation


def permitted(change):
    """`PermissionRules.verdict` with some of what it is given changed."""

    def mutate(original):
        def verdict(rules, access, el, leaf):
            arguments = {"access": access, "el": el, "wxn": int(rules.wxn)}
            arguments |= {"ap": leaf.ap, "uxn": leaf.uxn, "pxn": leaf.pxn}
            changed = arguments | change(**arguments)
            access, el, wxn = (changed.pop(name) for name in ("access", "el", "wxn"))
            return original(replace(rules, wxn=wxn), access, el, leaf._replace(**changed))

        return verdict

    return broken(PermissionRules, "verdict", mutate)


def inherited(change):
    """`inherit` with other bits 62:59 of the tables."""
    return function(
        permissions.inherit, lambda original: lambda ap, uxn, pxn, table: original(ap, uxn, pxn, change(table))
    )


def inherited_ap(rule):
    """`inherit` with another rule for AP."""
    return function(
        permissions.inherit, lambda original: lambda ap, *rest: (rule(ap, rest[-1]), *original(ap, *rest)[1:])
    )


def ranges(**changes):
    """Ranges with some fields changed: each is a function of the range and of TCR_EL1."""

    def mutate(original):
        def of(cls, tcr, *rest, upper):
            r = original(cls, tcr, *rest, upper=upper)
            return replace(r, **{name: change(r, tcr) for name, change in changes.items()})

        return of

    return broken(VARange, "of", mutate)


def other(name):
    """The field of TCR_EL1 that belongs to the other range."""
    return lambda r, tcr: bool(getattr(tcr, f"{name}{int(not r.upper)}"))


def base(change):
    """The base of the first table: `change(original, ttbr, table_bits, wide)`."""
    return function(va_range.table_base, lambda original: lambda *arguments: change(original, *arguments))


def packing(**changes):
    """Another packing of output addresses."""
    return broken(
        OutputAddress,
        "of",
        lambda original: lambda cls, granule, **given: original(cls, granule, **(given | changes)),
    )


def first_block_level(rule):
    return broken(DescriptorFormat, "first_block_level", lambda original: lambda f: rule(f, original(f)))


def decoded(change):
    """Words that are taken for others: `change(word, is it at level 3)`."""
    return broken(
        DescriptorFormat, "decode", lambda original: lambda f, word, level: original(f, change(word, level == 3), level)
    )


def unpacked(which, rule):
    """Another address in descriptors of one packing: `rule(word, low_bit, address)`."""

    def mutate(original):
        def unpack(self, word, low_bit):
            oa = original(self, word, low_bit)
            return rule(word, low_bit, oa) if self is which else oa

        return unpack

    return broken(OutputAddress, "unpack", mutate)


def effective_memory(change):
    """`effective_memory` with some of its arguments changed: `change(attr, fetch=..., cached=...)`."""
    return function(
        attributes.effective_memory,
        lambda original: lambda attr, sh, **access: original(attr, sh, **(access | change(attr, **access))),
    )


def leaf_field(name, rule):
    """A field of leaves that is read in another way."""
    return lambda monkeypatch: monkeypatch.setattr(Leaf, name, property(lambda leaf: rule(leaf.value)))


def status_code(rule):
    return broken(Fault, "status_code", lambda original: lambda f: rule(f, original))


def code_of_minus_one(kind, code):
    return broken(fault, "_MINUS_ONE", lambda original: original | {kind: code})


def other_fault(change):
    """A walk down the tables that ends in another fault: `change(fault, steps, r, el)`."""

    def mutate(original):
        def read_tables(walker, r, va):
            try:
                return original(walker, r, va)
            except walk._Faulted as stopped:
                raise walk._Faulted(change(stopped.fault, walker.steps, r, walker.d.el)) from None

        return read_tables

    return broken(walk._Walker, "read_tables", mutate)


def access_flag_first(fault, steps, r, el):
    leaf = steps[-1].descriptor if steps else None
    if fault.kind is FaultKind.ADDRESS_SIZE and isinstance(leaf, Leaf) and not leaf.AF and not r.ha:
        return Fault(FaultKind.ACCESS_FLAG, fault.level, Cause.ACCESS_FLAG)
    return fault


def permission_first(original):
    def finish(*arguments):
        *rest, leaf, inherited = arguments
        if not leaf.AF:
            original(*rest, leaf.replace(AF=1), inherited)
        return original(*arguments)

    return finish


def updated(change):
    """What hardware writes back, differently."""

    def mutate(original):
        def walk(*arguments):
            found = original(*arguments)
            update = change(found)
            return replace(found, updates=() if update is None else (update,))

        return walk

    return function(walk.walk, mutate)


def dirtied(found):
    """An update of a page that was read as if it had been written."""
    leaf = found.steps and found.steps[-1].descriptor
    if found.va_range.hd and isinstance(found.outcome, Translation) and leaf and leaf.DBM:
        return Update(found.steps[-1].address, leaf.value, int(leaf.replace(AF=1, AP=leaf.AP & 1)))
    return found.update


def geometry(**changes):
    """What the compiled loops are told of a range: each field a function of the geometry."""

    def mutate(original):
        def of(cls, *given, **overlays):
            g = original(cls, *given, **overlays)
            return g._replace(**{name: type(getattr(g, name))(change(g)) for name, change in changes.items()})

        return of

    return broken(rules.Geometry, "of", mutate)


def leaf_rules(**changes):
    """The table of leaf rules for another access or other registers."""

    def mutate(original):
        def leaf_rules(access, el, ha, permission_rules):
            own = {name: changes[name] for name in changes.keys() & {"access", "el", "ha"}}
            others = {name: changes[name] for name in changes.keys() - own.keys()}
            return original(**({"access": access, "el": el, "ha": ha} | own), rules=replace(permission_rules, **others))

        return leaf_rules

    return broken(rules, "leaf_rules", mutate)


def memory_types(change):
    return broken(
        rules, "memory_types", lambda original: lambda mair, sh, *access: original(*change(mair, sh), *access)
    )


def banks(**changes):
    """What the compiled loops are told of memory."""

    def mutate(original):
        def banks(memory):
            b = original(memory)
            return b._replace(**{name: change(getattr(b, name)) for name, change in changes.items()})

        return banks

    return broken(Memory, "banks", mutate)
