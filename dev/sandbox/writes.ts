// The four writes of the API and what each asks of its body. A valid body is one that may be applied; the effect itself
// is nothing but its line in the ledger.

import { isRecord } from '../../core/json.ts';
import type { ApiError } from './answer.ts';

type Body = Readonly<Record<string, unknown>>;

interface Write {
  /** The prefix of the ids it creates. */
  readonly idPrefix: string;
  /** The first fault found in a body, or undefined for a valid one. */
  readonly findFault: (body: Body) => ApiError | undefined;
}

// ITU-T E.164: a plus sign and at most 15 digits, the first not zero.
const E164 = /^\+[1-9]\d{1,14}$/;
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const DECIMAL = /^\d+(?:\.\d+)?$/;

const WRITES: Readonly<Record<string, Write>> = {
  '/v1/profiles': { idPrefix: 'prof', findFault: findProfileFault },
  '/v1/subscriptions/opt-in': { idPrefix: 'sub', findFault: findPhoneFault },
  '/v1/sales-events': { idPrefix: 'sale', findFault: findSaleFault },
  '/v1/stores': { idPrefix: 'store', findFault: findStoreFault },
};

export function findWrite(pathname: string): Write | undefined {
  return Object.hasOwn(WRITES, pathname) ? WRITES[pathname] : undefined;
}

/** `parsed` is undefined where the body was not JSON. */
export function findBodyFault(write: Write, parsed: unknown): ApiError | undefined {
  if (parsed === undefined) return { status: 400, code: 'INVALID_JSON', message: 'The body is not valid JSON.' };
  if (!isRecord(parsed)) {
    return { status: 400, code: 'VALIDATION_ERROR', message: 'The body must be a JSON object.' };
  }
  return write.findFault(parsed);
}

function findProfileFault(body: Body): ApiError | undefined {
  const { email, phone_number: phone, attributes } = body;
  if (email === undefined && phone === undefined) {
    // No details: neither field alone is the offending one.
    return { status: 400, code: 'VALIDATION_ERROR', message: 'A profile needs an email or a phone_number.' };
  }
  if (email !== undefined && (typeof email !== 'string' || !EMAIL.test(email))) {
    return fault('email', 'must be a valid email address');
  }
  if (attributes !== undefined && !isRecord(attributes)) return fault('attributes', 'must be an object');
  return phone === undefined ? undefined : findPhoneFault(body);
}

function findPhoneFault({ phone_number: phone }: Body): ApiError | undefined {
  return typeof phone === 'string' && E164.test(phone)
    ? undefined
    : fault('phone_number', 'must be a valid E.164 number');
}

function findSaleFault({ store_id: storeId, amount, currency }: Body): ApiError | undefined {
  if (!isFilled(storeId)) return fault('store_id', 'must be a non-empty string');
  if (!isPositiveAmount(amount)) return fault('amount', 'must be a positive number or decimal string');
  if (typeof currency !== 'string' || !/^[A-Za-z]{3}$/.test(currency)) {
    return fault('currency', 'must be three letters (ISO 4217)');
  }
  return undefined;
}

function findStoreFault({ name, country }: Body): ApiError | undefined {
  if (!isFilled(name)) return fault('name', 'must be a non-empty string');
  if (country !== undefined && (typeof country !== 'string' || !/^[A-Za-z]{2}$/.test(country))) {
    return fault('country', 'must be two letters (ISO 3166-1)');
  }
  return undefined;
}

function isFilled(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '';
}

function isPositiveAmount(amount: unknown): boolean {
  if (typeof amount === 'number') return amount > 0;
  // A digit other than 0, and not Number(): no count of digits may round an amount to nothing.
  return typeof amount === 'string' && DECIMAL.test(amount) && /[1-9]/.test(amount);
}

function fault(field: string, rule: string): ApiError {
  return { status: 400, code: 'VALIDATION_ERROR', message: `${field} ${rule}.`, details: { field } };
}
