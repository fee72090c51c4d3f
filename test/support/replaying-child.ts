// An operator in a process of its own, for tests that kill it: replays every open dead letter of a destination.
import { letters } from '../../queue/dead-letters.ts';
import { replay } from '../../queue/operate.ts';
import { Reader } from '../../queue/reader.ts';

const { REDIS = '', DESTINATION = '', BY = '' } = process.env;
const reader = await Reader.open(REDIS);
for await (const { id } of letters(reader, DESTINATION)) {
  await replay(reader, DESTINATION, id, { by: BY, reason: 'all of them' });
  process.stdout.write(`replayed ${id}\n`);
}
await reader.close();
