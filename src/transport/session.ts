import type { Duplex } from 'node:stream';
import type { Host } from '../inventory/cluster.js';
import type { Script, Secret } from '../shell/index.js';

/** What the program needs of a connection to one host. Only `transport` knows how it is made. */
export interface Session {
  readonly host: Host;
  /** Counters, live. */
  readonly use: { connections: number; execs: number; bytesSent: number; bytesReceived: number };

  /**
   * Runs a script as root (by sudo where the inventory says so) in one exec, under `sh`.
   * Secret-free scripts short enough go as the exec string for root logins, all others over stdin.
   * A command that ends with a code other than 0 is NOT a failure here: the caller judges.
   * With sudo's password: a host is tried once, and until one host has taken it, one host at a time.
   * On the host, a command whose limit is over or whose connection is gone is ended by `timeout`, 5 seconds
   * after the limit; what it has put in a session of its own (`setsid`) goes on.
   * @throws Failure unreachable, timeout, interrupted, cut-answer (the channel closed without an exit code),
   *   sudo-password, sudo-not-allowed, command-failed (the login runs no shell)
   */
  run(script: Script, options?: RunOptions): Promise<Answer>;

  close(): Promise<void>;
}

/** A session through which programs of this machine reach what only the host reaches. */
export interface ForwardingSession extends Session {
  /**
   * A connection from the host to an address and port, through this one: for clients that run here and talk to
   * what listens there.
   * @throws Failure unreachable (this connection is gone, nobody listens there, or sshd forwards nothing)
   */
  forward(address: string, port: number): Promise<Duplex>;
}

export interface RunOptions {
  /** Seconds until the command is given up; 60 if not given. */
  readonly limit?: number;
  /** Gets each complete line of standard output as it comes (UTF-8 is never split). */
  readonly onLine?: (line: string) => void;
  /**
   * More scripts for the same shell, written to its stdin as they come; stdin is closed when the feed
   * ends, and the answer comes when the shell exits. With a feed, `script` and all that follow go over
   * stdin exactly as they are behind two lines that set PATH, locale and umask (no wrapping: the caller sees to
   * it that a cut script runs nothing), and
   * `limit` covers the whole.
   */
  readonly feed?: AsyncIterable<Script>;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ConnectOptions {
  /** sudo's password, asked once or read from a file. */
  readonly becomePassword?: Secret;
  /** Asks for the passphrase of a private key; undefined where nobody can be asked. */
  readonly askPassphrase?: (keyPath: string) => Promise<Secret>;
  /** Seconds for connection and handshake; 15 if not given. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
  /** Told once when an unknown key was recorded (accept-new). */
  readonly onNewHostKey?: (host: string, fingerprint: string) => void;
}

/** Connects to hosts, bounding handshakes per bastion. Closing it closes the bastions. */
export interface Connector {
  /** @throws Failure unreachable, authentication, host-key, timeout */
  connect(host: Host, options: ConnectOptions): Promise<ForwardingSession>;
  close(): Promise<void>;
}
