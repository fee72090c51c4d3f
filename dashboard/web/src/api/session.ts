// Who is signed in, as signals: `session`, `user`, `may('operator')`.
import { batch, computed, signal } from '@preact/signals';
import { mayActAs, type Role } from '../../../../core/role.ts';
import type { Session } from '../../../api/contract/session.ts';
import { clockSkewMs } from '../now.ts';
import { ApiError, call, hooks } from './client.ts';

export const session = signal<Session | undefined>(undefined);
/** Why the session could not be asked for. */
export const sessionError = signal<ApiError | undefined>(undefined);
export const user = computed(() => session.value?.user);
/** How many calls were refused since the session ended under somebody's hands; 0 while he is signed in. */
export const refusedSince = signal(0);
/** Names of the destinations, those with dead letters only included. */
export const destinations = computed(() => session.value?.destinations.map(({ name }) => name) ?? []);

/** Whether the one who is signed in may do what `least` may. The server decides; this only hides and explains. */
export const may = (least: Role): boolean => user.value !== undefined && mayActAs(user.value.role, least);

function take(answer: Session): void {
  batch(() => {
    clockSkewMs.value = answer.now - Date.now();
    sessionError.value = undefined;
    refusedSince.value = 0;
    session.value = answer;
  });
}

/** What is open stays: a draft is not lost with the session. */
function end(): void {
  refusedSince.value += 1;
}

const AGAIN_MS = 3000;
let again: ReturnType<typeof setTimeout> | undefined;

export async function loadSession(): Promise<void> {
  try {
    const answer = await call('session', {});
    if (user.value && !answer.user) end();
    else take(answer);
  } catch (error) {
    const told = error instanceof ApiError ? error : new ApiError(0, 'UNREACHABLE', 'The session could not be read.');
    sessionError.value = told;
    clearTimeout(again);
    if (told.isAway) again = setTimeout(() => void loadSession(), AGAIN_MS);
  }
}

/** @throws ApiError where the token is refused */
export async function signIn(token: string): Promise<void> {
  await call('signIn', { body: { token } });
  // The session's own answer holds the CSRF token of the new cookie.
  await loadSession();
}

export async function signOut(): Promise<void> {
  take(await call('signOut', {}));
}

hooks.csrf = () => session.value?.csrf;
hooks.signedOut = () => {
  if (user.value) end();
};
hooks.renewed = async () => {
  const before = user.value?.name;
  await loadSession();
  return refusedSince.value === 0 && user.value?.name === before;
};
