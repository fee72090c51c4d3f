// The kernel of the benchmarks. A benchmark is arms and a measurement; the kernel makes it fair:
//
//  - Rounds are interleaved: each arm once, in an order that turns by one place with every round, so that the machine's
//    mood is shared. A ratio is taken inside of each round; what is told is the median of the rounds, with least and most.
//  - Each arm runs in a process of its own that is new in each round (process.ts), from code built for this run
//    (build.ts), as users run it. Its module exports the functions that `measure` has called there: `fill`, `work`, …
//  - Upstream (upstream.ts), Redis (redis.ts) and, for whom it needs, PostgreSQL (postgres.ts) are the same for all arms.
//  - Warm-up and filling lie outside of the window, and the window is bounded by what the upstream has counted, never by
//    what an arm says of itself (delivering.ts: what most benchmarks want as their `measure`).
//  - Every wait has a limit and names what it waited for.
//
// How one is added: a file in bench/ that exports a Bench, an entry in bench/index.ts, and a mark in docs/performance.md.

/** What one round of one arm gave, by the name of the figure; what an arm cannot have is left out. */
export type Sample = Record<string, number>;

export interface Arm {
  /** Short, and what ratios name it by: `E`. */
  name: string;
  /** For people. */
  title: string;
  /** From the project's root: `bench/arms/waybill.ts`. */
  module: string;
  /** Handed to every function of the module. */
  params?: Record<string, unknown>;
  needs?: 'postgres';
}

/** How safe what is stored is against a loss of power: a table of its own for each. */
export type Safety = 'everysec' | 'always';

export interface Bench {
  /** Its name on the command line, of its result file and of its mark in docs/performance.md. */
  name: string;
  title: string;
  arms: readonly Arm[];
  /** Both when left out. */
  safeties?: readonly Safety[];
  /** What is published has so many; 7 when left out. */
  rounds?: number;
  /** The columns of its table, in this order; where they are more than fit on a line, its rows. */
  figures: readonly Figure[];
  ratios: readonly Ratio[];
  /** One round of one arm, on a world that was made empty. */
  measure(arm: Arm, world: World): Promise<Sample>;
}

export interface Figure {
  /** In Sample. */
  name: string;
  title: string;
  /** Decimal places; none when left out. */
  places?: number;
  /** What it is multiplied by to be shown. */
  times?: number;
}

export type Bound = { atMost: number } | { atLeast: number };

export interface Ratio {
  what: string;
  figure: string;
  /** The arm whose figure is divided … */
  of: string;
  /** … by that of this arm. The figure itself is bounded when left out. */
  to?: string;
  /** Another figure of `to`. */
  toFigure?: string;
  must?: Bound;
  stretch?: Bound;
  /** Of the one safety only; of all when left out. */
  safety?: Safety;
}

/** What the measured processes stand in. */
export interface World {
  redis: import('./redis.ts').BenchRedis;
  upstream: import('./upstream.ts').Upstream;
  /** Started when the first arm asks for it. */
  postgres: () => Promise<import('./postgres.ts').BenchPostgres>;
  /** For log files and the like; new in each round. What an arm prints goes to a file there. */
  dir: string;
  safety: Safety;
  /** The folder for processor profiles of the windows; none are taken when left out. */
  profiles?: string;
  /** Small counts, to see whether it runs. */
  quick: boolean;
}

/** What a function of an arm's module is called with, in the arm's process. JSON. */
export interface Task {
  redisUrl: string;
  upstreamUrl: string;
  postgresUrl?: string;
  dir: string;
  /** How many jobs; what that means is the function's. */
  count: number;
  concurrency: number;
  params: Record<string, unknown>;
}
