// An address that is none of the page's.
import { EmptyState } from '../components/notes.tsx';
import { to } from '../routes.ts';

export function NotFound() {
  return (
    <div class="card">
      <h1 class="unseen">Not found</h1>
      <EmptyState title="Nothing stands at this address">
        <a href={to.groups()}>To the dead letters</a>
      </EmptyState>
    </div>
  );
}
