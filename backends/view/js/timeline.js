// Joint measurements by slab, and the magic states: who makes them, how many wait, who uses them.

const timeline = makeDrawing("timeline");
const LEFT = 140; // pixels for names
const MOST_LANES = 6;

const FACTORIES = data.factories.length;
const LANES = FACTORIES <= MOST_LANES ? data.factories.map(({ name }) => name) : ["all factories"];
const laneOf = (factory) => (FACTORIES <= MOST_LANES ? factory : 0);

// Consumptions are in program order; these are their numbers in order of slabs.
const usedOrder = Uint32Array.from(col.usedSlab, (_, i) => i)
  .sort((a, b) => col.usedSlab[a] - col.usedSlab[b]);
const usedSorted = Int32Array.from(usedOrder, (i) => col.usedSlab[i]);
const madeOrder = Uint32Array.from(col.madeSlab, (_, i) => i)
  .sort((a, b) => col.madeSlab[a] - col.madeSlab[b]);
const madeSorted = Int32Array.from(madeOrder, (i) => col.madeSlab[i]);

const slabWidth = () => (timeline.width - LEFT - 14) / (state.last - state.first + 1);
const slabLeft = (slab) => LEFT + (slab - state.first) * slabWidth();

function drawTimeline() {
  timeline.clear();
  const { context, width, height } = timeline;
  const rows = FACTORIES ? 2 + Math.max(LANES.length * 0.6, 1) : 1;
  const unit = Math.min((height - 22) / rows, 70);
  const [now, next] = [slabLeft(state.slab), slabLeft(state.slab + 1)];
  context.fillStyle = "#fff3cd";
  context.fillRect(now, 0, Math.max(next - now, 2), height - 18);
  context.save();
  context.beginPath();
  context.rect(LEFT, 0, width - LEFT - 13, height);
  context.clip();
  drawBars(4, unit - 8);
  if (FACTORIES) {
    drawLevels(unit + 2, unit - 8);
    LANES.forEach((_, i) => drawLane(i, 2 * unit + (i + 0.5) * laneHeight(unit)));
  }
  drawTicks(height - 18);
  context.restore();
  drawNames(unit);
}

const laneHeight = (unit) => (unit * Math.max(LANES.length * 0.6, 1)) / LANES.length;

function drawNames(unit) {
  const { context } = timeline;
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "right";
  context.textBaseline = "middle";
  context.fillStyle = "#5b6875";
  context.fillText("joint measurements", LEFT - 10, unit / 2);
  if (!FACTORIES) return;
  context.fillText("states waiting", LEFT - 10, unit * 1.5);
  LANES.forEach((name, i) => {
    context.fillText(name.slice(0, 18), LEFT - 10, 2 * unit + (i + 0.5) * laneHeight(unit));
  });
}

// Slabs [from, to) of every column of pixels, or of every slab where these are wider.
function* columnsShown() {
  const wide = slabWidth();
  const step = Math.max(1, Math.floor(1 / wide));
  for (let slab = state.first; slab <= state.last; slab += step) {
    yield [slab, Math.min(slab + step, state.last + 1), slabLeft(slab), Math.max(wide * step, 1)];
  }
}

const mostJoins = (() => {
  let most = 1;
  for (let j = 0, from = 0; j < JOINS; j++) {
    if (col.joinSlab[j] !== col.joinSlab[from]) from = j;
    most = Math.max(most, j - from + 1);
  }
  return most;
})();

function drawBars(top, high) {
  const { context } = timeline;
  for (const [from, to, left, wide] of columnsShown()) {
    const count = (lowerBound(col.joinSlab, to) - lowerBound(col.joinSlab, from)) / (to - from);
    const tall = (high * count) / mostJoins;
    const gap = wide > 6 ? 1 : 0;
    context.fillStyle = from <= state.slab && state.slab < to ? COLOUR.ink : "#9fb0c1";
    context.fillRect(left + gap, top + high - tall, wide - 2 * gap, tall);
  }
}

const mostStates = col.levelStates.reduce((most, states) => Math.max(most, states), 1);

// How many states wait, as an area.
function drawLevels(top, high) {
  const { context } = timeline;
  const bottom = top + high;
  let at = lowerBound(col.levelSlab, state.first + 1);
  let level = at ? col.levelStates[at - 1] : 0;
  const tall = (states) => bottom - (high * states) / mostStates;
  context.fillStyle = mixed(COLOUR.magic, "#ffffff", 0.6);
  context.beginPath();
  context.moveTo(slabLeft(state.first), bottom);
  context.lineTo(slabLeft(state.first), tall(level));
  for (; at < col.levelSlab.length && col.levelSlab[at] <= state.last; at++) {
    context.lineTo(slabLeft(col.levelSlab[at]), tall(level));
    level = col.levelStates[at];
    context.lineTo(slabLeft(col.levelSlab[at]), tall(level));
  }
  context.lineTo(slabLeft(state.last + 1), tall(level));
  context.lineTo(slabLeft(state.last + 1), bottom);
  context.fill();
}

// A factory's states: made, a triangle; used, a dot; the slabs that its qubit waited, a red line.
function drawLane(lane, middle) {
  const { context } = timeline;
  const size = within(slabWidth() * 0.3, 2, 5);
  const path = (colour, width, draw) => {
    context.beginPath();
    draw();
    context.fillStyle = context.strokeStyle = colour;
    context.lineWidth = width;
    if (width) context.stroke();
    else context.fill();
  };
  path("#d9dfe5", 1, () => {
    context.moveTo(LEFT, middle);
    context.lineTo(timeline.width, middle);
  });
  path(STALL, 2, () => {
    for (const [i, x] of statesShown(lane, usedSorted, usedOrder, col.usedFactory)) {
      context.moveTo(x - col.usedStall[i] * slabWidth(), middle);
      context.lineTo(x, middle);
    }
  });
  path(COLOUR.magic, 0, () => {
    for (const [, x] of statesShown(lane, madeSorted, madeOrder, col.madeFactory)) {
      context.moveTo(x, middle - size);
      context.lineTo(x + size, middle + size);
      context.lineTo(x - size, middle + size);
    }
  });
  path(COLOUR.ink, 0, () => {
    for (const [, x] of statesShown(lane, usedSorted, usedOrder, col.usedFactory)) {
      context.moveTo(x, middle);
      context.arc(x, middle, size * 0.8, 0, 7);
    }
  });
}

const STALL = "#d1382a";

// The states of a lane that are made or used in the slabs that are shown, and where these are; of
// those in about one place, the first.
function* statesShown(lane, sorted, order, factory) {
  const end = lowerBound(sorted, state.last + 1);
  let before = -Infinity;
  for (let k = lowerBound(sorted, state.first); k < end; k++) {
    const i = order[k];
    const x = slabLeft(sorted[k] + 0.5);
    if (x - before < 1.5 || laneOf(factory[i]) !== lane) continue;
    before = x;
    yield [i, x];
  }
}

function drawTicks(top) {
  const { context } = timeline;
  const step = [1, 2, 5, 10, 20, 50].find((each) => each * slabWidth() > 44)
    ?? 10 ** Math.ceil(Math.log10(44 / slabWidth()));
  context.font = "11px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "top";
  context.fillStyle = "#7d8995";
  for (let slab = Math.ceil(state.first / step) * step; slab <= state.last; slab += step) {
    const x = slabLeft(slab + 0.5);
    context.fillRect(x, top, 1, 4);
    context.fillText(slab, x, top + 5);
  }
}

// -- pointer ------------------------------------------------------------------------------------

const slabUnder = (event) => {
  const x = event.clientX - timeline.canvas.getBoundingClientRect().left;
  return within(Math.floor(state.first + (x - LEFT) / slabWidth()), state.first, state.last);
};

function timelineStory(slab) {
  const [from, to] = joinsAt(slab);
  const texts = [counted(to - from, "joint measurement")];
  const at = lowerBound(col.levelSlab, slab + 1);
  if (FACTORIES) texts.push(`${counted(at ? col.levelStates[at - 1] : 0, "state")} waiting`);
  const [begin, end] = [lowerBound(usedSorted, slab), lowerBound(usedSorted, slab + 1)];
  for (let k = begin; k < Math.min(end, begin + 4); k++) {
    const i = usedOrder[k];
    const stall = col.usedStall[i] ? `, after a stall of ${col.usedStall[i]}` : "";
    const { name } = data.factories[col.usedFactory[i]];
    texts.push(`state of ${name} made in slab ${col.usedMade[i]} used${stall}`);
  }
  return texts.join(" · ");
}

timeline.canvas.addEventListener("pointermove", (event) => {
  if (event.buttons) goTo(slabUnder(event));
  else showTip(event, `slab ${slabUnder(event)}`, timelineStory(slabUnder(event)), -1);
});
timeline.canvas.addEventListener("pointerdown", (event) => goTo(slabUnder(event)));
timeline.canvas.addEventListener("pointerleave", hideTip);
timeline.canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  showSlabs((state.last - state.first + 1) / wheelFactor(event), slabUnder(event));
}, { passive: false });

onChange(drawTimeline);
