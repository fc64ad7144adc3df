// @ts-check
// Steps, taken by buttons, by keys, or played at a chosen speed.
import { button, h } from "./page.js";

/**
 * Where the steps are. `name` is the message that goes to a step, such as `{step: 3}`; `{by: 1}` is one after another.
 * @typedef {{name: string, at: number, first: number, last: number}} Track
 *
 * What is known of the reader: whether the steps are being played, how fast, and what waits for the next one.
 * @typedef {import("./page.js").Reader & {playing?: boolean, speed?: number, timer?: number}} Reader
 *
 * @typedef {import("./page.js").Context} Context
 */

const SPEEDS = [0.5, 1, 2, 4];
const PACE = 1600; // milliseconds for a step at speed 1

/** @type {Record<string, (track: Track) => object>} */
const MOVES = {
  Home: ({ name, first }) => ({ [name]: first }),
  ArrowLeft: ({ name, at, first }) => ({ [name]: Math.max(at - 1, first) }),
  ArrowRight: ({ name, at, last }) => ({ [name]: Math.min(at + 1, last) }),
  End: ({ name, last }) => ({ [name]: last }),
};
/** @type {Record<string, object>} the moves where another one is under way: two fast presses are two steps */
const FURTHER = { ArrowLeft: { by: -1 }, ArrowRight: { by: 1 } };

/**
 * The buttons of the steps, and what follows them in their row.
 * @param {Track} track
 * @param {Reader} reader
 * @param {string} label
 * @param {string} end what the button says that goes to the last step
 * @param {import("./page.js").Wanted[]} more
 */
export function stepping(track, reader, label, end, more) {
  const { at, first, last } = track;
  const move = (/** @type {string} */ key, /** @type {string} */ label, /** @type {boolean} */ done) =>
    button(key, label, MOVES[key](track), { "aria-disabled": done ? true : null, "aria-keyshortcuts": key, "data-move": key, "data-ahead": true });
  const playing = reader.playing && at < last;
  return h("div", "steps", { class: "tools", role: "group", "aria-label": label, "data-steps": true }, [
    move("Home", "|◀ Start", at === first),
    move("ArrowLeft", "◀ Back", at === first),
    move("ArrowRight", "Step ▶", at === last),
    h("button", "play", { type: "button", class: "play", "data-play": true, "aria-disabled": first === last ? true : null }, playing ? "❚❚ Pause" : "▶ Play"),
    h("button", "speed", { type: "button", "data-speed": true, title: "The speed of playing" }, `Speed ${SPEEDS[reader.speed ?? 1]}×`),
    move("End", `${end} ▶|`, at === last),
    ...more,
  ]);
}

/** @param {Reader} reader */
const pace = ({ speed }) => PACE / SPEEDS[speed ?? 1];

/**
 * Take the next step and wait, until the end, a pause, or the view has gone.
 * @param {Context} context
 * @param {(view: any) => Track} track
 */
function play(context, track) {
  const { view, reader, root, model, draw } = context;
  clearTimeout(reader.timer);
  if (!reader.playing || !root.isConnected) return;
  const { name, at, last } = track(view);
  if (at >= last) {
    reader.playing = false;
    return draw();
  }
  model.send({ [name]: at + 1 });
  reader.timer = setTimeout(() => play(context, track), pace(reader));
}

/**
 * @param {string} key
 * @param {Context} context
 * @param {(view: any) => Track} track
 */
const move = (key, { view, model }, track) => model.send((!model.current() && FURTHER[key]) || MOVES[key](track(view)));

/**
 * The events of the steps, of a view with a track: for `show()`. They return true where they are the steps'.
 * @param {(view: any) => Track} track
 */
export const playing = (track) => ({
  click(/** @type {any} */ event, /** @type {Context} */ context) {
    const { view, reader, model, draw } = context;
    if (event.target.closest("[data-play]")) {
      const { name, at, first, last } = track(view);
      reader.playing = !(reader.playing && at < last);
      if (reader.playing && at >= last) model.send({ [name]: first });
      draw();
      reader.timer = setTimeout(() => play(context, track), pace(reader) / 2);
      return true;
    }
    if (event.target.closest("[data-speed]")) {
      reader.speed = ((reader.speed ?? 1) + 1) % SPEEDS.length;
      draw();
      return true;
    }
    if (event.target.closest("[data-steps] button")) reader.playing = false;
    const key = event.target.closest("[data-move]:not([aria-disabled])")?.dataset.move;
    if (key) move(key, context, track);
    return key !== undefined;
  },

  keydown(/** @type {any} */ event, /** @type {Context} */ context) {
    if (!event.target.closest("[data-steps]") || !(event.key in MOVES)) return;
    context.reader.playing = false;
    move(event.key, context, track);
    event.preventDefault();
    event.stopPropagation();
    return true;
  },
});
