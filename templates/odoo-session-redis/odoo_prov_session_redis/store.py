# Part of odoo-prov. Copyright odoo-prov contributors. License LGPL-3.0-only, see LICENSE.
"""A session store in Redis with the interface of ``odoo.http.FilesystemSessionStore``, 16.0 to 19.0.

One hash holds the sessions of one device: its key is the part of the session id that stays when 19.0
rotates it (and that ``res.device`` records), its fields are the whole ids. So a device is revoked, or found
to be gone, without searching. In 16.0 and 17.0 an id is shorter than that part, and a hash has one field.

Run on 19.0; written to the interfaces of 16.0, 17.0 and 18.0, not tried there.
"""
import functools
import json
import logging
import sys
import time
from urllib.parse import urlsplit

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from odoo import http

from .unavailable import DatabaseUnavailable, SessionStoreUnavailable

_logger = logging.getLogger(__name__)

PREFIX = 'odoo:session:'
#: Characters of a session id that name the device; ``http.STORED_SESSION_BYTES`` in 18.0 and later.
DEVICE_LENGTH = getattr(http, 'STORED_SESSION_BYTES', 42)
#: Seconds without a write after which a session ends, where Odoo has no setting for it.
DEFAULT_LIFETIME = getattr(http, 'SESSION_LIFETIME', 60 * 60 * 24 * 7)
#: What Odoo's HTTP layer raises where it cannot reach the database.
REGISTRY_ERROR = getattr(http, 'RegistryError', ())
#: Seconds for a connection, and for an answer: a request waits no longer than a few of these.
TIMEOUT = 2


def _or_unavailable(method):
    """Turns any trouble with Redis into one line in the log and an answer of 503."""

    @functools.wraps(method)
    def wrapper(self, *args, **kwargs):
        try:
            return method(self, *args, **kwargs)
        except redis.exceptions.RedisError as error:
            _logger.error(
                'Redis at %s does not keep sessions (%s: %s): the request is refused',
                self.place, type(error).__name__, error,
            )
            raise SessionStoreUnavailable() from None

    return wrapper


class Session(http.Session):
    """Odoo logs users out whose database cannot be reached at that moment (``RegistryError`` in
    ``http.Application.__call__``): who loads a page during a restart of PostgreSQL gets a stranger's cookie. Here they
    are told to try again, and stay who they are."""

    def logout(self, keep_db=False):
        if self.uid and isinstance(sys.exc_info()[1], REGISTRY_ERROR):
            raise DatabaseUnavailable()
        super().logout(keep_db=keep_db)


class RedisSessionStore(http.FilesystemSessionStore):
    """Keys, validity and rotation are Odoo's own; where sessions are kept is not."""

    def __init__(self, client, place):
        # The path is Odoo's business only; nothing here reads or writes it.
        super().__init__(session_class=Session, renew_missing=True)
        self.redis = client
        #: ``host:port/database``, for the log: the URL holds a password.
        self.place = place

    @classmethod
    def from_url(cls, url):
        """:raise ValueError: when the URL is not one of Redis"""
        parts = urlsplit(url)
        if parts.scheme not in ('redis', 'rediss') or not parts.hostname:
            raise ValueError('session_store_url must be redis://:password@host:port/database')
        # Connections are made when first used, so each process after a fork has its own.
        client = redis.Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            health_check_interval=30,
            # A connection that Redis closed (a restart) is made anew once before anybody is told.
            retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 2),
            retry_on_error=[redis.exceptions.ConnectionError],
        )
        place = '%s:%s%s' % (parts.hostname, parts.port or 6379, parts.path or '/0')
        _logger.info('HTTP sessions are kept in Redis at %s', place)
        return cls(client, place)

    @staticmethod
    def _key(sid):
        return PREFIX + sid[:DEVICE_LENGTH]

    @staticmethod
    def _lifetime():
        """Seconds for which a session that is written now lives; a setting of the database in 17.0+."""
        inactivity = getattr(http, 'get_session_max_inactivity', None)
        if inactivity is None or not http.request:
            return DEFAULT_LIFETIME
        return max(1, inactivity(http.request.env))

    @_or_unavailable
    def get(self, sid):
        if not self.is_valid_key(sid):
            return self.new()
        text = self.redis.hget(self._key(sid), sid)
        if text is None:
            return self.new()
        try:
            data = json.loads(text)
        except ValueError:
            _logger.warning('A session that cannot be read is treated as empty')
            data = {}
        return self.session_class(data, sid, False)

    @_or_unavailable
    def save(self, session):
        if not self.is_valid_key(session.sid):
            raise ValueError('Invalid session id')
        key = self._key(session.sid)
        # One transaction: a session without an end would stay for ever.
        with self.redis.pipeline(transaction=True) as pipe:
            pipe.hset(key, session.sid, json.dumps(dict(session)))
            pipe.expire(key, self._lifetime())
            pipe.execute()

    @_or_unavailable
    def delete(self, session):
        self.redis.hdel(self._key(session.sid), session.sid)

    @_or_unavailable
    def delete_from_identifiers(self, identifiers):
        keys = []
        for identifier in identifiers:
            # A part of an identifier must never reach another user's sessions.
            if len(identifier) != DEVICE_LENGTH:
                raise ValueError('Identifier format incorrect, did you pass in a string instead of a list?')
            keys.append(PREFIX + identifier)
        if keys:
            self.redis.unlink(*keys)

    @_or_unavailable
    def get_missing_session_identifiers(self, identifiers):
        identifiers = list(set(identifiers))
        with self.redis.pipeline(transaction=False) as pipe:
            for identifier in identifiers:
                pipe.exists(PREFIX + identifier)
            found = pipe.execute()
        return {identifier for identifier, there in zip(identifiers, found) if not there}

    def delete_old_sessions(self, session):
        """19.0: some time after a rotation, the ids before it end. All of the device's but this one."""
        if 'gc_previous_sessions' not in session:
            return
        if session['create_time'] + http.SESSION_DELETION_TIMER >= time.time():
            return
        del session['gc_previous_sessions']
        self.save(session)
        self._delete_others(session.sid)

    @_or_unavailable
    def _delete_others(self, sid):
        key = self._key(sid)
        others = [other for other in self.redis.hkeys(key) if other != sid]
        if others:
            self.redis.hdel(key, *others)

    @_or_unavailable
    def vacuum(self, max_lifetime=DEFAULT_LIFETIME):
        """Redis ends sessions by itself; here those end sooner that were written before the lifetime was
        made shorter."""
        for key in self.redis.scan_iter(match=PREFIX + '*', count=1000):
            left = self.redis.ttl(key)
            if left == -1 or left > max_lifetime:
                self.redis.expire(key, max_lifetime)
