// Looks for a credential in all that is kept of what an API said: in what Redis and the log have ever written.
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { formsOf } from './echoes.ts';

/** Longer than any form, however it is escaped. */
const TAIL = 1024;
/** So much of its beginning is as good as the whole of it. */
const BEGINNING = 12;

/** @returns tells whether a text holds one of the credentials: in any form, in any case, or its beginning */
export function finderOf(credentials: Iterable<string>): (text: string) => boolean {
  const sought = new Set(
    [...credentials].flatMap((credential) => [
      ...formsOf(credential).map((form) => bare(form.replaceAll('=', ''))),
      bare(inNumbers(credential)),
      bare(credential.slice(0, BEGINNING)),
    ]),
  );
  return (text) => {
    const said = bare(text);
    return [...sought].some((form) => said.includes(form));
  };
}

/** JSON within JSON has backslashes before its backslashes. */
const bare = (text: string): string => text.replaceAll('\\', '').toLowerCase();

/** As JSON may write it, `\u0063\u0068…`. */
const inNumbers = (text: string): string =>
  Array.from(text, (character) => `u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`).join('');

/** @returns a line for every file below the folder that holds one */
export async function leaksIn(folder: string, holds: (text: string) => boolean): Promise<string[]> {
  const found: string[] = [];
  for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    let tail = '';
    for await (const bytes of createReadStream(join(file.parentPath, file.name)) as AsyncIterable<Buffer>) {
      const text = tail + bytes.toString('latin1');
      if (holds(text)) {
        found.push(`${file.name} holds a credential that the API has echoed`);
        break;
      }
      tail = text.slice(-TAIL);
    }
  }
  return found;
}
