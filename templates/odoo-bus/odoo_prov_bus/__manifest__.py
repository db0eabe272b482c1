# Part of odoo-prov. Copyright odoo-prov contributors. License LGPL-3.0-only, see LICENSE.
{
    'name': 'Bus back after a lost database (odoo-prov)',
    'summary': 'The bus listens again seconds after its database connection was lost, and no dead host holds it up',
    'version': '1.0',
    'license': 'LGPL-3',
    'author': 'odoo-prov contributors',
    'category': 'Hidden',
    # Loaded by server_wide_modules; it is never installed into a database.
    'depends': ['bus'],
    'installable': True,
    'auto_install': False,
    'post_load': 'post_load',
}
