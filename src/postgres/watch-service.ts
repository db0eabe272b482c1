import { file, keyOf, unit } from '../resource/index.js';
import type { Resource } from '../resource/kind.js';

export interface WatchService {
  /** Of its unit. */
  readonly name: string;
  readonly description: string;
  /** Path of the program, which `watch` lets look after PostgreSQL for ever. */
  readonly program: string;
  /** Path of its configuration. */
  readonly config: string;
  /** The program's word to undo what it did, when it ends. */
  readonly atEnd?: string;
}

/**
 * The unit of a program of ours that looks after PostgreSQL on its host without odoo-prov. Whatever ends it, it is
 * started again; it is restarted for another program or configuration, which are resources of the caller.
 */
export function watchService(service: WatchService): readonly Resource[] {
  const { name, description, program, config, atEnd } = service;
  const unitFile = file({
    path: `/etc/systemd/system/${name}`,
    content: `# Written by odoo-prov.
[Unit]
Description=${description}
After=network-online.target

[Service]
ExecStart=${program} watch
${atEnd === undefined ? '' : `ExecStopPost=${program} ${atEnd}\n`}Restart=always
RestartSec=3

[Install]
WantedBy=multi-user.target
`,
  });
  return [
    unitFile,
    unit({ name, restartFor: [keyOf(unitFile), `file:${program}`, `file:${config}`] }),
  ];
}
