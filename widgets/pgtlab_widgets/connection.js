// @ts-check
// Whether there is a Python that answers, and what goes to it.

/**
 * @typedef {{connected: () => boolean, send: (message: object) => void}} Connection
 */

/**
 * The connection of a view. In a saved notebook that has not run there is none: ipywidgets marks the view's element then.
 * After the kernel restarted there is none either: ipywidgets has an event for that. Where a kernel stopped in another way, the
 * first message fails.
 * @param {import("./page.js").Model} model
 * @param {HTMLElement} el
 * @param {() => void} changed
 * @returns {Connection}
 */
export function connection(model, el, changed) {
  let lost = el.classList.contains("jupyter-widgets-disconnected");
  const connected = () => !lost;

  function lose() {
    lost = true;
    changed();
  }

  model.on("comm_live_update", lose);

  function send(/** @type {object} */ message) {
    if (lost) return;
    try {
      model.send(message);
    } catch {
      lose();
    }
  }

  return { connected, send };
}

/**
 * The same element without a Python that would answer: its controls can be read and do nothing.
 * @param {import("./page.js").Wanted} wanted
 * @returns {import("./page.js").Wanted}
 */
export function disconnected(wanted) {
  const { attributes = {}, children } = wanted;
  const off = "data-field" in attributes ? { readonly: true } : {};
  const control = "data-field" in attributes || "data-send" in attributes ? { "aria-disabled": true, ...off } : {};
  return { ...wanted, attributes: { ...attributes, ...control }, children: children?.map(disconnected) };
}
