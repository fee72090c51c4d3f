// What of a destination's writes people may see: its `redact` rules where the configuration knows it; where it does not,
// nothing of bodies and header values.
import { type Config, configuredAs } from '../../../core/config.ts';
import type { Masking } from '../../../core/mask-write.ts';

const NOTHING: Masking = { body: [], headers: [] };

export function maskingOf(config: Pick<Config, 'destinations' | 'dashboard'>, destination: string): Masking {
  const known = configuredAs(config, destination);
  if (known) return known.redact;
  return config.dashboard.unconfigured === 'show' ? NOTHING : 'all';
}
