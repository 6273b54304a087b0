// Goes through the frames of a series without loading a page for each: one finger, the wheel or the keys go through
// them, two fingers enlarge, a tap shows what brightness there is, two taps show the whole picture. Without it the
// page has links for all of this.

const stage = document.getElementById("stage");
const stack = JSON.parse(stage.dataset.stack);
const slider = document.getElementById("slider");
const label = document.getElementById("place");
const why = document.getElementById("why");
const play = document.getElementById("play");
const windows = document.getElementById("windows");
const contrast = document.getElementById("contrast");
const under = stage.querySelector(".under");
let shown = document.getElementById("frame");
const over = shown.className;

// What is kept: so many pictures, of so many pixels together, and so many are asked for at a time.
const PICTURES = 48, PIXELS = 48e6, AHEAD = 5, ATONCE = 4;

let at = stack.at, preset = stack.window, timer = 0, direction = 1;
let zoom = 1, left = 0, top_ = 0;

// find is the image and the frame of it at a place.
function find(place) {
  let before = 0;
  for (const image of stack.list) {
    if (place <= before + image.n) {
      return { image, frame: place - before };
    }
    before += image.n;
  }
  return null;
}

// address is where the picture of a place is. A picture that is larger than the screen comes in the size of the screen,
// until it is enlarged.
function address(place) {
  const { image, frame } = find(place);
  const q = new URLSearchParams();
  if (preset) {
    q.set("window", preset);
  }
  const wide = Math.ceil(stage.clientWidth * devicePixelRatio), high = Math.ceil(stage.clientHeight * devicePixelRatio);
  if (zoom <= 1 && wide > 0 && image.c > wide && image.r > high) {
    q.set("viewport", wide + "," + high);
  }
  const query = q.toString();
  return stack.base + image.p + "/frames/" + frame + "/rendered" + (query && "?" + query);
}

const kept = new Map(); // by address, the one that was used last at the end

// load gives the picture of an address; it is rejected with why there is none.
function load(url) {
  let entry = kept.get(url);
  if (entry) {
    kept.delete(url);
    kept.set(url, entry);
    return entry.ready;
  }

  const img = new Image();
  img.draggable = false;
  entry = { img, done: false };
  entry.ready = new Promise((good, bad) => {
    img.onload = () => { entry.done = true; good(img); };
    img.onerror = () => { entry.done = true; kept.delete(url); bad(url); };
  });
  img.src = url;
  kept.set(url, entry);
  let pixels = 0;
  for (const e of kept.values()) {
    pixels += e.img.naturalWidth * e.img.naturalHeight;
  }
  for (const [old, e] of kept) {
    if (kept.size <= PICTURES && pixels <= PIXELS || old === url) {
      break;
    }
    if (e.img !== shown) {
      pixels -= e.img.naturalWidth * e.img.naturalHeight;
      e.done || (e.img.src = "");
      kept.delete(old);
    }
  }
  return entry.ready;
}

// ahead asks for the next pictures in the direction of travel, and one behind.
function ahead() {
  let open = 0;
  for (const e of kept.values()) {
    open += e.done ? 0 : 1;
  }
  for (const step of [1, 2, -1, 3, 4, 5].slice(0, AHEAD + 1)) {
    const place = at + step * direction;
    if (open >= ATONCE || place < 1 || place > stack.total) {
      continue;
    }
    const url = find(place).image.i && address(place);
    if (url && !kept.has(url)) {
      load(url).catch(() => {});
      open++;
    }
  }
}

// show goes to a place. What is there already stays until the next one has come.
async function show(place) {
  place = Math.min(Math.max(place, 1), stack.total);
  const { image, frame } = find(place);
  if (!image.i) {
    halt();
    location.assign(pageOf(place)); // no picture, or a page of its own
    return;
  }

  direction = place < at ? -1 : 1;
  at = place;
  slider.value = at;
  label.textContent = at + " / " + stack.total;
  history.replaceState(null, "", pageOf(at));
  const url = address(at);
  try {
    const img = await load(url);
    if (place !== at || url !== address(at)) {
      return; // somebody has gone on
    }
    img.id = "frame";
    img.className = over;
    img.alt = text(at);
    if (img !== shown) {
      shown.removeAttribute("id");
      shown.replaceWith(img);
      shown = img;
      place_();
    }
    if (under) {
      const below = stack.under[frame - 1];
      under.hidden = !below;
      below && (under.src = stack.base + below);
    }
    why.textContent = "";
    stage.dataset.shown = at;
    ahead();
  } catch {
    if (place === at) {
      why.textContent = await reason(url);
      stage.dataset.shown = at;
      halt();
    }
  }
}

const text = place => stack.alt.replace("%1", place).replace("%2", stack.total).replace("%3", document.querySelector("h1 bdi").textContent);

// reason asks why there is no picture, and says it in words.
async function reason(url) {
  try {
    const answer = await fetch(url, { headers: { Accept: "image/jpeg" } });
    const problem = answer.status === 406 || answer.status === 404 ? await answer.json() : {};
    return stack.why[problem.code || ""] || stack.why[""];
  } catch {
    return stack.why[""];
  }
}

// pageOf is the address of the page of a place.
function pageOf(place) {
  const q = new URLSearchParams(location.search);
  q.set("frame", place);
  preset ? q.set("window", preset) : q.delete("window");
  return location.pathname + "?" + q;
}

// place_ puts the picture where it has been moved to.
function place_() {
  for (const img of [shown, under]) {
    img && (img.style.transform = zoom === 1 ? "" : `translate(${left}px, ${top_}px) scale(${zoom})`);
  }
}

// enlarge changes the scale around a point of the stage, which stays where it is.
function enlarge(factor, x, y) {
  const before = zoom;
  zoom = Math.min(Math.max(zoom * factor, 1), 16);
  const f = zoom / before;
  const cx = x - stage.clientWidth / 2, cy = y - stage.clientHeight / 2;
  left = cx - (cx - left) * f;
  top_ = cy - (cy - top_) * f;
  move(0, 0);
  if (before <= 1 && zoom > 1 || before > 1 && zoom <= 1) {
    show(at); // in full, or in the size of the screen
  }
}

function move(x, y) {
  const wide = (zoom - 1) * stage.clientWidth / 2, high = (zoom - 1) * stage.clientHeight / 2;
  left = Math.min(Math.max(left + x, -wide), wide);
  top_ = Math.min(Math.max(top_ + y, -high), high);
  stage.dataset.zoom = zoom.toFixed(2);
  place_();
}

function whole() {
  enlarge(1 / zoom, 0, 0);
}

// halt and run play the frames at the rate that the image names, and never faster than they come.
function halt() {
  clearTimeout(timer);
  timer = 0;
  play.textContent = play.dataset.play;
}

async function run() {
  const began = performance.now();
  await show(at >= stack.total ? 1 : at + 1);
  if (timer) {
    timer = setTimeout(run, Math.max(1000 / stack.rate - (performance.now() - began), 0));
  }
}

function toggle() {
  if (timer) {
    halt();
    return;
  }
  play.textContent = play.dataset.stop;
  timer = setTimeout(run, 0);
}

function presets(open) {
  if (windows) {
    windows.hidden = !open;
    contrast.setAttribute("aria-expanded", String(open));
  }
}

// Fingers, and the mouse, which is one.
const fingers = new Map();
let gone = 0, spread = 0, tapped = 0, still = true, waiting = 0;
const STEP = 14; // pixels that a finger goes for the next frame

function middle() {
  const list = [...fingers.values()];
  const box = stage.getBoundingClientRect();
  const x = list.reduce((s, f) => s + f.x, 0) / list.length - box.left, y = list.reduce((s, f) => s + f.y, 0) / list.length - box.top;
  return { x, y, apart: list.length > 1 ? Math.hypot(list[0].x - list[1].x, list[0].y - list[1].y) : 0 };
}

stage.addEventListener("pointerdown", e => {
  stage.setPointerCapture(e.pointerId);
  if (fingers.size === 0) {
    still = true;
    gone = 0;
  }
  fingers.set(e.pointerId, { x: e.clientX, y: e.clientY });
  still = still && fingers.size === 1;
  spread = middle().apart;
});

stage.addEventListener("pointermove", e => {
  const finger = fingers.get(e.pointerId);
  if (!finger) {
    return;
  }
  const was = middle();
  const dy = e.clientY - finger.y, dx = e.clientX - finger.x;
  fingers.set(e.pointerId, { x: e.clientX, y: e.clientY });
  const now = middle();

  if (fingers.size > 1) {
    move(now.x - was.x, now.y - was.y);
    if (spread > 0 && now.apart > 0) {
      enlarge(now.apart / spread, now.x, now.y);
      spread = now.apart;
    }
    return;
  }
  if (Math.hypot(dx, dy) > 0 && (Math.abs(gone + dy) > 4 || Math.abs(dx) > 4)) {
    still = false;
  }
  if (stack.total === 1) {
    zoom > 1 && move(dx, dy);
    return;
  }
  gone += dy;
  const steps = Math.trunc(gone / STEP);
  if (steps !== 0) {
    gone -= steps * STEP;
    halt();
    show(at + steps);
  }
});

function lift(e) {
  if (!fingers.delete(e.pointerId)) {
    return;
  }
  spread = fingers.size > 1 ? middle().apart : 0;
  gone = 0;
  if (fingers.size > 0 || !still || e.type !== "pointerup") {
    return;
  }
  clearTimeout(waiting);
  if (e.timeStamp - tapped < 350) {
    tapped = 0;
    whole();
    return;
  }
  tapped = e.timeStamp;
  waiting = setTimeout(() => presets(windows && windows.hidden), 350);
}
stage.addEventListener("pointerup", lift);
stage.addEventListener("pointercancel", lift);

stage.addEventListener("wheel", e => {
  if (e.ctrlKey) {
    const box = stage.getBoundingClientRect();
    enlarge(Math.exp(-e.deltaY / 200), e.clientX - box.left, e.clientY - box.top);
  } else if (stack.total > 1) {
    halt();
    show(at + Math.sign(e.deltaY));
  } else {
    return;
  }
  e.preventDefault();
}, { passive: false });

addEventListener("keydown", e => {
  if (e.ctrlKey || e.altKey || e.metaKey || e.target.closest("input, button, a")) {
    return;
  }
  const half = [stage.clientWidth / 2, stage.clientHeight / 2];
  const act = {
    ArrowDown: () => show(at + 1), ArrowRight: () => show(at + 1), ArrowUp: () => show(at - 1), ArrowLeft: () => show(at - 1),
    PageDown: () => show(at + 10), PageUp: () => show(at - 10), Home: () => show(1), End: () => show(stack.total),
    "+": () => enlarge(1.25, ...half), "-": () => enlarge(0.8, ...half), 0: whole, " ": toggle,
  }[e.key];
  if (act && (stack.total > 1 || "+-0".includes(e.key))) {
    e.preventDefault();
    e.key !== " " && halt();
    act();
  }
});

slider.addEventListener("input", () => { halt(); show(Number(slider.value)); });
play.addEventListener("click", toggle);
document.getElementById("reset").addEventListener("click", whole);
contrast.addEventListener("click", () => presets(windows.hidden));
for (const [id, step] of [["previous", -1], ["next", 1]]) {
  document.getElementById(id)?.addEventListener("click", e => {
    e.preventDefault();
    halt();
    show(at + step);
  });
}
for (const a of windows ? windows.querySelectorAll("a") : []) {
  a.addEventListener("click", e => {
    e.preventDefault();
    preset = a.dataset.window;
    for (const other of windows.querySelectorAll("a")) {
      other === a ? other.setAttribute("aria-current", "true") : other.removeAttribute("aria-current");
    }
    show(at);
  });
}

document.getElementById("tools").hidden = false;
document.getElementById("help").hidden = false;
stage.classList.add(stack.total > 1 ? "stack" : "single");
slider.hidden = play.hidden = stack.total < 2;
shown.draggable = false;
if (windows) {
  contrast.hidden = false;
  presets(false);
}
stage.dataset.shown = at;
shown.decode().then(ahead, () => {});
