# Part of odoo-prov. Copyright odoo-prov contributors. License LGPL-3.0-only, see LICENSE.
"""What happens when sessions, or the database, cannot be reached: 503, never a user taken for a stranger."""
from werkzeug.exceptions import ServiceUnavailable

from odoo import http

#: Seconds after which a client may try again.
RETRY_AFTER = 5


class SessionStoreUnavailable(ServiceUnavailable):
    """Answered as it is by Odoo's HTTP layer: an HTTP exception needs no traceback."""

    def __init__(self):
        super().__init__('Sessions are not available now. Please try again.', retry_after=RETRY_AFTER)


class DatabaseUnavailable(ServiceUnavailable):
    """The same for a user whose database cannot be reached."""

    def __init__(self):
        super().__init__('The database is not available now. Please try again.', retry_after=RETRY_AFTER)


class UnavailableSessionStore(http.FilesystemSessionStore):
    """Stands in for a store that could not be set up."""

    def __init__(self, reason):
        super().__init__(session_class=http.Session, renew_missing=True)
        self.reason = reason

    def get(self, sid):
        raise SessionStoreUnavailable()

    def _refuse(self, *_args, **_kwargs):
        raise SessionStoreUnavailable()

    save = delete = rotate = vacuum = _refuse
    delete_from_identifiers = get_missing_session_identifiers = delete_old_sessions = _refuse
