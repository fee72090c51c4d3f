// What the rules say to a replay: the refusal with its reason, what it would take, and advice.
import type { Ruling } from '../../../../api/contract/letters.ts';
import { Badge } from '../../components/badge.tsx';
import { LongText } from '../../components/long-text.tsx';
import { canBeLifted } from './replay-choice.ts';

export function RulingBadge(props: { ruling: Ruling }) {
  if (props.ruling.allowed) return <Badge tone="good">allowed</Badge>;
  return canBeLifted(props.ruling) ? <Badge tone="warn">needs your word</Badge> : <Badge tone="bad">refused</Badge>;
}

export function RulingWords(props: { ruling: Ruling }) {
  const { ruling } = props;
  const because = ruling.allowed ? undefined : ruling.because;
  if (because === undefined && ruling.advice === undefined) return null;
  return (
    <span class="small ruling">
      {because !== undefined && (
        <span>
          <strong>{ruling.refusal}</strong>: <LongText text={because} />.{' '}
        </span>
      )}
      {ruling.advice !== undefined && (
        <span class="ruling-advice">
          <LongText text={ruling.advice} />
        </span>
      )}
    </span>
  );
}
