# Part of odoo-prov. Copyright odoo-prov contributors. License LGPL-3.0-only, see LICENSE.
"""Keeps Odoo's HTTP sessions in Redis.

In odoo.conf, on every host (HTTP, cron and gevent alike: one with another store takes every user for a
stranger)::

    server_wide_modules = base,rpc,web,odoo_prov_session_redis    ; 16.0 to 18.0: without rpc
    session_store = redis
    session_store_url = redis://:password@host:6379/0

Without ``session_store = redis`` it does nothing.
"""
import logging

from odoo import http
from odoo.tools import config

_logger = logging.getLogger(__name__)


def post_load():
    """Puts the store in place. Whatever keeps it from working must never lead to sessions in files: then
    every request that has a session is answered 503, and the log says why."""
    wanted = config.get('session_store')
    if wanted in (None, False, '', 'files'):
        return
    from .unavailable import UnavailableSessionStore

    try:
        if wanted != 'redis':
            raise ValueError("session_store must be 'redis' or 'files', not %r" % (wanted,))
        from .store import RedisSessionStore

        store = RedisSessionStore.from_url(config.get('session_store_url') or '')
    except (ImportError, ValueError) as error:
        _logger.critical('Sessions cannot be kept in Redis, no user can log in: %s', error)
        store = UnavailableSessionStore(str(error))
    # A cached property in 17.0 to 19.0 and a lazy one in 16.0: both look into the instance first.
    http.root.__dict__['session_store'] = store
