// docs/reference/cli.md, from the commands themselves.
import type { Argument, Command, Option } from 'commander';
import { ENVIRONMENT_HELP } from '../../cli/config-env.ts';
import { EXIT_CODES, EXIT_CODES_HELP } from '../../cli/exit-codes.ts';
import type { Io } from '../../cli/io.ts';
import { buildProgram } from '../../cli/program.ts';
import { code, GENERATED, sentence, table } from './markdown.ts';

const INTRODUCTION = `# Command line

\`waybill COMMAND [flags]\`. In a checkout: \`npm run -s waybill -- COMMAND …\`; in a project that has Waybill installed: \`npx waybill COMMAND …\`.
Data goes to standard output, everything else to standard error, so that a pipe gets data alone.`;

const ENVIRONMENT_NOTE = `\`NO_COLOR\` turns colour off, as \`--no-color\` does; \`FORCE_COLOR\` turns it on where there is no terminal. A question is
asked on a terminal alone: without one the command ends with 2 and says which flag answers it.`;

export function commandsPage(): string {
  const program = theProgram();
  return [
    GENERATED,
    INTRODUCTION,
    '## Flags of every command',
    optionsTable(program),
    ...leavesOf(program).flatMap((command) => commandSection(command, program)),
    '## Exit codes',
    table(
      ['exit code', 'when'],
      EXIT_CODES.map(({ code: exit, when }) => [String(exit), when]),
    ),
    'Which error ends with which: [errors](errors.md).',
    '## Environment',
    fenced(ENVIRONMENT_HELP),
    ENVIRONMENT_NOTE,
    '',
  ].join('\n\n');
}

/** The commands as the executable builds them; nothing of the process is touched until one is run. */
export const theProgram = (): Command => buildProgram({} as Io, () => {});

/** The commands that do something, in the order of the help; hidden ones are the shell's business. */
function leavesOf(command: Command): Command[] {
  const visible = command
    .createHelp()
    .visibleCommands(command)
    .filter((inner) => inner.name() !== 'help');
  return visible.flatMap((inner) => (inner.commands.length > 0 ? leavesOf(inner) : [inner]));
}

function commandSection(command: Command, program: Command): string[] {
  const name = nameOf(command, program);
  const after = helpAfter(command);
  const options = optionsTable(command);
  const described = command.registeredArguments.filter(({ description, argChoices }) => description || argChoices);
  const values = described.map((argument) => [
    code(argument.name()),
    `${argument.description && sentence(argument.description)}${choicesOf(argument)}`,
  ]);
  return [
    `## ${name}`,
    code(
      ['waybill', name, ...command.registeredArguments.map(asTyped), options === '' ? '' : '[flags]']
        .filter(Boolean)
        .join(' '),
    ),
    sentence(command.description()),
    ...(values.length > 0 ? [table(['argument', 'meaning'], values)] : []),
    ...(options === '' ? [] : [options]),
    ...(after === '' ? [] : [fenced(after)]),
  ];
}

function nameOf(command: Command, program: Command): string {
  const { parent } = command;
  return parent === null || parent === program ? command.name() : `${nameOf(parent, program)} ${command.name()}`;
}

function asTyped(argument: Argument): string {
  const name = argument.name() + (argument.variadic ? '...' : '');
  return argument.required ? `<${name}>` : `[${name}]`;
}

function optionsTable(command: Command): string {
  const visible = command.options.filter(({ hidden }) => !hidden);
  if (visible.length === 0) return '';
  return table(
    ['flag', 'meaning'],
    visible.map((option) => [code(option.flags), sentence(option.description) + choicesOf(option) + defaultOf(option)]),
  );
}

const choicesOf = ({ argChoices }: Pick<Option, 'argChoices'>): string =>
  argChoices === undefined ? '' : ` One of ${argChoices.map(code).join(', ')}.`;

function defaultOf({ defaultValue, defaultValueDescription, negate }: Option): string {
  if (defaultValue === undefined || negate || (Array.isArray(defaultValue) && defaultValue.length === 0)) return '';
  return ` Default ${code(defaultValueDescription ?? String(defaultValue))}.`;
}

/** What a command's help says behind its options; commander gives it nowhere but in the whole. */
function helpAfter(command: Command): string {
  let whole = '';
  command.configureOutput({ writeOut: (text) => void (whole += text) });
  command.outputHelp();
  const texts = [ENVIRONMENT_HELP, EXIT_CODES_HELP].map((text) => text.trim());
  const own = whole.slice(command.helpInformation().length);
  return own.trim() === '' || texts.some((text) => own.includes(text)) ? '' : own;
}

const fenced = (text: string): string => `\`\`\`text\n${text.replaceAll(/^\n+|\s+$/g, '')}\n\`\`\``;
