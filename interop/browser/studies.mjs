// A person finds, opens, labels, shares, downloads and deletes a study in the console. Arguments: the origin, name,
// password, the Study Instance UID, what is typed to find it, a folder with
// cd/, study.zip and bomb.zip into which downloads go, and a folder for pictures, or nothing. Prints what it saw.
import { readFileSync } from "node:fs";
import { launch, signIn, watch } from "./person.mjs";

const [origin, name, password, study, typed, files, pictures] = process.argv.slice(2);
const browser = await launch();
const seen = { troubles: [], hosts: {}, steps: [], leaked: [] };
const step = (text) => seen.steps.push(text);

try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", viewport: { width: 1440, height: 900 }, acceptDownloads: true });
  const page = await context.newPage();
  watch(page, seen);
  page.on("request", (r) => { if (/ZZPHI/i.test(decodeURIComponent(r.url())) && !r.url().includes("/api/v1/studies?")) seen.leaked.push(r.url()); });
  const shot = async (what) => { if (pictures) await page.screenshot({ path: `${pictures}/studies-${what}.png` }); };

  await page.goto(origin + "/console/studies/upload");
  await signIn(page, name, password);
  await page.waitForURL("**/console/studies/upload");
  await page.waitForSelector(".dropzone");

  // A CD as a folder, a ZIP, and a ZIP that unpacks without end.
  for (const [what, input, path] of [["cd", "[webkitdirectory]", "cd"], ["zip", ":not([webkitdirectory])", "study.zip"], ["bomb", ":not([webkitdirectory])", "bomb.zip"]]) {
    await page.locator(`.dropzone input${input}`).setInputFiles(`${files}/${path}`);
    await page.waitForSelector(".progress", { state: "detached" });
    await page.waitForFunction(() => [...document.querySelectorAll(".dropzone button")].every((b) => !b.disabled) && document.querySelector(".main p[role=status] b"));
    const said = (await page.locator(".main p[role=status]").innerText()).trim();
    step(`${what}: ${said} ${await page.locator(".main .reason").count()}`);
    await shot(`upload-${what}`);
  }
  await page.getByRole("link", { name: "To the list of studies" }).click();
  await page.waitForSelector(".studylist tbody tr");

  // A day and a beginning of a name, typed.
  await page.getByRole("searchbox").fill(typed);
  await page.waitForFunction(() => document.querySelectorAll(".studylist tbody tr").length === 1);
  step(`found ${new URL(page.url()).hash}`);
  await shot("found");
  await page.getByRole("searchbox").press("Tab");
  await page.locator(".studylist tbody tr").focus();
  await page.keyboard.press("Enter");
  await page.waitForURL("**/console/studies/study#*");
  await page.waitForSelector(".series .thumb");
  await page.waitForFunction(() => [...document.querySelectorAll("img.thumb")].every((i) => i.complete && i.naturalWidth > 0));
  step(`opened ${await page.locator(".series > li").count()} series, title ${await page.title()}`);
  await shot("study");

  await page.getByRole("button", { name: "Instances" }).click();
  await page.getByRole("button", { name: "Tags" }).first().click();
  await page.waitForSelector(".tags td");
  await page.getByRole("dialog").getByRole("searchbox").fill("patientname");
  await page.waitForFunction(() => document.querySelectorAll(".tags tbody tr").length === 1);
  step(`tags ${(await page.locator(".tags tbody tr").innerText()).replace(/\s+/g, " ")}`);
  await shot("tags");
  await page.keyboard.press("Escape");

  await page.getByRole("tab", { name: /Who saw it/ }).click();
  await page.waitForSelector(".tabpanel table");
  step(`accesses ${await page.locator(".tabpanel tbody tr").count() > 0}`);
  await page.getByRole("tab", { name: /Proof/ }).click();
  const [proof] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: /proofs/ }).click()]);
  step(`proof ${proof.suggestedFilename()} ${readFileSync(await proof.path()).length > 200}`);

  await page.getByRole("button", { name: "Label" }).click();
  await page.getByRole("textbox", { name: "Labels" }).fill("Tumorboard, urgent");
  await page.getByRole("textbox", { name: "Status" }).fill("to report");
  await page.locator(".modal [type=submit]").click();
  await page.waitForSelector(".modal", { state: "detached" });
  await page.waitForFunction(() => document.querySelector(".panel").innerText.includes("Tumorboard"));
  step("labelled");

  await page.getByRole("button", { name: "Share" }).click();
  await shot("share");
  await page.locator(".modal [type=submit]").click();
  await page.waitForSelector(".modal .qr");
  const lines = await page.locator(".modal .copyline code").allTextContents();
  step(`shared ${lines.length} ${/^https:\S+\/share\/\S+$/.test(lines[0])} ${lines[2].includes(lines[0])} ${lines[2].includes(lines[1])}`);
  await shot("shared");
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();

  await page.getByRole("button", { name: "Desktop viewer" }).click();
  await page.locator(".modal .ends button").last().click();
  await page.waitForSelector(".modal a[href^='weasis:']");
  step("open in a viewer");
  await page.keyboard.press("Escape");

  for (const form of ["ZIP", "ISO"]) {
    await page.getByRole("button", { name: "Download" }).click();
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: form }).click()]);
    await file.saveAs(`${files}/down/${file.suggestedFilename()}`);
    step(`downloaded ${file.suggestedFilename()} ${await file.failure()}`);
  }

  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("textbox", { name: "Why" }).fill("sent twice by the ward");
  await shot("delete");
  await page.locator(".modal [type=submit]").click();
  await page.waitForURL("**/console/studies");
  await page.waitForFunction(() => !document.querySelector(".loading"));
  await page.goto(`${origin}/console/studies/study#study=${study}`);
  await page.waitForSelector("[role=alert]");
  step("deleted");
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
