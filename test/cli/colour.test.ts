// Colour is for a terminal, or for whoever asks for it; NO_COLOR and --no-color go over a terminal, and nothing but a
// table is ever coloured.
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { createWorld, planned } from '../support/world.ts';
import { runCli } from './run-cli.ts';

async function coloured(args: string[], env: Record<string, string>): Promise<boolean> {
  const { stdout, stderr } = await runCli(args, { env });
  expect(stdout).not.toBe('');
  expect(stripVTControlCharacters(stderr)).toBe(stderr);
  return stripVTControlCharacters(stdout) !== stdout;
}

test('tables are coloured on request, and not at all with NO_COLOR, --no-color or without a terminal', async () => {
  const world = await createWorld();
  const { data } = await world.queue.add('send', planned('400'));
  await world.startWorker();
  await world.until(data.idempotencyKey, 'dead');
  const of = ['--destination', world.name];
  const commands = [
    ['find', data.idempotencyKey, ...of],
    ['doctor', ...of],
  ];
  for (const args of commands) {
    const runs = await Promise.all([
      coloured(args, { FORCE_COLOR: '1' }),
      coloured(args, {}),
      coloured(args, { NO_COLOR: '1' }),
      coloured([...args, '--no-color'], { FORCE_COLOR: '1' }),
      coloured(['--no-color', ...args, '-o', 'json'], { FORCE_COLOR: '1' }),
      coloured([...args, '-o', 'json'], { FORCE_COLOR: '1' }),
    ]);
    expect(runs).toEqual([true, false, false, false, false, false]);
  }
});
