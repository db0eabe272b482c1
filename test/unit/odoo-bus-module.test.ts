import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/repository.js';

/** As much of Odoo's bus as the module touches: a dispatcher's loop whose connection is lost at its first turn. */
const BUS = `import threading
import psycopg2

class ImDispatch(threading.Thread):
    turns = 0

    def __init__(self):
        super().__init__(daemon=True)
        self._channels_to_ws = {}

    def loop(self):
        ImDispatch.turns += 1
        if ImDispatch.turns == 1:
            raise psycopg2.OperationalError('SSL connection has been closed unexpectedly')
        listens.set()

    def run(self):
        try:
            self.loop()
        except Exception:
            print('sleeps 50 s')

listens = threading.Event()
stop_event = threading.Event()
`;

const PSYCOPG2 = `import types, sys

class Error(Exception): pass
class OperationalError(Error): pass

extensions = types.ModuleType('psycopg2.extensions')
extensions.get_wait_callback = lambda: None
sys.modules['psycopg2.extensions'] = extensions
`;

/** A browser is there at once: the dispatcher starts in the moment in which the bus is loaded. */
const MAIN = `import importlib, threading
import odoo_prov_bus
odoo_prov_bus.RETRY = 0
odoo_prov_bus.CATCH_UP = (0.05,)
odoo_prov_bus.post_load()
from odoo.addons.bus.models import bus
woken = threading.Event()

class Websocket:
    def trigger_notification_dispatching(self):
        woken.set()

dispatcher = bus.ImDispatch()
dispatcher._channels_to_ws = {'a channel': {Websocket()}}
dispatcher.start()
print('listens again', bus.listens.wait(5))
print('websockets look', woken.wait(5))
`;

const python = spawnSync('python3', ['--version']).status === 0;

describe('the module that brings the bus back', () => {
  it.skipIf(!python)('is in place before the first browser can start the dispatcher', () => {
    const folder = mkdtempSync(join(tmpdir(), 'odoo-prov-bus-'));
    try {
      const models = join(folder, 'odoo/addons/bus/models');
      mkdirSync(models, { recursive: true });
      for (const each of ['odoo', 'odoo/addons', 'odoo/addons/bus', 'odoo/addons/bus/models'])
        writeFileSync(join(folder, each, '__init__.py'), '');
      writeFileSync(join(models, 'bus.py'), BUS);
      writeFileSync(join(folder, 'psycopg2.py'), PSYCOPG2);
      const modules = join(repositoryRoot, 'templates/odoo-bus');
      const end = spawnSync('python3', ['-B', '-c', MAIN], {
        encoding: 'utf8',
        timeout: 30_000,
        env: { ...process.env, PYTHONPATH: `${folder}:${modules}` },
      });
      expect(end.stderr.replace(/^The bus lost its database.*\n/, '')).toBe('');
      expect(end.stdout).toBe('listens again True\nwebsockets look True\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
