// The first run: from the one-time link to an archive that stores, has looked around and lets a device in, with
// nothing but the keyboard. The lines that the page shows for DCMTK are run as they stand.
// Arguments: the one-time link, en or de, totp or passkey, a target to look at, a folder with ./study, and one for pictures.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { launch, step, totp, watch } from "./person.mjs";

const [link, language, factor, target, dir, pictures] = process.argv.slice(2);
const browser = await launch("--disable-gpu", "--ignore-certificate-errors");
const seen = { troubles: [], hosts: {}, took: {} };
const begun = Date.now();
let last = begun;
const password = "correct horse battery";

function took(what) {
  seen.took[what] = Date.now() - last;
  last = Date.now();
}

try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", viewport: { width: 1440, height: 900 }, acceptDownloads: true });
  await context.addInitScript(() => addEventListener("securitypolicyviolation", (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`)));
  const page = await context.newPage();
  watch(page, seen);
  if (factor === "passkey") await authenticator(context, page);
  await account(page);
  took("account");
  await store(page);
  took("store");
  await look(page);
  took("look");
  await connect(page);
  took("connect");

  await page.waitForFunction(() => document.querySelectorAll(".step[data-done=true]").length === 3);
  await page.screenshot({ path: `${pictures}/first-${language}-done.png`, fullPage: true });
  seen.title = await page.textContent("h1");
  seen.points = await page.locator(".points > li").count();
  seen.language = await page.evaluate(() => document.documentElement.lang);
  seen.all = Date.now() - begun;
  await folder(page);
  await drop(page);
  await live(page);
  if (factor === "passkey") await again(page);
} finally {
  await browser.close();
}
seen.troubles = seen.troubles.filter((t) => !t.includes("status of 409")); // those of what was refused
console.log(JSON.stringify(seen));

// to goes by the keyboard to the first thing that fits, as somebody does who has no mouse.
async function to(page, selector) {
  await page.waitForSelector(selector);
  for (let i = 0; i < 120; i++) {
    if (await page.evaluate((s) => document.activeElement?.matches(s), selector)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`the keyboard does not reach ${selector}`);
}

async function type(page, selector, text) {
  await to(page, selector);
  await page.keyboard.press("Control+A");
  await page.keyboard.type(text);
}

async function authenticator(context, page) {
  const tools = await context.newCDPSession(page);
  await tools.send("WebAuthn.enable");
  await tools.send("WebAuthn.addVirtualAuthenticator", { options: {
    protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true,
  } });
}

// account is language, name, password, a second factor, and the recovery codes.
async function account(page) {
  await page.goto(link);
  await page.waitForSelector("#name");
  if (language !== "en") {
    await to(page, `button[lang=${language}]`);
    await page.keyboard.press("Enter");
    await page.waitForSelector(`html[lang=${language}] #name`);
  }
  await page.screenshot({ path: `${pictures}/first-${language}-account.png` });
  await type(page, "#name", "ada");
  await type(page, "#password", password);
  await type(page, "#again", password);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#code");
  await page.screenshot({ path: `${pictures}/first-${language}-factor.png` });
  if (factor === "passkey") {
    await to(page, "#passkey button");
    await page.keyboard.press("Enter");
  } else {
    await type(page, "#code", totp(await page.textContent("code"), step()));
    await page.keyboard.press("Enter");
  }
  await page.waitForSelector(".codes li");
  seen.codes = await page.locator(".codes li").count();
  await page.screenshot({ path: `${pictures}/first-${language}-codes.png` });
  await page.waitForSelector("[data-print]");
  await to(page, "main a.button");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/console/first");
  await page.waitForSelector(".steps");
}

function done(page, n) {
  return page.waitForSelector(`.step:nth-child(${n})[data-done=true]`, { timeout: 120e3 });
}

async function store(page) {
  await to(page, ".dropzone .button[data-kind=main]");
  await page.keyboard.press("Enter");
  await done(page, 1);
  seen.stored = await page.locator(".step:nth-child(1) p[role=status]").textContent();
}

async function look(page) {
  await page.waitForSelector(".step:nth-child(2) form");
  seen.prefilled = await page.inputValue(".step:nth-child(2) input");
  await type(page, ".step:nth-child(2) input[type=text]", target);
  await to(page, ".step:nth-child(2) input[type=checkbox]");
  await page.keyboard.press("Space");
  await to(page, ".step:nth-child(2) form > div > .button");
  await page.keyboard.press("Enter");
  await done(page, 2);
  await page.waitForSelector(".step:nth-child(2) [lang=en]");
  seen.found = await page.textContent(".step:nth-child(2) [lang=en]");
}

async function connect(page) {
  const card = ".step:nth-child(3)";
  await to(page, `${card} a[download]`);
  const saving = page.waitForEvent("download");
  await page.keyboard.press("Enter");
  await (await saving).saveAs(join(dir, "ca.pem"));
  await to(page, `${card} [role=tab]`);
  await page.keyboard.press("ArrowRight");
  await page.waitForSelector(`${card} [role=tabpanel] code >> nth=2`);
  const [key, echo, send] = await page.locator(`${card} [role=tabpanel] code`).allTextContents();
  run(key);
  seen.refused = !works(echo);
  await page.waitForSelector(`${card} [role=status] .button`); // it has called
  await to(page, `${card} [role=status] .button`);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".modal");
  const shown = (await page.locator(".modal code").textContent()).replace(/[^0-9a-f]/gi, "").toLowerCase();
  const own = run("openssl x509 -noout -fingerprint -sha256 -in CT1.cert.pem").split("=").pop().replace(/[^0-9a-f]/gi, "").toLowerCase();
  seen.compared = shown === own;
  await page.screenshot({ path: `${pictures}/first-${language}-approve.png` });
  await to(page, ".modal input[type=checkbox]");
  await page.keyboard.press("Space");
  await to(page, ".modal [type=submit]");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".modal", { state: "detached" });
  await done(page, 3);
  seen.answered = works(echo);
  seen.sent = works(send);
}

// folder is one with an object that is stored, another content under its number, and a text.
async function folder(page) {
  const words = { en: { Stored: "stored", Refused: "refused", "No DICOM": "other" }, de: { Gespeichert: "stored", Abgelehnt: "refused", "Kein DICOM": "other" } }[language];
  await page.locator(".dropzone input[webkitdirectory]").setInputFiles(join(dir, "folder"));
  await page.click(".uploaded summary");
  await page.waitForFunction(() => document.querySelectorAll(".uploaded tbody tr").length === 3);
  const rows = await page.locator(".uploaded tbody tr td:nth-child(2), .uploaded tbody tr [role=gridcell]:nth-child(2)").allTextContents();
  seen.folder = rows.map((row) => Object.entries(words).find(([word]) => row.startsWith(word))?.[1] ?? row).sort();
  await page.screenshot({ path: `${pictures}/first-${language}-folder.png`, fullPage: true });
}

// drop is the same folder, dropped by hand.
async function drop(page) {
  const tools = await page.context().newCDPSession(page);
  await page.locator(".dropzone").scrollIntoViewIfNeeded();
  const zone = await page.locator(".dropzone").boundingBox();
  await page.evaluate(() => document.querySelector(".uploaded").setAttribute("data-before", "true"));
  const hand = { x: zone.x + zone.width / 2, y: zone.y + 20, data: { items: [], files: [join(dir, "folder")], dragOperationsMask: 1 } };
  for (const type of ["dragEnter", "dragOver", "drop"]) await tools.send("Input.dispatchDragEvent", { type, ...hand });
  await page.waitForSelector(".uploaded:not([data-before]) tbody tr >> nth=2", { state: "attached" });
  seen.dropped = await page.textContent(".step p[role=status]");
}

// live accepts what was found, and says of its system that it stands behind a gate.
async function live(page) {
  await page.goto(new URL("/console/surface", link).href);
  await page.locator("tr[data-href]").first().click();
  await page.locator(".sidebody > div > .button").click();
  await page.locator(".side input[type=date]").fill("2999-12-31");
  await page.locator(".side textarea").fill("until it is replaced");
  await page.locator(".side [type=submit]").click();
  await page.locator(".sidebody dd", { hasText: "until it is replaced" }).waitFor();
  seen.until = await page.locator(".sidebody dd", { hasText: "until it is replaced" }).textContent();
  await page.screenshot({ path: `${pictures}/accepted-${language}.png` });
  await page.locator(".side a[href*='surface/system']").click();
  await page.waitForSelector(".side", { state: "detached" });
  await page.locator(".main [role=tab]").nth(1).click();
  await page.locator(".answers .button").last().click();
  await page.locator(".answers input[type=text], .answers input:not([type])").fill("behind the gate since spring");
  await page.locator(".answers [type=submit]").click();
  await page.locator(".answers dd", { hasText: "ada" }).waitFor();
  seen.said = await page.locator(".answers dd").last().textContent();
  await page.screenshot({ path: `${pictures}/answered-${language}.png` });
}

// again signs out, and in with the passkey.
async function again(page) {
  await page.evaluate(() => fetch("/api/v1/session", { method: "DELETE" }));
  await page.goto(new URL("/setup/", link).href);
  await to(page, "#passkey button");
  await page.keyboard.press("Enter");
  await page.waitForSelector("main a[href='/console/']");
  seen.again = await page.textContent("h1");
}

function run(line) {
  const [name, ...args] = line.split(" ");
  return execFileSync(name, args, { cwd: dir, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], timeout: 60e3 });
}

function works(line) {
  try {
    run(line);
    return true;
  } catch {
    return false;
  }
}
