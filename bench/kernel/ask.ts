// Questions to a process of the benchmark, over its IPC channel: each is answered, refused or given up within a limit.
import type { ChildProcess } from 'node:child_process';

type Handlers = Record<string, (...args: never[]) => unknown>;
interface Question {
  id: number;
  name: string;
  args: unknown[];
}
interface Answer {
  id: number;
  value?: unknown;
  error?: string;
}

/** In the asked process. A handler may take its time; its promise is the answer. */
export function answer(handlers: Handlers): void {
  process.on('message', ({ id, name, args }: Question) => {
    const send = (what: Omit<Answer, 'id'>): void => void process.send?.({ id, ...what });
    const said = async (): Promise<unknown> => (handlers[name] as (...all: unknown[]) => unknown)(...args);
    said().then(
      (value) => send({ value }),
      (error: unknown) => send({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  // Whoever asks is gone.
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
}

export type Ask = <T>(name: string, args: readonly unknown[], limitMs: number) => Promise<T>;

/** @param who for the messages of what goes wrong */
export function asking(child: ChildProcess, who: string): Ask {
  const open = new Map<number, (answer: Omit<Answer, 'id'>) => void>();
  let next = 0;
  let ended: string | undefined;
  child.on('message', ({ id, ...said }: Answer) => open.get(id)?.(said));
  child.once('exit', (code, signal) => {
    ended = `${who} has ended (${signal ?? code})`;
    for (const settle of open.values()) settle({ error: ended });
  });
  return <T>(name: string, args: readonly unknown[], limitMs: number) =>
    new Promise<T>((resolve, reject) => {
      const id = next++;
      const settle = ({ value, error }: Omit<Answer, 'id'>): void => {
        clearTimeout(limit);
        open.delete(id);
        if (error === undefined) resolve(value as T);
        else reject(new Error(`${who}, asked for ${name}: ${error}`));
      };
      const limit = setTimeout(() => settle({ error: `no answer within ${limitMs} ms` }), limitMs);
      if (ended !== undefined) return settle({ error: ended });
      open.set(id, settle);
      child.send({ id, name, args }, (error) => error && settle({ error: error.message }));
    });
}
