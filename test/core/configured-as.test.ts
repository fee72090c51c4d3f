// A destination may have any name that is made of small letters, also one that every object has.
import { expect, test } from 'vitest';
import { configuredAs, resolveConfig } from '../../core/config.ts';
import { maskingOf } from '../../dashboard/api/shown/masking.ts';

const config = resolveConfig({ destinations: { sms: { baseUrl: 'https://api.example.com' } } });

test.each(['constructor', 'valueof', 'mail'])('a destination %s that is not configured has no settings', (name) => {
  expect(configuredAs(config, name)).toBeUndefined();
  expect(maskingOf(config, name)).toBe('all');
});

test('one that is configured has them, also under such a name', () => {
  const odd = resolveConfig({ destinations: { constructor: { baseUrl: 'https://api.example.com' } } });
  expect(configuredAs(odd, 'constructor')?.baseUrl).toBe('https://api.example.com');
  expect(configuredAs(config, 'sms')?.retry.maxAttempts).toBeGreaterThan(0);
  expect(configuredAs(undefined, 'sms')).toBeUndefined();
});
