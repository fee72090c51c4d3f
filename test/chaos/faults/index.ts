// Every fault there is, in the order of the table.
import type { Fault } from '../fault.ts';
import { killWorker } from './kill-worker.ts';
import { poison } from './poison.ts';
import { usualWorker } from './usual-worker.ts';

export const FAULTS: readonly Fault[] = [usualWorker, killWorker, poison];
