// @ts-check
// The page inspector's view: toggles, actions on a page, its bytes, and what the kernel printed.
import { kernel, stuck, toggling } from "./kernel.js";
import { button, h, picture, stop } from "./page.js";
import { show } from "./show.js";

/**
 * @typedef {{
 *   choices: import("./kernel.js").Choices, stuck: string, actions: string[], stopped: boolean, done: string,
 *   picture: import("./page.js").Picture|null, log: string,
 * }} View
 */

/**
 * @param {View} view
 * @param {import("./page.js").Reader} reader
 */
function actions(view, reader) {
  const at = stop(reader, "actions", view.actions);
  const buttons = view.actions.map((name, i) =>
    button(name, name, { do: name }, {
      class: "mono",
      "data-item": name,
      tabindex: name === at ? 0 : -1,
      "aria-disabled": view.stopped && i < view.actions.length - 1 ? true : null,
      title: view.stopped ? "The kernel has panicked: start over" : null,
    }),
  );
  return h("div", "actions", { role: "toolbar", "aria-label": "Actions", "data-group": "actions" }, buttons);
}

/**
 * @param {View} view
 * @param {import("./kernel.js").Reader} reader
 */
const body = (view, reader) => [
  ...kernel(view.choices, reader),
  ...(view.picture
    ? [
        actions(view, reader),
        h("p", "done", { class: "status", role: "status" }, view.done),
        picture(reader, view.picture),
        h("pre", "log", { class: "log", role: "log", tabindex: 0, "aria-label": "What the kernel printed" }, view.log),
      ]
    : [stuck(view.stuck, view.choices)]),
];

export default show("page-inspector", body, toggling);
