// Bundles clients/js into one file that pages import from the server: `node scripts/client.js <folder>`.

import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const [outDir] = process.argv.slice(2);
const root = fileURLToPath(new URL('../../clients/js/', import.meta.url));

await build({
  configFile: false,
  root,
  logLevel: 'warn',
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2022',
    // A library of modules keeps its white space unless the output itself is minified.
    rolldownOptions: { output: { minify: true } },
    lib: { entry: 'src/index.ts', formats: ['es'], fileName: () => 'snackbase.js' },
  },
});
