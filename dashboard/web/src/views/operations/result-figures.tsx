// Items by result, and what became of the replayed writes.
import type { Operation } from '../../../../api/contract/operations.ts';
import { numberWords } from '../../logic/number-words.ts';
import { handledOf, RESULT_WORDS } from '../../logic/operation-words.ts';

export function ResultFigures({ operation }: { operation: Operation }) {
  const { counts, after } = operation;
  const figures: (readonly [string, number, boolean])[] = [
    [RESULT_WORDS.done, counts.done, true],
    [RESULT_WORDS.refused, counts.refused, counts.refused > 0],
    [RESULT_WORDS.handled, counts.handled, counts.handled > 0],
    [RESULT_WORDS.missing, counts.missing, counts.missing > 0],
    [RESULT_WORDS.failed, counts.failed, counts.failed > 0],
    [RESULT_WORDS.pending, operation.total - handledOf(operation), true],
  ];
  return (
    <div class="stack">
      <Figures figures={figures} />
      {operation.act === 'replay' && (
        <div class="stack-tight">
          <h2>What became of the writes</h2>
          <Figures
            figures={[
              ['delivered', after.delivered, true],
              ['dead again', after.dead, true],
              ['under way', after.underway, true],
            ]}
            bad={after.dead > 0 ? 'dead again' : undefined}
          />
        </div>
      )}
    </div>
  );
}

/** @param props.bad the name of the one that is a failure */
function Figures(props: { figures: readonly (readonly [string, number, boolean])[]; bad?: string | undefined }) {
  return (
    <div class="figures">
      {props.figures.map(
        ([name, value, shown]) =>
          shown && (
            <div key={name}>
              <div class={`figure-value${name === props.bad ? ' is-bad' : ''}`}>{numberWords(value)}</div>
              <div class="small muted">{name}</div>
            </div>
          ),
      )}
    </div>
  );
}
