// Buttons, and links that look like one. `needs="operator"` disables it for who may not, and says why; so does
// `disabledBecause`. A disabled button keeps its place in the tab order, so that everybody meets the explanation.
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import type { Role } from '../../../../core/role.ts';
import { may } from '../api/session.ts';

type Look = 'primary' | 'danger' | 'danger-fill' | 'quiet' | 'plain';
const classes = (look: Look, small: boolean): string =>
  `button${look === 'plain' ? '' : ` button-${look}`}${small ? ' button-small' : ''}`;

export function Button(props: {
  children: ComponentChildren;
  onClick?: (event: MouseEvent) => void;
  look?: Look;
  small?: boolean;
  type?: 'button' | 'submit';
  /** It is being done: a second press does nothing. */
  busy?: boolean;
  needs?: Role;
  disabledBecause?: string | undefined;
  label?: string;
}) {
  const id = useId();
  const { look = 'plain', small = false, needs, busy = false } = props;
  const because = needs && !may(needs) ? `Needs the role ${needs}.` : props.disabledBecause;
  const disabled = busy || because !== undefined;
  return (
    <>
      <button
        type={props.type ?? 'button'}
        class={classes(look, small)}
        aria-disabled={disabled ? 'true' : undefined}
        aria-busy={busy ? 'true' : undefined}
        aria-label={props.label}
        aria-describedby={because === undefined ? undefined : id}
        title={because}
        onClick={(event) => {
          if (disabled) event.preventDefault();
          else props.onClick?.(event);
        }}
      >
        {props.children}
      </button>
      {because !== undefined && (
        <span id={id} hidden>
          {because}
        </span>
      )}
    </>
  );
}

export function ButtonLink(props: {
  children: ComponentChildren;
  href: string;
  look?: Look;
  small?: boolean;
  /** Saved as a file, by this name or the server's. */
  download?: boolean | string;
  label?: string;
}) {
  return (
    <a
      class={classes(props.look ?? 'plain', props.small ?? false)}
      href={props.href}
      download={props.download}
      aria-label={props.label}
    >
      {props.children}
    </a>
  );
}
