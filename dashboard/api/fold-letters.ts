// Letters that no row folds, handled ones and those with a text, gone through up to a bound and folded here: by code and
// field, and by slices of time.
import type { LetterGroup, Slices } from '../../queue/groups.ts';
import { MAX_CODE } from '../../core/envelope.ts';
import type { Masking } from '../../core/mask-write.ts';
import type { FiledLetter } from '../../queue/dead-letters.ts';
import { facetsOf } from '../../queue/letter-filter.ts';
import { fold, type Letter, lettersMeant, type Meant } from './meant.ts';
import { answersTo } from './shown/answers.ts';
import { maskingOf } from './shown/masking.ts';
import { line } from './shown/sure.ts';

export async function foldGroups(
  meant: Meant,
  destination: string,
  scanLimit: number,
  spark: Slices,
): Promise<{ groups: LetterGroup[]; atLeast: boolean }> {
  const groups = new Map<string, LetterGroup>();
  const masking = maskingOf(meant.config, destination);
  const { atLeast } = await fold(lettersMeant(meant, destination, { scanLimit }), (letter) => {
    const { code, field } = 'unreadable' in letter ? {} : shownFacets(letter, masking);
    const kind = JSON.stringify([code, field]);
    let group = groups.get(kind);
    if (!group) {
      group = {
        destination,
        ...(code !== undefined && { code }),
        ...(field !== undefined && { field }),
        count: 0,
        firstAt: letter.deadAt,
        lastAt: letter.deadAt,
        statuses: {},
        reasons: {},
        verdicts: {},
        spark: Array.from({ length: spark.slices }, () => 0),
      };
      groups.set(kind, group);
    }
    group.count += 1;
    group.firstAt = Math.min(group.firstAt, letter.deadAt);
    group.lastAt = Math.max(group.lastAt, letter.deadAt);
    const tally = (counts: Record<string, number>, name: string | number | undefined): void => {
      if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1;
    };
    tally(group.statuses, letter.status);
    tally(group.reasons, letter.reason);
    tally(group.verdicts, letter.verdict);
    addTo(group.spark, letter, spark);
  });
  return { groups: [...groups.values()], atLeast };
}

export async function foldTimes(
  meant: Meant,
  destination: string,
  scanLimit: number,
  span: Slices,
): Promise<{ counts: number[]; atLeast: boolean }> {
  const counts = Array.from({ length: span.slices }, () => 0);
  const { atLeast } = await fold(lettersMeant(meant, destination, { scanLimit }), (letter) =>
    addTo(counts, letter, span),
  );
  return { counts, atLeast };
}

function shownFacets(letter: FiledLetter, masking: Masking): { code?: string; field?: string } {
  const { code, field } = facetsOf(letter);
  const { word } = answersTo(letter.write, masking);
  return { ...line('code', code, MAX_CODE, word), ...line('field', field, MAX_CODE, word) };
}

function addTo(counts: number[], { deadAt }: Letter, { from, stepMs, slices }: Slices): void {
  const slice = Math.floor((deadAt - from) / stepMs);
  if (slice >= 0 && slice < slices) counts[slice] = (counts[slice] ?? 0) + 1;
}
