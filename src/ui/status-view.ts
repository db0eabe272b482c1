import type { Style } from './style.js';

/** How a look is written down. */
export interface StatusView {
  /** Columns. */
  readonly width: number;
  readonly style: Style;
}
