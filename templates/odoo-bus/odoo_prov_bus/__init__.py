# Part of odoo-prov. Copyright odoo-prov contributors. License LGPL-3.0-only, see LICENSE.
"""Brings Odoo's bus back soon after its database connection was lost.

Odoo's dispatcher, which LISTENs for notifications, sleeps 50 s after any error (``TIMEOUT`` in
``addons/bus/models/bus.py``, 16.0 to 19.0), and nobody is told what was sent meanwhile until the next
message comes. Here it listens again after :data:`RETRY` seconds, and then every open websocket looks for
what it has missed. The constant itself stays as it is: the bus also keeps messages by it.

In odoo.conf of the evented server::

    server_wide_modules = base,rpc,web,odoo_prov_bus    ; 16.0 to 18.0: without rpc
"""
import functools
import logging
import threading
import time

import psycopg2

_logger = logging.getLogger(__name__)

# Seconds from a lost connection to the next attempt.
RETRY = 3
# Seconds from an attempt until websockets look for what they missed: by then it listens, or has failed.
CATCH_UP = 5


def post_load():
    from odoo.addons.bus.models import bus

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
                catch_up = threading.Timer(CATCH_UP, _wake_websockets, [dispatcher])
                catch_up.daemon = True
                catch_up.start()

    return persistent_loop


def _wake_websockets(dispatcher):
    for websocket in set().union(*list(dispatcher._channels_to_ws.values())):
        websocket.trigger_notification_dispatching()
