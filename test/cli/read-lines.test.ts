import { expect, test } from 'vitest';
import { type Line, MAX_LINE_BYTES, readLines } from '../../cli/read-lines.ts';

async function* chunksOf(...chunks: (string | Buffer)[]): AsyncGenerator<Buffer | string> {
  for (const chunk of chunks) yield Promise.resolve(chunk);
}

async function lines(...chunks: (string | Buffer)[]): Promise<Line[]> {
  const all: Line[] = [];
  for await (const some of readLines(chunksOf(...chunks))) all.push(...some);
  return all;
}

test('lines are counted from 1, whatever the chunks; the last one needs no line break', async () => {
  expect(await lines('a\nb', 'c\n', '\nd')).toEqual([
    { number: 1, text: 'a' },
    { number: 2, text: 'bc' },
    { number: 3, text: '' },
    { number: 4, text: 'd' },
  ]);
  expect(await lines()).toEqual([]);
});

test('a character that is cut by a chunk is read whole', async () => {
  const bytes = Buffer.from('æ\n');
  expect(await lines(bytes.subarray(0, 1), bytes.subarray(1))).toEqual([{ number: 1, text: 'æ' }]);
});

test('a line that is too long is told and passed over, and none of it is kept', async () => {
  const half = Buffer.alloc(MAX_LINE_BYTES / 2 + 1, 'x');
  const [tooLong, next] = await lines(half, half, '\n{}\n');
  expect(tooLong).toEqual({ number: 1, wrong: `is longer than ${MAX_LINE_BYTES} bytes` });
  expect(next).toEqual({ number: 2, text: '{}' });
});

test('what is no UTF-8 is told, not guessed at', async () => {
  expect(await lines(Buffer.from([0x22, 0xff, 0x22, 0x0a]))).toEqual([{ number: 1, wrong: 'is not UTF-8' }]);
});
