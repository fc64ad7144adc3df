// @ts-check
// The life of a view on the page: it is drawn when its traits change, sends what the reader does to Python, and leaves nothing
// when it goes.
import { connection, disconnected } from "./connection.js";
import { WIDE, markEdges, room } from "./edges.js";
import { framed, press } from "./frame.js";
import { h } from "./page.js";
import { patch } from "./patch.js";
import { follow } from "./states.js";

/**
 * @typedef {import("./page.js").Wanted} Wanted
 * @typedef {import("./page.js").Reader} Reader
 * @typedef {import("./page.js").Model} Model
 * @typedef {import("./page.js").Context} Context
 */

/**
 * Whether a key is the view's. JupyterLab uses arrows, Enter and letters too; Ctrl-S and Shift-Enter are left to it.
 * @param {KeyboardEvent} event
 */
const plain = (event) => !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;

/** A number that no other view on the page has: each has its own copy of this module. */
const number = () => {
  const { dataset } = document.body;
  return (dataset.pgtlabViews = `${Number(dataset.pgtlabViews ?? 0) + 1}`);
};

/** @type {Map<unknown, number>} how many views of a widget are on the page, by its layout: its model is another for each */
const shown = new Map();
const LEFT = 500; // milliseconds after which a model without a view on the page is closed
const AWAY = "Not connected to Python: run this cell.";

/**
 * A widget's module: `body` gives the elements to show for the parts of the state together. Events go to `on` first, if it has
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
    root.setAttribute("role", "group");
    /** @type {Reader} */
    const reader = { id: `pgtlab-${name}-${number()}`, stops: {}, open: {} };
    const ended = new AbortController();
    const { signal } = ended;
    /** @type {WeakMap<Element, string|undefined>} Python's text in each field, as it was last set */
    const filled = new WeakMap();
    const python = connection(model, el, (view) => {
      if (view) context.view = view;
      const question = context.view.frame?.question;
      if (question && question !== root.getAttribute("aria-label")) root.setAttribute("aria-label", question);
      draw();
    });
    python.foresee(next);
    /** @type {Context} */
    const context = { view: null, reader, root, model: { send: python.send, current: python.current }, draw };

    /** What the reader may send next: what the pointer or the focus is on, and what the view says. */
    function next() {
      if (reader.next) return []; // each step of long work changes what follows
      const near = /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll(":is([data-ahead], :hover, :focus)[data-send]:not([aria-disabled=true])"));
      return [...near].map(({ dataset }) => dataset.send ?? "");
    }

    function draw() {
      if (signal.aborted) return;
      const { view } = context;
      const failed = h("p", "failed", { class: "failed", role: "alert", hidden: view.failed ? null : true }, view.failed ?? "");
      const wanted = [...framed(view, reader, body(view, reader)), failed];
      patch(root, python.connected() ? wanted : [h("p", "disconnected", { class: "failed", role: "status" }, AWAY), ...wanted.map(disconnected)]);
      // A field is set only when Python's text for it changes: the reader may be typing in it.
      for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (root.querySelectorAll("[data-field]")))
        if (filled.get(input) !== input.dataset.value) {
          input.value = input.dataset.value ?? "";
          filled.set(input, input.dataset.value);
        }
      revealAll();
      requestAnimationFrame(() => markEdges(root));
      // Long work goes in steps: the next one is requested once the result of the last one is drawn.
      const next = /** @type {HTMLElement|null} */ (root.querySelector("[data-next]"))?.dataset.next ?? "";
      if (next !== reader.next) requestAnimationFrame(() => next && root.isConnected && python.send(JSON.parse(next)));
      reader.next = next;
      root.dispatchEvent(new Event("drawn"));
    }

    /** Tell Python how much room there is, if its picture follows that and has another one. */
    function fit() {
      const now = room(root);
      if (!context.view.reflows || now === undefined || now === (reader.room ?? WIDE)) return;
      reader.room = now;
      python.send({ room: now });
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
      scrollTo(group.querySelector(`[data-item="${wanted.split("/").pop()}"]`));
    }

    /**
     * Scroll the group of an item, not the page, so that the item is in sight.
     * @param {HTMLElement|null} item
     */
    function scrollTo(item) {
      const group = item?.closest("[data-group]");
      if (!item || !group) return;
      const [box, at] = [group.getBoundingClientRect(), item.getBoundingClientRect()];
      if (at.top < box.top || at.bottom > box.bottom) group.scrollTop += at.top - box.top - box.height / 4;
      if (at.left < box.left || at.right > box.right) group.scrollLeft += at.left - box.left - box.width / 4;
    }

    /** @param {Element} element */
    function send(element) {
      const { send, field } = /** @type {HTMLElement} */ (element).dataset;
      if (field) filled.delete(element); // Python may answer with the same text as before
      if (element.getAttribute("aria-disabled") !== "true")
        python.send(send ? JSON.parse(send) : { [field ?? ""]: /** @type {HTMLInputElement} */ (element).value });
    }

    /** @type {Record<string, (event: any) => void>} */
    const own = {
      click(event) {
        if (press(event, context)) return;
        const jump = event.target.closest("[data-jump]")?.dataset.jump;
        if (jump) return scrollTo(root.querySelector(`[data-item="${jump}"]`));
        const element = event.target.closest("[data-send]");
        if (!element) return;
        if (element.hasAttribute("data-item")) element.focus(); // which lays the page out: before it changes
        send(element);
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
        queueMicrotask(python.lookAhead); // after the click that moved the focus
        const item = event.target.closest("[data-item]");
        const group = item?.closest("[data-group]");
        if (!group) return;
        reader.stops[group.dataset.group] = item.dataset.item;
        for (const other of group.querySelectorAll('[data-item][tabindex="0"]')) other.setAttribute("tabindex", "-1");
        item.setAttribute("tabindex", "0");
      },

      pointerover: python.lookAhead,

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
      }, { signal });
    // Notebook 7 handles keys while they are captured, before a view sees them, except where its library finds this mark.
    const mark = (/** @type {any} */ event) =>
      root.contains(event.target) && event.target.toggleAttribute("data-lm-suppress-shortcuts", plain(event));
    window.addEventListener("keydown", mark, { capture: true, signal });
    root.addEventListener("scroll", () => markEdges(root), { capture: true, signal });
    python.receive();
    el.append(root);
    // Before it is on the page, and in a hidden tab, it has no size, and nothing can be scrolled.
    const sized = new ResizeObserver(() => {
      revealAll();
      markEdges(root);
      fit();
    });
    sized.observe(root);
    const widget = model.get("layout") ?? model;
    shown.set(widget, (shown.get(widget) ?? 0) + 1);
    return () => {
      ended.abort();
      sized.disconnect();
      python.close();
      patch(root, []); // what else knows the root does not keep its elements
      root.remove();
      shown.set(widget, (shown.get(widget) ?? 0) - 1);
      // A cell that runs again removes its output before it makes another: wait.
      setTimeout(() => {
        if (shown.get(widget)) return;
        shown.delete(widget);
        python.deliver({ gone: true });
      }, LEFT);
    };
  }

  return { initialize: follow, render };
}
