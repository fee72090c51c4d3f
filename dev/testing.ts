// The public entry `waybill/testing`: a sandbox API for the tests of applications that send through Waybill, and the
// question whether a write was applied exactly once.

export { assertAppliedOnce } from './sandbox/assert-applied-once.ts';
export type { AnonymousSends, Ledger, LedgerEntry, LedgerSend } from './sandbox/ledger.ts';
export type { FaultName, SandboxOptions } from './sandbox/options.ts';
export { createSandbox, type Sandbox } from './sandbox/server.ts';
