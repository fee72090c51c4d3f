// One group: what is wrong, how often, since when, and what to do about it.
import type { Verdict } from '../../../../../core/verdict.ts';
import type { Group, GroupList } from '../../../../api/contract/letters.ts';
import { addressOf } from '../../api/client.ts';
import { Badge, VerdictBadge } from '../../components/badge.tsx';
import { Button, ButtonLink } from '../../components/button.tsx';
import { Spark } from '../../components/spark.tsx';
import { Time } from '../../components/time.tsx';
import { Upstream } from '../../components/upstream.tsx';
import { bulkFilter, type Filter, filterParams } from '../../logic/filter-url.ts';
import { groupFilter } from '../../logic/group-filter.ts';
import { counted, numberWords } from '../../logic/number-words.ts';
import { reasonWords } from '../../logic/verdict-words.ts';
import { to } from '../../routes.ts';
import type { BulkStart } from '../bulk/bulk-dialog.tsx';

export function GroupRow(props: {
  group: Group;
  list: GroupList;
  /** What was asked for: the destination and the time. */
  asked: Filter;
  onBulk: (start: BulkStart) => void;
}) {
  const { group, list } = props;
  const filter: Filter = { ...props.asked, ...groupFilter(group) };
  const name = group.code ?? 'no code';
  /** Two groups of one code are told apart by ear, too. */
  const named = group.field === undefined ? name : `${name}, field ${group.field}`;
  // Those of the same code and field that found no place in the group have them all the same.
  const more = list.other === 0 ? '' : `, and those like them among the ${numberWords(list.other)} in no group`;
  const start = (act: 'replay' | 'discard'): void =>
    props.onBulk({
      act,
      destination: group.destination,
      target: { filter: bulkFilter(filter) },
      what: `${counted(group.count, 'dead letter')} of ${name}${more}`,
    });
  return (
    <li class="group">
      <div class="group-name">
        <h2>
          <a href={to.letters(filter)}>{group.code === undefined ? 'No code' : <Upstream text={group.code} mono />}</a>
        </h2>
        <p class="row small">
          <span class="muted">{group.destination}</span>
          {group.field !== undefined && (
            <span class="group-field">
              <span class="muted">field </span>
              <Upstream text={group.field} mono />
            </span>
          )}
          {Object.keys(group.statuses).map((status) => (
            <Badge key={status} tone={Number(status) >= 500 ? 'bad' : 'plain'}>
              {status}
            </Badge>
          ))}
          <span class="muted">{Object.keys(group.reasons).map(reasonWords).join(', ')}</span>
        </p>
        {group.hint !== undefined && <p class="small">{group.hint}</p>}
      </div>
      <div class="group-verdicts">
        {(Object.entries(group.verdicts) as [Verdict, number][]).map(([verdict, count]) => (
          <VerdictBadge key={verdict} verdict={verdict} {...(count < group.count && { count: numberWords(count) })} />
        ))}
      </div>
      <div class="group-spark">
        <Spark counts={group.spark} from={list.sparkFrom} stepMs={list.sparkStepMs} />
        <p class="spread small muted">
          <span>
            first <Time at={group.firstAt} />
          </span>
          <span>
            last <Time at={group.lastAt} />
          </span>
        </p>
      </div>
      <div class="group-count">
        <span class="figure-value">{numberWords(group.count)}</span>
      </div>
      <div class="group-acts">
        <Button small needs="operator" label={`Replay group ${named}`} onClick={() => start('replay')}>
          Replay group
        </Button>
        <Button small needs="operator" label={`Discard group ${named}`} onClick={() => start('discard')}>
          Discard group
        </Button>
        <ButtonLink
          small
          look="quiet"
          download
          href={addressOf('bundle', {}, filterParams(filter))}
          label={`Support bundle of ${named}`}
        >
          Support bundle
        </ButtonLink>
      </div>
    </li>
  );
}
