// Small words with a ground: `<Badge tone="bad">`, `<VerdictBadge verdict="in-doubt" />` (told by word, shape and
// colour), `<StateBadge>` of a letter.
import type { ComponentChildren } from 'preact';
import type { Verdict } from '../../../../core/verdict.ts';
import { VERDICT_MEANING, VERDICT_WORDS } from '../logic/verdict-words.ts';

export type Tone = 'plain' | 'good' | 'warn' | 'bad' | 'accent';

export function Badge(props: { children: ComponentChildren; tone?: Tone; title?: string }) {
  const { tone = 'plain' } = props;
  return (
    <span class={`badge${tone === 'plain' ? '' : ` badge-${tone}`}`} title={props.title}>
      {props.children}
    </span>
  );
}

const VERDICT_TONES: Record<Verdict, Tone> = { 'applied-once': 'good', 'not-applied': 'plain', 'in-doubt': 'warn' };
/** A tick in a disc, an empty ring, a triangle. */
const SHAPES: Record<Verdict, string> = {
  'applied-once': 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm-1 10L3.8 7.9l1.3-1.3L7 8.4l4-4 1.3 1.3Z',
  'not-applied': 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 2a5 5 0 1 1 0 10A5 5 0 0 1 8 3Z',
  'in-doubt': 'M8 1 .5 14.5h15ZM7.1 6h1.8v4.5H7.1Zm0 5.5h1.8v1.7H7.1Z',
};

export function VerdictBadge(props: { verdict: Verdict; count?: string }) {
  const { verdict } = props;
  return (
    <Badge tone={VERDICT_TONES[verdict]} title={VERDICT_MEANING[verdict]}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={SHAPES[verdict]} fill="currentColor" fill-rule="evenodd" />
      </svg>
      {VERDICT_WORDS[verdict]} {props.count !== undefined && <span>{props.count}</span>}
    </Badge>
  );
}

export function StateBadge(props: { state: 'open' | 'replayed' | 'discarded' }) {
  const tones = { open: 'bad', replayed: 'accent', discarded: 'plain' } as const;
  return <Badge tone={tones[props.state]}>{props.state}</Badge>;
}
