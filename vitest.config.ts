import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/redis.global.ts', 'test/support/page.global.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Most tests wait for processes and Redis, not for the processor: three files at once even on two cores.
    maxWorkers: 3,
  },
});
