// What the API saw of a write, while its campaign is under way.
import type { LedgerSend } from '../../dev/testing.ts';
import type { Campaign } from './campaign.ts';

/** In the order of their arrival. */
export const sendsOf = ({ sandbox }: Pick<Campaign, 'sandbox'>, key: string): readonly LedgerSend[] =>
  sandbox.entry(key)?.sends ?? [];
