// @ts-check
// The page inspector's view: actions on a page and their history, its bytes, and what the kernel printed.
import { kernel, stuck, toggling } from "./kernel.js";
import { button, h, picture, stop } from "./page.js";
import { answering, asking, together } from "./quiz.js";
import { show } from "./show.js";

/**
 * @typedef {{
 *   choices: import("./kernel.js").Choices, stuck: string, actions: {label: string, next: boolean}[], why: string,
 *   history: string[], at: number, stopped: boolean, picture: import("./page.js").Picture|null,
 *   log: {text: string, remark: string}[], quiz: import("./quiz.js").Quiz|null,
 * }} View
 */

/**
 * The kernel functions to call; the one that is worth a try now stands out.
 * @param {View} view
 * @param {import("./page.js").Reader} reader
 */
function actions({ actions, stopped, why, quiz }, reader) {
  const asked = quiz?.blank;
  const at = stop(reader, "actions", [...actions.filter(({ next }) => next), ...actions].map(({ label }) => label));
  const buttons = actions.map(({ label, next }) =>
    button(label, label, { do: label }, {
      class: next ? "mono next" : "mono",
      "data-item": label,
      tabindex: label === at ? 0 : -1,
      "aria-disabled": stopped || asked ? true : null,
      "data-ahead": next ? true : null,
      "aria-describedby": next ? `${reader.id}-why` : null,
      title: asked ? "First fill in what the last call changed" : stopped ? "The kernel has panicked: go back one step, or start over" : null,
    }),
  );
  return h("div", "actions", { class: "actions" }, [
    h("span", "label", { class: "label", "aria-hidden": true }, "Call"),
    h("div", "options", { role: "toolbar", "aria-label": "Actions", "data-group": "actions" }, buttons),
    h("p", "why", { class: "why", role: "status", id: `${reader.id}-why` }, why),
  ]);
}

/**
 * What was done: each item goes back, or forward, to where it is the last.
 * @param {View} view
 * @param {import("./page.js").Reader} reader
 */
function history({ history, at }, reader) {
  const keys = history.map((_, i) => `done ${i}`);
  const stopped = stop(reader, "history", [keys[at], ...keys]);
  return h("div", "history", { class: "history tools", role: "group", "aria-label": "What was done" }, [
    button("undo", "↶ Undo", { go: at - 1 }, { "aria-disabled": at === 0 ? true : null, "data-ahead": true }),
    button("again", "↺ Start over", { do: "start over" }, { "aria-disabled": history.length === 1 ? true : null }),
    h("div", "done", { role: "toolbar", "aria-label": "History", "data-group": "history", "data-reveal": `${history}/done ${at}` }, history.map((label, i) =>
      button(keys[i], label, { go: i }, {
        class: i > at ? "mono later" : "mono",
        "data-item": keys[i],
        tabindex: keys[i] === stopped ? 0 : -1,
        "aria-current": i === at ? "step" : null,
      }),
    )),
  ]);
}

/**
 * What the kernel printed; the line with the map count is marked, explained, and scrolled to.
 * @param {View} view
 */
function log({ log, history, at }) {
  const marked = log.findIndex(({ remark }) => remark);
  const lines = log.map(({ text, remark }, i) =>
    h("div", `${i}`, { class: remark ? "line lit" : "line", "data-item": remark ? "mapcount" : null }, [
      h("span", "text", {}, text),
      ...(remark ? [h("strong", "remark", { class: "remark" }, `← ${remark}`)] : []),
    ]),
  );
  const nothing = h("p", "none", { class: "none" }, "What the kernel prints appears here. dump_page() prints the page; freeing a page that is in use prints a report.");
  const reveal = marked < 0 ? null : `${history.slice(0, at + 1)}/mapcount`;
  return h("div", "log", { class: "log", role: "log", tabindex: 0, "aria-label": "What the kernel printed", "data-group": "log", "data-reveal": reveal }, log.length ? lines : [nothing]);
}

/**
 * @param {View} view
 * @param {import("./page.js").Reader} reader
 */
const body = (view, reader) => [
  ...kernel(view.choices, reader),
  ...(view.picture
    ? [
        actions(view, reader),
        history(view, reader),
        ...asking(view.quiz, reader),
        h("div", "inspected", { class: "inspected" }, [picture(reader, view.picture), log(view)]),
      ]
    : [stuck(view.stuck, view.choices)]),
];

export default show("page-inspector", body, together(answering, toggling));
