// One attempt: one dispatch, one Outcome; what the API does is no exception.
//  - An own deadline around all of it: undici heeds no signal before a request has its connection, and its time-outs
//    begin anew with every chunk.
//  - Once the status line is there it decides: a body that breaks off, drips or is too long changes nothing.
//  - The answer is read to a cap and the rest drained to another: an undrained body holds its connection for ever.
import type { Dispatcher } from 'undici';
import { readEnvelope, readRequestId } from '../core/envelope.ts';
import { codeOf, classOf, DEADLINE, DEADLINE_QUEUED, INTERNAL, type Outcome } from '../core/outcome.ts';
import { parseRetryAfter } from '../core/retry-after.ts';
import type { HttpRequest } from './request.ts';

/** What is kept of an answer. */
export const KEEP_BYTES = 64 * 1024;
/** Read beyond that before credentials are taken out, so that none is cut in two and kept by half. */
const REDACTION_MARGIN_BYTES = 8 * 1024;
/** What is read of it beyond that, so that its connection can be used again; a longer one costs the connection. */
export const DRAIN_BYTES = 256 * 1024;

export interface AttemptOptions {
  deadlineMs: number;
  /** When it was judged that the write may be sent, epoch ms; now, when left out. It is not sent deadlineMs after it. */
  admittedAt?: number;
  /** The header by which the API marks a stored answer. */
  replayedHeader: string;
  /** Takes credentials out of the answer's text. */
  redact: (text: string) => string;
  /** Called with a function that ends the attempt from outside, once; the worker's forced stop uses it. */
  onStart?: (abort: (code: string) => void) => void;
}

type Headers = Record<string, string | string[] | undefined>;

/** Sends a request once. @returns what was observed; every wait is bounded by deadlineMs */
export function attempt(dispatcher: Dispatcher, request: HttpRequest, options: AttemptOptions): Promise<Outcome> {
  const startedAt = performance.now();
  /** By the clock that goes on while a machine sleeps. */
  const sendBy = (options.admittedAt ?? Date.now()) + options.deadlineMs;
  const durationMs = (): number => Math.round(performance.now() - startedAt);

  return new Promise<Outcome>((resolve) => {
    let controller: Dispatcher.DispatchController | undefined;
    let head: { status: number; headers: Headers } | undefined;
    let kept: Buffer[] = [];
    let keptBytes = 0;
    let readBytes = 0;
    let done = false;

    const finish = (outcome: Outcome): void => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      resolve(outcome);
    };
    /** @param isWhole the answer came to its end */
    const finishByHead = (isWhole: boolean): void => {
      if (!head) return;
      const text = Buffer.concat(kept).toString('utf8');
      kept = [];
      finish({ ...toResponse(head.status, head.headers, text, durationMs(), options), ...(!isWhole && { cut: true }) });
    };
    /** The end came from us or from the connection, not from the API. */
    const end = (code: string): void => {
      if (head) finishByHead(false);
      // Nothing is written to a socket before onRequestStart.
      else if (!controller)
        finish({ kind: 'not-sent', code: code === DEADLINE ? DEADLINE_QUEUED : code, durationMs: durationMs() });
      else finish({ kind: 'no-answer', code, durationMs: durationMs() });
      controller?.abort(new Error(code));
    };
    const timer = setTimeout(end, options.deadlineMs, DEADLINE);
    options.onStart?.(end);

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        // It waited for a connection past its deadline, or this process stood still and the timer is late: it must not
        // be sent any more, since its key may have ended.
        if (done || Date.now() > sendBy) {
          end(DEADLINE);
          started.abort(new Error(DEADLINE_QUEUED));
        } else controller = started;
      },
      onResponseStart(_controller, status, headers) {
        if (status >= 200) head = { status, headers };
      },
      onResponseData(current, chunk) {
        readBytes += chunk.length;
        if (keptBytes < KEEP_BYTES + REDACTION_MARGIN_BYTES) {
          const part = chunk.subarray(0, KEEP_BYTES + REDACTION_MARGIN_BYTES - keptBytes);
          kept.push(part);
          keptBytes += part.length;
        }
        if (readBytes > DRAIN_BYTES) {
          finishByHead(false);
          current.abort(new Error('answer longer than is read'));
        }
      },
      onResponseEnd: () => finishByHead(true),
      onResponseError(_controller, error) {
        if (done) return;
        if (head) return finishByHead(false);
        const code = codeOf(error);
        // From onRequestStart on bytes may have gone out, whatever broke then; only what undici itself refuses has not.
        const nothingSent = !controller || classOf(code) === 'unsendable';
        finish({ kind: nothingSent ? 'not-sent' : 'no-answer', code, durationMs: durationMs() });
      },
    };
    try {
      dispatcher.dispatch(
        { method: request.method, path: request.path, headers: request.headers, body: request.body },
        handler,
      );
    } catch (error) {
      // undici refuses some arguments by throwing; sent or not, only a code that says so proves it.
      const code = codeOf(error);
      finish({
        kind: controller ? 'no-answer' : 'not-sent',
        code: code === 'UNKNOWN' ? INTERNAL : code,
        durationMs: durationMs(),
      });
    }
  });
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
