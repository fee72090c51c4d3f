// Where bulk operations stand in Redis: beside the destination's other keys, so that one script can write an operation and
// the audit stream.
import { createHash } from 'node:crypto';
import { prefixOf } from '../keys.ts';

const baseOf = (destination: string): string => `${prefixOf(destination)}:${destination}.operations`;

export const indexKeys = (destination: string): { byTime: string; live: string; marks: string } => {
  const base = baseOf(destination);
  return {
    /** Sorted set: id of each operation by epoch ms of its creation. */
    byTime: base,
    /** Set: those that a runner has something to do for. */
    live: `${base}:live`,
    /** Hash: id → a number that grows whenever the operation changes. */
    marks: `${base}:marks`,
  };
};

export interface OperationKeys {
  /** Hash: what it is, and how far it has come. */
  operation: string;
  /** List: the letters that are meant, by index. */
  items: string;
  /** String: a character an item that says what came of it (see results.ts). */
  results: string;
  /** Hash: index → the words of a result, as JSON. */
  details: string;
  /** Hash: code → how many replayed writes died of it again, since somebody last resumed. */
  codes: string;
  /** String that expires: the runner that has it. */
  lease: string;
}

export const operationKeys = (destination: string, id: string): OperationKeys => {
  const operation = `${baseOf(destination)}:${id}`;
  return {
    operation,
    items: `${operation}:items`,
    results: `${operation}:results`,
    details: `${operation}:details`,
    codes: `${operation}:codes`,
    lease: `${operation}:lease`,
  };
};

/** The act of an item is the same whoever does it, and however often it is tried: it is done once. */
export const actIdOf = (operation: string, index: number): string => `${operation}:${index}`;

/** So is the key of an item that gets a new one: a UUID (version 8, of a hash). */
export function newKeyOf(operation: string, index: number): string {
  const hex = createHash('sha256').update(actIdOf(operation, index)).digest('hex');
  const variant = ((Number.parseInt(hex[16] ?? '0', 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
