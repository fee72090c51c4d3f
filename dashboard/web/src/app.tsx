// Which view stands at which address. Views beyond the landing and the list come when they are asked for.
import { type ComponentType, Fragment } from 'preact';
import { ErrorBoundary, LocationProvider, Route, Router } from 'preact-iso';
import { loadSession, session, sessionError, user } from './api/session.ts';
import { ErrorNote, Skeleton } from './components/notes.tsx';
import { Toasts } from './components/toast.tsx';
import { late } from './late-view.tsx';
import { below, PATHS } from './routes.ts';
import { Groups } from './views/groups.tsx';
import { Letters } from './views/letters.tsx';
import { NotFound } from './views/not-found.tsx';
import { Shell } from './views/shell.tsx';
import { SignIn, SignInAgain } from './views/sign-in.tsx';

const Operations = late(() => import('./views/operations.tsx').then((file) => file.Operations));
const Operation = late(() => import('./views/operation.tsx').then((file) => file.OperationView));
const Letter = late(() => import('./views/letter.tsx').then((file) => file.Letter));
const Edit = late(() => import('./views/edit.tsx').then((file) => file.Edit));
const Find = late(() => import('./views/find.tsx').then((file) => file.Find));
const Audit = late(() => import('./views/audit.tsx').then((file) => file.Audit));
const Overview = late(() => import('./views/overview.tsx').then((file) => file.Overview));
const WhatIf = late(() => import('./views/what-if.tsx').then((file) => file.WhatIf));

const VIEWS: Record<keyof typeof PATHS, ComponentType> = {
  groups: Groups,
  overview: Overview,
  letters: Letters,
  letter: Letter,
  edit: Edit,
  operations: Operations,
  operation: Operation,
  audit: Audit,
  find: Find,
  whatIf: WhatIf,
};

export function App() {
  return (
    <>
      <LocationProvider scope={below('/')}>
        <Signed />
      </LocationProvider>
      <Toasts />
    </>
  );
}

function Signed() {
  if (sessionError.value && session.value === undefined)
    return (
      <main class="main">
        <h1>Waybill</h1>
        <ErrorNote error={sessionError.value} retry={() => void loadSession()} />
      </main>
    );
  if (session.value === undefined)
    return (
      <main class="main">
        <Skeleton label="Loading the session" />
      </main>
    );
  if (user.value === undefined) return <SignIn />;
  // Where another person signs in, nothing is left of what the one before him had open.
  return (
    <Fragment key={user.value.name}>
      <Shell>
        <ErrorBoundary>
          <Router>
            {Object.entries(VIEWS).map(([name, view]) => (
              <Route key={name} path={below(PATHS[name as keyof typeof PATHS])} component={view} />
            ))}
            <Route default component={NotFound} />
          </Router>
        </ErrorBoundary>
      </Shell>
      <SignInAgain />
    </Fragment>
  );
}
