import { Listr, ListrLogger, ProcessOutput } from 'listr2';

/** A line of the list that is being worked on. */
export interface LiveLine {
  readonly text: string;
  set(text: string): void;
  /** The line's last text, with a tick or a cross. */
  end(text: string, ok: boolean): void;
}

/** Terminal streams that the list is drawn on. */
export interface Terminal {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Lines that may be written to before they are drawn. */
export interface LiveLines {
  readonly lines: readonly LiveLine[];
  /** Draws them, changing in place (listr2); resolves when each has ended. */
  draw(): Promise<void>;
}

/**
 * Prepares a list of lines with their first texts.
 * @param terminal where they will be drawn
 */
export function liveLines(texts: readonly string[], terminal: Terminal): LiveLines {
  const lines = texts.map((text) => new Line(text));
  return { lines, draw: () => draw(lines, terminal) };
}

async function draw(lines: readonly Line[], terminal: Terminal): Promise<void> {
  const list = new Listr<object, 'default'>(
    lines.map((line) => ({
      title: line.text,
      task: (_, task) => line.run((text) => (task.title = text)),
    })),
    {
      concurrent: true,
      exitOnError: false,
      // Ctrl-C is ours: listr2 would end the process with a step half done.
      registerSignalListeners: false,
      renderer: 'default',
      // The caller has decided that this is a terminal.
      forceTTY: true,
      rendererOptions: {
        formatOutput: 'truncate',
        logger: new ListrLogger({
          useIcons: true,
          toStderr: [],
          processOutput: new ProcessOutput(terminal.stdout, terminal.stderr),
        }),
      },
    },
  );
  await list.run();
}

class Line implements LiveLine {
  text: string;
  readonly #ended: Promise<void>;
  #end: (error?: Error) => void = () => undefined;
  #show: (text: string) => void = () => undefined;

  constructor(text: string) {
    this.text = text;
    this.#ended = new Promise((resolve, reject) => {
      this.#end = (error) => {
        if (error === undefined) resolve();
        else reject(error);
      };
    });
    // A line may end before listr2 has started it; its failure is then still to be collected.
    this.#ended.catch(() => undefined);
  }

  /** What listr2 waits for. */
  run(show: (text: string) => void): Promise<void> {
    this.#show = show;
    show(this.text);
    return this.#ended;
  }

  set(text: string): void {
    this.text = text;
    this.#show(text);
  }

  end(text: string, ok: boolean): void {
    this.set(text);
    // listr2 shows the message of the error in place of the title.
    this.#end(ok ? undefined : new Error(text));
  }
}
