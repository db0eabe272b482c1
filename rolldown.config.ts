import { defineConfig } from 'rolldown';
import { precompiledTemplates } from './scripts/precompiled-templates.js';
import { thirdPartyNotices } from './scripts/third-party-notices.js';

/**
 * The command line as few files: reading and linking some 450 modules of ours and of libraries one by one took longer
 * than anything else that a run does before it connects. What a command imports lazily stays a file of its own.
 */
export default defineConfig({
  input: {
    main: 'src/cli/main.ts',
    // A process of its own: the lab starts it.
    'package-cache-server': 'src/lab/package-cache-server.ts',
    // For the test of the lab, which kills a process that is making one.
    lab: 'src/lab/index.ts',
  },
  platform: 'node',
  // ssh2 and ws try natively compiled helpers and work the same without them: there are none beside a bundle.
  external: [/\.node$/, 'bufferutil', 'utf-8-validate'],
  resolve: { alias: { 'cpu-features': false } },
  // Libraries in CommonJS use these names, which ES modules do not have.
  transform: {
    define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' },
  },
  output: {
    dir: 'dist',
    cleanDir: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    sourcemap: true,
  },
  plugins: [precompiledTemplates(), thirdPartyNotices()],
});
