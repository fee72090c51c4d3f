// What a replay asks of a person: the words "applied twice" where they are needed, a tick past the expiry, a reason.
import { ACCEPT_DOUBLE_PHRASE } from '../../../../../core/bulk.ts';
import type { Ruling } from '../../../../api/contract/letters.ts';
import { Field } from '../../components/field.tsx';
import { Note } from '../../components/notes.tsx';
import type { ReplayChoice } from './replay-choice.ts';

export function ReplayFields(props: {
  ruling: Ruling;
  choice: ReplayChoice;
  change: (part: Partial<ReplayChoice>) => void;
}) {
  const { ruling, choice, change } = props;
  return (
    <>
      {ruling.needsIgnoreExpiry && (
        <label class="choice">
          <input
            type="checkbox"
            checked={choice.ignoreExpiry}
            onChange={(event) => change({ ignoreExpiry: event.currentTarget.checked })}
          />
          <span>Send it although its own expiry has passed</span>
        </label>
      )}
      {ruling.needsAcceptDouble && (
        <Note tone="warn">
          <div class="stack-tight grow">
            <p>
              <strong>This may apply the write twice.</strong> No answer will settle afterwards whether it was.
            </p>
            <Field label={`Type “${ACCEPT_DOUBLE_PHRASE}” to accept that`}>
              {(control) => (
                <input
                  {...control}
                  autocomplete="off"
                  spellcheck={false}
                  value={choice.phrase}
                  onInput={(event) => change({ phrase: event.currentTarget.value })}
                />
              )}
            </Field>
          </div>
        </Note>
      )}
      <Field label="Reason" hint="Stands in the audit, beside your name.">
        {(control) => (
          <input
            {...control}
            maxLength={1000}
            autocomplete="off"
            value={choice.reason}
            onInput={(event) => change({ reason: event.currentTarget.value })}
          />
        )}
      </Field>
    </>
  );
}
