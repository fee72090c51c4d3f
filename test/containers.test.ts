// What must hold of the image and of docker-compose.yml without a container engine: they name files, settings and steps
// that stand elsewhere, and nothing else would notice when those move.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { readEnvironment } from '../cli/config-env.ts';
import { parseWriteLine } from '../cli/enqueue-line.ts';
import { resolveConfig } from '../core/config.ts';
import { createSandboxOn } from '../dev/sandbox/server.ts';
import { parseStep } from '../dev/sandbox/steps.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (name: string): string => readFileSync(ROOT + name, 'utf8');
const all = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, found = '']) => found);

const DOCKERFILE = read('Dockerfile');
const COMPOSE = read('docker-compose.yml');
const CONFIG_FILE = 'docker/waybill.config.json';
/** The worker's margin past its longest attempt. */
const GRACE_MARGIN_MS = 5000;

test('the settings that the image comes with are ones that the worker knows, and its port is the one exposed', () => {
  const env = Object.fromEntries(all(DOCKERFILE, /((?:WAYBILL|REDIS)_[A-Z_]+=\S+)/g).map((pair) => pair.split('=')));
  expect(Object.keys(env)).toEqual(['WAYBILL_HEALTH_HOST', 'WAYBILL_HEALTH_PORT']);
  const { overrides, wrong } = readEnvironment(env, undefined);
  expect(wrong).toEqual([]);
  const { health } = resolveConfig(undefined, overrides);
  expect(health).toMatchObject({ host: '0.0.0.0', port: Number(/^EXPOSE (\d+)$/m.exec(DOCKERFILE)?.[1]) });
});

test('only what the Dockerfile copies reaches the builder, and all of it stands there', () => {
  const [everything, ...letIn] = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(everything).toBe('*');
  const copied = all(DOCKERFILE, /^COPY (?!--from)(.+) \S+$/gm).flatMap((names) => names.split(' '));
  expect(letIn.toSorted()).toEqual([...new Set(copied)].map((name) => `!${name}`).toSorted());
  for (const name of copied) expect(existsSync(ROOT + name), name).toBe(true);
});

test('the configuration that Compose mounts is valid, and each of its credentials comes from a secret', () => {
  expect(COMPOSE).toContain(`./${CONFIG_FILE}}:/app/waybill.config.json:ro`);
  const { destinations } = resolveConfig(JSON.parse(read(CONFIG_FILE)), [], CONFIG_FILE);
  for (const { auth, timeoutMs } of Object.values(destinations)) {
    const secret = new RegExp(`^ +${auth?.env}_FILE: /run/secrets/(\\w+)$`, 'm').exec(COMPOSE)?.[1];
    expect(COMPOSE).toMatch(new RegExp(`^secrets:\n  ${secret}:\n`, 'm'));
    const graceMs = Number(/stop_grace_period: (\d+)s/.exec(COMPOSE)?.[1]) * 1000;
    expect(graceMs).toBeGreaterThan(timeoutMs + GRACE_MARGIN_MS);
  }
  for (const name of all(COMPOSE, /\.\/(docker\/[\w./-]+)/g)) expect(existsSync(ROOT + name), name).toBe(true);
});

test('workers can be scaled, and every port that is published is on loopback', () => {
  expect(COMPOSE).not.toMatch(/^ +container_name:/m);
  expect(/^ {2}worker:\n((?: {4}.*\n| *#.*\n)+)/m.exec(COMPOSE)?.[1]).not.toMatch(/^ +ports:/m);
  const published = all(COMPOSE, /^ +ports: \['(.+)'\]$/gm);
  expect(published).toHaveLength(all(COMPOSE, /^ +(ports):/gm).length);
  for (const port of published) expect(port).toMatch(/^127\.0\.0\.1:/);
});

test('every write of the demo can be queued, for a destination that is configured, and plans what the sandbox does', () => {
  const destination = /waybill enqueue (\S+)/.exec(read('docker/demo/producer.sh'))?.[1] ?? '';
  expect(Object.keys(resolveConfig(JSON.parse(read(CONFIG_FILE))).destinations)).toContain(destination);
  const lines = read('docker/demo/writes.ndjson').trim().split('\n');
  for (const [i, text] of lines.entries()) {
    expect(parseWriteLine({ number: i + 1, text })).toHaveProperty('item');
    for (const step of all(text, /"plan":\[(.+?)\]/g).flatMap((plan) => JSON.parse(`[${plan}]`) as string[]))
      expect(parseStep(step), step).toBeDefined();
  }
  for (const step of all(COMPOSE, /--fault, '?([^',\]]+)=[\d.]+/g)) expect(parseStep(step), step).toBeDefined();
});

test('the sandbox listens beyond loopback where it is told to, by an address and not by a name', async () => {
  const sandbox = await createSandboxOn('0.0.0.0', {});
  onTestFinished(() => sandbox.close());
  expect(sandbox.url).toBe(`http://0.0.0.0:${sandbox.port}`);
  expect((await fetch(`http://127.0.0.1:${sandbox.port}/_sandbox/ledger`)).status).toBe(200);
  for (const address of ['example.com', 'localhost', '', '0.0.0.0:80']) {
    await expect(createSandboxOn(address, {})).rejects.toThrow(/host is .*: an IP address/);
  }
});
