// A dead letter in two lines: what it died of, how it stands, what it was.
import { useEffect } from 'preact/hooks';
import type { LetterDetail } from '../../../../api/contract/letters.ts';
import { Badge, StateBadge, VerdictBadge } from '../../components/badge.tsx';
import { LongText } from '../../components/long-text.tsx';
import { Note } from '../../components/notes.tsx';
import { Time } from '../../components/time.tsx';
import { Upstream } from '../../components/upstream.tsx';
import { counted } from '../../logic/number-words.ts';
import { REASON_WORDS } from '../../logic/verdict-words.ts';

export function Head(props: { detail: LetterDetail }) {
  const { letter, write } = props.detail;
  const { code, status } = letter;
  useEffect(() => {
    document.title = `${code ?? 'Dead letter'} · ${letter.destination} · Waybill`;
  }, [code, letter.destination]);
  return (
    <header class="stack-tight">
      <h1 class="letter-title">
        <Upstream text={code ?? (letter.unreadable !== undefined ? 'Unreadable' : 'Dead letter')} />
        {letter.field !== undefined && (
          <span class="letter-field">
            <Upstream text={letter.field} mono />
          </span>
        )}
      </h1>
      <div class="row">
        <StateBadge state={letter.state} />
        {letter.verdict && <VerdictBadge verdict={letter.verdict} />}
        {letter.reason && <Badge tone="plain">{REASON_WORDS[letter.reason]}</Badge>}
        {status !== undefined && <Badge>{status}</Badge>}
        <span class="letter-what">
          <Upstream text={`${write?.method ?? letter.method ?? ''} ${write?.path ?? letter.path ?? ''}`} mono />
        </span>
        <span class="muted">
          {letter.destination} · dead <Time at={letter.deadAt} />
          {letter.attempts !== undefined && ` · ${counted(letter.attempts, 'attempt')}`}
          {(letter.generation ?? 0) > 0 && ` · generation ${letter.generation}`}
        </span>
      </div>
      {letter.unreadable !== undefined && (
        <Note tone="warn">
          <LongText text={letter.unreadable} />
        </Note>
      )}
    </header>
  );
}
