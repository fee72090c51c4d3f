#!/usr/bin/env node
// The executable. An old Node is told apart before anything is loaded that it would choke on.
const OLDEST_MAJOR = 22;
const OLDEST_MINOR = 19;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > OLDEST_MAJOR || (major === OLDEST_MAJOR && minor >= OLDEST_MINOR)) {
  await import('./run.ts');
} else {
  const oldest = `${OLDEST_MAJOR}.${OLDEST_MINOR}`;
  process.stderr.write(`waybill: needs Node ${oldest} or newer; this is ${process.versions.node}\n`);
  process.exitCode = 2;
}
