// How the console is built: for /console/, with nothing in it that another build would not have, and with names
// that hold the digest of what is in a file, so that browsers keep it.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { change, inLayers } from './changes.mjs';
import { notices } from './notices.mjs';

const here = dirname(fileURLToPath(import.meta.url));

export default defineConfig({
  root: here,
  base: '/console/',
  publicDir: false,
  cacheDir: join(here, '..', 'node_modules', '.cache', 'console'),
  logLevel: 'warn',
  plugins: [inLayers(), change(), notices()],
  build: {
    outDir: join(here, '..', 'out', 'console'),
    emptyOutDir: true,
    target: ['chrome125', 'firefox128', 'safari18'],
    assetsInlineLimit: 0, // the policy takes nothing that stands in the text
    modulePreload: { polyfill: false }, // it would be a script in the page
    reportCompressedSize: false,
    rolldownOptions: {
      checks: { moduleLevelDirective: false }, // "use client" means nothing here
      output: {
        hashCharacters: 'hex',
        entryFileNames: 'assets/[name]-[hash:16].js',
        chunkFileNames: 'assets/[name]-[hash:16].js',
        assetFileNames: 'assets/[name]-[hash:16][extname]',
      },
    },
  },
});
