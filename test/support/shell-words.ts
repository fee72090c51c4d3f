// The waybill commands in a block of shell, as documentation has them: no expansion, no nesting.

/** @returns the arguments of each `waybill` that the block runs */
export function commandsIn(block: string): string[][] {
  return block
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .flatMap(simpleCommands)
    .flatMap((command) => {
      const found = argumentsOf(command);
      return found ? [found] : [];
    });
}

/** The words of each command of a line, without its comment and redirections. */
function simpleCommands(line: string): string[][] {
  const commands: string[][] = [[]];
  for (const word of line.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []) {
    if (word.startsWith('#')) break;
    // What is behind a redirection is no argument either.
    if (/^(?:\||&&|;|\d?[<>].*)$/.test(word)) commands.push([]);
    else commands.at(-1)?.push(word.replaceAll(/^(['"])(.*)\1$/g, '$2'));
  }
  return commands;
}

/** What stands before `waybill` where it is run, and is not an image's or a folder's name. */
const RUNNERS = [undefined, 'npx', '-s', '--', 'worker'];

function argumentsOf(command: readonly string[]): string[] | undefined {
  const words = command.filter((word, i) => i > command.indexOf('waybill') || !/^[A-Z_]+=/.test(word));
  const at = words.indexOf('waybill');
  if (at < 0 || !RUNNERS.includes(words[at - 1])) return undefined;
  return words.slice(words[at + 1] === '--' ? at + 2 : at + 1);
}
