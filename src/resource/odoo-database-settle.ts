/**
 * Python that `odoo shell` reads from stdin, for Odoo 16 to 19. Given WANTED: base64 of JSON with
 * languages, parameters, password, unfinished. One transaction: the mark of an unfinished database goes
 * together with Odoo's default password.
 */
export const ODOO_SETTLE = `
import base64, json
wanted = json.loads(base64.b64decode(WANTED).decode())
languages = env['res.lang'].with_context(active_test=False).search([('code', 'in', wanted['languages'])])
missing = set(wanted['languages']) - set(languages.mapped('code'))
if missing:
    raise SystemExit('Odoo has no such language: ' + ', '.join(sorted(missing)))
inactive = languages.filtered(lambda language: not language.active)
if inactive:
    env['base.language.install'].create({'lang_ids': [(6, 0, inactive.ids)], 'overwrite': False}).lang_install()
for key, value in wanted['parameters'].items():
    env['ir.config_parameter'].sudo().set_param(key, value)
env.cr.execute('SELECT count(*) FROM pg_namespace WHERE nspname = %s', [wanted['unfinished']])
if env.cr.fetchone()[0]:
    env.ref('base.user_admin').write({'login': 'admin', 'password': wanted['password']})
    env.flush_all()
    env.cr.execute('DROP SCHEMA ' + wanted['unfinished'] + ' CASCADE')
env.cr.commit()
env.registry.signal_changes()
`;
