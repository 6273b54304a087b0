// What the scripts beside this have in common: a browser, what it complains of, and a person who signs in.
import { createHmac } from "node:crypto";
import { chromium } from "playwright-core";

export const launch = (...args) => chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", ...args],
});

// watch keeps what a page complains of, and where its requests go.
export function watch(page, seen) {
  page.on("console", (m) => m.type() === "error" && seen.troubles.push(m.text()));
  page.on("pageerror", (e) => seen.troubles.push(String(e)));
  page.on("request", (r) => { if (r.url().startsWith("http")) seen.hosts[new URL(r.url()).host] = true; });
}

// totp is what an authenticator app shows for a key.
export function totp(key, step) {
  const bits = [...key].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const bytes = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", bytes).update(counter).digest();
  const at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1e6).padStart(6, "0");
}

export const step = () => Math.floor(Date.now() / 30000);

// signIn fills in what the pages ask of somebody who has no second factor yet, and goes on.
export async function signIn(page, name, password) {
  await page.waitForSelector("#name");
  await page.fill("#name", name);
  await page.fill("#password", password);
  await page.click("form button");
  return finish(page);
}

// finish sets up the app of somebody whose password counts, and goes on.
export async function finish(page) {
  await page.waitForSelector("#code");
  const key = await page.textContent("code");
  await page.fill("#code", totp(key, step()));
  await page.click("form button");
  await page.waitForSelector("ol li");
  const codes = await page.locator("ol li code").allTextContents(); // recovery codes
  await page.click("main a");
  return codes;
}

// signInAgain is somebody who has a second factor, and shows a recovery code in its place.
export async function signInAgain(page, name, password, code) {
  await page.waitForSelector("#name");
  await page.fill("#name", name);
  await page.fill("#password", password);
  await page.click("form button");
  await page.fill("#recovery", code);
  await page.click("#recovery + button");
}
