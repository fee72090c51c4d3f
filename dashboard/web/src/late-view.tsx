// Views that come when they are asked for. After an upgrade of the server the files that an open page knows are gone:
// then it is loaded anew, once, and otherwise it says what is missing.
import type { ComponentType } from 'preact';
import { lazy } from 'preact-iso';
import { ApiError } from './api/client.ts';
import { ErrorNote } from './components/notes.tsx';

const RELOADED = 'waybill-reloaded';
const AGAIN_MS = 30_000;

export const late = (load: () => Promise<ComponentType>): ComponentType =>
  lazy(() =>
    load().catch(() => {
      if (mayReload()) location.reload();
      return Missing;
    }),
  );

function mayReload(): boolean {
  try {
    const last = Number(sessionStorage.getItem(RELOADED) ?? 0);
    sessionStorage.setItem(RELOADED, String(Date.now()));
    return Date.now() - last > AGAIN_MS;
  } catch {
    // Without storage it would reload for ever.
    return false;
  }
}

function Missing() {
  const error = new ApiError(0, 'PAGE_INCOMPLETE', 'A part of this page could not be loaded.');
  return (
    <>
      <h1>Not loaded</h1>
      <ErrorNote error={error} retry={() => location.reload()} />
    </>
  );
}
