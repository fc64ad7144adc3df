// @ts-check
// The bisection's view: what bad means, the next step, the graph, the commits that were found, and the kernel.
import { kernel, stuck, toggling } from "./kernel.js";
import { button, h, picture, sending, toolbar } from "./page.js";
import { show } from "./show.js";

/**
 * @typedef {{
 *   choices: import("./kernel.js").Choices, stuck: string, next: string, status: string,
 *   bad: {label: string, selected: boolean, send: object}[], picture: import("./page.js").Picture|null,
 *   found: {number: number, bad: string, subject: string, note: string}[], why: string,
 * }} View
 */

/** @param {View} view */
function steps({ next, status }) {
  const none = { "aria-disabled": next ? null : true };
  return h("div", "steps", { class: "tools" }, [
    button("next", "Test git's choice", { next: true }, { ...none, title: next || null }),
    button("run", "Run to the end", { run: true }, none),
    button("start", "Start over", { start: true }),
    h("span", "status", { class: "unseen", role: "status" }, status),
  ]);
}

/**
 * The first bad commits side by side, and why they differ.
 * @param {View} view
 */
const compared = ({ found, why }) =>
  h("section", "compared", { class: "compared", "aria-label": "The first bad commits" }, [
    h("p", "title", { class: "label" }, "The first bad commit, if bad is"),
    h("ol", "found", {}, found.map(({ number, bad, subject, note }) =>
      h("li", `${number}`, {}, [
        h("span", "bad", {}, `${bad}: `),
        ...(subject ? [h("strong", "subject", {}, subject)] : []),
        h("span", "note", { class: "note" }, note),
      ]),
    )),
    h("p", "why", { "aria-live": "polite" }, why || "Bisect with each of them, and compare."),
  ]);

/**
 * @param {View} view
 * @param {import("./kernel.js").Reader} reader
 */
const body = (view, reader) => [
  ...(view.picture
    ? [
        toolbar(reader, "Bad is", view.bad, true),
        steps(view),
        h("div", "graph", { class: "graph" }, [picture(reader, view.picture, "graph", sending("commit")), compared(view)]),
      ]
    : [stuck(view.stuck, view.choices)]),
  ...kernel(view.choices, reader),
];

export default show("bisection-view", body, toggling);
