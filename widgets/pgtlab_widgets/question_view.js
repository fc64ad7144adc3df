// @ts-check
// A question's view: its text, the fields of the answer, and after the answer what the reader said beside the truth.
import { enter, follow } from "./links.js";
import { button, h, stop } from "./page.js";
import { show } from "./show.js";

/**
 * @typedef {import("./page.js").Wanted} Wanted
 * @typedef {{value: string, label: Wanted[], chosen: boolean}} Option
 * @typedef {{text: Wanted[], field: boolean, typed: string, verdict: string, said: Wanted[]}} Step
 * @typedef {{
 *   name: string, title: string, seed: string, text: Wanted[], kind: "number"|"choice"|"order"|"words", open: boolean, typed: string,
 *   unit: string, rows: number, options: Option[], reasons: Option[], lines: string[], error: Wanted[], feedback: Wanted[], steps: Step[], note: string,
 *   again: string,
 * }} View
 * @typedef {import("./page.js").Reader} Reader
 */

/**
 * Options of which one can be chosen.
 * @param {Reader} reader
 * @param {View} view
 * @param {"chosen"|"reason"} part
 * @param {string} legend
 * @param {Option[]} options
 */
const radios = (reader, view, part, legend, options) =>
  h("fieldset", `${part} ${view.seed}`, {}, [
    h("legend", "legend", { class: "label" }, legend),
    ...options.map(({ value, label, chosen }) =>
      h("label", value, { class: "option" }, [
        h("input", "input", { type: "radio", name: `${reader.id}-${part}-${view.seed}`, value, "data-part": part, checked: chosen ? "" : null }),
        h("span", "text", {}, label),
      ]),
    ),
  ]);

/**
 * Lines with two buttons each, which move them up and down.
 * @param {Reader} reader
 * @param {View} view
 */
function order(reader, view) {
  const last = view.lines.length - 1;
  const keys = view.lines.flatMap((_, place) => [`up ${place}`, `down ${place}`]);
  const at = stop(reader, "order", keys);
  /** @param {number} place @param {number} by @param {string} key @param {string} sign @param {string} label */
  const mover = (place, by, key, sign, label) =>
    button(key, sign, { move: [place, by] }, {
      "data-item": key,
      tabindex: key === at ? 0 : -1,
      "aria-label": `${label}: ${view.lines[place]}`,
      "aria-disabled": place + by < 0 || place + by > last ? true : null,
    });
  const lines = view.lines.map((line, place) =>
    h("li", `${place}`, {}, [
      mover(place, -1, `up ${place}`, "▲", "Move up"),
      mover(place, 1, `down ${place}`, "▼", "Move down"),
      h("code", "line", {}, line),
    ]),
  );
  return h("ol", `order ${view.seed}`, { class: "order", "aria-label": "Lines to order", "data-group": "order" }, lines);
}

/**
 * The fields of the answer.
 * @param {Reader} reader
 * @param {View} view
 */
function fields(reader, view) {
  const typed = {
    id: `${reader.id}-typed`,
    spellcheck: false,
    autocomplete: "off",
    "data-field": "typed",
    "data-value": view.typed,
    "aria-invalid": view.error.length > 0,
    "aria-describedby": `${reader.id}-error`,
  };
  const field = (/** @type {string} */ tag, /** @type {string} */ label, /** @type {object} */ more) =>
    h("div", `typed ${view.seed}`, { class: "field typed" }, [
      h("label", "label", { class: "label", for: typed.id }, label),
      h(tag, tag, { ...typed, ...more }),
      h("span", "unit", {}, view.unit),
    ]);
  const answer = {
    number: () => field("input", "Your answer", { type: "text" }),
    words: () => field("textarea", "Your answer", { rows: view.rows, spellcheck: true }),
    choice: () => radios(reader, view, "chosen", "Your answer", view.options),
    order: () => order(reader, view),
  }[view.kind]();
  return [
    answer,
    ...(view.reasons.length ? [radios(reader, view, "reason", "Because", view.reasons)] : []),
    h("div", "error", { id: `${reader.id}-error`, class: "error", role: "alert" }, view.error),
  ];
}

/**
 * Steps, with a field for each that has a number.
 * @param {Reader} reader
 * @param {View} view
 */
function steps(reader, view) {
  const items = view.steps.map(({ text, field, typed, verdict, said }, place) => {
    const id = `${reader.id}-step-${place}`;
    const input = {
      id,
      type: "text",
      spellcheck: false,
      autocomplete: "off",
      "data-field": `step ${place}`,
      "data-value": typed,
      "data-step": place,
      "aria-invalid": verdict === "wrong" || verdict === "unreadable",
      "aria-describedby": `${id}-said`,
    };
    return h("li", `${place}`, { class: `step ${verdict}` }, field
      ? [
        h("label", "label", { for: id }, text),
        h("div", "field", { class: "field" }, [h("input", "input", input), h("output", "said", { id: `${id}-said`, class: "came" }, said)]),
      ]
      : [h("span", "text", {}, text)]);
  });
  return h("ol", `steps ${view.seed}`, { class: "steps-taken" }, items);
}

/**
 * @param {View} view
 * @param {Reader} reader
 */
function body(view, reader) {
  // After an answer, and after "again", the focus goes on to what is new.
  const { waiting } = reader;
  if (waiting && waiting.seen !== state(view)) {
    reader.waiting = null;
    const next = waiting.step ? ".step:not(.right) input, .typed input" : view.error.length ? "input, textarea, .order button" : view.feedback.length ? ".feedback" : ".text";
    queueMicrotask(() => waiting.root.querySelector(next)?.focus());
  }
  return [
    h("div", "question", { class: "question", role: "group", "aria-label": `Question: ${view.name}` }, [
      h("p", "title", { class: "label", hidden: view.title ? null : true }, view.title),
      h("div", "text", { class: "text", tabindex: -1 }, view.text),
      ...(view.feedback.length ? [feedback(view)] : []),
      ...(view.steps.length ? [steps(reader, view)] : []),
      ...(view.open ? fields(reader, view) : []),
      h("div", "tools", { class: "tools" }, view.open
        ? [button("answer", "Answer", { answer: true }), button("unknown", "I don't know", { unknown: true })]
        : [button("again", view.again, { again: true })]),
      h("p", "note", { class: "note", role: "alert", hidden: view.note ? null : true }, view.note),
    ]),
  ];
}

/** @param {View} view */
const feedback = (view) => h("div", "feedback", { class: "feedback", role: "group", "aria-label": "Feedback", tabindex: -1 }, view.feedback);

/** @param {View} view */
const state = (view) => JSON.stringify([view.seed, view.open, view.feedback, view.steps, view.error]);

/** @param {import("./page.js").Context} context @param {boolean} step */
function wait({ view, reader, root }, step = false) {
  reader.waiting = { root, seen: state(view), step };
}

const on = {
  /** @param {MouseEvent & {target: Element}} event @param {import("./page.js").Context} context */
  click(event, context) {
    follow(event);
    const pressed = /** @type {HTMLElement|null} */ (event.target.closest("[data-send]"));
    if (!pressed || pressed.getAttribute("aria-disabled")) return;
    const { move } = JSON.parse(pressed.dataset.send ?? "{}");
    if (!move && event.detail > 1) return true; // the second half of a double click would press what has come in the button's place
    if (!move) return wait(context);
    // The line moves, and the focus with it.
    context.model.send({ move });
    const key = `${move[1] < 0 ? "up" : "down"} ${move[0] + move[1]}`;
    /** @type {HTMLElement|null} */ (context.root.querySelector(`[data-item="${key}"]`))?.focus();
    return true;
  },
  /** @param {Event & {target: HTMLInputElement}} event @param {import("./page.js").Context} context */
  change({ target }, { model }) {
    if (target.dataset.step) {
      model.send({ step: [Number(target.dataset.step), target.value] });
      return true;
    }
    if (!target.dataset.part) return;
    model.send({ [target.dataset.part]: target.value });
    return true;
  },
  /** @param {KeyboardEvent & {target: HTMLInputElement}} event @param {import("./page.js").Context} context */
  keydown(event, context) {
    if (enter(event)) return true;
    if (event.key !== "Enter" || !event.target.matches("input")) return;
    event.stopPropagation();
    event.preventDefault();
    const { part, field, step } = event.target.dataset;
    wait(context, step !== undefined);
    if (step) {
      context.model.send({ step: [Number(step), event.target.value] });
      return true;
    }
    context.model.send({ ...(field ? { [field]: event.target.value } : { [part ?? ""]: event.target.value }), answer: true });
    return true;
  },
};

export default show("question", body, on);
