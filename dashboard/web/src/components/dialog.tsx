// A modal dialog on the native element: the focus goes in, stays in, and returns to what had it before.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Icon } from './icon.tsx';

const FIRST_FIELD = '.dialog-body :is(input:not([type=radio]), input:checked, select, textarea):enabled';

export function Dialog(props: {
  title: ComponentChildren;
  children: ComponentChildren;
  /** Buttons, the main one last. */
  foot?: ComponentChildren;
  onClose: () => void;
  /** With it the dialog is a form: its submit button does it, and Enter. */
  onSubmit?: () => void;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const before = document.activeElement;
    const dialog = ref.current;
    dialog?.showModal();
    // By itself it would be the button that closes it.
    dialog?.querySelector<HTMLElement>(FIRST_FIELD)?.focus();
    return () => {
      dialog?.close();
      // What had the focus may be gone with what was done to it.
      if (before instanceof HTMLElement && before.isConnected) before.focus();
      else document.querySelector('main')?.focus();
    };
  }, []);
  const inside = (
    <>
      <div class="dialog-head">
        <h2 id={titleId}>{props.title}</h2>
        <button
          type="button"
          class="button button-quiet button-small"
          onClick={props.onClose}
          aria-label="Close dialog"
        >
          <Icon name="close" />
        </button>
      </div>
      <div class="dialog-body">{props.children}</div>
      {props.foot && <div class="dialog-foot">{props.foot}</div>}
    </>
  );
  const { onSubmit } = props;
  return (
    <dialog
      ref={ref}
      class="dialog"
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        props.onClose();
      }}
    >
      {onSubmit ? (
        <form
          class="dialog-form"
          onSubmit={(event) => {
            event.preventDefault();
            onSubmit();
          }}
        >
          {inside}
        </form>
      ) : (
        inside
      )}
    </dialog>
  );
}
