// A dry run: how many, what the rules refuse and why, the verdicts, the first key that ends, a few of the letters.
import type { Verdict } from '../../../../../core/verdict.ts';
import type { Plan } from '../../../../api/contract/operations.ts';
import { VerdictBadge } from '../../components/badge.tsx';
import { Note } from '../../components/notes.tsx';
import { Countdown, Time } from '../../components/time.tsx';
import { Upstream } from '../../components/upstream.tsx';
import { counted, countWords, numberWords } from '../../logic/number-words.ts';

export function PlanShown({ plan }: { plan: Plan }) {
  const part = plan.examined < plan.count;
  const refused = plan.refused.reduce((sum, each) => sum + each.count, 0);
  return (
    <section class="stack-tight plan" aria-label="Dry run" aria-live="polite">
      <div class="figures">
        <Figure name="meant" value={countWords(plan.count, plan.atLeast)} />
        <Figure
          name={part ? `allowed, of ${numberWords(plan.examined)} looked at` : 'allowed'}
          value={numberWords(plan.allowed)}
        />
        <Figure name="refused" value={numberWords(refused)} />
        {plan.doubles > 0 && <Figure name="may be applied twice" value={numberWords(plan.doubles)} />}
      </div>
      <div class="row">
        {(Object.entries(plan.verdicts) as [Verdict, number][]).map(([verdict, count]) => (
          <VerdictBadge key={verdict} verdict={verdict} count={numberWords(count)} />
        ))}
        {plan.firstKeyEndsAt !== undefined && (
          <span class="small">
            the first key ends in <Countdown until={plan.firstKeyEndsAt} after="no time: it ended" />
          </span>
        )}
      </div>
      {plan.refused.map(({ refusal, because, count }) => (
        <Note key={refusal} tone="warn">
          <strong>{numberWords(count)} refused</strong>
          <span>{because}</span>
        </Note>
      ))}
      {plan.advice.map(({ text, count }) => (
        <Note key={text}>
          <strong>{numberWords(count)}</strong>
          <span>{text}</span>
        </Note>
      ))}
      {plan.sample.length > 0 && (
        <details>
          <summary>{counted(plan.sample.length, 'letter')} of them</summary>
          <ul class="sample">
            {plan.sample.map((row) => (
              <li key={row.id}>
                <Upstream text={`${row.method ?? ''} ${row.path ?? row.id}`} mono />
                <span class="small muted">
                  {row.code !== undefined && <Upstream text={row.code} mono />} <Time at={row.deadAt} />
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function Figure(props: { name: string; value: string }) {
  return (
    <div>
      <div class="figure-value">{props.value}</div>
      <div class="small muted">{props.name}</div>
    </div>
  );
}
