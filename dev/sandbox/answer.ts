// What the sandbox says to one send, and the two ways it says it: a JSON body, and the error envelope of the API's
// contract { code, message, request_id, details? } whose request_id is also in the X-Request-Id header.

/** A whole HTTP answer, before it is put on the wire; what the API stores against an idempotency key. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An answer that waits for the request_id of the send it will be given to. */
export type AnswerOf = (requestId: string) => Answer;

export interface ApiError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export function jsonAnswer(status: number, requestId: string, value: unknown): Answer {
  return {
    status,
    headers: { 'Content-Type': 'application/json; charset=utf-8', 'X-Request-Id': requestId },
    body: JSON.stringify(value),
  };
}

export function errorAnswer(error: ApiError, requestId: string): Answer {
  const { status, code, message, details, headers } = error;
  const envelope = { code, message, request_id: requestId, ...(details === undefined ? {} : { details }) };
  const answer = jsonAnswer(status, requestId, envelope);
  return { ...answer, headers: { ...answer.headers, ...headers } };
}

/** The stored answer again, byte for byte and with its original request_id, marked as the contract asks. */
export function replayOf(answer: Answer): Answer {
  return { ...answer, headers: { ...answer.headers, 'Idempotent-Replayed': 'true' } };
}
