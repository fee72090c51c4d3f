// The negative control: the worker that everybody writes, under the same kills. It must not pass.
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
