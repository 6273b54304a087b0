// Adds passkeys to the pages to sign in, and ways to take the recovery codes along. Without it the pages work
// with a password and an app.
"use strict";

const api = "/api/v1/session";

// The colours that were chosen in the console.
try {
  document.documentElement.dataset.theme = localStorage.getItem("collimator.theme") ?? "dark";
} catch { /* a browser that keeps nothing */ }

async function ask(path, body) {
  const answer = await fetch(api + path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  if (!answer.ok) {
    throw new Error(String(answer.status));
  }
  return answer.json();
}

// The codes are shown once: also where a passkey was the second factor.
function showCodes(codes) {
  const page = document.getElementById("codes").content.cloneNode(true);
  const list = page.querySelector("ol");
  for (const code of codes) {
    const text = document.createElement("code");
    text.textContent = code;
    const item = document.createElement("li");
    item.append(text);
    list.append(item);
  }

  document.querySelector("main").replaceChildren(page);
  document.title = document.querySelector("h1").textContent + " · Collimator";
  takeAlong();
}

const ways = {
  async enrol(section) {
    const { publicKey } = await ask("/enrol/passkey/begin", {});
    const made = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) });
    const { recoveryCodes } = await ask("/enrol/passkey/finish", { name: section.dataset.name, credential: made.toJSON() });
    if (recoveryCodes) {
      showCodes(recoveryCodes);
    } else {
      location.assign("/setup/");
    }
  },
  async show() {
    const { publicKey } = await ask("/passkey/begin", {});
    const shown = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
    await ask("/passkey/finish", shown.toJSON());
    location.assign("/setup/");
  },
};

function offerPasskey(section) {
  const button = section.querySelector("button");
  section.hidden = false;
  button.addEventListener("click", async () => {
    section.querySelector("[role=alert]")?.remove();
    button.disabled = true;
    try {
      await ways[section.dataset.do](section);
    } catch {
      const reason = document.createElement("p");
      reason.setAttribute("role", "alert");
      reason.textContent = section.dataset.failed;
      section.append(reason);
    }
    button.disabled = false;
  });
}

function takeAlong() {
  const copy = document.querySelector("[data-copy]");
  if (!copy) {
    return;
  }

  copy.parentElement.hidden = false;
  copy.addEventListener("click", async () => {
    const codes = [...document.querySelectorAll("ol code")].map((c) => c.textContent);
    await navigator.clipboard.writeText(codes.join("\n"));
    copy.textContent = copy.dataset.copy;
  });
  document.querySelector("[data-print]").addEventListener("click", () => print());
}

const section = document.getElementById("passkey");
const named = !/^[\d.]+$|:/.test(location.hostname); // passkeys belong to a name, and not to an address
if (section && named && window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  offerPasskey(section);
}
takeAlong();
