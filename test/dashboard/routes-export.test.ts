import { PassThrough, Readable } from 'node:stream';
import Fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { MAX_STREAMS, streamOut } from '../../dashboard/api/stream-out.ts';
import { runCli } from '../cli/run-cli.ts';
import { createFiller, type Filler, says } from '../support/dead-letters-filler.ts';
import { fillLetters } from '../support/fast-letters.ts';
import { startProxy } from '../support/proxy.ts';
import { cleanUp, freshDestination, redisUrl } from '../support/redis.ts';
import { eventually } from '../support/world.ts';
import { type Office, startOffice } from './routes-office.ts';

const FORMULAS = ['=1+1', '+1', '-1+1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '\u00a0=1', '\uff1d1', '=cmd|"/c calc"!A1'];

let filler: Filler;
let office: Office;
let name: string;

beforeAll(async () => {
  filler = await createFiller({ sms: {}, pay: { redact: { body: ['/iban', '/amount'], headers: ['x-signature'] } } });
  office = await startOffice(filler.config);
  name = filler.names.sms ?? '';
  await filler.die('sms', [
    ...FORMULAS.map((text) => ({ answers: [says(422, text, { message: text, details: { field: text } })] })),
    { answers: [says(422, '<img src=x onerror=alert(1)>', { message: 'c'.repeat(10_240) })] },
    { answers: [says(422, '\u202egnol'.repeat(2000), { message: '"quoted", and\na line; é 😀' })] },
  ]);
});
afterAll(async () => {
  await office?.stop();
  await filler?.close();
});

/** RFC 4180. */
function cells(csv: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, cell = '', end] of csv.replace(/^\ufeff/, '').matchAll(/"((?:[^"]|"")*)"(,|\r\n)/g)) {
    rows.at(-1)?.push(cell.replaceAll('""', '"'));
    if (end !== ',') rows.push([]);
  }
  rows.pop();
  return rows;
}

describe('an export as CSV', () => {
  test('has no cell that a spreadsheet could take for a formula, whatever the API said', async () => {
    const { text, headers, status } = await office
      .as('vera')
      .get(`/api/dead-letters/export?destination=${name}&format=csv`);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch('text/csv');
    expect(headers.get('content-disposition')).toMatch(/^attachment; filename="dead-letters-[\dT-]+\.csv"$/);
    const [header, ...rows] = cells(text);
    expect(rows).toHaveLength(FORMULAS.length + 2);
    for (const row of rows) {
      expect(row).toHaveLength(header?.length ?? 0);
      for (const cell of row) expect(cell).not.toMatch(/^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/);
    }
    const codes = rows.map((row) => row[header?.indexOf('code') ?? 0]);
    expect(codes).toContain("'=1+1");
    expect(codes).toContain("'@SUM(A1)");
  });
});

describe('an export as NDJSON', () => {
  test('is a letter a line with its id and destination, in characters that no terminal obeys', async () => {
    const { text, headers } = await office.as('vera').get(`/api/dead-letters/export?destination=${name}`);
    expect(headers.get('content-type')).toMatch('application/x-ndjson');
    const lines = text.trimEnd().split('\n');
    const letters = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(letters).toHaveLength(FORMULAS.length + 2);
    for (const letter of letters) {
      expect(letter).toMatchObject({ destination: name, id: expect.stringMatching(/\.g0$/), state: 'open', acts: [] });
    }
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });
});

test('what is exported with its masks can be replayed from that file, and goes out as the bytes that it had', async () => {
  const write = {
    path: '/v1/payouts',
    headers: { 'x-signature': 'sig-7b1f6c2e9d4a' },
    body: { iban: 'DE89370400440532013000', amount: JSON.rawJSON('12345678901234567890.10'), note: '\u00c5 "rent"' },
  };
  const dead = await filler.die('pay', [
    { answers: [says(422, 'VALIDATION_ERROR')], write },
    { answers: [says(422, 'VALIDATION_ERROR')], write },
  ]);
  const { text } = await office.as('vera').get(`/api/dead-letters/export?destination=${filler.names.pay}`);
  for (const secret of [write.body.iban, '12345678901234567890', write.headers['x-signature']])
    expect(text).not.toContain(secret);
  const flags = ['--from', '-', '--yes', '--by', 'ann', '--reason', 'a test'];
  const done = await runCli(['dead-letters', 'replay', ...flags], { input: text });
  expect(done, done.stderr).toMatchObject({ code: 0 });
  for (const { key } of dead) {
    const sends = () => filler.sent.filter((one) => one.key === key);
    await eventually(() => expect(sends()).toHaveLength(2));
    const [first, again] = sends();
    expect(again?.body).toBe(first?.body);
    expect(again?.body).toContain('"amount":12345678901234567890.10');
    expect(again).toMatchObject({ path: first?.path, headers: { 'x-signature': write.headers['x-signature'] } });
  }
});

test('while Redis goes away an export ends in a broken connection, and the next one is whole', async () => {
  const url = new URL(redisUrl());
  const proxy = await startProxy({ host: url.hostname, port: Number(url.port || 6379) });
  url.host = `127.0.0.1:${proxy.port}`;
  const behind = await startOffice({ ...filler.config, redis: { url: url.href } });
  const parcels = freshDestination('parcels');
  onTestFinished(async () => {
    await behind.stop();
    await proxy.close();
    await cleanUp([parcels]);
  });
  const ids = await fillLetters(filler.reader, parcels, 3000);
  const path = `/api/dead-letters/export?destination=${parcels}`;
  const response = await behind.as('vera').fetch(path);
  expect(response.status).toBe(200);
  await proxy.refuse();
  await expect(response.text()).rejects.toThrow();
  await proxy.restore();
  await eventually(async () => {
    const { status, text } = await behind.as('vera').get(path);
    expect(status).toBe(200);
    expect(text.trimEnd().split('\n')).toHaveLength(ids.length);
  }, 20_000);
});

test('no route breaks at codes of 10 KB, markup and text that runs the other way', async () => {
  const viewer = office.as('vera');
  const { json } = await viewer.get(`/api/dead-letters/groups?destination=${name}`);
  const { groups } = json as { groups: { code: string; count: number }[] };
  expect(groups.length).toBeGreaterThan(8);
  for (const { code, count } of groups) {
    const query = `destination=${name}&code=${encodeURIComponent(code)}`;
    expect((await viewer.get(`/api/dead-letters/count?${query}`)).json).toMatchObject({ count });
    const list = await viewer.get(`/api/dead-letters?${query}`);
    expect(list.json).toMatchObject({ items: expect.arrayContaining([expect.objectContaining({ code })]) });
    const { id } = (list.json as { items: { id: string }[] }).items[0] ?? { id: '' };
    expect((await viewer.get(`/api/dead-letters/${name}/${id}`)).status).toBe(200);
  }
  expect((await viewer.get(`/api/dead-letters/bundle?destination=${name}`)).text).toMatch('request_id');
});

/** A server with one export, of the rows that a test gives it. */
async function exporting(rows: (signal: AbortSignal) => AsyncIterable<number>): Promise<string> {
  const app = Fastify();
  app.get('/', (_request, reply) =>
    streamOut<number>(reply, {
      format: 'ndjson',
      fileName: 'rows',
      rows,
      documentOf: (n) => ({ n, text: 'x'.repeat(1000) }),
      columns: ['n'],
      cellsOf: (n) => [n],
    }),
  );
  onTestFinished(() => app.close());
  return app.listen({ port: 0, host: '127.0.0.1' });
}

describe('a stream', () => {
  test('that breaks off in the middle ends in a broken connection, never in a proper end', async () => {
    const url = await exporting(async function* () {
      for (let n = 0; n < 500; n++) yield n;
      throw new Error('Redis is gone');
    });
    const response = await fetch(url);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
  });

  test('is read no faster than the client takes it, and ends when the client goes', async () => {
    let read = 0;
    let aborted = false;
    const url = await exporting(async function* (signal) {
      signal.addEventListener('abort', () => (aborted = true));
      for (; read < 1_000_000 && !signal.aborted; read++) yield read;
    });
    const leaving = new AbortController();
    const response = await fetch(url, { signal: leaving.signal });
    await response.body?.getReader().read();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(read).toBeGreaterThan(0);
    expect(read).toBeLessThan(100_000);
    leaving.abort();
    await eventually(() => expect(aborted).toBe(true));
  });

  test(`is one of at most ${MAX_STREAMS}; the next is told to come back`, async () => {
    const gates: PassThrough[] = [];
    const url = await exporting(() => {
      const gate = new PassThrough({ objectMode: true });
      gates.push(gate);
      return Readable.from(gate) as AsyncIterable<number>;
    });
    const open = Array.from({ length: MAX_STREAMS }, () => fetch(url));
    await eventually(() => expect(gates).toHaveLength(MAX_STREAMS));
    const refused = await fetch(url);
    expect(refused.status).toBe(503);
    for (const gate of gates) gate.end(1);
    for (const response of await Promise.all(open)) expect(await response.text()).toMatch('"n":1');
    const again = fetch(url);
    await eventually(() => expect(gates).toHaveLength(MAX_STREAMS + 1));
    gates.at(-1)?.end(2);
    expect((await again).status).toBe(200);
  });
});
