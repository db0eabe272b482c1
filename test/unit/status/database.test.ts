import { describe, expect, it } from 'vitest';
import { RECORDED } from './recorded.js';
import { db1, forkedAt, front, seen } from './statuses.js';

const { streaming, lagging, two } = RECORDED;

/** The standby's figures. @param databases what the primary's data says */
function figures(primary: string, standby: string, databases = ''): readonly unknown[] {
  const { members } = seen(db1(primary, { databases }), front(standby)).database;
  const { state, lagBytes, lagSeconds } = members[1] ?? {};
  return [state, lagBytes, lagSeconds];
}

function changed(
  text: string,
  ...changes: readonly (readonly [string | RegExp, string])[]
): string {
  return changes.reduce((before, [from, to]) => {
    const after = before.replace(from, to);
    if (after === before) throw new Error(`nothing like ${String(from)}`);
    return after;
  }, text);
}

/** It has no receiver, and its newest transaction is 30 s old. */
const AGED = [/"replayedAge":[^,]+/, '"replayedAge":30'] as const;
const CUT = [[/"receiver":\{[^}]*\}/, '"receiver":null'], AGED] as const;

describe('lag and age of a standby', () => {
  it('that follows are what its sender says', () => {
    expect(figures(streaming.primary, streaming.standby)).toEqual(['streaming', 0, 0]);
    expect(figures(lagging.primary, lagging.standby)).toEqual(['streaming', 38_513_344, 5.109805]);
  });

  it('that is past the fork: no bytes, for its WAL goes another way; how old its newest transaction is', () => {
    const past = changed(streaming.standby, ['"pastFork":false', '"pastFork":true'], AGED);
    expect(figures(streaming.primary, past)).toEqual(['not streaming', null, 30]);
    // It has replayed none since its start.
    const unknown = changed(past, [AGED[0], '"replayedAge":null']);
    expect(figures(streaming.primary, unknown)).toEqual(['not streaming', null, null]);
  });

  it('on an older timeline, which it has followed further than the primary did: neither is 0', () => {
    const far = changed(streaming.standby, ...CUT, ['"position":50331648', '"position":133723160']);
    expect(figures(two.standby, far)).toEqual(['not streaming', null, 30]);
    expect(figures(two.standby, far, forkedAt('75FE850'))).toEqual(['not streaming', null, 30]);
  });

  it('on an older timeline that the primary comes from, before it left that: both positions are of the same WAL', () => {
    const before = changed(streaming.standby, ...CUT);
    const lag = 123_723_160 - 50_331_648;
    expect(figures(two.standby, before, forkedAt('75FE850'))).toEqual(['not streaming', lag, 30]);
    expect(figures(two.standby, before, forkedAt('3000000'))).toEqual(['not streaming', lag, 30]);
    expect(figures(two.standby, before, forkedAt('2FFFFFF'))).toEqual(['not streaming', null, 30]);
  });

  it('that receives from an old primary, and all of that: not 0, though the primary has no more', () => {
    const elsewhere = changed(streaming.standby, AGED);
    expect(figures(two.standby, elsewhere)).toEqual(['streaming', null, 30]);
  });

  it('whose sender hangs, and who has no receiver: its own word counts, not what the sender was told last', () => {
    // It has got all but 1000 bytes from the archive, and replayed that.
    const own = changed(
      lagging.standby,
      ...CUT,
      ['"replayPaused":true', '"replayPaused":false'],
      ['"position":67108864,"received":105622208', '"position":105621208,"received":105621208'],
    );
    expect(figures(lagging.primary, own)).toEqual(['not streaming', 1000, 30]);
    const startup = changed(lagging.primary, ['"state":"streaming"', '"state":"catchup"']);
    expect(figures(startup, own)).toEqual(['not streaming', 1000, 30]);
    const silent = changed(lagging.primary, ['"lagSeconds":5.109805', '"lagSeconds":null']);
    expect(figures(silent, own)).toEqual(['not streaming', 1000, 30]);
  });

  it('that lacks nothing and receives nothing: its age is not known to be 0', () => {
    const own = changed(streaming.standby, ...CUT);
    expect(figures(streaming.primary, own)).toEqual(['not streaming', 0, 30]);
  });
});
