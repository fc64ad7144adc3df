// @ts-check
// What is around each view: above it its question and how to read it; below it the share string, the picture as a file, and
// the terms with their sentences.
import { h, stop } from "./page.js";
import { save } from "./save.js";

/**
 * @typedef {{question: string, how: string, words: {name: string, sentence: string}[]}} About
 * @typedef {import("./page.js").Reader} Reader
 * @typedef {import("./page.js").Wanted} Wanted
 */

/**
 * The elements of a view with what is around them; only they, where it is not about anything.
 * @param {{frame?: About, share?: {text: string, error: string}}} view
 * @param {Reader} reader
 * @param {Wanted[]} elements
 */
export const framed = ({ frame, share }, reader, elements) =>
  frame ? [head(frame, reader), ...elements, foot(frame, share, reader)] : elements;

/**
 * @param {About} about
 * @param {Reader} reader
 */
function head({ question, how }, reader) {
  const open = reader.open.how ?? false;
  const id = `${reader.id}-how`;
  return h("div", "head", { class: "head" }, [
    h("p", "question", { class: "asks" }, question),
    h("button", "unfold", { type: "button", class: "unfold how", "data-unfold": "how", "aria-expanded": `${open}`, "aria-controls": open ? id : null }, "How to read this"),
    ...(open ? [h("p", "how", { id, class: "about-view" }, how)] : []),
  ]);
}

/**
 * @param {About} about
 * @param {{text: string, error: string}|undefined} share
 * @param {Reader} reader
 */
const foot = ({ words }, share, reader) =>
  h("div", "foot", { class: "foot" }, [
    ...(share?.text ? [shared(share, reader)] : []),
    h("div", "files", { class: "files" }, [
      h("span", "label", { class: "label" }, "Save the picture"),
      ...["SVG", "PNG"].map((kind) => h("button", kind, { type: "button", "data-save": kind }, kind)),
    ]),
    terms(words, reader),
  ]);

/**
 * The share string, to copy; and to type or paste another, which Enter loads.
 * @param {{text: string, error: string}} share
 * @param {Reader} reader
 */
function shared({ text, error }, reader) {
  const id = `${reader.id}-share`;
  const input = {
    id,
    class: "share",
    type: "text",
    spellcheck: false,
    autocomplete: "off",
    "data-field": "share",
    "data-value": text,
    "aria-invalid": error !== "",
    "aria-describedby": error ? `${id}-error` : null,
    title: "Paste another one here, or into the address field of a view",
  };
  return h("div", "share", { class: "field" }, [
    h("label", "label", { class: "label", for: id }, "Share"),
    h("input", "input", input),
    h("button", "copy", { type: "button", "data-copy": id }, reader.copied === text ? "Copied" : "Copy"),
    ...(error ? [h("div", "error", { id: `${id}-error`, class: "error", role: "alert" }, error)] : []),
  ]);
}

/**
 * The terms: Tab stops at one of them, arrow keys go from one to the next, and each shows its sentence under the pointer and
 * with the focus.
 * @param {About["words"]} words
 * @param {Reader} reader
 */
function terms(words, reader) {
  const at = stop(reader, "words", words.map(({ name }) => `word ${name}`));
  const each = words.flatMap(({ name, sentence }, i) => {
    const id = `${reader.id}-word-${i}`;
    const item = { type: "button", class: "word", "data-item": `word ${name}`, tabindex: `word ${name}` === at ? 0 : -1, "aria-describedby": id };
    return [h("button", name, item, name), h("span", `${name} means`, { id, class: "means", role: "tooltip" }, sentence)];
  });
  return h("div", "words", { class: "words", role: "toolbar", "aria-label": "Words of this view", "data-group": "words" }, [
    h("span", "label", { class: "label", "aria-hidden": true }, "Words"),
    ...each,
  ]);
}

/**
 * Unfold, copy or save, if that is what was clicked.
 * @param {any} event
 * @param {import("./page.js").Context} context
 */
export function press(event, { reader, root, draw }) {
  const { unfold, copy, save: kind } = event.target.closest("[data-unfold], [data-copy], [data-save]")?.dataset ?? {};
  if (unfold) reader.open[unfold] = !reader.open[unfold];
  else if (copy) {
    const input = /** @type {HTMLInputElement} */ (root.querySelector(`#${copy}`));
    reader.copied = input.value;
    clip(input);
  } else if (kind) save(root, kind);
  else return false;
  draw();
  return true;
}

/** @param {HTMLInputElement} input */
function clip(input) {
  const select = () => {
    input.select();
    document.execCommand("copy"); // where a page may not write to the clipboard by itself
  };
  if (!navigator.clipboard) return select();
  navigator.clipboard.writeText(input.value).catch(select);
}
