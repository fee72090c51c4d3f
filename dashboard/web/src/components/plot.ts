// uPlot, which comes when the first chart is shown.
import type uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

const KNOWN_LANGUAGE = 'en-GB';

/** @returns nothing where its file is gone, as after an update of the server */
export async function loadPlot(): Promise<typeof uPlot | undefined> {
  // It makes a number format of the browser's language as it is loaded, and some browsers name one that no format knows,
  // such as `en-US@posix`. Nothing that it formats is shown.
  if (!isKnown(navigator.language)) Object.defineProperty(navigator, 'language', { value: KNOWN_LANGUAGE });
  return import('uplot').then(
    (file) => file.default,
    () => undefined,
  );
}

function isKnown(language: string): boolean {
  try {
    return Intl.getCanonicalLocales(language).length > 0;
  } catch {
    return false;
  }
}
