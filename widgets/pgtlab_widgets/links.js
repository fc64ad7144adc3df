// @ts-check
// Links from a view to notebooks.

/**
 * Let JupyterLab open a notebook that is linked to, in a tab of its own. Elsewhere the link is an ordinary one.
 * @param {MouseEvent & {target: Element}} event
 */
export function follow(event) {
  const link = event.target.closest("a[href]");
  const page = location.pathname.match(/\/(?:tree|notebooks)\/(.*)$/);
  if (!link || !page || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const { pathname, hash, host } = new URL(link.getAttribute("href") ?? "", `http://here/${page[1]}`);
  if (host !== "here") return;
  link.setAttribute("data-commandlinker-command", "rendermime:handle-local-link");
  const place = { path: decodeURIComponent(pathname.slice(1)), id: decodeURIComponent(hash) };
  link.setAttribute("data-commandlinker-args", JSON.stringify(place));
  if (hash) keepInPlace(decodeURIComponent(hash.slice(1)));
}

const LOOK = 100; // milliseconds
const SETTLED = 3000; // so long nothing has moved
const PATIENCE = 30_000;

/**
 * Scroll to a section of a notebook that is being opened, and keep it where it is while cells above it are drawn, until
 * the reader does something. JupyterLab looks for the section once, when no cell is drawn yet, and finds nothing.
 * @param {string} id
 */
function keepInPlace(id) {
  const over = new AbortController();
  for (const type of ["wheel", "touchstart", "pointerdown", "keydown"])
    window.addEventListener(type, () => over.abort(), { capture: true, signal: over.signal });
  const named = `.jp-Notebook :is([id="${CSS.escape(id)}"], [data-jupyter-id="${CSS.escape(id)}"])`;
  const start = performance.now();
  let seen = 0; // the height of the notebook
  let moved = start;
  const look = setInterval(() => {
    const now = performance.now();
    const section = [...document.querySelectorAll(named)].find((each) => each.getClientRects().length);
    const height = section?.closest(".jp-WindowedPanel-outer")?.scrollHeight ?? 0;
    if (height !== seen) [seen, moved] = [height, now];
    if (over.signal.aborted || (section && now - moved > SETTLED) || now - start > PATIENCE) {
      clearInterval(look);
      over.abort();
    } else section?.scrollIntoView();
  }, LOOK);
}

/**
 * Enter follows a link that is an item of a group.
 * @param {KeyboardEvent & {target: Element}} event
 */
export function enter(event) {
  if (event.key !== "Enter" || event.target.localName !== "a") return false;
  event.stopPropagation();
  return true;
}
