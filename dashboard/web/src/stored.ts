// A signal that the browser keeps: theme, zone, keys. Where storage is forbidden it lasts as long as the page.
import { type Signal, effect, signal } from '@preact/signals';

export function stored<T extends string>(name: string, allowed: readonly T[], start: T): Signal<T> {
  const kept = read(name);
  const value = signal(allowed.find((each) => each === kept) ?? start);
  effect(() => {
    write(name, value.value);
  });
  return value;
}

function read(name: string): string | null {
  try {
    return localStorage.getItem(`waybill-${name}`);
  } catch {
    return null;
  }
}
function write(name: string, value: string): void {
  try {
    localStorage.setItem(`waybill-${name}`, value);
  } catch {
    // Then it is forgotten with the page.
  }
}
