// Which dead letters are meant: the one filter of the list, the count, the groups, the export, bulk operations and the
// page's address. In a query string every value is text; times are epoch ms or ISO 8601. A name that is not known is
// refused, here and in whatever is asked: a filter that lost a part to a slip of the pen would mean far more letters.
import { z } from 'zod';
import { DEAD_REASONS } from '../../../core/decide.ts';
import { MAX_CODE } from '../../../core/envelope.ts';
import { VERDICTS } from '../../../core/verdict.ts';

export const LETTER_STATES = ['open', 'replayed', 'discarded'] as const;
export const MAX_TEXT = 200;

const text = (max: number) => z.string().min(1).max(max);
const DIGITS = /^\d{1,15}$/;
// One transform around the whole: openapi.json leaves out the forms of a union that have their own.
const instant = z
  .union([z.int().min(0), z.string().regex(DIGITS), z.iso.datetime({ offset: true })], {
    error: 'must be epoch ms, or ISO 8601 with a zone',
  })
  .transform((given) => (DIGITS.test(String(given)) ? Number(given) : Date.parse(String(given))))
  .describe('epoch ms, or ISO 8601 with a zone');

export const destinationName = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'must be the name of a destination');

export const destinationParams = z.object({ destination: destinationName });

export const letterFilter = z.strictObject({
  destination: destinationName.optional(),
  state: z.enum(LETTER_STATES).default('open'),
  code: text(MAX_CODE)
    .optional()
    .describe("the envelope's code, or where no attempt was answered a connection error's, exactly"),
  field: text(MAX_CODE).optional().describe('the field that details name, exactly'),
  without: z.enum(['code', 'field', 'code,field']).optional().describe('what it must not have'),
  status: z.coerce.number().int().min(100).max(599).optional(),
  reason: z.enum(DEAD_REASONS).optional().describe('why it died'),
  verdict: z.enum(VERDICTS).optional(),
  attempts: z.coerce.number().int().min(0).max(1000).optional().describe('attempts spent, exactly'),
  replayed: z.enum(['yes', 'no']).optional().describe('whether it was replayed before'),
  since: instant.optional().describe('dead at this time or after'),
  before: instant.optional().describe('dead before this time'),
  q: text(MAX_TEXT)
    .optional()
    .describe('a part of message, path or body; the search is bounded and says how far it went'),
});

export type LetterFilterQuery = z.output<typeof letterFilter>;
