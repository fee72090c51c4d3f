// The packages that Waybill is measured beside. They stand in bench/package.json alone, so that nobody else installs them;
// hence they are looked up there, and the little of each that is used has its types here.
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** @param name of a package of bench/package.json @throws when it is not installed */
export function peer(name: string): unknown {
  try {
    return createRequire(join(process.cwd(), 'bench/package.json'))(name);
  } catch (cause) {
    throw new Error(`${name} cannot be loaded: are the peers installed (npm ci --prefix bench)?`, { cause });
  }
}
