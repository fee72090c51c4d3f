// Acts in words.
import type { ShownAct } from '../../../../api/contract/letters.ts';

const ACT_DONE: Record<ShownAct['act'], string> = {
  replay: 'replayed it',
  probe: 'probed it: sent it once more under the same key',
  discard: 'discarded it',
  restore: 'restored it',
};

/** "replayed it under a new key with an edited write". */
export function actWords(act: ShownAct): string {
  const parts = [ACT_DONE[act.act]];
  if (act.act === 'replay') parts.push(act.newKey ? 'under a new key' : 'under the same key');
  if (act.edited) parts.push('with an edited write');
  if (act.doubleAccepted) parts.push('accepting that it may be applied twice');
  return parts.join(' ');
}
