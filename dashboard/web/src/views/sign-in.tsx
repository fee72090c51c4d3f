// Sign-in by token; where a proxy or the host says who it is, it says what is missing.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from '../api/client.ts';
import { loadSession, refusedSince, session, signIn } from '../api/session.ts';
import { Button } from '../components/button.tsx';
import { Dialog } from '../components/dialog.tsx';
import { Field } from '../components/field.tsx';
import { ErrorNote, Note } from '../components/notes.tsx';
import { Brand } from './brand.tsx';

export function SignIn() {
  useEffect(() => {
    document.title = 'Sign in · Waybill';
  }, []);
  return (
    <main class="sign-in stack">
      <div class="row">
        <Brand />
      </div>
      <div class="card card-body stack">
        <h1>Sign in</h1>
        <WayIn />
      </div>
    </main>
  );
}

/** The session ended under somebody's hands: he signs in above what he was doing, and goes on. */
export function SignInAgain() {
  const [putAway, setPutAway] = useState(0);
  // Put away, to copy what stands below it, it comes back with the next call that is refused.
  if (refusedSince.value <= putAway) {
    if (refusedSince.value < putAway) setPutAway(0);
    return null;
  }
  return (
    <Dialog title="Sign in again" onClose={() => setPutAway(refusedSince.value)}>
      <p>Your session has ended. What you were doing is kept, and nothing of the last call was done.</p>
      <WayIn />
    </Dialog>
  );
}

function WayIn() {
  if (session.value?.signIn === 'token') return <TokenForm />;
  return (
    <Note tone="warn">
      <span>
        This dashboard is told by its host or proxy who you are, and it was told nobody. Sign in there, in another tab
        where something is open here, then try again.
      </span>
      <Button small onClick={() => void loadSession()}>
        Try again
      </Button>
    </Note>
  );
}

function TokenForm() {
  const [token, setToken] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const input = useRef<HTMLInputElement | null>(null);
  useEffect(() => input.current?.focus(), []);
  const submit = async (): Promise<void> => {
    if (token.trim() === '' || busy) return;
    setBusy(true);
    setError(undefined);
    try {
      await signIn(token.trim());
    } catch (thrown) {
      setError(thrown instanceof ApiError ? thrown : new ApiError(0, 'PAGE_ERROR', String(thrown)));
      input.current?.select();
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Field label="Token" hint="From the settings of the dashboard. It is kept in a cookie that scripts cannot read.">
        {(control) => (
          <input
            {...control}
            ref={input}
            type="password"
            autocomplete="current-password"
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        )}
      </Field>
      {error && <ErrorNote error={error} />}
      <Button type="submit" look="primary" busy={busy}>
        Sign in
      </Button>
    </form>
  );
}
