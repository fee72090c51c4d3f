// The negative control: the worker that everybody writes, under the same kills and with the same retries. It must not pass:
// it has to lose writes, as a letter that is added in `on('failed')` dies with its worker. A 409 that says "still in
// progress" is in no plan of its own, for it takes that for a rejection without any kill.
import type { Fault } from '../fault.ts';
import { killWorker } from './kill-worker.ts';

export const usualWorker: Fault = {
  ...killWorker,
  name: 'usual-worker',
  title: 'the control: kill -9 of the worker that everybody writes',
  usual: true,
  published: 300,
  batch: 150,
  slice: 0,
};
