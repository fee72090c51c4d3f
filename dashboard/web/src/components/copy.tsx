// Copies text, also where the page came by plain http and the browser has no clipboard for it.
import { useState } from 'preact/hooks';
import { Button } from './button.tsx';
import { toast } from './toast.tsx';

export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** Needs no secure context, and answers false where even this is forbidden. */
function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'unseen';
  area.setAttribute('aria-hidden', 'true');
  const focus = document.activeElement;
  // Outside an open dialog nothing can be selected.
  (document.querySelector('dialog[open]') ?? document.body).append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (focus instanceof HTMLElement) focus.focus();
  return done;
}

/** @param what is copied, for the name of the button and for what is said: "request_id" */
export function CopyButton(props: { text: string; what: string; children?: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    const done = await copyText(props.text);
    toast(
      done ? `Copied: ${props.what}` : `Could not copy the ${props.what}: select it by hand`,
      done ? 'good' : 'bad',
    );
    setCopied(done);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <Button small label={`Copy ${props.what}`} onClick={() => void copy()}>
      {copied ? 'Copied' : (props.children ?? 'Copy')}
    </Button>
  );
}
