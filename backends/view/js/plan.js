// The floor plan of one slab.

const plan = makeDrawing("plan");
const planView = { zoom: 1, x: 0, y: 0 }; // zoom 1 shows all of the chip; x, y shift it, in pixels
let planItems = { slab: -1, patches: [], first: 0, end: 0, onTile: new Map() };

// What is on each tile: [patch or -1, join or -1].
function itemsAt(slab) {
  const onTile = new Map();
  const patches = patchesAt(slab);
  for (const p of patches) onTile.set(tileKey(col.patchX[p], col.patchY[p]), [p, -1]);
  const [first, end] = joinsAt(slab);
  for (let j = first; j < end; j++) {
    for (let r = col.joinRoute[j]; r < col.joinRoute[j + 1]; r++) {
      onTile.set(tileKey(col.routeX[r], col.routeY[r]), [-1, j]);
    }
    for (let t = col.joinTerm[j]; t < col.joinTerm[j + 1]; t++) {
      const p = col.termPatch[t];
      onTile.set(tileKey(col.patchX[p], col.patchY[p]), [p, j]);
    }
  }
  return { slab, patches, first, end, onTile };
}

// Pixels of a tile, and those of the chip's corner.
function planFrame() {
  const margin = 26;
  const wide = (plan.width - 2 * margin) / (EAST - WEST);
  const high = (plan.height - 2 * margin) / (SOUTH - NORTH);
  const size = within(Math.min(wide, high), 0.5, 130) * planView.zoom;
  return {
    size,
    left: (plan.width - size * (EAST - WEST)) / 2 + planView.x - size * WEST,
    top: (plan.height - size * (SOUTH - NORTH)) / 2 + planView.y - size * NORTH,
  };
}

function drawPlan() {
  if (planItems.slab !== state.slab) planItems = itemsAt(state.slab);
  plan.clear();
  const frame = planFrame();
  const pen = new PlanPen(plan.context, frame);
  pen.tiles();
  for (const each of data.factories) pen.factory(each);
  for (const p of planItems.patches) pen.glowOfPatch(p);
  for (let j = planItems.first; j < planItems.end; j++) pen.glowOfJoin(j);
  for (const p of planItems.patches) pen.patch(p);
  for (let j = planItems.first; j < planItems.end; j++) pen.join(j);
  for (const p of planItems.patches) pen.label(p);
  for (const each of data.factories) pen.factoryName(each);
  const wait = col.waitSlab.indexOf(state.slab);
  const waits = wait < 0 ? "" : ` · waits ${counted(col.waitRounds[wait], "round")}`;
  byId("plan-slab").textContent = `slab ${state.slab}${waits}`;
}

// -- pointer ------------------------------------------------------------------------------------

// The item under the pointer: [patch, join].
function planHit(event) {
  const box = plan.canvas.getBoundingClientRect();
  const frame = planFrame();
  const x = Math.floor((event.clientX - box.left - frame.left) / frame.size);
  const y = Math.floor((event.clientY - box.top - frame.top) / frame.size);
  if (x < WEST || x >= EAST || y < NORTH || y >= SOUTH) return null;
  const [p, j] = planItems.onTile.get(tileKey(x, y)) ?? [-1, -1];
  return { x, y, p, j };
}

function planStory({ x, y, p, j }) {
  if (p >= 0) return patchStory(p, j, state.slab);
  if (j >= 0) return [`route on tile ${tile(x, y)}`, joinText(j), col.joinOp[j]];
  const at = factoryAt(x, y);
  return [`tile ${tile(x, y)}`, at < 0 ? "" : data.factories[at].name, -1];
}

plan.canvas.addEventListener("pointermove", (event) => {
  const hit = planHit(event);
  if (hit && !event.buttons) showTip(event, ...planStory(hit));
  else hideTip();
});
plan.canvas.addEventListener("pointerleave", hideTip);
onDrag(
  plan.canvas,
  (_, dx, dy) => {
    planView.x += dx;
    planView.y += dy;
    changed();
  },
  (event) => {
    const hit = planHit(event);
    if (!hit) return selectNothing();
    const [title, detail, op] = planStory(hit);
    selectOp(op, detail || title);
  },
);
plan.canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const factor = within(planView.zoom * wheelFactor(event), 0.5, 400) / planView.zoom;
  const box = plan.canvas.getBoundingClientRect();
  const dx = event.clientX - box.left - plan.width / 2 - planView.x;
  const dy = event.clientY - box.top - plan.height / 2 - planView.y;
  planView.zoom *= factor;
  planView.x -= dx * (factor - 1);
  planView.y -= dy * (factor - 1);
  changed();
}, { passive: false });

onChange(drawPlan);
