// What must have become of hostile input: every write in one end, no attack taken for success, letters that can be shown,
// no line in the log but its own, and no credential anywhere.
import { letters } from '../../../queue/dead-letters.ts';
import { type Campaign, DESTINATION } from '../campaign.ts';
import type { Added } from './adding.ts';
import { attackSucceeds } from './attacks.ts';
import { finderOf, leaksIn } from './hidden.ts';

/** What core/envelope.ts promises of the texts of an API. */
const MAX_CODE = 128;
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const MAX_LINES = 10;

/** @param credentials that the hostile API knows @returns a line for every promise that was broken */
export async function brokenIn(
  campaign: Campaign,
  hostile: string,
  added: Added,
  credentials: ReadonlySet<string>,
): Promise<string[]> {
  const holds = finderOf(credentials);
  return [
    ...misdirected(campaign, added),
    ...(await misplaced(campaign, hostile, added)),
    ...(await unfitLetters(campaign, [DESTINATION, hostile], holds)),
    ...(await oddLines(campaign)),
    ...(credentials.size === 0 || credentials.has('') ? ['the hostile API was given no credential'] : []),
    ...(await leaksIn(campaign.folder, holds)),
  ];
}

function misdirected(campaign: Campaign, { paths }: Added): string[] {
  return [...paths].flatMap(([key, path]) => {
    const other = campaign.sandbox.entry(key)?.sends.find((send) => send.path !== path);
    return other
      ? [`${JSON.stringify(key)} went to ${JSON.stringify(other.path)} in place of ${JSON.stringify(path)}`]
      : [];
  });
}

async function misplaced(campaign: Campaign, hostile: string, { victims, rawIds }: Added): Promise<string[]> {
  const broken: string[] = [];
  const { client } = campaign.reader;
  const queue = campaign.reader.queue(hostile);
  const delivered = new Set(await client.zrange(queue.toKey('completed'), '0', '-1'));
  const dead = new Set(await client.zrange(queue.toKey('failed'), '0', '-1'));
  for (const id of [...victims.keys(), ...rawIds]) {
    if (Number(delivered.has(id)) + Number(dead.has(id)) !== 1)
      broken.push(
        `job ${JSON.stringify(id)} (${victims.get(id) ?? 'raw'}) is not in one end: delivered ${delivered.has(id)}, dead ${dead.has(id)}, holds ${JSON.stringify(await client.hgetall(queue.toKey(id))).slice(0, 600)}`,
      );
  }
  for (const [id, attack] of victims)
    if (delivered.has(id) && !attackSucceeds(attack)) broken.push(`${attack} was taken for success`);
  return broken;
}

async function unfitLetters(
  campaign: Campaign,
  destinations: readonly string[],
  holdsCredential: (text: string) => boolean,
): Promise<string[]> {
  const broken: string[] = [];
  let filed = 0;
  for (const destination of destinations) {
    for await (const letter of letters(campaign.reader, destination)) {
      filed += 1;
      if ('unreadable' in letter) {
        broken.push(`letter ${JSON.stringify(letter.id)} cannot be read: ${letter.unreadable}`);
        continue;
      }
      const { envelope, requestId } = letter;
      if (!isTame(envelope?.code, MAX_CODE) || !isTame(envelope?.message) || !isTame(requestId))
        broken.push(`letter ${letter.id} holds text that is not tame: ${JSON.stringify(envelope).slice(0, 200)}`);
      if (holdsCredential(JSON.stringify(letter)))
        broken.push(`letter ${letter.id} holds a credential that the API has echoed`);
    }
  }
  campaign.figures['dead letters read'] = filed;
  return broken;
}

const isTame = (text: string | undefined, maxLength = Infinity): boolean =>
  text === undefined || (text.length <= maxLength && !CONTROL.test(text));

/** Lines that are none of the log's own, and what it says of the queue. */
async function oddLines(campaign: Campaign): Promise<string[]> {
  let queueErrors = 0;
  const odd = (await campaign.logLines()).filter((line) => {
    if (!line.startsWith('{"level":')) return true;
    if (line.includes('"msg":"queue error"')) queueErrors += 1 + Number(/"held_back":(\d+)/.exec(line)?.[1] ?? 0);
    return /unhandled|uncaught/i.test(line);
  });
  campaign.figures['queue errors logged'] = queueErrors;
  return odd.slice(0, MAX_LINES).map((line) => `a worker printed ${JSON.stringify(line.slice(0, 300))}`);
}
