"""A message that depends on how fast the machine is does not reach a reader."""

import logging

import pgtlab.plot.chart  # noqa: F401 - which quietens it


def test_the_message_about_the_font_cache_is_not_shown(caplog):
    logger = logging.getLogger("matplotlib.font_manager")
    with caplog.at_level(logging.INFO, logger.name):
        logger.warning("Matplotlib is building the font cache; this may take a moment.")
        logger.warning("findfont: Font family 'none' not found.")
    assert [record.getMessage() for record in caplog.records] == ["findfont: Font family 'none' not found."]
