// @ts-check
// An annotated log: its claims, its lines, and what the chosen claim or line rests on.
import { button, h, picture, stop } from "./page.js";

/**
 * @typedef {{key: string, text: string, sure: string, lines: number[], diagnosis: boolean}} Claim
 * @typedef {{text: string, key?: string, name?: string}} Piece part of a line: one with a key is a number that can be chosen
 * @typedef {{number?: number, from?: number, text: string, remarks?: string[], pieces?: Piece[]}} Row a line, or how many lines are folded
 * @typedef {{claims: Claim[], legend?: [string, string][], rows: Row[], chosen: string, lit: number[], inputs?: string[], resting?: string[], because: {title: string, items: string[]}, pictures: import("./page.js").Picture[]}} Annotated
 */

/**
 * Claims, as buttons.
 * @param {Annotated} view
 * @param {import("./page.js").Reader} reader
 * @param {string} name
 * @param {boolean} diagnosis
 */
export function claims(view, reader, name, diagnosis) {
  const listed = view.claims.filter((claim) => claim.diagnosis === diagnosis);
  const at = stop(reader, name, listed.map(({ key }) => key));
  /** @type {Record<string, string>} */
  const meaning = Object.fromEntries(view.legend ?? []);
  const legend = (view.legend ?? []).flatMap(([name, means]) => [h("dt", name, {}, name), h("dd", `${name}:`, {}, means)]);
  const items = listed.map(({ key, text, sure, lines }) =>
    h("li", key, {}, [
      h("button", key, {
        type: "button",
        "data-send": JSON.stringify({ chosen: key }),
        "data-item": key,
        tabindex: key === at ? 0 : -1,
        "aria-pressed": key === view.chosen,
        // A chosen line lights the claims that rest on it.
        class: `claim ${view.resting?.includes(key) || lines.some((line) => view.chosen === `line ${line}`) ? "lit" : ""}`,
      }, [h("span", "text", {}, text), h("span", "sure", { class: "sure", title: meaning[sure] ?? null }, sure && ` ${sure}`)]),
    ]),
  );
  return h("section", name, { class: diagnosis ? "diagnosis" : "follows", "aria-label": name }, [
    h("p", "title", { class: "label" }, name),
    h("p", "none", { class: "none", hidden: items.length ? true : null }, "Nothing: there is no report in this log."),
    h("ul", "claims", { "data-group": name }, items),
    ...(diagnosis || !legend.length ? [] : [h("dl", "legend", { class: "legend" }, legend)]),
  ]);
}

/**
 * The log: a line is a button, and so is a fold.
 * @param {Annotated} view
 * @param {import("./page.js").Reader} reader
 */
export function log(view, reader) {
  const keys = view.rows.map(({ number, from }) => (number ? `line ${number}` : `fold ${from}`));
  const at = stop(reader, "log", [...keys, ...view.rows.flatMap(({ pieces = [] }) => pieces.map(({ key }) => key ?? ""))]);
  const chosen = keys.indexOf(view.chosen);
  const rows = view.rows.map(({ number, from, text, remarks = [], pieces }, i) => {
    const item = { "data-item": keys[i], tabindex: keys[i] === at ? 0 : -1 };
    if (!number) return h("li", keys[i], { class: "fold" }, [button("fold", text, { unfold: from }, item)]);
    const lit = view.lit.includes(number);
    const marks = [
      h("span", "mark", { class: "mark" }, lit ? "▸" : ""),
      h("span", "number", { class: "number" }, `${number}`),
    ];
    const notes = remarks.map((remark, n) => h("div", `${n}`, { class: "remark" }, remark));
    const choice = { type: "button", "data-send": JSON.stringify({ chosen: keys[i] }), "aria-pressed": keys[i] === view.chosen, "data-ahead": chosen >= 0 && Math.abs(i - chosen) === 1 ? true : null, ...item };
    if (pieces)
      return h("li", keys[i], { class: lit ? "lit" : null }, [
        h("div", "line", { class: "log-line" }, [
          h("button", "line", { ...choice, class: "whole", "aria-label": `line ${number}: ${text}` }, marks),
          h("span", "text", { class: "words" }, pieces.map((piece, n) => part(piece, n, view, at))),
        ]),
        ...notes,
      ]);
    return h("li", keys[i], { class: lit ? "lit" : null }, [
      h("button", "line", {
        ...choice,
        class: "log-line",
      }, [...marks, h("span", "text", { class: "words" }, text)]),
      ...notes,
    ]);
  });
  if (!rows.length) rows.push(h("li", "none", { class: "none" }, "Nothing was logged."));
  // Scroll to what a claim or a number rests on; a chosen line is where the reader is already.
  const [kind] = view.chosen.split(" ");
  const shown = kind === "number" ? view.chosen : `line ${view.lit[0]}`;
  const reveal = ["claim", "number"].includes(kind) && view.lit.length ? `${view.chosen}/${shown}` : null;
  return h("ol", "log", { class: "annotated", "aria-label": "The log", "data-group": "log", "data-reveal": reveal }, rows);
}

/**
 * A part of a line. A number that is explained is a button; an input of the chosen number is marked.
 * @param {Piece} piece
 * @param {number} n
 * @param {Annotated} view
 * @param {string} at
 */
function part({ text, key, name }, n, view, at) {
  if (!key) return h("span", `${n}`, {}, text);
  const input = view.inputs?.includes(key);
  return button(`${n}`, text, { chosen: key }, {
    "data-item": key,
    tabindex: key === at ? 0 : -1,
    class: `value ${input ? "input" : ""}`,
    "aria-label": `${name}${input ? ", an input" : ""}`,
    "aria-pressed": key === view.chosen,
  });
}

/**
 * Why: the explanation of what is chosen, and its lines; an arrow says where those are that are out of sight.
 * @param {Annotated} view
 */
export const reasons = ({ because, chosen, lit, rows }) =>
  h("div", "because", { class: "because", "aria-live": "polite", role: "region", "aria-label": "Why", tabindex: 0 }, [
    h("p", "title", { class: "label" }, because.title),
    h("p", "lines", { class: "jumps", hidden: lit.length && !chosen.startsWith("line") ? null : true }, [
      h("span", "label", {}, "In the log:"),
      ...lit.map((line) => h("button", `${line}`, { type: "button", "data-jump": `line ${line}`, "aria-disabled": rows.length ? null : true }, `line ${line}`)),
    ]),
    h("ul", "items", {}, because.items.map((item, i) => h("li", `${i}`, {}, item))),
  ]);

/**
 * The words in the lit lines, as pictures, in a box that is there even when it is empty.
 * @param {Annotated} view
 * @param {import("./page.js").Reader} reader
 */
export const words = ({ pictures }, reader) =>
  h("div", "words", { class: "pictures", role: "region", "aria-label": "Words of the log", tabindex: 0 }, [
    h("p", "none", { class: "none", hidden: pictures.length ? true : null }, "A word in the chosen lines is drawn here: ESR_EL1, a page type, a struct page."),
    ...pictures.map((word, i) => picture(reader, word, `picture ${i}`)),
  ]);
