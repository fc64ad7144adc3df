// @ts-check
// What all views are made of: elements to show, groups of items, which arrow keys go through, and buttons and fields, which
// send a message to Python. Nothing is computed here. (`module()` of view.py puts the modules that a view imports before it,
// each in its own function.)

/**
 * @typedef {{key: string, tag: string, attributes: Record<string, string|number>, text?: string, hint?: string}} Shape
 * @typedef {{width: number, height: number, title: string, description: string, shapes: Shape[]}} Picture
 * @typedef {{text: string, error: string, meaning: string, names: string[]}} Field
 *
 * Where the reader is: the item of each group that Tab stops at, which controls are unfolded, an id for labels, and what a
 * view adds.
 * @typedef {{id: string, stops: Record<string, string>, open: Record<string, boolean>, [more: string]: any}} Reader
 *
 * A widget's model in the browser, as anywidget gives it.
 * @typedef {{
 *   get: (trait: string) => any, set: (trait: string, value: any) => void, send: (message: object) => void,
 *   on: (event: string, listener: (content: any) => void) => void, off: (event: string, listener: (content: any) => void) => void,
 * }} Model
 *
 * What event handlers get besides the event: what is shown, how to send a message, whether all that were sent are in what is
 * shown, and how to show it again.
 * @typedef {{
 *   view: any, reader: Reader, root: HTMLElement, draw: () => void, model: {send: (message: object) => void, current: () => boolean},
 * }} Context
 *
 * An element to show on the page. Attributes that are null are left out.
 * @typedef {{
 *   key: string, tag: string, attributes?: Record<string, string|number|boolean|null>,
 *   text?: string, children?: Wanted[],
 * }} Wanted
 */

/**
 * An element to show. The keys of its children must differ.
 * @param {string} tag
 * @param {string} key
 * @param {Wanted["attributes"]} attributes
 * @param {string|Wanted[]} content
 * @returns {Wanted}
 */
export function h(tag, key, attributes = {}, content = []) {
  return typeof content === "string"
    ? { tag, key, attributes, text: content }
    : { tag, key, attributes, children: content };
}

/**
 * The item of `group` that Tab stops at: where the reader was, or the first of `keys`.
 * @param {Reader} reader
 * @param {string} group
 * @param {string[]} keys
 */
export const stop = (reader, group, keys) => (keys.includes(reader.stops[group]) ? reader.stops[group] : keys[0]);

/**
 * A button that sends a message. A disabled button can still be focused, so that its title can say why.
 * @param {string} key
 * @param {string} label
 * @param {object} message
 * @param {Wanted["attributes"]} attributes
 */
export const button = (key, label, message, attributes = {}) =>
  h("button", key, { type: "button", "data-send": JSON.stringify(message), ...attributes }, label);

/**
 * Options, one of them selected, as a labelled toolbar. With `ahead` it is foreseen what the others lead to.
 * @param {Reader} reader
 * @param {string} label
 * @param {{label: string, selected: boolean, send?: object, rule?: string, note?: string}[]} options
 * @param {boolean} ahead
 */
export function toolbar(reader, label, options, ahead = false) {
  const keys = options.map((option) => `${label}/${option.label}`);
  const at = stop(reader, label, [...keys.filter((_, i) => options[i].selected), ...keys]);
  const buttons = options.map((option, i) =>
    button(keys[i], option.label, option.send ?? {}, {
      "data-item": keys[i],
      tabindex: keys[i] === at ? 0 : -1,
      "aria-pressed": option.selected,
      "aria-disabled": option.rule ? true : null,
      "data-ahead": ahead && !option.selected ? true : null,
      title: option.rule || option.note || null,
    }),
  );
  return h("div", label, { class: "choice" }, [
    h("span", "label", { class: "label", "aria-hidden": true }, label),
    h("div", "options", { role: "toolbar", "aria-label": label, "data-group": label }, buttons),
  ]);
}

/**
 * A line to type in, with its meaning and its error. It sends `{[name]: text}` at Enter, or when it loses focus.
 * @param {Reader} reader
 * @param {string} label
 * @param {string} name
 * @param {Field} value
 */
export function field(reader, label, name, { text, error, meaning, names }) {
  const id = `${reader.id}-${name}`;
  const input = {
    id,
    type: "text",
    list: `${id}-names`,
    spellcheck: false,
    autocomplete: "off",
    "data-field": name,
    "data-value": text,
    "aria-invalid": error !== "",
    "aria-describedby": `${id}-meaning ${id}-error`,
  };
  return h("div", name, { class: "field" }, [
    h("label", "label", { class: "label", for: id }, label),
    h("input", "input", input),
    h("datalist", "names", { id: `${id}-names` }, names.map((name) => h("option", name, { value: name }))),
    h("output", "meaning", { id: `${id}-meaning` }, meaning),
    h("div", "error", { id: `${id}-error`, class: "error", role: "alert" }, error),
  ]);
}

/**
 * Lines to type or to paste, with their error. It sends `{[name]: text}` after a paste, or when it loses focus.
 * @param {Reader} reader
 * @param {string} label
 * @param {string} name
 * @param {{text: string, error: string}} value
 * @param {number} rows
 */
export function textarea(reader, label, name, { text, error }, rows = 2) {
  const id = `${reader.id}-${name}`;
  const area = {
    id,
    rows,
    spellcheck: false,
    autocomplete: "off",
    "data-field": name,
    "data-value": text,
    "aria-invalid": error !== "",
    "aria-describedby": `${id}-error`,
  };
  return h("div", name, { class: "field" }, [
    h("label", "label", { class: "label", for: id }, label),
    h("textarea", "area", area),
    h("div", "error", { id: `${id}-error`, class: "error", role: "alert" }, error),
  ]);
}

/** @type {WeakMap<Shape, {item: Function, element: Wanted}>} */
const made = new WeakMap();

/**
 * A shape as an element: the same one as long as the shape is the same, so that there is nothing to compare.
 * @param {Shape} shape
 * @param {(shape: Shape) => Wanted["attributes"]|null} item
 */
function drawn(shape, item) {
  const known = made.get(shape);
  if (known?.item === item) return known.element;
  const more = item(shape);
  const attributes = more && { "data-item": shape.key, tabindex: -1, "aria-label": shape.hint ?? "", ...more };
  const element = h(shape.tag, shape.key, { ...shape.attributes, ...attributes }, shape.hint ? [h("title", "hint", {}, shape.hint)] : (shape.text ?? ""));
  made.set(shape, { item, element });
  return element;
}

/**
 * A picture, and the same as text. A shape that is an item can be reached by arrow keys, clicked, and pressed with Enter
 * or Space; `item` gives its attributes, and null for other shapes.
 * @param {Reader} reader
 * @param {Picture} picture
 * @param {string} key different for each picture of a view
 * @param {(shape: Shape) => Wanted["attributes"]|null} item
 */
export function picture(reader, picture, key = "picture", item = pressed) {
  const shapes = picture.shapes.map((shape) => drawn(shape, item));
  const at = stop(reader, key, shapes.filter(({ attributes }) => attributes?.["data-item"]).map(({ key }) => key));
  const stopped = shapes.findIndex(({ key }) => key === at);
  if (stopped >= 0) shapes[stopped] = { ...shapes[stopped], attributes: { ...shapes[stopped].attributes, tabindex: 0 } };
  const svg = {
    class: "pgtlab-picture",
    viewBox: `0 0 ${picture.width} ${picture.height}`,
    width: picture.width,
    height: picture.height,
    role: "group",
    "aria-label": picture.title,
    "data-group": key,
  };
  return h("div", key, { class: "picture" }, [
    // Without items, the picture itself takes the focus: on a narrow page it is scrolled by arrow keys.
    h("div", "edges", { class: "edges" }, [
      h("div", "scroll", { class: "scroll", tabindex: at === undefined ? 0 : null }, [h("svg", "svg", svg, shapes)]),
    ]),
    h("details", "text", {}, [h("summary", "summary", {}, "The same as text"), h("pre", "pre", {}, picture.description)]),
  ]);
}

/**
 * A shape with `data-NAME` is a button that sends `{NAME: value}`; where one is selected, it is pressed.
 * @param {string} name
 * @param {string} [selected]
 * @returns {(shape: Shape) => Wanted["attributes"]|null}
 */
export const sending = (name, selected) => ({ attributes: { [`data-${name}`]: value } }) =>
  value === undefined
    ? null
    : {
        role: "button",
        "aria-pressed": selected === undefined ? null : value === selected,
        "data-send": JSON.stringify({ [name]: value }),
      };

/** A shape that sends something is a button. */
const pressed = (/** @type {Shape} */ { attributes }) => ("data-send" in attributes ? { role: "button" } : null);

/**
 * A table: the first cell of each row is its head. It must differ from row to row.
 * @param {string} key
 * @param {string} caption
 * @param {string[]} head
 * @param {(string|null)[][]} rows
 */
export function table(key, caption, head, rows) {
  const row = (/** @type {(string|null)[]} */ [name, ...cells]) =>
    h("tr", String(name), {}, [
      h("th", "0", { scope: "row" }, String(name)),
      ...cells.map((cell, i) => h("td", `${i + 1}`, {}, cell ?? "–")),
    ]);
  return h("table", key, {}, [
    h("caption", "caption", {}, caption),
    h("thead", "head", {}, [h("tr", "row", {}, head.map((name) => h("th", name, { scope: "col" }, name)))]),
    h("tbody", "body", {}, rows.map(row)),
  ]);
}
