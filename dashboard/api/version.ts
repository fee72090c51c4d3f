// The version of the package, for the page and openapi.json.
import { createRequire } from 'node:module';

export const version = readVersion();

function readVersion(): string {
  const load = createRequire(import.meta.url);
  // Two folders up in a checkout, three in the package.
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const { name, version: found } = load(up) as Record<string, string>;
      if (name === 'waybill' && found !== undefined) return found;
    } catch {
      // not there
    }
  }
  return 'unknown';
}
