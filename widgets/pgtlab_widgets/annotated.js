// @ts-check
// An annotated log: its claims, its lines, and what the chosen one of either rests on.
import { button, h, stop } from "./page.js";

/**
 * @typedef {{key: string, text: string, sure: string, lines: number[], diagnosis: boolean}} Claim
 * @typedef {{number?: number, from?: number, text: string, remarks?: string[]}} Row a line, or how many are folded away
 * @typedef {{claims: Claim[], rows: Row[], chosen: string, lit: number[], because: {title: string, items: string[]}}} Annotated
 */

/**
 * Claims, as buttons.
 * @param {Annotated} view
 * @param {import("./page.js").Reader} reader
 * @param {string} name
 * @param {boolean} diagnosis
 */
export function claims(view, reader, name, diagnosis) {
  const some = view.claims.filter((claim) => claim.diagnosis === diagnosis);
  const at = stop(reader, name, some.map(({ key }) => key));
  const items = some.map(({ key, text, sure, lines }) =>
    h("li", key, {}, [
      h("button", key, {
        type: "button",
        "data-send": JSON.stringify({ chosen: key }),
        "data-item": key,
        tabindex: key === at ? 0 : -1,
        "aria-pressed": key === view.chosen,
        // A line that is looked at points back at what rests on it.
        class: `claim ${lines.some((line) => view.chosen === `line ${line}`) ? "lit" : ""}`,
      }, [h("span", "text", {}, text), h("span", "sure", { class: "sure" }, sure && ` ${sure}`)]),
    ]),
  );
  return h("section", name, { class: diagnosis ? "diagnosis" : "follows", "aria-label": name }, [
    h("p", "title", { class: "label" }, name),
    h("ul", "claims", { "data-group": name }, items),
  ]);
}

/**
 * The log: a line is a button, and so is a fold.
 * @param {Annotated} view
 * @param {import("./page.js").Reader} reader
 */
export function log(view, reader) {
  const keys = view.rows.map(({ number, from }) => (number ? `line ${number}` : `fold ${from}`));
  const at = stop(reader, "log", keys);
  const rows = view.rows.map(({ number, from, text, remarks = [] }, i) => {
    const item = { "data-item": keys[i], tabindex: keys[i] === at ? 0 : -1 };
    if (!number) return h("li", keys[i], { class: "fold" }, [button("fold", text, { unfold: from }, item)]);
    const lit = view.lit.includes(number);
    return h("li", keys[i], { class: lit ? "lit" : null }, [
      h("button", "line", {
        type: "button",
        class: "log-line",
        "data-send": JSON.stringify({ chosen: keys[i] }),
        "aria-pressed": keys[i] === view.chosen,
        ...item,
      }, [
        h("span", "mark", { class: "mark" }, lit ? "▸" : ""),
        h("span", "number", { class: "number" }, `${number}`),
        h("span", "text", { class: "words" }, text),
      ]),
      ...remarks.map((remark, n) => h("div", `${n}`, { class: "remark" }, remark)),
    ]);
  });
  // What a claim rests on is brought into sight; a line that is chosen is where the reader is.
  const reveal = view.chosen.startsWith("claim") && view.lit.length ? `${view.chosen}/line ${view.lit[0]}` : null;
  return h("ol", "log", { class: "annotated", "aria-label": "The log", "data-group": "log", "data-reveal": reveal }, rows);
}

/**
 * What there is to say of what is chosen.
 * @param {Annotated} view
 */
export const reasons = ({ because }) =>
  h("div", "because", { class: "because", "aria-live": "polite" }, [
    h("p", "title", { class: "label" }, because.title),
    h("ul", "items", {}, because.items.map((item, i) => h("li", `${i}`, {}, item))),
  ]);
