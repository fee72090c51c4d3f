// What is known of a dead letter, as cards.
import type { LetterDetail } from '../../../../api/contract/letters.ts';
import { VerdictBadge } from '../../components/badge.tsx';
import { CopyButton } from '../../components/copy.tsx';
import { LongText } from '../../components/long-text.tsx';
import { Time } from '../../components/time.tsx';
import { Timeline } from '../../components/timeline.tsx';
import { Upstream } from '../../components/upstream.tsx';
import { to } from '../../routes.ts';
import { isWide } from '../../wide.ts';
import { EnvelopeCard } from './envelope-card.tsx';
import { KeyCard } from './key-card.tsx';
import { LineageCard } from './lineage-card.tsx';
import { storyOf } from './story.ts';
import { WriteCard } from './write-card.tsx';

/** Two columns, or one in which the timeline, which may be long, stands behind what one decides by. */
export function Cards(props: { detail: LetterDetail }) {
  const { detail } = props;
  const { letter } = detail;
  const answer = <EnvelopeCard detail={detail} />;
  const timeline = (
    <section class="card card-body stack" aria-labelledby="timeline-title">
      <h2 id="timeline-title">What happened</h2>
      <Timeline chapters={storyOf(detail)} reason={letter.reason} because={letter.because} />
    </section>
  );
  const decidedBy = (
    <>
      <VerdictCard detail={detail} />
      <KeyCard detail={detail} />
    </>
  );
  const rest = (
    <>
      <WriteCard write={detail.write} raw={detail.raw} />
      <LineageCard detail={detail} />
      <FactsCard detail={detail} />
    </>
  );
  if (!isWide.value)
    return (
      <div class="stack">
        {answer}
        {decidedBy}
        {timeline}
        {rest}
      </div>
    );
  return (
    <div class="letter-grid">
      <div class="stack">
        {answer}
        {timeline}
      </div>
      <div class="stack">
        {decidedBy}
        {rest}
      </div>
    </div>
  );
}

function VerdictCard(props: { detail: LetterDetail }) {
  const { letter, verdictWords, verdictEvidence } = props.detail;
  if (letter.verdict === undefined) return null;
  return (
    <section class="card card-body stack-tight" aria-labelledby="verdict-title">
      <h2 id="verdict-title">Verdict</h2>
      <p>
        <VerdictBadge verdict={letter.verdict} />
      </p>
      {verdictWords !== undefined && <p class="sentence">{verdictWords}</p>}
      {verdictEvidence !== undefined && (
        <p class="muted sentence">
          <LongText text={verdictEvidence} />
        </p>
      )}
    </section>
  );
}

function FactsCard(props: { detail: LetterDetail }) {
  const { letter, trimmedAt, requestIds } = props.detail;
  return (
    <section class="card card-body stack-tight" aria-labelledby="facts-title">
      <h2 id="facts-title">Record</h2>
      <dl class="facts">
        <dt>Dead letter</dt>
        <dd class="row copy-line">
          <Upstream text={letter.id} mono />
          <CopyButton text={letter.id} what="id of the dead letter" />
        </dd>
        <dt>Job</dt>
        <dd>
          <a href={to.find(letter.jobId, letter.destination)}>
            <Upstream text={letter.jobId} mono />
          </a>
        </dd>
        {letter.enqueuedAt !== undefined && (
          <>
            <dt>Enqueued</dt>
            <dd>
              <Time at={letter.enqueuedAt} />
            </dd>
          </>
        )}
        {requestIds.length > 1 && (
          <>
            <dt>request_ids</dt>
            <dd>
              <CopyButton text={requestIds.join('\n')} what={`${requestIds.length} request_ids`}>
                {`Copy ${requestIds.length} request_ids`}
              </CopyButton>
            </dd>
          </>
        )}
        {trimmedAt !== undefined && (
          <>
            <dt>Retention takes it</dt>
            <dd>
              <Time at={trimmedAt} />
            </dd>
          </>
        )}
      </dl>
    </section>
  );
}
