// The headers of a write, one line each, to change, take away and add.
import { Badge } from '../../components/badge.tsx';
import { Button } from '../../components/button.tsx';
import { Icon } from '../../components/icon.tsx';
import type { HeaderLine } from './draft.ts';

export function HeaderLines(props: {
  lines: readonly HeaderLine[];
  /** Names whose value is a mask. */
  masked: readonly string[];
  fault: string | undefined;
  onChange: (lines: HeaderLine[]) => void;
}) {
  const { lines, masked, onChange } = props;
  const put = (index: number, part: Partial<HeaderLine>): void =>
    onChange(lines.map((line, each) => (each === index ? { ...line, ...part } : line)));
  return (
    <fieldset>
      <legend>Headers</legend>
      {lines.length === 0 && <p class="muted small">None of its own.</p>}
      {lines.map((line, index) => (
        <div key={index} class="header-line">
          <input
            class="mono"
            aria-label={`Name of header ${index + 1}`}
            autocomplete="off"
            spellcheck={false}
            value={line.name}
            onInput={(event) => put(index, { name: event.currentTarget.value })}
          />
          <input
            class="mono"
            aria-label={`Value of ${line.name === '' ? `header ${index + 1}` : line.name}`}
            autocomplete="off"
            spellcheck={false}
            value={line.value}
            onInput={(event) => put(index, { value: event.currentTarget.value })}
          />
          {masked.includes(line.name) && <Badge tone="warn">masked</Badge>}
          <Button
            small
            look="quiet"
            label={`Take away ${line.name === '' ? `header ${index + 1}` : line.name}`}
            onClick={() => onChange(lines.filter((_, each) => each !== index))}
          >
            <Icon name="close" />
          </Button>
        </div>
      ))}
      <span>
        <Button small onClick={() => onChange([...lines, { name: '', value: '' }])}>
          Add a header
        </Button>
      </span>
      {props.fault !== undefined && (
        <span class="field-hint field-error" role="alert">
          {props.fault}
        </span>
      )}
    </fieldset>
  );
}
