/**
 * Bundles the shell: `main.js` runs in Electron's main process, `preload.cjs` before the page. The
 * preload script is CommonJS because sandboxed ones cannot be modules.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

const root = join(import.meta.dirname, '..');

export default defineConfig({
  root: import.meta.dirname,
  plugins: [packagedManifest()],
  build: {
    outDir: join(root, 'dist', 'electron'),
    target: 'node24',
    minify: false,
    copyPublicDir: false,
  },
  // Two formats need two builds, and the second one must not empty what the first one wrote.
  builder: {
    async buildApp(builder) {
      await builder.build(builder.environments['main']);
      await builder.build(builder.environments['preload']);
    },
  },
  environments: {
    main: shellPart('main.ts', 'main.js', 'es', true),
    preload: shellPart('preload.ts', 'preload.cjs', 'cjs', false),
  },
});

function shellPart(entry: string, file: string, format: 'es' | 'cjs', emptyOutDir: boolean) {
  return {
    consumer: 'server' as const,
    resolve: { noExternal: true as const, external: ['electron'] },
    build: {
      emptyOutDir,
      rolldownOptions: {
        input: join(import.meta.dirname, entry),
        output: { format, entryFileNames: file, codeSplitting: false },
      },
    },
  };
}

/**
 * The packaged core's package.json, which says that its files are modules and which version it is.
 * electron-builder keeps a file that is copied beside the archive out of the archive, so the app's own
 * one cannot be both.
 */
function packagedManifest(): Plugin {
  return {
    name: 'switchyard:packaged-manifest',
    applyToEnvironment: ({ name }) => name === 'main',
    generateBundle() {
      const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as object;
      const kept = ['name', 'version', 'description', 'license', 'private', 'type'];
      const entries = Object.entries(manifest).filter(([key]) => kept.includes(key));
      this.emitFile({
        type: 'asset',
        fileName: 'workbench.json',
        source: `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`,
      });
    },
  };
}
