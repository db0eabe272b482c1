/** A part of the terminal that is drawn again and again. */
export interface Screen {
  /** @param lines gives the text for so many columns; asked again when the window changes */
  draw(lines: (width: number) => readonly string[]): void;
  /** Gives the terminal back, with the last picture below what was there before. */
  close(): void;
}

const ESC = '\u001b[';
/** The alternate screen (what was there comes back afterwards) without a cursor. */
const ENTER = `${ESC}?1049h${ESC}?25l`;
const LEAVE = `${ESC}?25h${ESC}?1049l`;
const HOME = `${ESC}H`;
const CLEAR_LINE = `${ESC}K`;
const CLEAR_BELOW = `${ESC}J`;

/** Opens the whole terminal for drawing; without flicker, since nothing is cleared before it is drawn over. */
export function openScreen(stream: NodeJS.WriteStream): Screen {
  let last: (width: number) => readonly string[] = () => [];
  const width = (): number => stream.columns || 80;
  const redraw = (): void => {
    const lines = fit(last(width()), stream.rows || 24);
    const text = lines.map((line) => `${line}${CLEAR_LINE}`).join('\r\n');
    stream.write(`${HOME}${text}${CLEAR_BELOW}`);
  };
  stream.write(ENTER);
  stream.on('resize', redraw);
  return {
    draw(lines) {
      last = lines;
      redraw();
    },
    close() {
      stream.off('resize', redraw);
      const lines = last(width());
      stream.write(`${LEAVE}${lines.map((line) => `${line}\n`).join('')}`);
    },
  };
}

/** The lines that a window has room for; says how many it has not. */
function fit(lines: readonly string[], rows: number): readonly string[] {
  if (lines.length <= rows) return lines;
  const shown = lines.slice(0, rows - 1);
  return [...shown, `… ${String(lines.length - shown.length)} more lines: make the window taller`];
}
