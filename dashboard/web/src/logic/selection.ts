// Which rows of a list are selected: one by one, a range with shift, a page, or all that match. Pure.

export interface Selection {
  /** Ids, also of pages that are not shown. */
  ids: ReadonlySet<string>;
  /** All that match the filter, on every page; `ids` says nothing then. */
  all: boolean;
  /** Where a range starts. */
  anchor?: string;
}

export const NOTHING: Selection = { ids: new Set(), all: false };
export const EVERYTHING: Selection = { ids: new Set(), all: true };

/**
 * A row was clicked.
 * @param page ids of the rows that are shown, in their order
 * @param range with shift: everything from the last clicked row to this one takes the state that this row gets
 */
export function toggled(selection: Selection, id: string, page: readonly string[], range: boolean): Selection {
  // Out of "all that match" one steps back to the rows that are in sight.
  const ids = new Set(selection.all ? page : selection.ids);
  const on = !ids.has(id);
  const from = selection.anchor === undefined ? -1 : page.indexOf(selection.anchor);
  const till = page.indexOf(id);
  const touched = range && from >= 0 && till >= 0 ? page.slice(Math.min(from, till), Math.max(from, till) + 1) : [id];
  for (const each of touched) {
    if (on) ids.add(each);
    else ids.delete(each);
  }
  return { ids, all: false, anchor: id };
}

/** The box in the head of the table: the whole page, or none of it. */
export function pageToggled(selection: Selection, page: readonly string[]): Selection {
  const ids = new Set(selection.all ? page : selection.ids);
  const on = !selection.all && !page.every((id) => ids.has(id));
  for (const id of page) {
    if (on) ids.add(id);
    else ids.delete(id);
  }
  return { ids, all: false };
}

export const isSelected = (selection: Selection, id: string): boolean => selection.all || selection.ids.has(id);
export const pageState = (selection: Selection, page: readonly string[]): 'all' | 'some' | 'none' => {
  const on = page.filter((id) => isSelected(selection, id)).length;
  if (on === 0) return 'none';
  return on === page.length ? 'all' : 'some';
};
