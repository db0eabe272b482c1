import type { Secret } from '../shell/index.js';
import type { Resource } from './kind.js';

/** An Odoo database with its base module, made once. The PostgreSQL database itself exists before it. */
export interface OdooDatabaseResource extends Resource, OdooDatabaseOptions {
  readonly kind: 'odooDatabase';
}

export interface OdooDatabaseOptions {
  readonly name: string;
  /** odoo.conf that leads straight to PostgreSQL. */
  readonly config: string;
  /** A file in PGPASSFILE's format that only root may read. */
  readonly passFile: string;
  /** PostgreSQL, never a pooler. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** System user that Odoo runs as, and its home. */
  readonly systemUser: string;
  readonly home: string;
  /** Languages that must be active (`de_DE`). Others are left alone. */
  readonly languages: readonly string[];
  /** System parameters (`ir.config_parameter`) that must have these values. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Given to the user `admin` once, when the database is made; changed in Odoo it stays changed. */
  readonly adminPassword: Secret;
}
