// Mutation tests of core/: `npm run mutation` changes the rules in thousands of small ways, and each change must make a
// test of test/core/ fail. What survives is explained in survivors.md.

/** Git-ignored, and outside of every folder that the compiler, the linter and vitest look into. */
const SCRATCH = '.waybill/mutation';

export default {
  mutate: ['core/**/*.ts'],
  plugins: ['@stryker-mutator/vitest-runner', './test/mutation/words-for-people.js'],
  ignorers: ['words-for-people'],
  testRunner: 'vitest',
  vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
  coverageAnalysis: 'perTest',
  // Copied into the sandbox is what the tests of core/ need; a tsconfig.json would ask for a TypeScript older than ours.
  ignorePatterns: [
    '**',
    '!core/**',
    '!dashboard/api/shown/masking.ts',
    '!test/core/**',
    '!test/mutation/*.ts',
    '!package.json',
  ],
  concurrency: 2,
  // On a busy machine a test that is killed late is better than one that is called a timeout early.
  timeoutMS: 15_000,
  tempDirName: `${SCRATCH}/sandboxes`,
  incremental: true,
  incrementalFile: `${SCRATCH}/incremental.json`,
  reporters: ['clear-text', 'json', 'progress-append-only'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportMutants: true },
  jsonReporter: { fileName: `${SCRATCH}/report.json` },
  thresholds: { high: 95, low: 90, break: 90 },
  allowConsoleColors: false,
};
