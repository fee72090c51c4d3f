// Sign-in by token; where a proxy or the host says who it is, it says what is missing.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from '../api/client.ts';
import { session, signIn } from '../api/session.ts';
import { Button } from '../components/button.tsx';
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
        {session.value?.signIn === 'token' ? (
          <TokenForm />
        ) : (
          <Note tone="warn">
            This dashboard is told by its host or proxy who you are, and it was told nobody. Sign in there, then load
            this page again.
          </Note>
        )}
      </div>
    </main>
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
