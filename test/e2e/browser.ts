import { chromium, type Browser, type Page } from 'playwright-core';

/** Debian's Chromium; without the last flags it asks Google's hosts at every start. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * A real browser for which the domain's name leads to one edge.
 * @param address the edge's
 */
export function openBrowser(domain: string, address: string): Promise<Browser> {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [...FLAGS, `--host-resolver-rules=MAP ${domain} ${address}`],
  });
}

/**
 * Logs in by Odoo's own form and waits for the web client. The first visitor of a new database waits until
 * Odoo has made its styles and scripts, on a busy machine for minutes, and may have to load the page again.
 */
export async function logIn(browser: Browser, domain: string, password: string): Promise<Page> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  await page.goto(`https://${domain}/web/login`);
  await page.fill('input[name=login]', 'admin');
  await page.fill('input[name=password]', password);
  await page.click('button[type=submit]');
  await page.waitForURL('**/odoo**');
  const client = page.locator('.o_web_client .o_main_navbar');
  const came = await client.waitFor().then(
    () => true,
    () => false,
  );
  if (!came) {
    await page.reload();
    await client.waitFor();
  }
  return page;
}

/** The session's cookie. */
export async function sessionOf(page: Page): Promise<string> {
  const cookies = await page.context().cookies();
  return cookies.find(({ name }) => name === 'session_id')?.value ?? '';
}

/** What the server says to a question of the page's own, with its cookies. */
export interface PageAnswer {
  readonly status: number;
  readonly type: string;
  /** Base64. */
  readonly body: string;
}

/** Asks from inside the page, as its scripts do. */
export function fetchIn(page: Page, path: string, json?: unknown): Promise<PageAnswer> {
  return page.evaluate(
    async ([url, body]) => {
      const answer = await fetch(url, {
        ...(body !== '' && {
          method: 'POST',
          body,
          headers: { 'Content-Type': 'application/json' },
        }),
        redirect: 'manual',
      });
      const bytes = new Uint8Array(await answer.arrayBuffer());
      let text = '';
      for (const byte of bytes) text += String.fromCharCode(byte);
      return {
        status: answer.status,
        type: answer.headers.get('Content-Type') ?? '',
        body: btoa(text),
      };
    },
    [path, json === undefined ? '' : JSON.stringify(json)] as const,
  );
}

/** Calls a method of a model over JSON-RPC. @throws with Odoo's own words */
export async function call(
  page: Page,
  model: string,
  method: string,
  args: readonly unknown[],
): Promise<unknown> {
  const answer = await fetchIn(page, `/web/dataset/call_kw/${model}/${method}`, {
    jsonrpc: '2.0',
    method: 'call',
    params: { model, method, args, kwargs: {} },
  });
  const text = Buffer.from(answer.body, 'base64').toString('utf8');
  if (answer.status !== 200)
    throw new Error(`${model}.${method}: ${String(answer.status)} ${text}`);
  const { result, error } = JSON.parse(text) as { result?: unknown; error?: unknown };
  if (error !== undefined) throw new Error(`${model}.${method}: ${JSON.stringify(error)}`);
  return result;
}
