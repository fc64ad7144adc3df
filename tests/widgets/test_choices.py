"""Choices: whatever is offered is legal, whatever is not says why, and there is a way to everything."""

import pytest
from pgtlab_widgets.changes import changes
from pgtlab_widgets.choices import choices, traits

from pgtlab import CPU, Config, configurations
from pgtlab.linux.boot import NoBoot, boot
from pgtlab.linux.cpu import CPUS
from pgtlab.linux.kconfig import ConfigError

EVERYWHERE = pytest.mark.parametrize("config", configurations(), ids=repr)


def options(config: Config, cpu: str = "max"):
    return [option for choice in choices(config, cpu) for option in choice.options]


def kernel_options(config: Config):
    return [option for choice in choices(config, "max")[:3] for option in choice.options]


@EVERYWHERE
def test_one_option_of_each_choice_is_selected_and_it_is_the_one_at_hand(config):
    for cpu in CPUS:
        selected = {c.label: [o.label for o in c.options if o.selected] for c in choices(config, cpu)}
        assert selected == {
            "Page size": [config.page_size_name],
            "VA_BITS": [str(config.va_bits)],
            "PA_BITS": [str(config.pa_bits)],
            "CPU": [cpu.split(",")[0]],
            "LPA2": ["on" if cpu == "max" else "off"],
        }


@EVERYWHERE
@pytest.mark.parametrize("cpu", CPUS)
def test_to_choose_what_is_chosen_changes_nothing(config, cpu):
    now = {**traits(config), "cpu": cpu}
    assert all(now | option.choose == now for option in options(config, cpu) if option.selected)


@EVERYWHERE
def test_what_an_option_sets_is_legal(config):
    for option in kernel_options(config):
        Config(**option.choose)
    for cpu in CPUS:
        assert all(CPU.named(option.choose["cpu"]) for option in options(config, cpu) if "cpu" in option.choose)


@EVERYWHERE
def test_an_option_is_greyed_by_kconfigs_rule_or_changes_nothing_but_pa_bits(config):
    now = traits(config)
    for trait, choice in zip(now, choices(config, "max")[:3], strict=True):
        for option in choice.options:
            wanted = now | {trait: option.choose[trait]}
            others = {name for name in now if name != trait and option.choose[name] != now[name]}
            if option.rule:
                with pytest.raises(ConfigError) as refused:
                    Config(**wanted)
                assert option.rule == str(refused.value)
                assert others  # each named in the remedy
                assert all(str(option.choose[name]) in option.remedy for name in (trait, *others))
            elif others:
                assert others == {"pa_bits"}
                assert option.note.startswith(f"PA_BITS goes to {option.choose['pa_bits']} with it. ")
            else:
                Config(**wanted)


@EVERYWHERE
def test_every_legal_configuration_can_be_reached(config):
    seen, todo = {config}, [config]
    while todo:
        at = todo.pop()
        reached = {Config(**option.choose) for option in kernel_options(at)}
        todo += reached - seen
        seen |= reached
    assert seen == set(configurations())


@pytest.mark.parametrize("cpu", [name for name in CPUS if not name.startswith("max")])
def test_a_cpu_without_lpa2_greys_the_toggle_and_says_why(cpu):
    on, off = choices(Config("4k", 52), cpu)[-1].options
    assert on.rule.startswith(f"{cpu} has no LPA2: ")
    assert on.choose == {"cpu": "max"}
    assert off.selected
    assert not off.rule


@EVERYWHERE
def test_lpa2_is_said_to_make_no_difference_exactly_where_it_makes_none(config):
    with_it, without = (boot(config, CPU.named(name)) for name in ("max", "max,lpa2=off"))
    same = changes(with_it, without) == ()
    for option in choices(config, "max")[-1].options:
        assert option.note.startswith("Makes no difference") == same


@EVERYWHERE
def test_a_cpu_that_will_not_boot_the_kernel_says_so_beforehand(config):
    cpus = choices(config, "max")[3].options
    assert {o.label for o in cpus if o.note} == {
        name for name, cpu in CPUS.items() if isinstance(boot(config, cpu), NoBoot) and "," not in name
    }
