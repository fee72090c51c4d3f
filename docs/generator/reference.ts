// The pages of docs/reference/, each made from the code that it is about.
import { commandsPage } from './commands.ts';
import { configurationPage } from './configuration.ts';
import { errorsPage } from './error-codes.ts';
import { logFieldsPage } from './log-fields.ts';

export const FOLDER = new URL('../reference/', import.meta.url);

/** @returns each file's name and text */
export async function referencePages(): Promise<Record<string, string>> {
  return {
    'cli.md': commandsPage(),
    'configuration.md': configurationPage(),
    'errors.md': await errorsPage(),
    'log-fields.md': await logFieldsPage(),
  };
}
