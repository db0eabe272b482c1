/**
 * What a server has of the five settings of which a standby must have at least as much as its primary, by their names;
 * empty where it did not tell.
 */
export type HotStandbyValues = Readonly<Record<string, number>>;

/** A setting of which a host has less than another one. */
export interface Less {
  readonly name: string;
  readonly has: number;
  readonly needs: number;
}

/**
 * Of which settings a standby has less than it needs: with any of them it pauses replay, or does not start.
 * @param has the standby's values
 * @param needs its primary's; what one of the two did not tell is left out
 */
export function lessThan(has: HotStandbyValues, needs: HotStandbyValues): readonly Less[] {
  return Object.entries(has).flatMap(([name, own]) => {
    const wanted = needs[name] ?? own;
    return own < wanted ? [{ name, has: own, needs: wanted }] : [];
  });
}

/** `max_connections 220 instead of 260`, comma between. */
export function lessText(less: readonly Less[]): string {
  return less
    .map(({ name, has, needs }) => `${name} ${String(has)} instead of ${String(needs)}`)
    .join(', ');
}
