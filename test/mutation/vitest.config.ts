// The tests of core/ alone, for the mutation tests: they are pure, so that neither Redis nor the page is brought up.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // A run has one mutant: its files may share a worker, which takes half the time. The next run has a worker of its own.
    isolate: false,
    // A few files while one rule is worked on: what a module does when it is loaded is tried against all of them. Stryker's
    // own --testFiles switches a mutant on too late for that, and calls it survived.
    include: process.env.MUTATION_TESTS?.split(',') ?? ['test/core/**/*.test.ts'],
    setupFiles: ['test/mutation/fewer-runs.ts'],
    // A mutant that loops is Stryker's to time out.
    testTimeout: 60_000,
  },
});
