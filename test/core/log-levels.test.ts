import { pino } from 'pino';
import { expect, test } from 'vitest';
import { LOG_LEVELS } from '../../core/log-levels.ts';

test("the levels that can be configured are pino's, from all lines to none", () =>
  expect(LOG_LEVELS).toEqual([...Object.keys(pino.levels.values).filter((level) => level !== 'fatal'), 'silent']));
