// The name and its mark, and which environment one is in.
import { session } from '../api/session.ts';
import { Badge } from '../components/badge.tsx';
import { to } from '../routes.ts';

export function Brand() {
  const environment = session.value?.environment;
  return (
    <>
      <a class="brand" href={to.groups()}>
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <rect x="3" y="5" width="26" height="22" rx="4" fill="#4350c4" />
          <path d="M9 12h14M9 17h9" stroke="#fff" stroke-width="2.6" stroke-linecap="round" />
          <circle cx="22" cy="21" r="2.4" fill="#ffd27a" />
        </svg>
        Waybill
      </a>
      {environment !== undefined && (
        <Badge tone={/prod|live/i.test(environment) ? 'bad' : 'accent'} title={`Environment: ${environment}`}>
          {environment}
        </Badge>
      )}
    </>
  );
}
