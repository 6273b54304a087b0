// The console as somebody who administrates sees it: every page in both languages, dark and light, wide and narrow.
// Arguments: the origin, name, password, and a folder for pictures. Prints what it saw.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pages } from "./consolepages.mjs";
import { launch, signIn, signInAgain, watch } from "./person.mjs";

const [origin, name, password, pictures] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await launch();
const seen = { troubles: [], hosts: {}, axe: [], wide: [], seen: 0, walked: [] };
const wide = { width: 1440, height: 900 }, narrow = { width: 390, height: 844 };

try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", viewport: wide });
  await context.addInitScript(() => addEventListener("securitypolicyviolation", (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`)));
  const page = await context.newPage();
  watch(page, seen);

  // Who is not signed in is led to sign in, and back.
  await page.goto(origin + "/console/people");
  const codes = await signIn(page, name, password);
  await page.waitForURL("**/console/people");
  await page.waitForSelector("table");
  seen.back = page.url().slice(origin.length);

  seen.bytes = await transferred(context);
  for (const row of pages) await look(page, row);
  await walk(page);
  await prove(page, codes.pop());
  seen.looking = seen.troubles.filter((t) => !t.includes("status of 403")); // that one was made up
  seen.policy = (await page.goto(origin + "/console/")).headers()["content-security-policy"];
  seen.trusted = await page.evaluate(() => { try { document.createElement("div").innerHTML = "a"; return false; } catch { return true; } });
  seen.notices = await page.evaluate(async () => (await (await fetch("/console/NOTICES.txt")).text()).slice(0, 40));
  await goAway(context, page, codes.pop());
  await comeBack(context, page, codes.pop());
  await signOut(context, page);
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));

// transferred is how many bytes the start takes in a browser that has nothing yet.
async function transferred(context) {
  const page = await context.newPage();
  const requests = [];
  page.on("requestfinished", (r) => requests.push(r));
  await page.goto(origin + "/console/");
  await page.waitForSelector(".counts");
  await page.waitForFunction(() => !document.querySelector(".loading"));
  let bytes = 0;
  for (const r of requests) bytes += (await r.sizes()).responseBodySize;
  await page.close();
  return bytes;
}

// look opens a page once and turns it through languages, colours and widths.
async function look(page, row) {
  await page.setViewportSize(wide);
  await page.goto(`${origin}/console/${row.path}`);
  await page.waitForSelector(row.ready);
  await page.evaluate(axe);
  for (const language of ["EN", "DE"]) {
    await page.getByRole("radio", { name: language, exact: true }).click();
    for (const theme of ["dark", "light"]) {
      if (await page.evaluate(() => document.documentElement.dataset.theme) !== theme) await page.click(".top > button[aria-label]");
      await row.open?.(page);
      for (const size of [wide, narrow]) {
        await page.setViewportSize(size);
        await judge(page, `${row.name}-${language.toLowerCase()}-${theme}-${size.width}`);
      }
      await page.setViewportSize(wide);
      await row.close?.(page);
    }
  }
}

async function judge(page, what) {
  await page.waitForFunction(() => !document.querySelector(".loading"));
  const found = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
  for (const v of found.violations) seen.axe.push(`${what}: ${v.id} ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(", ")}`);
  if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) seen.wide.push(what);
  await page.screenshot({ path: `${pictures}/${what}.png` });
  seen.seen++;
}

// walk goes through the areas with nothing but the keyboard.
async function walk(page) {
  await page.setViewportSize(wide);
  await page.goto(origin + "/console/");
  await page.waitForSelector(".nav a");
  const areas = await page.locator(".nav a").evaluateAll((list) => list.map((a) => a.getAttribute("href")));
  for (const area of areas) {
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press("Tab");
      if (await page.evaluate(() => document.activeElement?.closest(".nav") && document.activeElement.getAttribute("href")) === area) break;
    }
    const shown = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle !== "none");
    await page.keyboard.press("Enter");
    await page.waitForFunction((to) => location.pathname === to, area);
    await page.waitForSelector(".main h1");
    seen.walked.push(`${area} ${shown ? "shown" : "not shown"}`);
    await page.keyboard.press("Shift+Tab"); // back to the areas, from the beginning of the page
    await page.evaluate(() => document.querySelector(".brand").focus());
  }
}

// prove approves a device when the second factor was shown too long ago: it is asked for, and the request repeated.
async function prove(page, code) {
  const ways = { totp: true, recovery: true, passkey: false, password: false, oidc: false };
  await page.route("**/approve", (route) => route.fulfill({ status: 403, contentType: "application/problem+json",
    body: JSON.stringify({ type: "urn:collimator:second-factor-again", status: 403, detail: "again", code: "second-factor-again", secondFactor: ways }) }), { times: 1 });
  await page.goto(origin + "/console/devices");
  await page.click("table button");
  await page.getByRole("checkbox").first().click({ force: true });
  await page.locator(".modal [type=submit]").click();
  await page.waitForFunction(() => document.querySelectorAll(".modal").length === 2);
  await page.screenshot({ path: `${pictures}/proof.png` });
  const dialog = page.getByRole("dialog").last();
  await dialog.getByRole("radio").last().click();
  await dialog.getByRole("textbox").fill(code);
  await dialog.locator("[type=submit]").click();
  await page.waitForSelector(".modal", { state: "detached" });
  seen.approved = await page.locator("tr", { hasText: "NEW1" }).count();
}

// goAway is somebody who leaves the browser as it is: warned first, then everything is taken away in all tabs, and
// what was shown is not remembered.
async function goAway(context, other, code) {
  await other.goto(origin + "/console/account"); // asks for nothing by itself
  await other.waitForSelector("table");
  const page = await context.newPage();
  await page.clock.install();
  await page.goto(origin + "/console/people#name=ZZPHI");
  await page.waitForSelector("table");
  await page.clock.fastForward(28.2 * 60e3);
  await page.waitForSelector("[role=alertdialog]");
  await page.screenshot({ path: `${pictures}/idle.png` });
  await page.getByRole("alertdialog").getByRole("button").last().click();
  await page.waitForSelector("[role=alertdialog]", { state: "detached" });
  await page.clock.fastForward(28.2 * 60e3);
  await page.waitForSelector("[role=alertdialog]");
  await page.clock.fastForward(60e3);
  await Promise.all([page.waitForURL("**/setup/"), other.waitForURL("**/setup/")]);
  await signInAgain(page, name, password, code);
  await page.waitForURL("**/console/people");
  await page.waitForSelector("table");
  seen.afterIdle = page.url().slice(origin.length);
  await page.close();
}

// comeBack is a session that ends while somebody works: after signing in again one is where one was.
async function comeBack(context, page, code) {
  await page.goto(origin + "/console/audit");
  await page.waitForSelector("table");
  await context.clearCookies();
  await page.getByRole("switch").click({ force: true });
  await page.waitForURL("**/setup/");
  await signInAgain(page, name, password, code);
  await page.waitForSelector("table");
  seen.afterEnd = page.url().slice(origin.length);
}

// signOut is that another tab is left too, and that nothing is to be seen afterwards.
async function signOut(context, page) {
  const other = await context.newPage();
  await other.goto(origin + "/console/people");
  await other.waitForSelector("table");
  const viewer = await context.newPage();
  const built = (await viewer.goto(origin + "/viewer/viewer?StudyInstanceUIDs=1.2.3")).ok();
  await page.goto(origin + "/console/people#name=ZZPHI");
  await page.waitForSelector("table");
  await page.locator(".top button").last().click();
  await page.getByRole("menuitem").last().click();
  await Promise.all([page, other, ...built ? [viewer] : []].map((p) => p.waitForURL("**/setup/")));
  seen.left = [page.url(), other.url()].map((u) => u.slice(origin.length));
  await page.goBack().catch(() => {});
  await page.waitForSelector("#name");
  seen.afterwards = (await context.request.get(origin + "/api/v1/people")).status();
}
