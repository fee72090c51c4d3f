// The acts that an audit may hold, in words; one that is not known here is shown as it is written.

const LABELS: Record<string, string> = {
  replay: 'replayed',
  probe: 'probed',
  discard: 'discarded',
  restore: 'restored',
  trim: 'taken by retention',
  'operation-created': 'operation created',
  'operation-paused': 'operation paused',
  'operation-resumed': 'operation resumed',
  'operation-cancelled': 'operation cancelled',
  'operation-done': 'operation done',
  pause: 'destination paused',
  resume: 'destination resumed',
};

export const ACTS = Object.keys(LABELS);
export const actLabel = (act: string): string => (Object.hasOwn(LABELS, act) ? LABELS[act]! : act);
