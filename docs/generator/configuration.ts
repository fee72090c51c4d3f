// docs/reference/configuration.md, from the configuration's schema and the environment variables that reach into it.
import { z } from 'zod';
import { ENVIRONMENT_HELP, readEnvironment } from '../../cli/config-env.ts';
import { schema } from '../../core/config-schema.ts';
import { code, GENERATED, table } from './markdown.ts';

type Node = z.core.JSONSchema.JSONSchema;

interface Setting {
  /** `destinations.NAME.retry.baseMs` */
  path: string;
  node: Node;
  required: boolean;
}

const INTRODUCTION = `# Configuration

Every setting. A file (\`waybill.config.ts\`, \`.mjs\` or \`.json\`), the environment and flags are read in this order, the
later over the earlier; what none of them says has its default. A misspelt name is an error, and all errors are told at once.
How to use them: [configure](../guide/configure.md).

In place of \`REDIS_URL\` and of each \`REDIS_…PASSWORD\` there may be a variable of that name and \`_FILE\`, which names a file that holds the value.`;

const SECTIONS: Record<string, string> = {
  redis: 'Where the queue is. More: [Redis](../redis.md).',
  destinations:
    '`NAME` is yours. Workers and applications know the API by it; it is in the names of the keys in Redis, so that another name is another queue.',
  worker: 'Of every worker process.',
  health: 'More: [observability](../observability.md).',
  dashboard:
    'Of `waybill dashboard` and of a mounted one. Who may sign in stands in `WAYBILL_DASHBOARD_TOKENS`, and not here. More: [the dashboard](../guide/dashboard.md).',
  log: '',
};

export function configurationPage(): string {
  const settings = settingsOf(z.toJSONSchema(schema, { io: 'input' }), '', true);
  const undescribed = settings.filter(({ node }) => !node.description);
  if (undescribed.length > 0) throw new Error(`no .describe() for ${undescribed.map(({ path }) => path).join(', ')}`);
  const sections = Object.keys(schema.shape).map((name) => {
    const note = SECTIONS[name];
    if (note === undefined) throw new Error(`no words for the section ${name}`);
    const own = settings.filter(({ path }) => path === name || path.startsWith(`${name}.`));
    return [`## ${name}`, note, settingsTable(own)].filter(Boolean).join('\n\n');
  });
  return [GENERATED, INTRODUCTION, ...sections].join('\n\n');
}

function settingsTable(settings: readonly Setting[]): string {
  const variables = variablesBySetting();
  const fromEnvironment = settings.some(({ path }) => variables.has(path));
  const header = ['setting', 'value', 'default', ...(fromEnvironment ? ['environment'] : []), 'meaning'];
  const rows = settings.map(({ path, node, required }) => [
    code(path),
    allowed(path, node),
    required ? 'required' : defaultOf(path, node),
    ...(fromEnvironment ? [(variables.get(path) ?? []).map(code).join(' ')] : []),
    node.description ?? '',
  ]);
  return table(header, rows);
}

function settingsOf(node: Node, path: string, required: boolean): Setting[] {
  const { properties, additionalProperties } = node;
  const inner = (name: string): string => (path === '' ? name : `${path}.${name}`);
  // A section whose parts all have defaults needs no row of its own.
  const own = node.description === undefined ? [] : [{ path, node, required }];
  if (properties) {
    const needed = new Set(node.required);
    const parts = Object.entries(properties).flatMap(([name, part]) =>
      settingsOf(part as Node, inner(name), needed.has(name)),
    );
    return [...own, ...parts];
  }
  if (typeof additionalProperties === 'object')
    return [...own, ...settingsOf(additionalProperties, inner('NAME'), false)];
  return [{ path, node, required }];
}

const FORMATS: Record<string, string> = {
  ipv4: 'IPv4 address',
  ipv6: 'IPv6 address',
  cidrv4: 'IPv4 network',
  cidrv6: 'IPv6 network',
};

/** In words: type, range, unit. */
function allowed(
  path: string,
  { type, anyOf, format, enum: names, minimum, maximum, minLength, maxLength, items }: Node,
): string {
  if (names) return names.map((name) => code(String(name))).join(', ');
  if (anyOf) return anyOf.map((node) => allowed(path, node)).join(' or ');
  if (format !== undefined) return FORMATS[format] ?? format;
  switch (type) {
    case undefined:
    case 'boolean':
    case 'null':
      break;
    case 'integer':
      return `${path.endsWith('Ms') ? 'ms' : 'whole number'}, ${range(path, minimum, maximum)}`;
    case 'number':
      return `number, ${range(path, minimum, maximum)}`;
    case 'array':
      return `list of: ${allowed('', items as Node)}`;
    case 'object':
      return 'object';
    case 'string':
      return maxLength === undefined ? 'text' : `text, ${minLength ?? 0} to ${maxLength} characters`;
  }
  throw new Error(`${path}: a setting of the type ${String(type)} cannot be told yet`);
}

const range = (path: string, low?: number, high?: number): string => `${shown(path, low)} to ${shown(path, high)}`;

function shown(path: string, value: unknown): string {
  const text = String(value);
  return path.endsWith('Ms') && typeof value === 'number' && value >= 1000 ? `${text} (${span(value)})` : text;
}

/** The largest unit that leaves a whole number. */
function span(ms: number): string {
  const units = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1000, 's'],
  ] as const;
  const [size, name] = units.find(([unitMs]) => ms % unitMs === 0) ?? [1, 'ms'];
  return `${ms / size} ${name}`;
}

function defaultOf(path: string, { default: value }: Node): string {
  if (value === undefined) return '';
  return typeof value === 'object' || typeof value === 'string' ? code(JSON.stringify(value)) : shown(path, value);
}

/** What some variables need beside them. */
const FILE = { redis: { waitForReplicas: {} } };

/** Found by asking what each variable that the help names would set. */
function variablesBySetting(): Map<string, string[]> {
  const names = new Set(ENVIRONMENT_HELP.match(/\b(?:REDIS|WAYBILL)_[A-Z_]+\b/g));
  const found = new Map<string, string[]>();
  for (const name of names) {
    for (const { path } of readEnvironment({ [name]: '1' }, FILE).overrides) {
      found.set(path.join('.'), [...(found.get(path.join('.')) ?? []), name]);
    }
  }
  return found;
}
