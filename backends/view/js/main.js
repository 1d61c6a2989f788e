// The frame around the views: heading, legend, slider, keys, and what the address says.

byId("data").remove(); // it has been read
document.querySelector("h1").textContent = data.title;
const HEADLINE = ["distance", "logical_qubits", "tiles", "tile_qubits", "slabs", "rounds",
  "t_states"];
for (const name of HEADLINE) {
  if (!(name in data.figures)) continue;
  const pair = document.createElement("div");
  pair.append(element("dt", nameOf(name)));
  pair.append(element("dd", numberText(data.figures[name])));
  byId("headline").append(pair);
}

// -- legend -------------------------------------------------------------------------------------

const LEGEND = [
  ["X boundary", COLOUR.x, [], 3],
  ["Z boundary", COLOUR.z, [6, 2.5], 3],
  ["route that carries X", mixed(COLOUR.patch, COLOUR.x, 0.25), [], 12],
  ["route that carries Z", mixed(COLOUR.patch, COLOUR.z, 0.25), [], 12],
  ["mixed edge", COLOUR.mixed, [], 12],
  ["Y, twist", COLOUR.y, [], 12],
  ["magic state", COLOUR.magic, [], 12],
  ["selected", GLOW, [], 12],
];
for (const [text, colour, dash, width] of LEGEND) {
  const item = document.createElement("li");
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [44, 24];
  const context = canvas.getContext("2d");
  context.scale(2, 2);
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.setLineDash(dash);
  context.moveTo(0, 6);
  context.lineTo(22, 6);
  context.stroke();
  item.append(canvas, text);
  byId("legend").append(item);
}

// -- slider and buttons -------------------------------------------------------------------------

const slider = byId("slab");
slider.max = SLABS - 1;
slider.addEventListener("input", () => goTo(Number(slider.value)));
byId("closer").addEventListener("click", () => showSlabs((state.last - state.first + 1) / 2,
  state.slab));
byId("wider").addEventListener("click", () => showSlabs((state.last - state.first + 1) * 2,
  state.slab));
byId("play").addEventListener("click", play);
byId("help").addEventListener("click", () => {
  byId("keys").hidden = !byId("keys").hidden;
  byId("help").setAttribute("aria-expanded", !byId("keys").hidden);
});

let timer = 0;

function play() {
  clearInterval(timer);
  if (timer) {
    timer = 0;
  } else {
    if (state.slab === SLABS - 1) goTo(0);
    timer = setInterval(() => (state.slab < SLABS - 1 ? goTo(state.slab + 1) : play()), 350);
  }
  byId("play").textContent = timer ? "❚❚" : "▶";
  byId("play").setAttribute("aria-label", timer ? "Pause" : "Play");
}

const KEYS = {
  ArrowLeft: ({ shiftKey }) => goTo(state.slab - (shiftKey ? 10 : 1)),
  ArrowRight: ({ shiftKey }) => goTo(state.slab + (shiftKey ? 10 : 1)),
  Home: () => goTo(0),
  End: () => goTo(SLABS - 1),
  " ": play,
  "+": () => byId("closer").click(),
  "-": () => byId("wider").click(),
  Escape: selectNothing,
  f: fitAll,
};

function fitAll() {
  Object.assign(planView, { zoom: 1, x: 0, y: 0 });
  fitted = "";
  changed();
}

document.addEventListener("keydown", (event) => {
  const act = KEYS[event.key];
  const typing = event.target.tagName === "SELECT"
    || (event.key === " " && event.target.tagName === "BUTTON");
  if (!act || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  act(event);
});

// -- address ------------------------------------------------------------------------------------

// #slab=3&slabs=0-20&line=12&tab=figures: what is shown at first, and a link to what is shown.
function readAddress() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  const number = (text) => (/^\d{1,9}$/.test(text) ? Number(text) : 0);
  const [first, last] = (wanted.get("slabs") ?? "").split("-");
  if (last !== undefined) {
    state.first = within(number(first), 0, SLABS - 1);
    state.last = within(number(last), state.first, SLABS - 1);
  }
  if (Object.hasOwn(TABS, wanted.get("tab") ?? "")) state.tab = wanted.get("tab");
  if (wanted.has("line")) selectLine(0, number(wanted.get("line")));
  if (wanted.has("slab")) goTo(number(wanted.get("slab")));
}

function writeAddress() {
  if (!/^(file|https?):$/.test(location.protocol)) return; // a notebook's frame has no address
  const wanted = new URLSearchParams({ slab: state.slab });
  if (state.first || state.last < SLABS - 1) wanted.set("slabs", `${state.first}-${state.last}`);
  if (state.tab !== "slab") wanted.set("tab", state.tab);
  const hash = `#${wanted}`;
  if (location.hash !== hash) history.replaceState(null, "", hash);
}

onChange(() => {
  slider.value = state.slab;
  byId("slab-number").textContent = `slab ${state.slab} of 0…${SLABS - 1}`;
});

readAddress();
let addressTimer = 0;
onChange(() => {
  clearTimeout(addressTimer); // browsers allow few changes of the address in a second
  addressTimer = setTimeout(writeAddress, 300);
});
changed();
