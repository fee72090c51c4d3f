// What a browser loads before somebody sees his groups: little, from one place, and nothing that the policy would stop.
import { gunzipSync, brotliDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sitDown } from '../../support/browser.ts';
import { type BrowserOffice, openOffice, says, shown } from '../../support/browser-office.ts';
import { usual } from '../../support/dead-letters-filler.ts';

/** Bytes, as a disk counts them. */
const MAX_BYTES = 200_000;
let office: BrowserOffice;
let name: string;
beforeAll(async () => {
  office = await openOffice({ sms: {} });
  name = office.filler.names.sms ?? '';
  await office.filler.die('sms', usual(14));
});
afterAll(() => office?.close());

interface Load {
  url: string;
  encoding: string | undefined;
  /** Over the wire, with the head of the answer. */
  wireBytes: number;
  rawBytes: number;
}

test('the groups are there after less than 200 KB, over the wire and unpacked, all of it from the dashboard', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  const devtools = await page.context().newCDPSession(page);
  const loads = new Map<string, Load>();
  devtools.on('Network.responseReceived', ({ requestId, response }) => {
    const encoding = Object.entries(response.headers).find(([header]) => header.toLowerCase() === 'content-encoding');
    loads.set(requestId, {
      url: response.url,
      encoding: encoding?.[1],
      wireBytes: response.encodedDataLength,
      rawBytes: 0,
    });
  });
  devtools.on('Network.dataReceived', ({ requestId, dataLength, encodedDataLength }) => {
    const load = loads.get(requestId);
    if (!load) return;
    load.rawBytes += dataLength;
    load.wireBytes += encodedDataLength;
  });
  devtools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const load = loads.get(requestId);
    if (load) load.wireBytes = encodedDataLength;
  });
  await devtools.send('Network.enable');
  await go(`/?destination=${name}`);
  await says(page, /^14 open in \d groups/);
  await page.getByRole('button', { name: 'Live updates: live' }).waitFor();
  const all = [...loads.values()];
  const sum = (of: 'wireBytes' | 'rawBytes'): number => all.reduce((bytes, load) => bytes + load[of], 0);
  const told = all
    .map(({ url, wireBytes, rawBytes }) => `${wireBytes} ${rawBytes} ${new URL(url).pathname}`)
    .join('\n');
  expect(sum('wireBytes'), told).toBeLessThan(MAX_BYTES);
  expect(sum('rawBytes'), told).toBeLessThan(MAX_BYTES);
  // It was all of it: the script and the groups among them.
  const script = all.find(({ url }) => /\/assets\/index-.+\.js$/.test(url));
  expect(script?.rawBytes).toBeGreaterThan(30_000);
  expect(script?.encoding).toMatch(/^(?:br|gzip)$/);
  expect(script?.wireBytes).toBeLessThan((script?.rawBytes ?? 0) / 2);
  expect(told).toContain('/api/dead-letters/groups');
  for (const { url } of all) expect(new URL(url).origin).toBe(office.world.origin);
});

test('each file is served as the browser takes it, the same in every form, and kept for a year', async () => {
  const document = await (await fetch(office.world.url)).text();
  const files = [...document.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(([, file = '']) => file);
  expect(files).toHaveLength(2);
  for (const file of files) {
    const { get } = await import('node:http');
    const as = (
      encoding: string,
    ): Promise<{ encoding: string | undefined; cached: string | undefined; body: Buffer }> =>
      new Promise((resolve, reject) => {
        get(office.world.url + file, { headers: { 'accept-encoding': encoding } }, (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () =>
            resolve({
              encoding: answer.headers['content-encoding'],
              cached: answer.headers['cache-control'],
              body: Buffer.concat(chunks),
            }),
          );
        }).on('error', reject);
      });
    const [plain, gzip, br] = [await as('identity'), await as('gzip'), await as('br, gzip')];
    expect([plain.encoding, gzip.encoding, br.encoding]).toEqual([undefined, 'gzip', 'br']);
    expect(gunzipSync(gzip.body).equals(plain.body)).toBe(true);
    expect(brotliDecompressSync(br.body).equals(plain.body)).toBe(true);
    expect(plain.cached).toBe('public, max-age=31536000, immutable');
  }
});

test('the policy lets in what the dashboard serves alone: a script or style in the page, or from elsewhere, is stopped', async () => {
  const { page, go, wrong } = await sitDown(office.world, 'viewer');
  const [answer] = await Promise.all([page.waitForResponse(office.world.origin + '/find'), go('/find')]);
  const policy = answer.headers()['content-security-policy'] ?? '';
  expect(policy).toContain("default-src 'self'");
  expect(policy).not.toMatch(/unsafe|\*|https?:|data:|blob:/);
  await page.getByRole('heading', { level: 1 }).waitFor();
  expect(wrong).toEqual([]);
  await page.evaluate(`
    const put = (name, with_) => document.body.append(Object.assign(document.createElement(name), with_));
    put('script', { textContent: 'window.harm = 1' });
    put('style', { textContent: 'main { display: none }' });
    put('img', { src: 'https://evil.test/x.png' });
  `);
  await shown(async () => expect(wrong).toHaveLength(3));
  for (const said of wrong.splice(0)) expect(said).toContain("default-src 'self'");
  expect(await page.evaluate(() => 'harm' in globalThis)).toBe(false);
  expect(await page.getByRole('main').isVisible()).toBe(true);
});
