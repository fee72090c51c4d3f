// Who may do what at the dashboard, and what a person types before it is done.
import { expect, test } from 'vitest';
import { ACCEPT_DOUBLE_PHRASE } from '../../core/bulk.ts';
import { mayActAs, type Role } from '../../core/role.ts';

test.each<[Role, ...Role[]]>([
  ['viewer', 'viewer'],
  ['operator', 'viewer', 'operator'],
  ['admin', 'viewer', 'operator', 'admin'],
])('a %s may do what each role before it may, and no more', (role, ...may) => {
  const all: Role[] = ['viewer', 'operator', 'admin'];
  expect(all.filter((least) => mayActAs(role, least))).toEqual(may);
});

test('nobody accepts that a write is applied twice without words', () => expect(ACCEPT_DOUBLE_PHRASE).toMatch(/twice/));
