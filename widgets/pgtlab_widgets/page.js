// @ts-check
// What all views share: elements to show, which are patched into the page with few changes; groups of items, which arrow
// keys go through; and what the reader does, which goes to Python as a message. Nothing is computed here. (`module()` of
// view.py puts the modules that a view imports before it, each in its own function.)
import { markEdges } from "./edges.js";

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
 *   get: (trait: string) => string|undefined, send: (message: object) => void,
 *   on: (event: string, listener: () => void) => void, off: (event: string, listener: () => void) => void,
 * }} Model
 *
 * What event handlers get besides the event: what is shown, and how to show it again.
 * @typedef {{view: any, reader: Reader, root: HTMLElement, model: Model, draw: () => void}} Context
 *
 * An element to show on the page. Attributes that are null are left out.
 * @typedef {{
 *   key: string, tag: string, attributes?: Record<string, string|number|boolean|null>,
 *   text?: string, children?: Wanted[],
 * }} Wanted
 */

/** @type {WeakMap<Element, Wanted>} */
const present = new WeakMap();

/**
 * Make the children of `parent` those in `wanted`, changing only what differs. An element keeps its identity by its key,
 * and so its focus, what is typed or unfolded in it, and its place in the accessibility tree.
 * @param {Element} parent
 * @param {Wanted[]} wanted
 */
export function patch(parent, wanted) {
  const have = new Map(Array.from(parent.children, (child) => [present.get(child)?.key, child]));
  const keys = new Set(wanted.map(({ key }) => key));
  for (const [key, child] of have) if (!keys.has(key ?? "")) child.remove();
  let next = parent.firstElementChild;
  for (const node of wanted) {
    const namespace = node.tag === "svg" ? "http://www.w3.org/2000/svg" : parent.namespaceURI;
    let element = have.get(node.key);
    if (element && element.localName !== node.tag) {
      if (element === next) next = element.nextElementSibling;
      element.remove();
      element = undefined;
    }
    element ??= document.createElementNS(namespace, node.tag);
    if (element === next) next = element.nextElementSibling;
    else parent.insertBefore(element, next);
    const before = present.get(element);
    present.set(element, node);
    const [had, has] = [before?.attributes ?? {}, node.attributes ?? {}];
    for (const name in has) {
      if (had[name] === has[name]) continue;
      if (has[name] === null) element.removeAttribute(name);
      else element.setAttribute(name, String(has[name]));
    }
    for (const name in had) if (!(name in has)) element.removeAttribute(name);
    if (node.children) patch(element, node.children);
    else if (before?.text !== node.text) element.textContent = node.text ?? "";
  }
}

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
 * Options, one of them selected, as a labelled toolbar.
 * @param {Reader} reader
 * @param {string} label
 * @param {{label: string, selected: boolean, send?: object, rule?: string, note?: string}[]} options
 */
export function toolbar(reader, label, options) {
  const keys = options.map((option) => `${label}/${option.label}`);
  const at = stop(reader, label, [...keys.filter((_, i) => options[i].selected), ...keys]);
  const buttons = options.map((option, i) =>
    button(keys[i], option.label, option.send ?? {}, {
      "data-item": keys[i],
      tabindex: keys[i] === at ? 0 : -1,
      "aria-pressed": option.selected,
      "aria-disabled": option.rule ? true : null,
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

/**
 * A picture, and the same as text. A shape that is an item can be reached by arrow keys, clicked, and pressed with Enter
 * or Space; `item` gives its attributes, and null for other shapes.
 * @param {Reader} reader
 * @param {Picture} picture
 * @param {string} key different for each picture of a view
 * @param {(shape: Shape) => Wanted["attributes"]|null} item
 */
export function picture(reader, picture, key = "picture", item = pressed) {
  const items = new Map(picture.shapes.map((shape) => [shape.key, item(shape)]));
  const at = stop(reader, key, [...items.keys()].filter((key) => items.get(key)));
  const shapes = picture.shapes.map((shape) => {
    const more = items.get(shape.key);
    const attributes = more && { "data-item": shape.key, tabindex: shape.key === at ? 0 : -1, "aria-label": shape.hint ?? "", ...more };
    return h(shape.tag, shape.key, { ...shape.attributes, ...attributes }, shape.hint ? [h("title", "hint", {}, shape.hint)] : (shape.text ?? ""));
  });
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

/**
 * Whether a key is the view's. JupyterLab uses arrows, Enter and letters too; Ctrl-S and Shift-Enter are left to it.
 * @param {KeyboardEvent} event
 */
const plain = (event) => !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;

let views = 0;

/** @type {WeakMap<object, number>} how many views of a model are on the page */
const shown = new WeakMap();
// The traits that are drawn, the one that changes most last: `base_view` stays while something in it is chosen, and the bug
// lab's `run_view` while the kernel is the same.
const PARTS = ["base_view", "run_view", "view"];
const CHANGES = PARTS.map((part) => `change:${part}`).join(" ");
const AWAY = 500; // milliseconds after which a model without a view on the page is closed

/**
 * A widget's module: `body` gives the elements to show for the traits in `PARTS` together. Events go to `on` first, if it has
 * them, and no further if that returns true.
 * @param {string} name
 * @param {(view: any, reader: Reader) => Wanted[]} body
 * @param {Record<string, (event: any, context: Context) => boolean|void>} on
 */
export function show(name, body, on = {}) {
  /** @param {{model: Model, el: HTMLElement}} arguments */
  function render({ model, el }) {
    const root = document.createElement("div");
    root.className = `pgtlab-view pgtlab-${name}`;
    /** @type {Reader} */
    const reader = { id: `pgtlab-${name}-${++views}`, stops: {}, open: {} };
    /** @type {Context} */
    const context = { view: null, reader, root, model, draw };

    let heard = false;
    /** Several traits that came together are drawn once. */
    function hear() {
      if (!heard) queueMicrotask(receive);
      heard = true;
    }

    function receive() {
      heard = false;
      context.view = Object.assign({}, ...PARTS.map((part) => JSON.parse(model.get(part) ?? "{}")));
      draw();
    }

    function draw() {
      const { view } = context;
      const failed = h("p", "failed", { class: "failed", role: "alert", hidden: view.failed ? null : true }, view.failed ?? "");
      patch(root, [...body(view, reader), failed]);
      // A field is set only when Python's text for it changes: the reader may be typing in it.
      for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (root.querySelectorAll("[data-field]")))
        if (reader[input.id] !== input.dataset.value) input.value = reader[input.id] = input.dataset.value ?? "";
      revealAll();
      requestAnimationFrame(() => markEdges(root));
      // Long work goes in steps: the next one is requested once the result of the last one is drawn.
      const next = /** @type {HTMLElement|null} */ (root.querySelector("[data-next]"))?.dataset.next ?? "";
      if (next !== reader.next) requestAnimationFrame(() => next && root.isConnected && model.send(JSON.parse(next)));
      reader.next = next;
    }

    function revealAll() {
      for (const group of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-reveal]"))) reveal(group);
    }

    /**
     * Scroll `group`, not the page, to the item in its `data-reveal`, `reason/item`, once for each value.
     * @param {HTMLElement} group
     */
    function reveal(group) {
      const wanted = group.dataset.reveal ?? "";
      if (reader[`reveal ${group.dataset.group}`] === wanted || !group.offsetHeight) return;
      reader[`reveal ${group.dataset.group}`] = wanted;
      const item = group.querySelector(`[data-item="${wanted.split("/").pop()}"]`);
      const [box, at] = [group.getBoundingClientRect(), item?.getBoundingClientRect()];
      if (at && (at.top < box.top || at.bottom > box.bottom)) group.scrollTop += at.top - box.top - box.height / 4;
    }

    /** @param {Element} element */
    function send(element) {
      const { send, field } = /** @type {HTMLElement} */ (element).dataset;
      if (field) delete reader[element.id]; // Python may answer with the same text as before
      if (element.getAttribute("aria-disabled") !== "true")
        model.send(send ? JSON.parse(send) : { [field ?? ""]: /** @type {HTMLInputElement} */ (element).value });
    }

    /** @type {Record<string, (event: any) => void>} */
    const own = {
      click(event) {
        const unfold = event.target.closest("[data-unfold]")?.dataset.unfold;
        if (unfold) {
          reader.open[unfold] = !reader.open[unfold];
          return draw();
        }
        const element = event.target.closest("[data-send]");
        if (!element) return;
        send(element);
        if (element.hasAttribute("data-item")) element.focus();
      },

      keydown(event) {
        if (plain(event)) event.stopPropagation();
        if (event.key === "Enter" && event.target.matches("input[data-field]")) send(event.target);
        const item = event.target.closest("[data-item]");
        const group = item?.closest("[data-group]");
        if (!group) return;
        const items = /** @type {HTMLElement[]} */ ([...group.querySelectorAll("[data-item]")]);
        const at = items.indexOf(item);
        /** @type {Record<string, number>} */
        const moves = { ArrowLeft: at - 1, ArrowUp: at - 1, ArrowRight: at + 1, ArrowDown: at + 1, Home: 0, End: items.length - 1 };
        if (event.key in moves) items[moves[event.key]]?.focus();
        else if (item.localName !== "button" && (event.key === " " || event.key === "Enter")) send(item);
        else return;
        event.preventDefault();
      },

      focusin(event) {
        const item = event.target.closest("[data-item]");
        const group = item?.closest("[data-group]");
        if (!group) return;
        reader.stops[group.dataset.group] = item.dataset.item;
        for (const other of group.querySelectorAll('[data-item][tabindex="0"]')) other.setAttribute("tabindex", "-1");
        item.setAttribute("tabindex", "0");
      },

      change(event) {
        if (event.target.matches("[data-field]")) send(event.target);
      },

      input(event) {
        if (event.inputType === "insertFromPaste" && event.target.matches("textarea[data-field]")) send(event.target);
      },
    };

    for (const type of new Set([...Object.keys(own), ...Object.keys(on)]))
      root.addEventListener(type, (event) => {
        if (!on[type]?.(event, context)) own[type]?.(event);
      });
    // Notebook 7 handles keys while they are captured, before a view sees them, except where its library finds this mark.
    const mark = (/** @type {any} */ event) =>
      root.contains(event.target) && event.target.toggleAttribute("data-lm-suppress-shortcuts", plain(event));
    window.addEventListener("keydown", mark, true);
    root.addEventListener("scroll", () => markEdges(root), true);
    receive();
    el.append(root);
    // Before it is on the page, and in a hidden tab, it has no size, and nothing can be scrolled.
    const sized = new ResizeObserver(() => {
      revealAll();
      markEdges(root);
    });
    sized.observe(root);
    model.on(CHANGES, hear);
    shown.set(model, (shown.get(model) ?? 0) + 1);
    return () => {
      window.removeEventListener("keydown", mark, true);
      sized.disconnect();
      model.off(CHANGES, hear);
      shown.set(model, (shown.get(model) ?? 0) - 1);
      // A cell that runs again removes its output before it makes another: wait.
      setTimeout(() => shown.get(model) || model.send({ gone: true }), AWAY);
    };
  }

  return { render };
}
