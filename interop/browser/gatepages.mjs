// Looks at the pages of a system behind the gate as a person does. Arguments: the address of the pages, name, password,
// the name of a study there, and a folder for pictures. Prints what it saw.
import { launch, signIn, watch } from "./person.mjs";

const [at, name, password, study, pictures] = process.argv.slice(2);
const browser = await launch("--disable-gpu");
const seen = { troubles: [], hosts: {}, statuses: {}, headers: [] };

try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB" });
  const page = await context.newPage();
  watch(page, seen);
  page.on("response", async (r) => {
    if (!r.url().startsWith(at)) return;
    const status = r.status() + " " + r.request().method() + " " + new URL(r.url()).pathname;
    seen.statuses[status] = (seen.statuses[status] || 0) + 1;
    for (const h of await r.headersArray().catch(() => [])) seen.headers.push(h.name.toLowerCase() + ": " + h.value);
  });

  // Nobody is signed in anywhere: the pages lead to the console, and the console back.
  await page.goto(at + "/app/explorer.html");
  await page.waitForSelector("#name");
  seen.askedAt = new URL(page.url()).host;
  await signIn(page, name, password);
  await page.waitForURL(at + "/app/explorer.html*", { timeout: 30000 });
  await page.waitForLoadState("networkidle");
  seen.title = await page.title();

  // The list of studies, and one of them.
  await page.goto(at + "/app/explorer.html#find-studies");
  await page.reload();
  await page.waitForSelector("#all-studies li a", { timeout: 30000 });
  seen.list = await page.textContent("#all-studies");
  await page.screenshot({ path: pictures + "/studies.png" });
  await page.goto(at + "/app/explorer.html#study?uuid=" + study);
  await page.reload();
  await page.waitForSelector("#study-info li", { timeout: 30000 });
  await page.waitForLoadState("networkidle");
  seen.study = await page.textContent("#study-info");
  await page.screenshot({ path: pictures + "/study.png" });
  seen.looking = [...seen.troubles];

  // What a script of the page can reach, and do.
  seen.scriptCookies = await page.evaluate(() => document.cookie);
  const ask = (method, path, init = {}) => page.evaluate(async ([m, p, i]) => {
    try { return (await fetch(p, { method: m, ...i })).status; } catch (e) { return String(e); }
  }, [method, path, init]);
  seen.remove = await ask("DELETE", "/studies/" + study);
  seen.exported = await ask("POST", "/studies/" + study + "/export", { body: "/tmp" });
  seen.elsewhere = await ask("GET", "https://" + seen.askedAt + "/api/v1/session", { credentials: "include", mode: "no-cors" });
  seen.worker = await page.evaluate(() => navigator.serviceWorker.register("/app/explorer.js").then(() => "registered", (e) => String(e)));
  seen.socket = await page.evaluate(() => new Promise((done) => {
    const s = new WebSocket("wss://" + location.host + "/app/explorer.html");
    s.onopen = () => done("open"); s.onerror = () => done("refused");
  }));
  seen.cookies = (await context.cookies()).map((c) => ({ name: c.name, domain: c.domain, httpOnly: c.httpOnly, secure: c.secure, sameSite: c.sameSite }));

  // The session at the console ends: so does the one here.
  const console = await context.newPage();
  await console.goto("https://" + seen.askedAt + "/setup/");
  await console.click("button[value=leave], form button:last-of-type");
  await console.waitForSelector("#name");
  seen.after = await ask("GET", "/studies");
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
