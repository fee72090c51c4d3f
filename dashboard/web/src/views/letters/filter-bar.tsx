// The filter as chips that can be taken away, and a form for all of its parts.
import { useState } from 'preact/hooks';
import { DEAD_REASONS } from '../../../../../core/decide.ts';
import { VERDICTS } from '../../../../../core/verdict.ts';
import { destinations } from '../../api/session.ts';
import { Button } from '../../components/button.tsx';
import { Field } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { timeWords, zone } from '../../components/time.tsx';
import { Upstream } from '../../components/upstream.tsx';
import { chipsOf, type Filter, isContradictory, readField, STATES, without } from '../../logic/filter-url.ts';
import { inputValueOf, instantOf } from '../../logic/time-words.ts';
import { REASON_WORDS, VERDICT_WORDS } from '../../logic/verdict-words.ts';

interface Props {
  filter: Filter;
  onChange: (filter: Filter) => void;
}

export function FilterBar(props: Props) {
  const { filter, onChange } = props;
  const [open, setOpen] = useState(false);
  const chips = chipsOf(filter, timeWords);
  return (
    <section class="stack-tight" aria-label="Filter">
      <div class="row">
        <button
          type="button"
          class="button button-small"
          aria-expanded={open}
          aria-controls="filter-form"
          onClick={() => setOpen(!open)}
        >
          Filter <Icon name={open ? 'up' : 'down'} />
        </button>
        {chips.map(({ field, name, value }) => (
          <span key={field} class="chip">
            <span>
              <span class="muted">{name}</span> <Upstream text={value} />
            </span>
            <button
              type="button"
              aria-label={`Remove the filter ${name}`}
              onClick={() => onChange(without(filter, field))}
            >
              <Icon name="close" />
            </button>
          </span>
        ))}
        {chips.length > 1 && (
          <button type="button" class="link-button small" onClick={() => onChange({})}>
            Clear the filters
          </button>
        )}
      </div>
      <div id="filter-form" hidden={!open}>
        {open && <FilterForm key={JSON.stringify(filter)} {...props} />}
      </div>
    </section>
  );
}

/** Typed by hand; those that are numbers get a telephone's number keys. */
const NUMERIC = { code: false, field: false, status: true, attempts: true, q: false };

function FilterForm(props: Props) {
  const [draft, setDraft] = useState(props.filter);
  const [wrong, setWrong] = useState<Partial<Record<keyof Filter, string>>>({});
  const clash = isContradictory(draft);
  const set = (field: keyof Filter, text: string): void => {
    const read = readField(field, text.trim());
    setWrong({ ...wrong, [field]: text.trim() !== '' && !(field in read) ? 'That is no possible value' : undefined });
    setDraft({ ...without(draft, field), ...read });
  };
  const typed = (field: keyof typeof NUMERIC, label: string, hint?: string) => (
    <Field label={label} hint={hint} error={wrong[field]}>
      {(control) => (
        <input
          {...control}
          type="text"
          inputMode={NUMERIC[field] ? 'numeric' : 'text'}
          defaultValue={String(props.filter[field] ?? '')}
          onInput={(event) => set(field, event.currentTarget.value)}
        />
      )}
    </Field>
  );
  const chosen = (field: keyof Filter, label: string, options: readonly (readonly [string, string])[]) => (
    <Field label={label} error={field === 'without' && clash ? 'The filter asks for one' : undefined}>
      {(control) => (
        <select
          {...control}
          value={String(draft[field] ?? '')}
          onChange={(event) => set(field, event.currentTarget.value)}
        >
          <option value="">any</option>
          {options.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
  const timed = (field: 'since' | 'before', label: string) => (
    <Field label={label} hint={zone.value === 'utc' ? 'UTC' : 'local time'}>
      {(control) => (
        <input
          {...control}
          type="datetime-local"
          defaultValue={props.filter[field] === undefined ? '' : inputValueOf(props.filter[field], zone.value)}
          onInput={(event) => {
            const at = instantOf(event.currentTarget.value, zone.value);
            setDraft({ ...without(draft, field), ...(at !== undefined && { [field]: at }) });
          }}
        />
      )}
    </Field>
  );
  return (
    <form
      class="card card-body stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (!clash && Object.values(wrong).every((each) => each === undefined)) props.onChange(draft);
      }}
    >
      <div class="fields">
        {chosen(
          'destination',
          'Destination',
          destinations.value.map((name) => [name, name] as const),
        )}
        <Field label="State">
          {(control) => (
            <select
              {...control}
              value={draft.state ?? 'open'}
              onChange={(event) => set('state', event.currentTarget.value)}
            >
              {STATES.map((state) => (
                <option key={state} value={state}>
                  {state}
                </option>
              ))}
            </select>
          )}
        </Field>
        {typed('code', 'Code', "exactly as the API wrote it, or a connection error's")}
        {typed('field', 'Field', 'that the details name')}
        {chosen('without', 'Without', [
          ['code', 'a code'],
          ['field', 'a field'],
          ['code,field', 'a code and a field'],
        ])}
        {typed('status', 'Status', '100 to 599')}
        {chosen(
          'reason',
          'Reason',
          DEAD_REASONS.map((reason) => [reason, REASON_WORDS[reason]] as const),
        )}
        {chosen(
          'verdict',
          'Verdict',
          VERDICTS.map((verdict) => [verdict, VERDICT_WORDS[verdict]] as const),
        )}
        {typed('attempts', 'Attempts', 'exactly so many')}
        {chosen('replayed', 'Replayed before', [
          ['yes', 'yes'],
          ['no', 'no'],
        ])}
        {timed('since', 'Died since')}
        {timed('before', 'Died before')}
        {typed('q', 'Text', 'a part of message, path or body')}
      </div>
      <div class="row">
        <Button type="submit" look="primary">
          Apply
        </Button>
        <Button onClick={() => props.onChange({})}>Clear the filters</Button>
      </div>
    </form>
  );
}
