// "12 new": what came is offered, and nothing moves until one asks for it.
import { counted, numberWords } from '../logic/number-words.ts';

export function NewsPill(props: { count: number; onShow: () => void }) {
  return (
    <div class="pill-line" aria-live="polite">
      {props.count > 0 && (
        <button
          type="button"
          class="pill"
          onClick={props.onShow}
          aria-label={`${counted(props.count, 'new dead letter')}: show`}
        >
          {numberWords(props.count)} new
        </button>
      )}
    </div>
  );
}
