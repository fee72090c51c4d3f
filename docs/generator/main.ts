// npm run docs: writes docs/reference/.
import { mkdir, writeFile } from 'node:fs/promises';
import { FOLDER, referencePages } from './reference.ts';

await mkdir(FOLDER, { recursive: true });
for (const [name, text] of Object.entries(await referencePages())) await writeFile(new URL(name, FOLDER), text);
