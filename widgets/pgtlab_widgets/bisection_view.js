// @ts-check
// The bisection's view: what bad means, the kernel, the next step, and the graph.
import { kernel, stuck, toggling } from "./kernel.js";
import { button, h, picture, sending, toolbar } from "./page.js";
import { show } from "./show.js";

/**
 * @typedef {{
 *   choices: import("./kernel.js").Choices, stuck: string, next: string, status: string,
 *   bad: {label: string, selected: boolean, send: object}[], picture: import("./page.js").Picture|null,
 * }} View
 */

/** @param {View} view */
function steps({ next, status }) {
  const none = { "aria-disabled": next ? null : true };
  return h("div", "steps", { class: "tools" }, [
    button("next", "Test git's choice", { next: true }, { ...none, title: next || null }),
    button("run", "Run to the end", { run: true }, none),
    button("start", "Start over", { start: true }),
    h("span", "status", { class: "status", role: "status" }, status),
  ]);
}

/**
 * @param {View} view
 * @param {import("./kernel.js").Reader} reader
 */
const body = (view, reader) => [
  ...kernel(view.choices, reader),
  toolbar(reader, "Bad is", view.bad),
  ...(view.picture
    ? [
        steps(view),
        picture(reader, view.picture, "graph", sending("commit")),
      ]
    : [stuck(view.stuck, view.choices)]),
];

export default show("bisection-view", body, toggling);
