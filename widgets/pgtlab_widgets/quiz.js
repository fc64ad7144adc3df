// @ts-check
// Quiz mode: one question at a time about what a view hides, what there is to say to the last answer, and "I don't know".
import { button, h } from "./page.js";

/**
 * @typedef {{
 *   blank: string, round: number, ask: string, options: string[], number: number, of: number, feedback: string, good: boolean, error: string,
 *   summary: string,
 * }} Quiz
 *
 * @typedef {import("./page.js").Context} Context
 */

/**
 * The question, or how it went. Nothing where there is no quiz.
 * @param {Quiz|null|undefined} quiz
 * @param {import("./page.js").Reader} reader
 * @param {import("./page.js").Wanted[]} more what can be done at the end
 */
export function asking(quiz, reader, more = []) {
  if (!quiz) return [];
  const { blank, round, ask, options, number, of, feedback, good, error, summary } = quiz;
  const id = `${reader.id}-say`;
  const input = h("input", "say", {
    id: `${id}-${round}-${blank}`,
    type: "text",
    spellcheck: false,
    autocomplete: "off",
    "data-field": "say",
    "data-value": "",
    "data-blank": blank,
    "aria-invalid": error !== "",
    "aria-labelledby": `${id}-ask`,
    "aria-describedby": `${id}-error ${id}-feedback`,
  });
  const answer = options.length
    ? options.map((option) => button(`option ${option}`, option, { say: option, blank }))
    : [input, h("button", "check", { type: "button", "data-check": true }, "Check")];
  const question = [
    h("span", "count", { class: "label" }, `${number} of ${of}`),
    h("span", "ask", { class: "ask", id: `${id}-ask` }, ask),
    ...answer,
    button("unknown", "I don't know", { unknown: true, blank }),
    h("span", "error", { id: `${id}-error`, class: "error", role: "alert" }, error),
  ];
  const said = h("p", "feedback", { id: `${id}-feedback`, class: good ? "feedback good" : "feedback", role: "status" }, feedback);
  const end = h("p", "summary", { class: "tools", role: "status" }, [h("strong", "summary", {}, summary), ...more]);
  return [
    h("div", "quiz", { class: "quiz", role: "group", "aria-label": "Quiz" }, [
      h("div", "question", { class: "tools" }, blank ? question : []),
      ...(blank ? [] : [end]),
      said,
    ]),
  ];
}

/**
 * @param {HTMLInputElement|null} input
 * @param {Context} context
 */
function say(input, { model }) {
  if (!input?.value.trim()) return input?.focus();
  model.send({ say: input.value, blank: input.dataset.blank });
  input.focus();
  input.select();
}

/** @type {WeakSet<Element>} fields that become empty when another question is asked, which gives them another id */
const emptied = new WeakSet();

/** The events of a quiz, for `show()`: they return true where they are the quiz's. */
export const answering = {
  click(/** @type {any} */ event, /** @type {Context} */ context) {
    if (!event.target.closest("[data-check]")) return;
    say(context.root.querySelector("[data-field=say]"), context);
    return true;
  },

  keydown(/** @type {any} */ event, /** @type {Context} */ context) {
    if (event.key !== "Enter" || !event.target.matches("[data-field=say]")) return;
    event.stopPropagation();
    say(event.target, context);
    return true;
  },

  focusin(/** @type {any} */ { target }) {
    if (!target.matches("[data-field=say]") || emptied.has(target)) return;
    emptied.add(target);
    new MutationObserver(() => (target.value = "")).observe(target, { attributeFilter: ["id"] });
  },

  /** An answer is given by Enter or by the button, and not when the field loses the focus. */
  change: (/** @type {any} */ event) => event.target.matches("[data-field=say]"),
};

/**
 * Several sets of events as one: the first that returns true has handled an event.
 * @param {Record<string, (event: any, context: any) => any>[]} sets
 * @returns {Record<string, (event: any, context: any) => boolean|void>}
 */
export function together(...sets) {
  const types = new Set(sets.flatMap((set) => Object.keys(set)));
  return Object.fromEntries([...types].map((type) => [type, (event, context) => sets.some((set) => set[type]?.(event, context))]));
}
