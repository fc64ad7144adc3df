// @ts-check
// Views of a saved notebook that JupyterLab gave up.
//
// Its widget manager (5.0) restores widgets twice when a notebook is opened: from the kernel and the notebook, and, if the
// kernel connects meanwhile, from the kernel alone. Where the second is done first, an output whose widget is only in the
// notebook shows "model not found", and stays so, although the widget comes a moment later.

/** @typedef {import("./page.js").Model} Model */

const VIEW = "application/vnd.jupyter.widget-view+json";
const LATE = 1000; // milliseconds after which an output that has a widget's model shows a view of it

/**
 * Show the outputs of a widget again, if they have no view of it although its model is there.
 * @param {Model} model
 */
export function showAgain(model) {
  const { widget_manager: manager } = /** @type {any} */ (model);
  const cells = manager?.context?.model?.cells; // of JupyterLab and Notebook 7
  if (cells) setTimeout(() => givenUp(manager, cells, model), LATE);
}

/**
 * @param {any} manager
 * @param {any} cells
 * @param {Model} model
 */
async function givenUp(manager, cells, model) {
  for (const { outputs } of cells)
    for (let i = 0; i < (outputs?.length ?? 0); i++) {
      const output = outputs.get(i);
      const id = output.data?.[VIEW]?.model_id;
      if (!id || !manager.has_model(id)) continue;
      const shown = await manager.get_model(id);
      const own = shown.get("layout") === model.get("layout"); // what anywidget gives is another object
      if (own && !Object.keys(shown.views ?? {}).length) outputs.set(i, output.toJSON());
    }
}
