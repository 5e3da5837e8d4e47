/** Builds the page that the server and the shell serve: dist/renderer, no source maps, relative paths. */
import { join } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  // No svelte.config.js: TypeScript in components needs no preprocessing.
  plugins: [svelte({ configFile: false })],
  build: {
    outDir: join(import.meta.dirname, '..', 'dist', 'renderer'),
    emptyOutDir: true,
    target: 'es2024',
    modulePreload: { polyfill: false },
    // The content security policy allows no data: fonts, and small files cost nothing on 127.0.0.1.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1000,
  },
});
