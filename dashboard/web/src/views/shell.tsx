// The frame around every view: where one is, whose page it is, the search, what is live.
import type { ComponentChildren } from 'preact';
import { useLocation } from 'preact-iso';
import { useEffect, useRef, useState } from 'preact/hooks';
import { destinations } from '../api/session.ts';
import { useKeys } from '../keys.ts';
import { live, paused } from '../live.ts';
import { below, PATHS, to } from '../routes.ts';
import { Brand } from './brand.tsx';
import { KeysDialog } from './keys-dialog.tsx';
import { SearchBox } from './search-box.tsx';
import { SettingsMenu } from './settings-menu.tsx';

export function Shell(props: { children: ComponentChildren }) {
  const { path } = useLocation();
  const [keysShown, setKeysShown] = useState(false);
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useKeys({ '?': () => setKeysShown(true) });
  useEffect(() => {
    // A new view starts at its beginning, also for whoever listens to it; the first one starts at the top of the page.
    if (!first.current) main.current?.focus({ preventScroll: true });
    first.current = false;
  }, [path]);
  return (
    <>
      <a class="skip" href="#main" onClick={() => main.current?.focus()}>
        Skip to the content
      </a>
      <header class="shell-head">
        <div class="shell-bar">
          <Brand />
          <DestinationSwitch />
          <SearchBox />
          <div class="shell-end">
            <LiveSwitch />
            <SettingsMenu onKeys={() => setKeysShown(true)} />
          </div>
        </div>
        <Nav />
        <div class="shell-away" role="status">
          {live.value === 'away' && 'Redis does not answer: what stands here may be old. The page goes on by itself.'}
        </div>
      </header>
      <main class="main" id="main" ref={main} tabIndex={-1}>
        {props.children}
      </main>
      {keysShown && <KeysDialog onClose={() => setKeysShown(false)} />}
    </>
  );
}

function Nav() {
  const { path, query } = useLocation();
  const destination = query['destination'];
  const views = [
    ['Groups', PATHS.groups, to.groups(destination)],
    ['Letters', PATHS.letters, to.letters(destination === undefined ? {} : { destination })],
    ['Operations', PATHS.operations, to.operations(destination)],
    ['Overview', PATHS.overview, to.overview(destination)],
    ['Find a write', PATHS.find, to.find(undefined, destination)],
    ['Audit', PATHS.audit, to.audit(destination === undefined ? {} : { destination })],
    ['What if', PATHS.whatIf, to.whatIf(destination === undefined ? {} : { destination })],
  ] as const;
  return (
    <nav class="nav" aria-label="Views">
      <ul>
        {views.map(([name, start, href]) => {
          const here = start === '/' ? path === (below('/').replace(/\/+$/, '') || '/') : path.startsWith(below(start));
          return (
            <li key={name}>
              <a href={href} aria-current={here ? 'page' : undefined}>
                {name}
              </a>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}

/** Sets the destination of the view that is shown; one that shows a single thing gives way to the list. */
function DestinationSwitch() {
  const { url, path, query, route } = useLocation();
  const choose = (destination: string): void => {
    const single = [below('/letters/'), below('/operations/')].find((start) => path.startsWith(start));
    const target = new URL(single === undefined ? url : single.slice(0, -1), location.origin);
    target.searchParams.delete('cursor');
    if (destination === '') target.searchParams.delete('destination');
    else target.searchParams.set('destination', destination);
    route(target.pathname + target.search);
  };
  // An address may name one that the session did not know.
  const { destination: here = '' } = query;
  const names = here === '' || destinations.value.includes(here) ? destinations.value : [...destinations.value, here];
  return (
    <select
      aria-label="Destination"
      class="shell-destination"
      value={here}
      onChange={(event) => choose(event.currentTarget.value)}
    >
      <option value="">All destinations</option>
      {names.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

const LIVE_WORDS = { connecting: 'Connecting', live: 'Live', away: 'No Redis', polling: 'Polling', paused: 'Paused' };
const LIVE_MEANING = {
  connecting: 'Connecting to the live stream.',
  live: 'Changes are told as they happen.',
  away: 'Redis does not answer the dashboard.',
  polling: 'The live stream failed: looks for changes every 5 s.',
  paused: 'Changes are not looked for.',
};

function LiveSwitch() {
  const state = live.value;
  return (
    <button
      type="button"
      class="button button-small live"
      aria-pressed={!paused.value}
      aria-label={`Live updates: ${LIVE_WORDS[state].toLowerCase()}`}
      title={`${LIVE_MEANING[state]} Press to ${paused.value ? 'go on' : 'pause'}.`}
      onClick={() => {
        paused.value = !paused.value;
      }}
    >
      <span class="live-dot" data-state={state} />
      <span class="live-word">{LIVE_WORDS[state]}</span>
    </button>
  );
}
