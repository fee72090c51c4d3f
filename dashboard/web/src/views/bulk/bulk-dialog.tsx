// Bulk replay, discard and restore: what would be done, then why and how fast, then a typed confirmation; it creates the
// operation and goes to it.
import { useLocation } from 'preact-iso';
import { useState } from 'preact/hooks';
import { DEFAULT_RATE, DEFAULT_STOP_SHARE } from '../../../../../core/bulk.ts';
import type { CreateRequest, Plan, PlanRequest } from '../../../../api/contract/operations.ts';
import { ApiError, call } from '../../api/client.ts';
import { useLoad } from '../../api/load.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Field, Segments } from '../../components/field.tsx';
import { ErrorNote, Skeleton } from '../../components/notes.tsx';
import { missingIn, type Typed } from '../../logic/bulk-confirm.ts';
import { newUuid } from '../../logic/new-uuid.ts';
import { to } from '../../routes.ts';
import { PlanShown } from './plan-shown.tsx';

export interface BulkStart extends Pick<PlanRequest, 'act' | 'destination' | 'target'> {
  /** "412 dead letters of RATE_LIMITED", for the title. */
  what: string;
}

const TITLES = { replay: 'Replay', discard: 'Discard', restore: 'Restore' };
const START: Typed = {
  reason: '',
  count: '',
  phrase: '',
  rate: String(DEFAULT_RATE),
  stopPercent: String(DEFAULT_STOP_SHARE * 100),
};

export function Bulk(props: { start: BulkStart; onClose: () => void }) {
  const { act, destination, target, what } = props.start;
  const { route } = useLocation();
  // A second press after an answer that was lost finds the operation of the first.
  const [id] = useState(newUuid);
  const [options, setOptions] = useState({ newKey: false, acceptDouble: false, ignoreExpiry: false });
  const [steps, setSteps] = useState<CreateRequest['steps']>('all');
  const [typed, setTyped] = useState(START);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const request: PlanRequest = { act, destination, target, ...options };
  const plan = useLoad(JSON.stringify(options), (signal) => call('planOperation', { body: request, signal }));
  const current = plan.loading ? undefined : plan.data;
  const missing = current ? missingIn(typed, current) : {};
  const told = (name: keyof Typed): string | undefined => (tried ? missing[name] : undefined);
  const type = (name: keyof Typed) => (event: { currentTarget: HTMLInputElement | HTMLTextAreaElement }) =>
    setTyped({ ...typed, [name]: event.currentTarget.value });

  const create = async (): Promise<void> => {
    if (!current || busy || current.allowed === 0) return;
    setTried(true);
    if (Object.keys(missing).length > 0) return;
    setBusy(true);
    setError(undefined);
    try {
      const { count, phrase } = current.confirm;
      const operation = await call('createOperation', {
        body: {
          ...request,
          id,
          frozenAt: current.frozenAt,
          reason: typed.reason.trim(),
          rate: Number(typed.rate),
          steps: act === 'replay' ? steps : 'all',
          stopShare: act === 'replay' ? Number(typed.stopPercent) / 100 : 1,
          confirm: { ...(count !== undefined && { count }), ...(phrase !== undefined && { phrase }) },
        },
      });
      props.onClose();
      route(to.operation(operation.destination, operation.id));
    } catch (thrown) {
      setError(thrown instanceof ApiError ? thrown : new ApiError(0, 'PAGE_ERROR', String(thrown)));
      setBusy(false);
    }
  };
  const nothing = current !== undefined && current.allowed === 0;
  return (
    <Dialog
      title={`${TITLES[act]} ${what}`}
      onClose={props.onClose}
      onSubmit={() => void create()}
      foot={
        <>
          <Button onClick={props.onClose}>Cancel</Button>
          <Button
            type="submit"
            look={act === 'discard' ? 'danger-fill' : 'primary'}
            busy={busy}
            disabledBecause={blockedBecause(current, nothing)}
          >
            {current && !nothing ? doWords(act, current) : TITLES[act]}
          </Button>
        </>
      }
    >
      {plan.error && <ErrorNote error={plan.error} retry={plan.reload} />}
      {!current && !plan.error && <Skeleton lines={4} label="Looking at what would be done" />}
      {current && <PlanShown plan={current} />}
      {act === 'replay' && (
        <fieldset>
          <legend>Which key is sent</legend>
          <label class="choice">
            <input
              type="radio"
              name="key"
              checked={!options.newKey}
              onChange={() => setOptions({ ...options, newKey: false })}
            />
            <span>
              Its own <span class="muted">· what was applied already is not applied again</span>
            </span>
          </label>
          <label class="choice">
            <input
              type="radio"
              name="key"
              checked={options.newKey}
              onChange={() => setOptions({ ...options, newKey: true })}
            />
            <span>
              A new one each <span class="muted">· for the API they are other writes</span>
            </span>
          </label>
          <label class="choice">
            <input
              type="checkbox"
              checked={options.acceptDouble}
              onChange={(event) => setOptions({ ...options, acceptDouble: event.currentTarget.checked })}
            />
            Also those that may then be applied twice
          </label>
          <label class="choice">
            <input
              type="checkbox"
              checked={options.ignoreExpiry}
              onChange={(event) => setOptions({ ...options, ignoreExpiry: event.currentTarget.checked })}
            />
            Also those whose own expiry has passed
          </label>
        </fieldset>
      )}
      <Field label="Reason" error={told('reason')} hint="Stands in the audit, with your name.">
        {(control) => <textarea {...control} rows={2} maxLength={1000} value={typed.reason} onInput={type('reason')} />}
      </Field>
      {(current?.count ?? 0) > 1 && (
        <div class="fields">
          <Field label="Items a second" hint="0.1 to 1000" error={told('rate')}>
            {(control) => <input {...control} inputMode="decimal" value={typed.rate} onInput={type('rate')} />}
          </Field>
          {act === 'replay' && (
            <Field
              label="Stops at failures, %"
              hint="of the replayed that ended; asked from the fifth ended write on; a quick run can be far by then: take canary steps"
              error={told('stopPercent')}
            >
              {(control) => (
                <input {...control} inputMode="decimal" value={typed.stopPercent} onInput={type('stopPercent')} />
              )}
            </Field>
          )}
        </div>
      )}
      {act === 'replay' && (current?.count ?? 0) > 1 && (
        <Segments
          label="How"
          name="steps"
          options={[
            ['all', 'All at once'],
            ['canary', 'Canary: 1, then 10 %, then the rest'],
          ]}
          value={steps}
          onChange={setSteps}
        />
      )}
      {current?.confirm.count !== undefined && (
        <Field label={`Type ${current.confirm.count} to confirm how many`} error={told('count')}>
          {(control) => (
            <input {...control} inputMode="numeric" autocomplete="off" value={typed.count} onInput={type('count')} />
          )}
        </Field>
      )}
      {current?.confirm.phrase !== undefined && (
        <Field
          label={`Type “${current.confirm.phrase}” to accept it`}
          hint="Some of these may have been applied already, and the API would apply them again."
          error={told('phrase')}
        >
          {(control) => <input {...control} autocomplete="off" value={typed.phrase} onInput={type('phrase')} />}
        </Field>
      )}
      {error && <ErrorNote error={error} />}
    </Dialog>
  );
}

const doWords = (act: Plan['act'], plan: Plan): string => `${TITLES[act]} ${plan.count}`;

function blockedBecause(plan: Plan | undefined, nothing: boolean): string | undefined {
  if (!plan) return 'What would be done is being looked at.';
  return nothing ? 'None of these may be done.' : undefined;
}
