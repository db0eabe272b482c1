import { defineConfig } from 'rolldown';

/** The bench's programs, each with what it uses of ours; libraries stay where they are, so a floor is no bundle. */
export default defineConfig({
  input: {
    main: 'bench/main.ts',
    moves: 'bench/moves.ts',
    copies: 'bench/copies.ts',
    reads: 'bench/reads.ts',
    meter: 'bench/meter.ts',
    'floor-client': 'bench/floor-client.ts',
  },
  platform: 'node',
  external: [/^[^./]/],
  output: { dir: '.odoo-prov/bench', cleanDir: true },
});
