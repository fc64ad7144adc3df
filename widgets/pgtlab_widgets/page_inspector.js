// @ts-check
// The page inspector's view: toggles, what can be done to the page, its bytes, and what the kernel said of it.
import { kernel, toggling } from "./kernel.js";
import { button, h, picture, show, stop } from "./page.js";

/**
 * @typedef {{
 *   choices: import("./kernel.js").Choices, stuck: string, actions: string[], stopped: boolean, done: string,
 *   picture: import("./page.js").Picture|null, said: string,
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
  return h("div", "actions", { role: "toolbar", "aria-label": "What to do", "data-group": "actions" }, buttons);
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
        h("p", "done", { class: "told", role: "status" }, view.done),
        picture(reader, view.picture),
        h("pre", "said", { class: "log", role: "log", tabindex: 0, "aria-label": "What the kernel said" }, view.said),
      ]
    : [h("p", "stuck", { class: "stuck" }, view.stuck)]),
];

export default show("page-inspector", body, toggling);
