// One dead letter in full.
import { type Config, configuredAs, retentionOf } from '../../../core/config.ts';
import { lookAtLetter } from '../../../queue/dead-letters.ts';
import { findJob } from '../../../queue/find.ts';
import { generationOfLetter } from '../../../queue/keys.ts';
import type { DashboardApp, DashboardContext } from '../app.ts';
import { letterDetail, letterParams } from '../contract/letters.ts';
import { notFound } from '../errors.ts';
import type { Letter } from '../meant.ts';
import { detailOf } from '../shown/detail.ts';
import { dataRoute } from './data-route.ts';

export function letterRoutes(app: DashboardApp, context: DashboardContext): void {
  const { config } = context;
  dataRoute(
    app,
    context,
    'letter',
    { summary: 'One dead letter in full', params: letterParams, answer: letterDetail },
    async ({ params: { destination, id }, reader }) => {
      const now = await reader.now();
      // Other names are keys of the queue itself.
      const letter = generationOfLetter(id) === undefined ? undefined : await lookAtLetter(reader, destination, id);
      if (!letter) throw notFound(`no dead letter ${JSON.stringify(id.slice(0, 80))} at ${destination}`);
      const found = await findJob(reader, destination, letter.jobId);
      return detailOf(letter, { config, found, trimmedAt: trimmedAt(letter, config), now });
    },
  );
}

/** By age; retention may take it earlier where there are too many. */
function trimmedAt(letter: Letter, config: Config): number | undefined {
  const { destination, deadAt, acts, state } = letter;
  // When it died is not known.
  if ('unreadable' in letter) return undefined;
  const known = configuredAs(config, destination);
  if (!known) return undefined;
  const { deadMs, handledMs } = retentionOf(known);
  return state === 'open' ? deadAt + deadMs : (acts.at(-1)?.at ?? deadAt) + handledMs;
}
