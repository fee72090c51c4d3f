// The life of a write, told in order: each attempt with its wait and why that long, and what people did in between.
import type { ComponentChildren } from 'preact';
import type { ShownAttempt } from '../../../api/contract/letters.ts';
import { counted } from '../logic/number-words.ts';
import { REASON_WORDS } from '../logic/verdict-words.ts';
import { durationWords } from '../logic/time-words.ts';
import { actWords } from '../views/letter/act-words.ts';
import { STATE_WORDS } from '../views/find/state-words.ts';
import type { Chapter, SentBy } from '../views/letter/story.ts';
import { Badge, type Tone } from './badge.tsx';
import { CopyButton } from './copy.tsx';
import { JsonView } from './json-view.tsx';
import { Time } from './time.tsx';
import { LongText } from './long-text.tsx';
import { Upstream } from './upstream.tsx';
import './timeline.css';

type Reason = keyof typeof REASON_WORDS;

export function Timeline(props: {
  chapters: readonly Chapter[];
  reason?: Reason | undefined;
  because?: string | undefined;
}) {
  return (
    <ol class="timeline">
      {props.chapters.map((chapter, index) => (
        <Item key={index} chapter={chapter} reason={props.reason} because={props.because} />
      ))}
    </ol>
  );
}

function Item(props: { chapter: Chapter; reason: Reason | undefined; because: string | undefined }) {
  const { chapter } = props;
  switch (chapter.kind) {
    case 'enqueued':
      return <Step at={chapter.at} title="Enqueued" tone="plain" />;
    case 'attempt':
      return <AttemptStep attempt={chapter.attempt} sentBy={chapter.sentBy} />;
    case 'postponed':
      return (
        <Step at={chapter.at} title={`Put off ${counted(chapter.times, 'time')}`} tone="plain">
          <p>
            It cost no attempt. The last time: <LongText text={chapter.last.because ?? chapter.last.answer} />
            {chapter.last.waitMs !== undefined && `, looked at again after ${durationWords(chapter.last.waitMs)}`}
          </p>
        </Step>
      );
    case 'lost':
      return (
        <Step at={chapter.at} title={`${counted(chapter.times, 'start')} left no record`} tone="warn">
          <p>A worker began to send it and died, or lost its hold on it: nobody knows whether it was sent.</p>
        </Step>
      );
    case 'dead':
      return (
        <Step at={chapter.at} title={`Given up${props.reason ? `: ${REASON_WORDS[props.reason]}` : ''}`} tone="bad">
          {props.because !== undefined && (
            <p>
              <LongText text={props.because} />
            </p>
          )}
        </Step>
      );
    case 'since': {
      const words = STATE_WORDS[chapter.state as keyof typeof STATE_WORDS];
      return (
        <Step title={words?.label ?? chapter.state} tone={words?.tone ?? 'plain'}>
          {words && <p>{words.words}</p>}
        </Step>
      );
    }
    case 'act':
      return (
        <Step
          at={chapter.at}
          tone="accent"
          title={
            <>
              <LongText text={chapter.act.by} /> {actWords(chapter.act)}
            </>
          }
        >
          <p>
            <q>
              <LongText text={chapter.act.reason} />
            </q>
          </p>
        </Step>
      );
  }
}

function Step(props: {
  at?: number;
  title: ComponentChildren;
  tone: Tone;
  badges?: ComponentChildren;
  children?: ComponentChildren;
}) {
  return (
    <li class={`step step-${props.tone}`}>
      <div class="step-head">
        <strong class="step-title">{props.title}</strong>
        {props.badges}
        {props.at !== undefined && (
          <span class="step-time">
            <Time at={props.at} />
          </span>
        )}
      </div>
      {props.children}
    </li>
  );
}

const OUTCOME_WORDS: Record<ShownAttempt['outcome'], string> = {
  response: 'answered',
  'not-sent': 'not sent',
  'no-answer': 'no answer',
  blocked: 'held back here',
};

/** Of an answer so much is kept; of all attempts but the newest less, with this sign at the end. */
const KEPT = 64 * 1024;
const isCut = (body: string): boolean => body.length >= KEPT || body.endsWith('…');

function AttemptStep(props: { attempt: ShownAttempt; sentBy: SentBy }) {
  const { attempt: one, sentBy } = props;
  const delivered = one.disposition === 'delivered';
  const good = delivered || one.evidence === 'applied';
  return (
    <>
      {one.lost !== undefined && one.lost > 0 && (
        <li class="step step-warn">
          <div class="step-head">
            <strong class="step-title">{counted(one.lost, 'start')} left no record</strong>
          </div>
          <p>A worker began to send it and died, or lost its hold on it: it may have been sent.</p>
        </li>
      )}
      <Step
        at={one.at}
        tone={good ? 'good' : 'bad'}
        title={`Attempt ${one.attempt}`}
        badges={
          <>
            <Badge tone={good ? 'good' : 'bad'}>
              <Upstream text={one.answer} />
            </Badge>
            {sentBy === 'manual' ? <Badge tone="accent">manual: a replay</Badge> : <Badge>automatic</Badge>}
            {one.replayed === true && (
              <Badge tone="warn" title="The API marked it as the stored answer of this key">
                stored answer
              </Badge>
            )}
          </>
        }
      >
        <dl class="step-facts">
          <div>
            <dt>took</dt>
            <dd>{durationWords(one.durationMs)}</dd>
          </div>
          <div>
            <dt>outcome</dt>
            <dd>{OUTCOME_WORDS[one.outcome]}</dd>
          </div>
          {one.worker !== undefined && (
            <div>
              <dt>worker</dt>
              <dd>
                <Upstream text={one.worker} mono />
              </dd>
            </div>
          )}
          {one.requestId !== undefined && (
            <div class="step-wide">
              <dt>request_id</dt>
              <dd class="row">
                <Upstream text={one.requestId} mono />
                <CopyButton text={one.requestId} what={`request_id of attempt ${one.attempt}`} />
              </dd>
            </div>
          )}
        </dl>
        {one.message !== undefined && (
          <p>
            <LongText text={one.message} />
          </p>
        )}
        {one.body !== undefined && one.body !== '' && (
          <details>
            <summary>{isCut(one.body) ? 'Response body, cut' : 'Response body'}</summary>
            <JsonView text={one.body} label={`Response body of attempt ${one.attempt}`} />
          </details>
        )}
        {one.because !== undefined &&
          one.disposition !== 'dead' &&
          one.because !== `HTTP ${one.status}` &&
          one.because !== one.answer && (
            <p class="muted small">
              <LongText text={one.because} />
            </p>
          )}
        {one.waitMs !== undefined && (one.disposition === 'retry' || one.disposition === 'postpone') && (
          <p class="step-wait">
            <span>then waited</span> <LongText text={one.waitTrace ?? durationWords(one.waitMs)} />
          </p>
        )}
      </Step>
    </>
  );
}
