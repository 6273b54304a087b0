// How long the list of studies takes, as somebody waits for it: from opening the page, from a filter, from a letter.
// Arguments: the origin, name, password. Prints milliseconds, the middle of several.
import { launch, signIn, watch } from "./person.mjs";

const [origin, name, password] = process.argv.slice(2);
const browser = await launch();
const seen = { troubles: [], hosts: {}, open: 0, filter: 0, typed: 0, last: 0, total: "" };
const middle = (list) => Math.round(list.sort((a, b) => a - b)[list.length >> 1]);

// until is how long it takes in the page until the rows are others.
const until = (page, act) => page.evaluate(async (what) => {
  const text = () => document.querySelector(".studylist tbody")?.innerText + document.querySelector(".pager p")?.textContent;
  const before = text(), begun = performance.now();
  const target = [...document.querySelectorAll(what.of)].find((e) => (e.getAttribute("aria-label") ?? e.textContent) === what.name);
  if (what.type === undefined) {
    for (const type of ["pointerdown", "mousedown", "pointerup", "mouseup", "click"]) target.dispatchEvent(new (type.startsWith("p") ? PointerEvent : MouseEvent)(type, { bubbles: true, button: 0, pointerType: "mouse" }));
  } else {
    const input = document.querySelector("input[type=search]");
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, what.type);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
  while (text() === before && performance.now() - begun < 10e3) await new Promise(requestAnimationFrame);
  return performance.now() - begun;
}, act);

try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  watch(page, seen);
  await page.goto(origin + "/console/account");
  await signIn(page, name, password);
  await page.waitForURL("**/console/account");

  const opened = [], filtered = [], typed = [], last = [];
  for (let i = 0; i < 5; i++) {
    await page.goto(origin + "/console/studies");
    await page.waitForSelector(".studylist tbody tr");
    opened.push(await page.evaluate(() => performance.now()));
    seen.total = await page.locator(".pager p").textContent();
    filtered.push(await until(page, { of: ".chip", name: "MR" }));
    filtered.push(await until(page, { of: ".chip", name: "MR" }));
    const asked = await page.evaluate(() => performance.getEntriesByType("resource").filter((e) => e.name.includes("/api/v1/studies")).map((e) => Math.round(e.duration)));
    seen.asked = Math.max(seen.asked ?? 0, middle(asked));
    last.push(await until(page, { of: ".pager button", name: "Last page" }));
    typed.push(await until(page, { type: "family12" + i }));
  }
  Object.assign(seen, { open: middle(opened), filter: middle(filtered), typed: middle(typed), last: middle(last) });
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
