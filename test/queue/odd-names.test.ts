// A destination that is named like a part of every object.
import { expect, onTestFinished, test } from 'vitest';
import { resolveConfig } from '../../core/config.ts';
import { overviewOf } from '../../queue/overview.ts';
import { Reader } from '../../queue/reader.ts';
import { whatIfOf } from '../../queue/what-if.ts';
import { fillLetters } from '../support/fast-letters.ts';
import { redisUrl, useDatabaseOfItsOwn } from '../support/redis.ts';

useDatabaseOfItsOwn();

test('constructor is a destination as any other, where it is not configured too', async () => {
  const reader = await Reader.open(redisUrl());
  onTestFinished(() => reader.close());
  await fillLetters(reader, 'constructor', 2);
  const config = resolveConfig({ destinations: { sms: { baseUrl: 'https://api.example.com' } } });
  const { destinations } = await overviewOf(reader, config, { minutes: 5 });
  expect(destinations).toMatchObject([{ destination: 'constructor', configured: false, dead: 2 }]);
  expect(await whatIfOf(reader, config, { policy: { maxAttempts: 20 } })).toMatchObject({ examined: 2 });
});
