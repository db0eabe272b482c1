# Part of odoo-prov. Copyright odoo-prov contributors. License LGPL-3.0-only, see LICENSE.
{
    'name': 'Sessions in Redis (odoo-prov)',
    'summary': 'Keeps HTTP sessions in Redis, so that any Odoo host knows every user',
    'version': '1.0',
    'license': 'LGPL-3',
    'author': 'odoo-prov contributors',
    'category': 'Hidden',
    # Loaded by server_wide_modules; it is never installed into a database.
    'depends': ['base'],
    'installable': True,
    'auto_install': False,
    'external_dependencies': {'python': ['redis']},
    'post_load': 'post_load',
}
