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
