// Where the messages of a byte stream end: RESP, as Redis and its clients speak it, and HTTP/1.1. For a proxy that has to
// tell one request, and the reply to it, from the next.

export interface Piece {
  bytes: Buffer;
  /** Its message ends with it. */
  ends: boolean;
}

/** Takes the chunks of one direction of one connection, and cuts them where messages end. */
export type Framer = (chunk: Buffer) => Piece[];

/** `chunks`: each chunk is a message, for servers that speak neither. */
export type Framing = 'chunks' | 'resp' | 'http';

/** @returns the offset after the message's last byte, or -1 while more must come */
type Scan = (chunk: Buffer, from: number) => number;

export function framer(framing: Framing): Framer {
  const scan = { chunks: (): Scan => (chunk) => chunk.length, resp: scanResp, http: scanHttp }[framing]();
  return (chunk) => {
    const pieces: Piece[] = [];
    for (let from = 0; from < chunk.length;) {
      const end = scan(chunk, from);
      const to = end < 0 ? chunk.length : end;
      pieces.push({ bytes: chunk.subarray(from, to), ends: end >= 0 });
      from = to;
    }
    return pieces;
  };
}

const NEWLINE = 10;
const AGGREGATES = '*~>%';
const BLOBS = '$=!';

function scanResp(): Scan {
  /** Values until the message is whole. */
  let missing = 1;
  let skip = 0;
  let line = '';
  return (chunk, from) => {
    let at = from;
    while (at < chunk.length) {
      if (skip > 0) {
        const taken = Math.min(skip, chunk.length - at);
        skip -= taken;
        at += taken;
      } else {
        const newline = chunk.indexOf(NEWLINE, at);
        const end = newline < 0 ? chunk.length : newline + 1;
        line += chunk.toString('latin1', at, end);
        at = end;
        if (newline < 0) return -1;
        const type = line.charAt(0);
        const count = Math.max(-1, Number.parseInt(line.slice(1), 10) || 0);
        missing -= 1;
        if (AGGREGATES.includes(type)) missing += Math.max(0, count) * (type === '%' ? 2 : 1);
        else if (BLOBS.includes(type) && count >= 0) skip = count + 2;
        line = '';
      }
      if (skip === 0 && missing === 0) {
        missing = 1;
        return at;
      }
    }
    return -1;
  };
}

/** Goes before the response, and is none. */
const INFORMATION = /^HTTP\/1\.\d 1/;
const NO_BODY = /^HTTP\/1\.\d (?:204|304)/;
const RESPONSE = /^HTTP\//;

function scanHttp(): Scan {
  let reading: 'head' | 'body' | 'size' | 'trailer' = 'head';
  let text = '';
  let skip = 0;
  /** Reads up to and with `mark`; undefined while it has not come. */
  const upTo = (mark: string, chunk: Buffer, at: number): number | undefined => {
    const before = text.length;
    text += chunk.toString('latin1', at);
    const found = text.indexOf(mark, Math.max(0, before - mark.length + 1));
    if (found < 0) return undefined;
    text = text.slice(0, found + mark.length);
    return at + text.length - before;
  };
  return (chunk, from) => {
    let at = from;
    while (at < chunk.length) {
      if (reading === 'body' || skip > 0) {
        const taken = Math.min(skip, chunk.length - at);
        skip -= taken;
        at += taken;
        if (skip > 0) return -1;
        if (reading !== 'body') continue;
        reading = 'head';
        return at;
      }
      const next = upTo(reading === 'head' ? '\r\n\r\n' : '\r\n', chunk, at);
      if (next === undefined) return -1;
      at = next;
      const read = text;
      text = '';
      if (reading === 'head') {
        const length = /\r\ncontent-length: *(\d+)/i.exec(read)?.[1];
        if (INFORMATION.test(read)) continue;
        if (NO_BODY.test(read)) return at;
        if (/\r\ntransfer-encoding: *chunked/i.test(read)) reading = 'size';
        else if (length !== undefined && length !== '0') [reading, skip] = ['body', Number(length)];
        // A response of no given length lasts until its connection ends.
        else if (length === undefined && RESPONSE.test(read)) [reading, skip] = ['body', Infinity];
        else return at;
      } else if (reading === 'size') {
        const size = Number.parseInt(read, 16);
        if (size > 0) skip = size + 2;
        else reading = 'trailer';
      } else if (read === '\r\n') {
        reading = 'head';
        return at;
      }
    }
    return -1;
  };
}
