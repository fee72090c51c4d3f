// Answers that are longer than memory: rows as they are read, no faster than the client takes them. One that breaks off
// ends in a broken connection, never in a proper end, so that nobody takes a part for the whole.
import { finished, pipeline, Readable } from 'node:stream';
import { stringify } from 'csv-stringify';
import type { FastifyReply } from 'fastify';
import { visitOf } from './access/visit.ts';
import { ApiError } from './errors.ts';

/** A client that takes nothing for so long is let go. */
export const STALL_LIMIT_MS = 60_000;
/** Streams of one dashboard at once; more wait until one has ended. */
export const MAX_STREAMS = 4;
/** So that nobody keeps all the others out. */
export const MAX_STREAMS_OF_ONE = 2;
/** A client that takes a row now and then is let go too. */
export const STREAM_LIMIT_MS = 30 * 60_000;
/** Whose they are. */
const underway = new Map<Readable, string | undefined>();

export const STREAM_TYPES = { csv: 'text/csv; charset=utf-8', ndjson: 'application/x-ndjson; charset=utf-8' } as const;

export const TEXT_TYPE = 'text/plain; charset=utf-8';

export interface Rows<T> {
  format: keyof typeof STREAM_TYPES;
  /** Without its ending. */
  fileName: string;
  rows: (signal: AbortSignal) => AsyncIterable<T>;
  /** One document a line. */
  documentOf: (row: T) => unknown;
  columns: readonly string[];
  cellsOf: (row: T) => readonly (string | number | undefined)[];
}

/** @throws ApiError 503 BUSY while as many go on as may */
export function streamOut<T>(reply: FastifyReply, { format, fileName, rows, ...shape }: Rows<T>): Readable {
  const source = open(reply, STREAM_TYPES[format], `${fileName}.${format}`, rows);
  // An error reaches fastify by the last stream.
  const ignore = (): void => {};
  if (format === 'ndjson') return pipeline(source, linesOf(shape.documentOf), ignore) as unknown as Readable;
  return pipeline(source, cellsIn(shape.cellsOf), csv(shape.columns), ignore);
}

/** The same of text that comes in pieces. */
export const textOut = (
  reply: FastifyReply,
  fileName: string,
  pieces: (signal: AbortSignal) => AsyncIterable<string>,
): Readable => open(reply, TEXT_TYPE, fileName, pieces);

function open<T>(
  reply: FastifyReply,
  contentType: string,
  fileName: string,
  rows: (signal: AbortSignal) => AsyncIterable<T>,
): Readable {
  const user = visitOf(reply.request).user?.name;
  const own = user === undefined ? 0 : [...underway.values()].filter((name) => name === user).length;
  if (underway.size >= MAX_STREAMS || own >= MAX_STREAMS_OF_ONE) {
    const whose = own >= MAX_STREAMS_OF_ONE ? `${own} exports of yours` : `${underway.size} exports`;
    throw new ApiError(503, 'BUSY', `${whose} go on already; try again when one has ended`, {
      headers: { 'retry-after': '10' },
    });
  }
  reply.headers({
    'content-type': contentType,
    'content-disposition': `attachment; filename="${fileName}"`,
    'cache-control': 'no-store',
  });
  const ended = new AbortController();
  const source = Readable.from(
    stalling(rows(ended.signal), () => source.destroy(new Error('the client took nothing for too long'))),
  );
  underway.set(source, user);
  const limit = setTimeout(() => source.destroy(new Error('the client took too long')), STREAM_LIMIT_MS).unref();
  finished(source, (error) => {
    clearTimeout(limit);
    underway.delete(source);
    ended.abort(error ?? undefined);
  });
  return source;
}

/** Leading blanks are taken off by what opens the file, and a formula may begin behind them. */
const HIDDEN_FORMULA = /^[\s\u00a0\ufeff]+(?=[=+\-@\uff1d\uff0b\uff0d\uff20])/u;
const csv = (columns: readonly string[]) =>
  stringify({
    header: true,
    columns: [...columns],
    bom: true,
    quoted: true,
    quoted_empty: true,
    record_delimiter: 'windows',
    escape_formulas: true,
  });

const cellsIn = <T>(cellsOf: Rows<T>['cellsOf']) =>
  async function* (rows: AsyncIterable<T>): AsyncGenerator<(string | number)[]> {
    for await (const row of rows) {
      yield cellsOf(row).map((cell) => (typeof cell === 'string' ? cell.replace(HIDDEN_FORMULA, '') : (cell ?? '')));
    }
  };

/** What a terminal or a line reader could take for more than text, all of it allowed raw in JSON. */
const UNSAFE = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;
const escaped = (text: string): string =>
  text.replace(UNSAFE, (character) =>
    Array.from(
      { length: character.length },
      (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
    ).join(''),
  );

const linesOf = <T>(documentOf: Rows<T>['documentOf']) =>
  async function* (rows: AsyncIterable<T>): AsyncGenerator<string> {
    for await (const row of rows) yield `${escaped(JSON.stringify(documentOf(row)))}\n`;
  };

async function* stalling<T>(rows: AsyncIterable<T>, onStall: () => void): AsyncGenerator<T> {
  for await (const row of rows) {
    const timer = setTimeout(onStall, STALL_LIMIT_MS);
    try {
      yield row;
    } finally {
      clearTimeout(timer);
    }
  }
}
