// Builds the page into dashboard/page, from where the server serves it. Everything is a file of its own, for the content
// security policy allows neither an inline script nor an inline style; everything is relative to <base href>.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../page',
    emptyOutDir: true,
    target: 'es2023',
    // `light-dark()` is kept as it is written.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // A data: address would be forbidden by the policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:4560' } },
});
