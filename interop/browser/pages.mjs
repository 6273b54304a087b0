// Opens the pages in Chromium as people do. Arguments: the one-time link, the
// link to a study, its password, and a folder for pictures. Prints what it saw.
import { launch, step, totp, watch } from "./person.mjs";

const [setup, share, password, pictures] = process.argv.slice(2);
const browser = await launch("--disable-gpu");
const seen = { troubles: [], hosts: {} };

// open is a browser of its own: cookies, size, language.
async function open(options) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  const page = await context.newPage();
  watch(page, seen);
  return page;
}

const shown = (page, selector) => page.$$eval(selector, (list) => list.filter((i) => i.complete && i.naturalWidth > 0).length);

try {
  const admin = await open({ locale: "de-DE" });
  await admin.goto(setup);
  await admin.waitForSelector("#name"); // the script has put the secret into the form and gone on
  seen.secrets = [admin.url()];
  seen.german = await admin.textContent("button");
  await admin.fill("#name", "ada");
  await admin.fill("#password", "correct horse battery");
  await admin.fill("#again", "correct horse battery");
  await admin.click("button");
  seen.qr = await shown(admin, "img");
  const key = await admin.textContent("code");
  await admin.screenshot({ path: pictures + "/enrol.png" });
  // The code of the step before counts until this step ends: begin early in one.
  while ((Date.now() / 1000) % 30 > 15) await new Promise((r) => setTimeout(r, 250));
  await admin.fill("#code", totp(key, step() - 1));
  await admin.click("button");
  seen.codes = (await admin.$$("ol li")).length;
  await admin.click("main a");
  await admin.waitForFunction(() => location.pathname.startsWith("/console/") || /ada/.test(document.querySelector("h1")?.textContent)); // led on where the console was built
  await admin.waitForLoadState();
  await admin.goto(new URL("/setup/", setup).href);
  seen.signedIn = await admin.textContent("h1");

  const guest = await open({ locale: "en-GB", viewport: { width: 390, height: 844 } });
  await guest.goto(share);
  await guest.waitForSelector("#link", { state: "hidden" });
  seen.secrets.push(guest.url());
  await guest.fill("#password", password);
  await guest.keyboard.press("Enter");
  await guest.waitForURL("**/share/");
  await guest.waitForLoadState("networkidle");
  seen.images = await shown(guest, "img");
  seen.title = await guest.textContent("h1");
  seen.wide = await guest.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  await guest.screenshot({ path: pictures + "/study.png" });
  await guest.click("li a");
  await guest.waitForSelector("#stage[data-shown]");
  seen.full = await shown(guest, "img");
  seen.address = guest.url().replace(/^https:\/\/[^/]+/, "");
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
