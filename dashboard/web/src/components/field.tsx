// A labelled input, with a hint and an error that belong to it: `<Field label="Reason">{(props) => <input {...props} />}</Field>`.
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

interface Control {
  id: string;
  'aria-describedby'?: string;
  'aria-invalid'?: 'true';
}

export function Field(props: {
  label: string;
  hint?: ComponentChildren;
  error?: string | undefined;
  children: (control: Control) => ComponentChildren;
}) {
  const id = useId();
  const told = props.error ?? props.hint;
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      {props.children({
        id,
        ...(told !== undefined && { 'aria-describedby': `${id}-told` }),
        ...(props.error !== undefined && { 'aria-invalid': 'true' as const }),
      })}
      {told !== undefined && (
        <span id={`${id}-told`} class={props.error === undefined ? 'field-hint' : 'field-hint field-error'}>
          {told}
        </span>
      )}
    </div>
  );
}

/** One of a few, side by side: a radio group. */
export function Segments<T extends string>(props: {
  label: string;
  name: string;
  options: readonly (readonly [T, string])[];
  value: T;
  onChange: (value: T) => void;
}) {
  return (
    <fieldset>
      <legend>{props.label}</legend>
      <div class="segments">
        {props.options.map(([value, words]) => (
          <label key={value}>
            <input
              type="radio"
              name={props.name}
              value={value}
              checked={props.value === value}
              onChange={() => props.onChange(value)}
            />
            {words}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
