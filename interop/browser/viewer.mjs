// Opens a study in the viewer as a person does who was sent its address. Arguments: the origin, name, password, the
// Study Instance UID, and a folder for pictures. Prints what it saw.
import { launch, signIn, watch } from "./person.mjs";

const [origin, name, password, study, pictures] = process.argv.slice(2);
const browser = await launch("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader");
const seen = { troubles: [], hosts: {}, refused: {} };

try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  watch(page, seen);
  page.on("response", (r) => { if (r.status() >= 400) seen.refused[r.status() + " " + new URL(r.url()).pathname] = true; });
  await page.addInitScript(() => addEventListener("securitypolicyviolation", (e) => console.error("policy: " + e.violatedDirective + " " + e.blockedURI)));

  const address = origin + "/viewer/viewer?StudyInstanceUIDs=" + study;
  await page.goto(address);
  await signIn(page, name, password);
  await page.waitForURL("**/viewer/viewer?StudyInstanceUIDs=*");
  seen.path = new URL(page.url()).pathname;
  await page.waitForSelector("canvas", { timeout: 60000 });
  // The picture is there when its middle is not black any more.
  await page.waitForFunction(() => {
    const c = document.querySelector("canvas.cornerstone-canvas, .cornerstone-canvas canvas, canvas");
    if (!c || !c.width) return false;
    const copy = document.createElement("canvas");
    copy.width = c.width; copy.height = c.height;
    const g = copy.getContext("2d");
    g.drawImage(c, 0, 0);
    const p = g.getImageData(c.width / 2 | 0, c.height / 2 | 0, 1, 1).data;
    return p[0] > 20;
  }, null, { timeout: 60000 });
  seen.title = await page.title();
  await page.screenshot({ path: pictures + "/viewer.png" });

  seen.looking = [...seen.troubles];

  // What is said of the use of the pictures stays in sight, in the way of nothing, and in the browser's language.
  const notice = p => p.evaluate(() => {
    const box = document.querySelector("#notice").getBoundingClientRect();
    const over = b => b.width > 0 && b.left < box.right && b.right > box.left && b.top < box.bottom && b.bottom > box.top;
    return {
      text: document.querySelector("#notice").textContent,
      seen: box.width > 0 && box.top >= 0 && box.left >= 0 && box.right <= innerWidth && box.bottom <= innerHeight,
      covers: [...document.querySelectorAll("button, canvas, input")].filter(e => over(e.getBoundingClientRect())).length,
    };
  });
  seen.notices = [await notice(page)];
  const german = await browser.newContext({ ignoreHTTPSErrors: true, locale: "de-DE", viewport: { width: 1000, height: 700 }, storageState: await context.storageState() });
  const deutsch = await german.newPage();
  await deutsch.goto(address);
  await deutsch.waitForSelector("#notice", { timeout: 60000 });
  await deutsch.waitForSelector("canvas", { timeout: 60000 });
  seen.notices.push(await notice(deutsch));
  await deutsch.screenshot({ path: pictures + "/german.png" });
  await german.close();

  // A script that is not there is not the page.
  seen.missing = await page.evaluate(async () => {
    const r = await fetch("/viewer/none.js");
    return r.status + " " + r.headers.get("content-type");
  });

  // The session ends: what is loaded then leads to where one signs in.
  const other = await context.newPage();
  await other.goto(origin + "/setup/");
  await other.click("button[value=leave], form button:last-of-type");
  await other.waitForSelector("#name");
  seen.afterwards = (await (await context.request.get(origin + "/viewer/boot.js")).status());
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
