import { describe, expect, it } from 'vitest';
import {
  compareGone,
  compareWritten,
  countLost,
  countsText,
  csvHeader,
  csvName,
  csvRow,
  sameShape,
} from '../../src/postgres/lost-rows.js';
import {
  allRows,
  allTables,
  parseRow,
  parseTable,
  rowsOfKeys,
  tablesOfFiles,
  tablesOfNames,
  writtenRows,
  type Table,
} from '../../src/postgres/lost-rows-sql.js';

const things: Table = {
  schema: 'public',
  name: 'things',
  file: 16384,
  columns: [
    { name: 'note', type: 'text' },
    { name: 'id', type: 'integer' },
  ],
  key: ['id'],
};
const loose: Table = { ...things, name: 'loose', key: [] };

describe('rows that an old primary wrote', () => {
  it('are lost where the new one has none of that key, or another', () => {
    const written = [
      ['new', '1'],
      ['changed', '2'],
      ['alike', '3'],
      [null, '4'],
      ['both', '5'],
    ];
    const found = [
      ['f', 'before', '2'],
      ['f', 'alike', '3'],
      ['f', '', '4'],
      ['t', 'theirs', '5'],
    ];
    expect(compareWritten(things, written, found)).toEqual([
      { action: 'insert', old: ['new', '1'], new: undefined },
      { action: 'update', old: ['changed', '2'], new: ['before', '2'] },
      { action: 'update', old: [null, '4'], new: ['', '4'] },
      { action: 'conflict', old: ['both', '5'], new: ['theirs', '5'] },
    ]);
  });

  it('are all lost where no key tells which they were', () => {
    const rows = compareWritten(loose, [['a', '1']], []);
    expect(rows.map(({ action }) => action)).toEqual(['insert']);
  });
});

describe('rows that an old primary deleted', () => {
  const standing = [
    ['(0,1)', 'gone', '1'],
    ['(0,2)', 'updated there', '2'],
  ];

  it('are those that the new one has and the old one has no more', () => {
    const gone = [{ action: 'delete', old: undefined, new: ['gone', '1'] }];
    expect(compareGone(things, standing, [['2']])).toEqual(gone);
    expect(compareGone(loose, standing, [['(0,2)']])).toEqual(gone);
  });
});

describe('the file of lost rows', () => {
  it('holds both sides, and tells NULL from nothing', () => {
    const old = ['say "a",\nb', '1'];
    expect(csvHeader(things)).toBe('action,old.note,old.id,new.note,new.id\n');
    expect(csvRow(things, { action: 'update', old, new: ['', '1'] })).toBe(
      'update,"say ""a"",\nb",1,"",1\n',
    );
    expect(csvRow(things, { action: 'delete', old: undefined, new: [null, '1'] })).toBe(
      'delete,,,,1\n',
    );
  });

  it('has a name of its own, whatever the table is called', () => {
    const odd = { ...things, name: '../etc/x y' };
    const name = csvName('acme', odd, new Set());
    expect(name).toBe('acme.public..._etc_x_y.csv');
    expect(csvName('acme', odd, new Set([name]))).toBe('acme.public..._etc_x_y-2.csv');
  });

  it('is counted', () => {
    const rows = compareWritten(loose, [['a', '1']], []);
    expect(countsText(countLost(countLost({}, rows), rows))).toBe('2 insert');
    expect(countsText({})).toBe('nothing');
  });
});

describe('what the two servers are asked', () => {
  it('reads a row of COPY as it was', () => {
    // COPY doubles the backslashes of the JSON text.
    expect(parseRow('["a\\\\nb","\\\\\\\\","\\\\"q\\\\"",null]')).toEqual([
      'a\nb',
      '\\',
      '"q"',
      null,
    ]);
    expect(parseTable('{"name":"a\\\\"b"}')).toEqual({ name: 'a"b' });
  });

  it('quotes names and keys', () => {
    const odd = { ...things, name: 'o"dd', columns: [{ name: "k'", type: 'text' }], key: ["k'"] };
    expect(writtenRows(odd, 7)).toContain('from only "public"."o""dd" t');
    const query = rowsOfKeys(odd, [["it's"]], 9);
    expect(query).toContain(`json_array_elements('[["it''s"]]'::json)`);
    expect(query).toContain(`t."k'" = (k.value ->> 0)::text`);
  });

  it('asks for all rows of a database that was made, for those since of others', () => {
    expect(allRows(things)).not.toContain('where');
    expect(allRows(things)).toContain(`to_json(array[t."note"::text, t."id"::text]::text[])`);
    expect(writtenRows(things, 7)).toContain('t.xmin');
  });

  it("leaves a failover-test's own tables out, whichever way tables are looked for", () => {
    const written = { tablespace: 1663, database: 5, file: 16384, made: false, written: true };
    for (const query of [allTables(), tablesOfFiles([written]), tablesOfNames([things])]) {
      expect(query).toContain("not in ('information_schema', 'odoo_prov_failover_test')");
    }
  });

  it('compares only tables of the same columns and key', () => {
    expect(sameShape(things, { ...things, file: 1 })).toBe(true);
    expect(sameShape(things, loose)).toBe(false);
  });
});
