"""A client of PgBouncer in the manner of Odoo's processes, for test/e2e/database-pgbouncer.test.ts.

usage: pool-client.py lost HOSTS      listens and queries until told to end; says when each had to reconnect
       pool-client.py queue HOST N    holds N sessions, then wants one more
"""
import json
import os
import select
import sys
import threading
import time

import psycopg2

GO = '/run/pool-client.go'


def say(**words):
    print(json.dumps(words), flush=True)


def connect(hosts, database):
    """As odoo/sql_db.py does: host and port from odoo.conf, the rest from libpq's environment."""
    connection = psycopg2.connect(database=database, host=hosts, port=6432, user='odoo', sslmode='prefer')
    connection.autocommit = True
    return connection



def again_and_again(name, hosts, database, start, turn):
    """Connects, takes turns, and after an error says how long it was from the last good turn to the next."""
    good = None
    while True:
        try:
            connection = connect(hosts, database)
            start(connection)
            host = connection.info.host
            if good is not None:
                say(what=name, lost=round(time.monotonic() - good, 1), host=host)
            else:
                say(what=name, ready=True, host=host)
            while True:
                good = time.monotonic()
                turn(connection)
        except psycopg2.Error:
            time.sleep(0.2)


def listen(connection):
    connection.cursor().execute('LISTEN probe')


def wait_for_notification(connection):
    """Idle, as bus and cron are: only keepalive can tell that the peer is gone."""
    if select.select([connection], [], [], 300)[0]:
        connection.poll()


def query(connection):
    connection.cursor().execute('SELECT 1')
    time.sleep(0.3)


def lost(hosts):
    nothing = lambda connection: None
    threading.Thread(
        target=again_and_again, args=['listen', hosts, 'postgres', listen, wait_for_notification], daemon=True
    ).start()
    threading.Thread(target=again_and_again, args=['query', hosts, 'odoo', nothing, query], daemon=True).start()
    time.sleep(600)


def queue(host, size):
    held = [connect(host, 'odoo') for _ in range(size)]
    for connection in held:
        connection.cursor().execute('SELECT 1')

    def one_more():
        started = time.monotonic()
        connection = connect(host, 'odoo')
        connection.cursor().execute('SELECT 1')
        say(what='served', waited=round(time.monotonic() - started, 1))

    waiting = threading.Thread(target=one_more)
    waiting.start()
    # Longer than a connection may take: waiting in the queue must not count as that.
    time.sleep(float(os.environ['PGCONNECT_TIMEOUT']) + 2)
    say(what='waiting', still=waiting.is_alive())
    while not os.path.exists(GO):
        time.sleep(0.1)
    held.pop().close()
    waiting.join()


if sys.argv[1] == 'lost':
    lost(sys.argv[2])
else:
    queue(sys.argv[2], int(sys.argv[3]))
