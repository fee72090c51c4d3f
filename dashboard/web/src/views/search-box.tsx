// The search: an id, an idempotency key or a request_id goes straight to its write; anything else is looked for as a
// part of message, path and body.
import { useLocation } from 'preact-iso';
import { useRef, useState } from 'preact/hooks';
import { ApiError, call } from '../api/client.ts';
import { toast } from '../components/toast.tsx';
import { useKeys } from '../keys.ts';
import { to } from '../routes.ts';

export function SearchBox() {
  const { route, query } = useLocation();
  const sought = query['q'] ?? '';
  const [text, setText] = useState(sought);
  const [taken, setTaken] = useState(sought);
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useKeys({ '/': () => input.current?.focus() });
  // What the list is searched for stands here too; at once, not after a frame in which somebody has typed.
  if (taken !== sought) {
    setTaken(sought);
    setText(sought);
  }

  const search = async (): Promise<void> => {
    const typed = text.trim();
    const destination = query['destination'];
    const scope = destination === undefined ? {} : { destination };
    if (typed === '' || busy) return;
    setBusy(true);
    try {
      const { writes } = await call('find', { query: { id: typed, ...scope } });
      const [write, another] = writes;
      if (write === undefined) route(to.letters({ ...scope, q: typed.slice(0, 200) }));
      else if (write.letter !== undefined && another === undefined) route(to.letter(write.destination, write.letter));
      else route(to.find(typed, destination));
    } catch (error) {
      // Too long or too odd for an id: it may still be a part of something.
      if (error instanceof ApiError && error.status === 400) route(to.letters({ ...scope, q: typed.slice(0, 200) }));
      else toast(error instanceof ApiError ? `${error.code}: ${error.message}` : String(error), 'bad');
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      class="shell-search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        void search();
      }}
    >
      <input
        ref={input}
        type="search"
        aria-label="Search: an id, a key, a request_id, or a part of message, path or body"
        placeholder="Id, key, request_id or text"
        value={text}
        aria-busy={busy}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}
