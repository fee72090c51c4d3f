// The rules under simulation: those of core/, as one object, so that a test can put a broken one in the place of each.
import { admit, keyOutlives } from '../../core/admit.ts';
import { decide } from '../../core/decide.ts';
import { firstSentAt, record, unrecordedStarts } from '../../core/journal.ts';
import { admitProbe } from '../../core/probe.ts';
import { admitReplay } from '../../core/replay.ts';
import { evidenceOf, verdictOf, verdictOfDelivered } from '../../core/verdict.ts';

export const RULES = {
  admit,
  keyOutlives,
  decide,
  firstSentAt,
  record,
  unrecordedStarts,
  evidenceOf,
  verdictOf,
  verdictOfDelivered,
  admitReplay,
  admitProbe,
};

export type Rules = typeof RULES;
