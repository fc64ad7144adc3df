"""Views on a page without Jupyter, drawn by their own JavaScript in a theme of JupyterLab's."""

import sysconfig
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from pgtlab_widgets.view import View
from playwright.sync_api import Page

Theme = Literal["light", "dark"]

#: A page without Jupyter, with the colours and fonts of a theme of JupyterLab's.
PAGE = """<!DOCTYPE html><html lang="en"><head><title>A view</title><style id="theme"></style><style>
body { margin: 12px; color: var(--jp-content-font-color1); background: var(--jp-layout-color0);
  font-family: var(--jp-content-font-family); font-size: var(--jp-content-font-size1); }
</style></head><body><main></main></body></html>"""

#: Draw a view as anywidget does: `traits` are its model's, and what it sends goes to Python if it is connected.
DRAW = """async ([esm, traits, number]) => {
    const url = URL.createObjectURL(new Blob([esm], {type: "text/javascript"}));
    const {default: {initialize, render}} = await import(url);
    const listeners = {};
    window.sent ??= [];
    window.models ??= [];
    const model = {
        get: (name) => traits[name],
        set: (name, value) => model.update({[name]: value}),
        send: async (message) => {
            const {sent, ...said} = message;
            if (!message.foresee) window.sent.push(said);
            model.last = sent ?? model.last;
            if (!window.toPython) return;
            window.unanswered = (window.unanswered ?? 0) + 1;
            window.fromPython(await window.toPython([number, message]));
            window.unanswered--;
        },
        on: (events, listener) => events.split(" ").forEach((event) => (listeners[event] ??= []).push(listener)),
        off: (events, listener) => events.split(" ").forEach((event) => listeners[event]?.splice(0, Infinity,
            ...listeners[event].filter((other) => other !== listener))),
        trigger: (event, content) => listeners[event]?.forEach((listener) => listener(content)),
        update: (changed) => {
            Object.assign(traits, changed);
            Object.keys(changed).forEach((name) => model.trigger(`change:${name}`));
        },
    };
    window.models.push(model);
    window.fromPython = (messages) => messages.forEach(([number, {method, state, content}]) => {
        if (method === "update") window.models[number]?.update(state);
        else window.models[number]?.trigger("msg:custom", content);
    });
    window.receive = (view) => { // which answers all that was sent
        model.update({view: JSON.stringify(view)});
        model.trigger("msg:custom", {number: traits.number, changes: {}, answers: model.last});
    };
    initialize({model});
    model.cleanup = render({model, el: document.querySelector("main").appendChild(document.createElement("div"))});
}"""


def blank(page: Page, theme: Theme = "light") -> None:
    """Make `page` an empty one in a theme of JupyterLab's."""
    page.set_content(PAGE)
    set_theme(page, theme)


def set_theme(page: Page, theme: Theme) -> None:
    """Give `page` another theme of JupyterLab's."""
    themes = Path(sysconfig.get_path("data"), "share", "jupyter", "lab", "themes", "@jupyterlab")
    style = (themes / f"theme-{theme}-extension" / "index.css").read_text(encoding="utf-8")
    page.evaluate(
        """([style, light]) => {
            document.querySelector("#theme").textContent = style;
            document.body.dataset.jpThemeLight = light;
        }""",
        [style, theme == "light"],
    )
    page.evaluate("Promise.all(document.getAnimations().map((each) => each.finished))")


def assert_accessible(page: Page, selector: str) -> None:
    """Raise what axe finds wrong: everything in the light theme, and colours in the dark one."""
    for theme, options in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):
        set_theme(page, theme)
        result = Axe().run(page, context=selector, options=options)
        assert result.violations_count == 0, result.generate_report()
    set_theme(page, "light")


def draw(page: Page, widget: View | type[View], traits: dict[str, Any], number: int = 0) -> None:
    """Draw a view at the end of `page`."""
    page.add_style_tag(content=str(widget._css))
    page.evaluate(DRAW, [str(widget._esm), traits, number])


def hold_steps(widget: View, after: int) -> list[dict[str, Any]]:
    """Let a view take so many steps of long work; the requests for more are held back, and are in the list.

    What the view shows is then the middle of its work, on a machine of any speed. `del widget._attempt` lets it go on.
    """
    attempt, held, taken = widget._attempt, [], 0  # not `receive`: a copy that foresees something has it too

    def hold(message: dict[str, Any]) -> None:
        nonlocal taken
        if "step" in message and taken == after:
            held.append(message)
        else:
            taken += "step" in message
            attempt(message)

    widget._attempt = hold
    return held
