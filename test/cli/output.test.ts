import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { jsonLine, layOut, printDocuments } from '../../cli/output.ts';

async function printed(format: 'json' | 'ndjson', documents: unknown[]): Promise<string> {
  const stdout = new PassThrough();
  const all = text(stdout);
  await printDocuments({ stdout }, format, documents);
  stdout.end();
  return all;
}

test('json is one document, ndjson a document a line', async () => {
  for (const documents of [[], [{ a: 1 }], [{ a: 1 }, { b: 2 }]]) {
    expect(JSON.parse(await printed('json', documents))).toEqual(documents);
    const lines = (await printed('ndjson', documents)).split('\n').slice(0, -1);
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual(documents);
  }
});

test('a document keeps its value and loses every character that a terminal would obey', () => {
  const value = { text: 'a\u001b[31m\u009b2J\u202e\u2028\u{e0001}z' };
  const line = jsonLine(value);
  expect(JSON.parse(line)).toEqual(value);
  expect(line).toMatch(/^[\x20-\x7e]*$/);
});

test('columns are as wide as their widest cell, colour not counted', () => {
  expect(
    layOut([
      ['a', 'b'],
      ['\u001b[31mlong\u001b[39m', 'c'],
      ['', ''],
    ]),
  ).toBe('a     b\n\u001b[31mlong\u001b[39m  c\n\n');
});
