// The demo cannot begin, or cannot go on; the message says why and what to do.
export class DemoError extends Error {
  readonly code = 'DEMO_STOPPED';

  constructor(message: string) {
    super(message);
    this.name = 'DemoError';
  }
}
