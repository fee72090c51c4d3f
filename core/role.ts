// What a person may do at the dashboard: each role may do what the one before it may.

/** Operators act on dead letters; admins also pause destinations. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** @param least the role that is needed */
export const mayActAs = (role: Role, least: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(least);
