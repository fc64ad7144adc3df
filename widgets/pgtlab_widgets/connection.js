// @ts-check
// The connection of a view to Python: whether there is one, what is under way, and what is known ahead.
import { CHANGES, changed, read, whole } from "./states.js";

/**
 * @typedef {import("./page.js").Model} Model
 * @typedef {import("./page.js").Wanted} Wanted
 */

const FRAME = 16; // milliseconds

/**
 * What a message is about, such as `choose`. Python knows by it whether its answer can be foreseen.
 * @param {object} message
 */
const about = (message) => Object.keys(message)[0];

/**
 * The connection of a view.
 *
 * Each message has a number, which comes back with the first state that follows from it. What is shown has all messages in it
 * that were sent when it was drawn, or foreseen; a state that has fewer is stale, and not shown.
 * @param {Model} model
 * @param {HTMLElement} el the element that ipywidgets marks where a saved notebook has not run
 * @param {(view: object|null) => void} show shows another view, or the same after the connection was lost
 */
export function connection(model, el, show) {
  const page = Math.random().toString(36).slice(2);
  let lost = el.classList.contains("jupyter-widgets-disconnected");
  let [sent, answered, shown] = [0, 0, 0];
  /** @type {object[]} messages that are sent once the page has painted what they lead to */
  const waiting = [];
  /** @type {Map<number, string>} what the messages under way are about */
  const pending = new Map();
  /** @type {Map<string, import("./states.js").Parts|null>} the parts that follow from messages, or null if none are foreseen */
  const foreseen = new Map();
  let base = model.get("number"); // the state in which they were foreseen
  let asking = false;
  let heard = false;

  /** Several traits that came together are shown once. */
  function hear() {
    if (!heard) queueMicrotask(receive);
    heard = true;
  }

  function receive() {
    heard = false;
    if (base !== model.get("number")) forget();
    if (answered < shown) return;
    shown = sent;
    show(whole(read(model)));
    lookAhead();
  }

  /**
   * Forget what was foreseen in another state, but for what does not depend on it.
   * @param {string} [kept]
   */
  function forget(kept) {
    base = model.get("number");
    for (const text of [...foreseen.keys()]) if (about(JSON.parse(text)) !== kept) foreseen.delete(text);
  }

  /**
   * Whether a message can be followed by another about the same before it is answered: it does not matter then.
   * @param {string|undefined} name
   */
  const overtaken = (name) => name !== undefined && model.get("foresees")?.[name] === true;

  function lose() {
    lost = true;
    show(whole(read(model))); // without what was foreseen, which nothing confirms
  }

  /** @param {any} content */
  function listen({ number, changes, answers, foreseen: answer }) {
    if (changes && answers?.[0] === page) {
      const name = pending.get(answers[1]);
      if (number === base + 1 && overtaken(name)) forget(name);
      answered = answers[1];
      for (const earlier of pending.keys()) if (earlier <= answered) pending.delete(earlier);
      hear();
    }
    if (answer) {
      asking = false;
      if (number === base)
        for (const [text, changes] of Object.entries(answer)) foreseen.set(text, changes && changed(read(model), changes));
      lookAhead();
    }
  }

  /** @type {() => string[]} the messages that the reader may send next */
  let ahead = () => [];

  /** Ask what they lead to, unless a message is under way: its answer comes first. */
  function lookAhead() {
    const foresees = model.get("foresees") ?? {};
    if (asking || lost || pending.size || !Object.keys(foresees).length) return;
    const unknown = ahead().filter((text) => !foreseen.has(text) && about(JSON.parse(text)) in foresees);
    if (unknown.length) asking = deliver({ foresee: unknown });
  }

  /** @param {object} message */
  function deliver(message) {
    if (lost) return false;
    try {
      model.send(message);
    } catch {
      lose();
    }
    return !lost;
  }

  /**
   * Send what the reader does. If it was foreseen what that leads to, it is shown at once.
   * @param {object} message
   */
  function send(message) {
    const name = about(message);
    const follows = [...pending.values()].every((other) => other === name && overtaken(name)) && foreseen.get(JSON.stringify(message));
    if (lost) return;
    waiting.push({ ...message, sent: [page, ++sent] });
    pending.set(sent, name);
    if (!follows) return deliverWaiting();
    shown = sent;
    show(whole(follows));
    setTimeout(deliverWaiting, FRAME); // the answer would keep the page from painting it
  }

  function deliverWaiting() {
    for (const message of waiting.splice(0)) deliver(message);
  }

  model.on("msg:custom", listen);
  model.on(CHANGES, hear);
  model.on("comm_live_update", lose);
  return {
    connected: () => !lost,
    current: () => shown === sent,
    deliver,
    send,
    receive,
    lookAhead,
    /** @param {() => string[]} next */
    foresee: (next) => (ahead = next),
    close() {
      deliverWaiting();
      model.off("msg:custom", listen);
      model.off(CHANGES, hear);
      model.off("comm_live_update", lose);
    },
  };
}

/**
 * The same element without a Python that would answer: its controls can be read and do nothing.
 * @param {Wanted} wanted
 * @returns {Wanted}
 */
export function disconnected(wanted) {
  const { attributes = {}, children } = wanted;
  const off = "data-field" in attributes ? { readonly: true } : {};
  const control = "data-field" in attributes || "data-send" in attributes ? { "aria-disabled": true, ...off } : {};
  return { ...wanted, attributes: { ...attributes, ...control }, children: children?.map(disconnected) };
}
