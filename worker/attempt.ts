// One attempt: one dispatch, one Outcome; what the API does is no exception.
//  - An own deadline around all of it: undici heeds no signal before a request has its connection, and its time-outs
//    begin anew with every chunk.
//  - Once the status line is there it decides: a body that breaks off, drips or is too long changes nothing.
//  - The answer is read to a cap and the rest drained to another: an undrained body holds its connection for ever.
import type { Dispatcher } from 'undici';
import { readEnvelope, readRequestId } from '../core/envelope.ts';
import { codeOf, classOf, DEADLINE, DEADLINE_QUEUED, INTERNAL, type Outcome } from '../core/outcome.ts';
import { parseRetryAfter } from '../core/retry-after.ts';
import type { Flight, Flights } from './flights.ts';
import type { HttpRequest } from './request.ts';

/** What is kept of an answer. */
export const KEEP_BYTES = 64 * 1024;
/** Read beyond that before credentials are taken out, so that none is cut in two and kept by half. */
const REDACTION_MARGIN_BYTES = 8 * 1024;
/** What is read of it beyond that, so that its connection can be used again; a longer one costs the connection. */
export const DRAIN_BYTES = 256 * 1024;

export interface AttemptOptions {
  /** Those beside which it is on its way; they know how long it may take. */
  flights: Flights;
  /** When it was judged that the write may be sent, epoch ms; now, when left out. It is not sent the deadline after it. */
  admittedAt?: number;
  /** The header by which the API marks a stored answer. */
  replayedHeader: string;
  /** Takes credentials out of the answer's text. */
  redact: (text: string) => string;
}

type Headers = Record<string, string | string[] | undefined>;

const NO_HEADERS: Headers = {};
const NOTHING: Buffer[] = [];

/** Sends a request once. @returns what was observed; every wait is bounded by the deadline */
export function attempt(dispatcher: Dispatcher, request: HttpRequest, options: AttemptOptions): Promise<Outcome> {
  return new Promise((resolve) => {
    const sending = new Sending(options, resolve);
    try {
      dispatcher.dispatch(request, sending);
    } catch (error) {
      sending.refused(error);
    }
  });
}

class Sending implements Dispatcher.DispatchHandler {
  readonly #options: AttemptOptions;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #startedAt = performance.now();
  /** By the clock that goes on while a machine sleeps. */
  readonly #sendBy: number;
  readonly #flight: Flight;
  #controller: Dispatcher.DispatchController | undefined;
  #status: number | undefined;
  #headers = NO_HEADERS;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #readBytes = 0;
  #done = false;

  constructor(options: AttemptOptions, resolve: (outcome: Outcome) => void) {
    this.#options = options;
    this.#resolve = resolve;
    this.#sendBy = (options.admittedAt ?? Date.now()) + options.flights.deadlineMs;
    this.#flight = options.flights.begin((code) => this.#end(code));
  }

  onRequestStart(started: Dispatcher.DispatchController): void {
    // It waited for a connection past its deadline, or this process stood still and the timer is late: it must not
    // be sent any more, since its key may have ended.
    if (this.#done || Date.now() > this.#sendBy) {
      this.#end(DEADLINE);
      started.abort(new Error(DEADLINE_QUEUED));
    } else this.#controller = started;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#done) return;
    this.#readBytes += chunk.length;
    const room = KEEP_BYTES + REDACTION_MARGIN_BYTES - this.#keptBytes;
    if (room > 0) {
      const part = chunk.length > room ? chunk.subarray(0, room) : chunk;
      this.#kept.push(part);
      this.#keptBytes += part.length;
    }
    if (this.#readBytes > DRAIN_BYTES) {
      this.#finishByHead(false);
      controller.abort(new Error('answer longer than is read'));
    }
  }

  onResponseEnd(): void {
    this.#finishByHead(true);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#done) return;
    if (this.#status !== undefined) return this.#finishByHead(false);
    const code = codeOf(error);
    // From onRequestStart on bytes may have gone out, whatever broke then; only what undici itself refuses has not.
    const nothingSent = !this.#controller || classOf(code) === 'unsendable';
    this.#finish({ kind: nothingSent ? 'not-sent' : 'no-answer', code, durationMs: this.#durationMs() });
  }

  /** undici refuses some arguments by throwing; sent or not, only a code that says so proves it. */
  refused(error: unknown): void {
    const code = codeOf(error);
    this.#finish({
      kind: this.#controller ? 'no-answer' : 'not-sent',
      code: code === 'UNKNOWN' ? INTERNAL : code,
      durationMs: this.#durationMs(),
    });
  }

  /** The end came from us or from the connection, not from the API. */
  #end(code: string): void {
    const durationMs = this.#durationMs();
    if (this.#status !== undefined) this.#finishByHead(false);
    // Nothing is written to a socket before onRequestStart.
    else if (!this.#controller)
      this.#finish({ kind: 'not-sent', code: code === DEADLINE ? DEADLINE_QUEUED : code, durationMs });
    else this.#finish({ kind: 'no-answer', code, durationMs });
    this.#controller?.abort(new Error(code));
  }

  /** @param isWhole the answer came to its end */
  #finishByHead(isWhole: boolean): void {
    if (this.#status === undefined || this.#done) return;
    const [first, ...rest] = this.#kept;
    const text = (rest.length === 0 ? first : Buffer.concat(this.#kept))?.toString('utf8') ?? '';
    const response = toResponse(this.#status, this.#headers, text, this.#durationMs(), this.#options);
    this.#finish(isWhole ? response : { ...response, cut: true });
  }

  #finish(outcome: Outcome): void {
    if (this.#done) return;
    this.#done = true;
    // What is old when it ends keeps what it points to for as long as it is not collected itself.
    this.#kept = NOTHING;
    this.#headers = NO_HEADERS;
    this.#options.flights.over(this.#flight);
    this.#resolve(outcome);
  }

  #durationMs(): number {
    return Math.round(performance.now() - this.#startedAt);
  }
}

function toResponse(
  status: number,
  headers: Headers,
  rawText: string,
  durationMs: number,
  options: AttemptOptions,
): Outcome & { kind: 'response' } {
  const header = (name: string): string | undefined => {
    const value = headers[name.toLowerCase()];
    return Array.isArray(value) ? value[0] : value;
  };
  const retryAfterMs = parseRetryAfter(header('retry-after'), Date.now());
  const failed = status < 200 || status >= 300;
  const headerRequestId = header('x-request-id');
  // Of a delivered write's answer nothing else is kept, and what is not kept need not be cleaned.
  const { requestId, envelope } = failed
    ? readEnvelope(status, rawText, headerRequestId, options.redact)
    : { requestId: readRequestId(rawText, headerRequestId, options.redact) };
  const text = failed ? options.redact(rawText).slice(0, KEEP_BYTES) : '';
  return {
    kind: 'response',
    status,
    durationMs,
    replayed: header(options.replayedHeader)?.trim().toLowerCase() === 'true',
    ...(requestId !== undefined && { requestId }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(envelope && { envelope }),
    ...(text.length > 0 && { body: text }),
  };
}
