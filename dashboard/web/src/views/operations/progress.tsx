// How far an operation is: done, refused or skipped, failed or dead again, and what is to come.
import type { Operation } from '../../../../api/contract/operations.ts';
import { ACT_WORDS, handledOf, progressWords } from '../../logic/operation-words.ts';

export function Progress({ operation }: { operation: Operation }) {
  const { counts, after, total } = operation;
  const parts = [
    ['good', Math.max(0, counts.done - after.dead)],
    ['warn', counts.refused + counts.handled + counts.missing],
    ['bad', counts.failed + after.dead],
  ] as const;
  return (
    <div
      class="progress"
      role="progressbar"
      aria-label={`Progress of ${ACT_WORDS[operation.act].toLowerCase()}`}
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={handledOf(operation)}
      aria-valuetext={progressWords(operation)}
    >
      {parts.map(([tone, count]) => (
        <span key={tone} class={`progress-${tone}`} style={{ width: `${total === 0 ? 0 : (count / total) * 100}%` }} />
      ))}
    </div>
  );
}
