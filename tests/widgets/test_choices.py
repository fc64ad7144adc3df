"""Choices: whatever is offered is legal, whatever is not says why, and there is a way to everything."""

import pytest
from pgtlab_widgets.changes import changes
from pgtlab_widgets.choices import choices, traits

from pgtlab import CPU, Config, configurations
from pgtlab.linux.boot import NoBoot, boot
from pgtlab.linux.cpu import RECORDED
from pgtlab.linux.kconfig import ConfigError

EVERYWHERE = pytest.mark.parametrize("config", configurations(), ids=repr)

#: What a view offers, and one that it shows because it was asked for.
OFFERED = [*(cpu.name for cpu in RECORDED), "max-11.1"]


def options(config: Config, cpu: str = "max"):
    return [option for choice in choices(config, cpu) for option in choice.options]


def kernel_options(config: Config):
    return [option for choice in choices(config, "max")[:3] for option in choice.options]


@EVERYWHERE
def test_current_option_is_selected(config):
    for cpu in OFFERED:
        selected = {c.label: [o.label for o in c.options if o.selected] for c in choices(config, cpu)}
        assert selected == {
            "Page size": [config.page_size_name],
            "VA_BITS": [str(config.va_bits)],
            "PA_BITS": [str(config.pa_bits)],
            "CPU": [cpu.split(",")[0]],
            "Kernel": ["minimal"],
            "LPA2": ["on" if cpu in ("max", "max-11.1") else "off"],
        }


@EVERYWHERE
@pytest.mark.parametrize("cpu", OFFERED)
def test_choosing_the_selected_option_changes_nothing(config, cpu):
    now = {**traits(config), "cpu": cpu, "preset": "minimal"}
    assert all(now | option.choose == now for option in options(config, cpu) if option.selected)


@EVERYWHERE
def test_every_option_sets_a_legal_configuration(config):
    for option in kernel_options(config):
        Config(**option.choose)
    for cpu in OFFERED:
        assert all(CPU.named(option.choose["cpu"]) for option in options(config, cpu) if "cpu" in option.choose)


@EVERYWHERE
def test_option_is_greyed_by_kconfig_or_changes_only_pa_bits(config):
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
                assert option.note.startswith(f"PA_BITS becomes {option.choose['pa_bits']} as well. ")
            else:
                Config(**wanted)


@EVERYWHERE
def test_every_legal_configuration_is_reachable(config):
    seen, todo = {config}, [config]
    while todo:
        at = todo.pop()
        reached = {Config(**option.choose) for option in kernel_options(at)}
        todo += reached - seen
        seen |= reached
    assert seen == set(configurations())


@pytest.mark.parametrize("cpu", [name for name in OFFERED if not name.startswith("max")])
def test_lpa2_is_greyed_on_a_cpu_without_it(cpu):
    on, off = choices(Config("4k", 52), cpu)[-1].options
    assert on.rule.startswith(f"{cpu} has no LPA2: ")
    assert on.choose == {"cpu": "max"}
    assert off.selected
    assert not off.rule


@EVERYWHERE
def test_lpa2_note_appears_only_where_it_makes_no_difference(config):
    with_it, without = (boot(config, CPU.named(name)) for name in ("max", "max,lpa2=off"))
    same = changes(with_it, without) == ()
    for option in choices(config, "max")[-1].options:
        assert option.note.startswith("Makes no difference") == same


@EVERYWHERE
def test_cpu_option_says_that_the_kernel_will_not_boot(config):
    cpus = choices(config, "max")[3].options
    assert {o.label for o in cpus if o.hint} == {
        cpu.name for cpu in RECORDED if isinstance(boot(config, cpu), NoBoot) and "," not in cpu.name
    }


@EVERYWHERE
def test_options_agree_with_replace(config):
    """A toggle without a rule sets what `Config.replace` does; one with a rule is refused, or changes VA_BITS, too."""
    for choice, trait in zip(choices(config, "max")[:3], ("page_size", "va_bits", "pa_bits"), strict=True):
        for option in choice.options:
            value = option.choose[trait]
            if not option.rule:
                assert traits(config.replace(**{trait: value})) == option.choose
            else:
                try:
                    replaced = config.replace(**{trait: value})
                except ConfigError:
                    continue
                assert replaced.va_bits != config.va_bits
                assert traits(replaced) == option.choose
