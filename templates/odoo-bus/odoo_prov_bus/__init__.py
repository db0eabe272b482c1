# Part of odoo-prov. Copyright odoo-prov contributors. License LGPL-3.0-only, see LICENSE.
"""Brings Odoo's bus back soon after its database connection was lost.

Odoo's dispatcher, which LISTENs for notifications, sleeps 50 s after any error (``TIMEOUT`` in
``addons/bus/models/bus.py``, 16.0 to 19.0), and nobody is told what was sent meanwhile until the next
message comes. Here it listens again after :data:`RETRY` seconds, and then every open websocket looks for
what it has missed. The constant itself stays as it is: the bus also keeps messages by it.

It also makes ``PGCONNECT_TIMEOUT`` hold in the evented server: libpq counts it only where it waits itself, and
there gevent waits in its place, so that a dead host of the list would cost each new connection many seconds.

In odoo.conf of the evented server::

    server_wide_modules = base,rpc,web,odoo_prov_bus    ; 16.0 to 18.0: without rpc
"""
import functools
import importlib.abc
import importlib.machinery
import logging
import os
import socket
import sys
import threading
import time

import psycopg2
from psycopg2 import extensions

_logger = logging.getLogger(__name__)

# Seconds from a lost connection to the next attempt.
RETRY = 3
# Seconds from an attempt until websockets look for what they missed. By the first it listens, or has failed, if the
# database answers at once; by the last, if it had to wait for a PgBouncer that waits itself (query_wait_timeout).
CATCH_UP = (5, 15, 40)

BUS = 'odoo.addons.bus.models.bus'


def post_load():
    limit = float(os.environ.get('PGCONNECT_TIMEOUT') or 0)
    wait = extensions.get_wait_callback()
    if limit > 0 and wait is not None:
        extensions.set_wait_callback(_impatient(wait, limit))
    if BUS in sys.modules:
        _patch(sys.modules[BUS])
    else:
        sys.meta_path.insert(0, _PatchedBus())


class _PatchedBus(importlib.abc.MetaPathFinder):
    """Patches the bus in the moment in which Odoo itself loads it. Not earlier: loaded before there is a server, the
    bus of 16.0 and 17.0 would not be told when the server stops. And not later: browsers are there at once after a
    restart, and a dispatcher that one of them has started would stay in Odoo's own loop."""

    def find_spec(self, fullname, path, target=None):
        if fullname != BUS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_patch(module):
            execute(module)
            _patch(module)

        spec.loader.exec_module = execute_and_patch
        return spec


def _patch(bus):
    bus.ImDispatch.loop = _persistent(bus.ImDispatch.loop, bus.stop_event)


def _persistent(loop, stop_event):
    """A dispatcher's loop that goes on after a database error; any other error, and the end of the server,
    are left to Odoo."""

    @functools.wraps(loop)
    def persistent_loop(dispatcher):
        while True:
            try:
                return loop(dispatcher)
            except psycopg2.Error as error:
                if stop_event.is_set():
                    raise
                _logger.warning('The bus lost its database, it listens again in %d s: %s', RETRY, error)
                time.sleep(RETRY)
                for delay in CATCH_UP:
                    catch_up = threading.Timer(delay, _wake_websockets, [dispatcher])
                    catch_up.daemon = True
                    catch_up.start()

    return persistent_loop


def _wake_websockets(dispatcher):
    for websocket in set().union(*list(dispatcher._channels_to_ws.values())):
        websocket.trigger_notification_dispatching()


def _impatient(wait, limit):
    """Psycopg's wait callback with a limit for connecting: a host that has not answered within it fails, and
    libpq goes on to the next."""

    @functools.wraps(wait)
    def impatient_wait(connection):
        if connection.status != extensions.STATUS_SETUP:
            return wait(connection)
        connected = threading.Event()
        threading.Thread(target=_cut_when_late, args=[connection, limit, connected], daemon=True).start()
        try:
            return wait(connection)
        finally:
            connected.set()

    return impatient_wait


def _cut_when_late(connection, limit, connected):
    # libpq opens another socket for the next host, which gets as long.
    while not connected.wait(limit):
        try:
            with socket.socket(fileno=os.dup(connection.fileno())) as late:
                late.shutdown(socket.SHUT_RDWR)
        except (OSError, psycopg2.Error):
            # Between two hosts, or over: there is nothing to cut.
            continue
