// @ts-check
// The oops reader's view: a field for a log, the diagnosis, the log line by line beside what follows from it, and what the
// chosen claim rests on.
import { claims, log, reasons, words } from "./annotated.js";
import { controls } from "./controls.js";
import { button, h, textarea, toolbar } from "./page.js";
import { show } from "./show.js";

/**
 * @typedef {import("./annotated.js").Annotated & {
 *   samples: string[], log: {text: string, error: string}, status: string, reading: {got: number, of: number}|null,
 *   openings: Openings|null, opened: string,
 * }} View
 *
 * What other views can open of the log: the kernels that can have printed it, and the addresses in it.
 * @typedef {{label: string, selected: boolean, note?: string, register?: boolean, send: object}[]} Options
 * @typedef {{chosen: string, kernels: Options, addresses: Options}} Openings
 *
 * What else is known of the reader: a long log that was pasted, and how much of it was sent.
 * @typedef {import("./page.js").Reader & {paste?: {text: string, at: number}}} Reader
 *
 * @typedef {import("./page.js").Context} Context
 */

const PIECE = 1 << 19; // characters of a long log that are sent at a time

const megabytes = (/** @type {number} */ characters) => (characters / 1e6).toFixed(1);

/**
 * How far a long log is read.
 * @param {View} view
 * @param {{text: string}} paste
 */
function busy({ reading }, { text }) {
  const got = reading?.got ?? 0;
  return h("div", "busy", { class: "tools busy" }, [
    h("progress", "progress", { max: text.length, value: got, "aria-label": "Of the log, read so far" }),
    h("span", "far", { role: "status" }, `Reading: ${megabytes(got)} of ${megabytes(text.length)} million characters`),
    button("cancel", "Cancel", { cancel: true }),
  ]);
}

/**
 * The kernel of the log and an address in it, to open in the other views.
 * @param {Openings} openings
 * @param {string} opened
 * @param {Reader} reader
 */
function openings({ chosen, kernels, addresses }, opened, reader) {
  const bars = {
    [kernels.length > 1 ? "Kernels that fit" : "Kernel"]: kernels,
    Addresses: addresses.filter(({ register }) => !register),
    "In registers": addresses.filter(({ register }) => register),
  };
  const folded = Object.entries(bars).filter(([, options]) => options.length).map(([label, options]) => toolbar(reader, label, options));
  return controls(reader, "openings", chosen, folded, [button("open", "Open in the other views", { open: true })], [
    h("span", "opened", { role: "status" }, opened),
  ]);
}

/**
 * @param {View} view
 * @param {Reader} reader
 */
const body = (view, reader) => [
  h("div", "tools", { class: "tools" }, view.samples.map((name) => button(name, name, { sample: name }))),
  textarea(reader, "Or paste a log", "log", view.log, 3),
  ...(reader.paste ? [busy(view, reader.paste)] : []),
  h("p", "status", { role: "status", class: "summary" }, view.status),
  ...(view.claims.length ? [claims(view, reader, "Diagnosis", true)] : []),
  h("div", "columns", { class: "columns" }, [
    ...(view.rows.length ? [log(view, reader)] : []),
    ...(view.claims.some(({ diagnosis }) => !diagnosis) ? [claims(view, reader, "What follows", false)] : []),
  ]),
  ...(view.rows.length ? [h("div", "explained", { class: "explained" }, [reasons(view), words(view, reader)])] : []),
  ...(view.openings ? [openings(view.openings, view.opened, reader)] : []),
];

/**
 * Send a long log in pieces of whole lines, each when the one before was read.
 * @param {string} text
 * @param {Context} context
 */
function paste(text, context) {
  context.reader.paste = { text, at: 0 };
  sendPiece(context);
  context.draw();
}

/** @param {Context} context */
function sendPiece({ reader: { paste }, model }) {
  const end = paste.text.lastIndexOf("\n", paste.at + PIECE) + 1;
  const piece = paste.text.slice(paste.at, end > paste.at ? end : paste.at + PIECE);
  model.send({ piece, of: paste.text.length, first: paste.at === 0 });
  paste.at += piece.length;
}

const isLog = (/** @type {any} */ element) => element.matches("textarea[data-field=log]");

export default show("oops-reader", body, {
  paste(event, context) {
    const text = event.clipboardData?.getData("text") ?? "";
    if (!isLog(event.target) || text.length <= PIECE) return;
    event.preventDefault(); // a page takes long over lines in a field
    paste(text, context);
    return true;
  },

  input({ target }, context) {
    if (!isLog(target)) return;
    context.reader.paste = undefined; // a new log takes the place of one that is being read
    if (target.value.length <= PIECE) return;
    const { value } = target;
    target.value = "";
    paste(value, context);
    return true;
  },

  click(event, { reader, draw }) {
    const send = event.target.closest("[data-send]")?.dataset.send;
    if (!reader.paste || !send || !(JSON.parse(send).cancel || JSON.parse(send).sample)) return;
    reader.paste = undefined;
    draw();
  },

  drawn(_, context) {
    const { reader, draw } = context;
    const { paste } = reader;
    if (!paste || !context.model.current()) return;
    if (paste.at < paste.text.length) return sendPiece(context);
    reader.paste = undefined;
    draw();
  },
});
