// The blocks of the slabs that are shown: what is drawn, the camera, the pointer.

const FEW_BOXES = 12000; // boxes that any machine draws
const MANY_BOXES = 400000;
const space = makeSurface("space");
const labels = makeDrawing("labels");
const camera = new Camera();
const shown = { key: "", boxes: new Int32Array(0), first: 0, last: 0, height: 1 };
let mostDrawn = FEW_BOXES; // grows as long as drawing is quick
let slow = false; // drawing is not
let painter = null;
let blocks = null;
let frame = null;
let fitted = "";
let loaded = "";
let drawnSlab = -1;
let later = 0; // a picture that waits for the slab to stay the same

const gl = space.canvas.getContext("webgl2", { antialias: true });
if (gl) {
  painter = new Painter(gl);
  [blocks, frame] = [painter.batch(), painter.batch()];
}

// The boxes of the slabs [first, last]; not all of them where they are too many.
function boxesIn(first, last) {
  const found = [];
  for (let i = 0; i < box.count && found.length <= mostDrawn; i++) {
    if (box.low[i] < last + 1 && box.high[i] > first) found.push(i);
  }
  return found;
}

// Choose what is drawn: all slabs that the timeline shows, or as many around the current one as
// can be drawn.
function chooseBoxes() {
  const key = `${state.first}-${state.last} ${mostDrawn}`;
  const near = shown.first <= state.slab && state.slab <= shown.last;
  if (key === shown.key && near) return false;
  let [first, last] = [state.first, state.last];
  let found = boxesIn(first, last);
  while (found.length > mostDrawn && last > first) {
    const size = Math.floor((last - first + 1) / 2);
    first = within(state.slab - (size >> 1), state.first, state.last + 1 - size);
    last = first + size - 1;
    found = boxesIn(first, last);
  }
  Object.assign(shown, { key, boxes: Int32Array.from(found), first, last });
  const slabs = last - first + 1;
  shown.height = Math.min(1, (2.4 * Math.max(EAST - WEST, SOUTH - NORTH, 4)) / slabs);
  return true;
}

const heightOf = (slab) => (slab - shown.first) * shown.height;

// Six numbers, four colours and a mark for each of some boxes.
class Shapes {
  constructor(count) {
    this.shapes = new Float32Array(6 * count);
    this.colours = new Uint32Array(count);
    this.marks = new Uint8Array(count);
    this.count = 0;
  }

  add(x, low, y, w, high, d, colour, mark) {
    const at = 6 * this.count;
    this.shapes[at] = x;
    this.shapes[at + 1] = low;
    this.shapes[at + 2] = y;
    this.shapes[at + 3] = w;
    this.shapes[at + 4] = high - low;
    this.shapes[at + 5] = d;
    this.colours[this.count] = colour;
    this.marks[this.count++] = mark;
  }

  loadTo(batch) {
    painter.load(batch, this.shapes, this.colours, this.marks);
  }
}

const allFaces = (face) => face * 0x01010101;

function loadBoxes() {
  const made = new Shapes(shown.boxes.length);
  for (const i of shown.boxes) {
    made.add(box.x[i], lowOf(i), box.y[i], box.w[i], highOf(i), box.d[i], box.colour[i], markOf(i));
  }
  made.loadTo(blocks);
}

const lowOf = (i) => heightOf(Math.max(box.low[i], shown.first));
const highOf = (i) => heightOf(Math.min(box.high[i], shown.last + 1));

// The ground, the factories on it, and the current slab.
function loadFrame() {
  const made = new Shapes(data.factories.length + 2);
  const [wide, deep] = [EAST - WEST, SOUTH - NORTH];
  made.add(WEST, -0.12, NORTH, wide, -0.06, deep, allFaces(GROUND), USUAL);
  for (const { tile: [x, y], size: [w, h] } of data.factories) {
    made.add(x + 0.05, -0.06, y + 0.05, w - 0.1, -0.02, h - 0.1, allFaces(MAGIC), FAINT);
  }
  made.add(WEST, heightOf(state.slab), NORTH, wide, heightOf(state.slab + 1), deep,
    allFaces(OPEN), PLANE);
  made.loadTo(frame);
}

function markOf(i) {
  if (!state.count) return USUAL;
  const [a, b] = [box.op[i], box.opToo[i]];
  return (a >= 0 && state.chosen[a]) || (b >= 0 && state.chosen[b]) ? SELECTED : FAINT;
}

function fitCamera() {
  camera.fit([WEST, -0.1, NORTH], [EAST, heightOf(shown.last + 1), SOUTH]);
}

function drawSpace() {
  const output = byId("space-slabs");
  if (!painter) {
    output.textContent = "this browser has no WebGL 2";
    return;
  }
  const fresh = chooseBoxes();
  output.textContent = `slabs ${shown.first} to ${shown.last} of 0…${SLABS - 1}`;
  byId("picked").textContent = state.note || "Click a block, a tile or a source line";
  camera.aspect = space.width / space.height;
  const picture = `${shown.first}-${shown.last} ${space.width} ${space.height}`;
  if (fresh || fitted !== picture) fitCamera();
  fitted = picture;
  const wanted = `${shown.first}-${shown.last} ${state.version}`;
  if (wanted !== loaded) loadBoxes();
  loaded = wanted;
  clearTimeout(later);
  if (slow && drawnSlab !== state.slab) later = setTimeout(paintSpace, 100);
  else paintSpace();
}

function paintSpace() {
  drawnSlab = state.slab;
  loadFrame();
  const reach = Math.hypot(EAST - WEST, SOUTH - NORTH, heightOf(shown.last + 1)) + 1;
  const matrix = camera.matrix(reach);
  const start = performance.now();
  painter.paint([blocks, frame], matrix, space.ratio);
  if (!slow && shown.last - shown.first < state.last - state.first) drawMore(start);
  drawLabels(matrix);
}

// Draw more boxes if these took little time.
function drawMore(start) {
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4)); // waits for the picture
  slow = performance.now() - start > 12;
  if (slow || mostDrawn >= MANY_BOXES) return;
  mostDrawn *= 2;
  changed();
}

// Numbers of slabs along the vertical edge of the chip that is furthest to the left.
function drawLabels(matrix) {
  labels.clear();
  const { context, width, height } = labels;
  const corners = [[WEST, NORTH], [EAST, NORTH], [EAST, SOUTH], [WEST, SOUTH]];
  const ends = corners.map(([x, y]) => project(matrix, [x, 0, y], width, height));
  if (ends.some((end) => !end)) return;
  const left = ends.reduce((best, end, i) => (end[0] < ends[best][0] ? i : best), 0);
  const [x, y] = corners[left];
  context.font = "11px system-ui, sans-serif";
  context.textAlign = "right";
  context.textBaseline = "middle";
  let before = Infinity;
  for (let slab = shown.first; slab <= shown.last; slab += labelStep()) {
    const at = project(matrix, [x, heightOf(slab + 0.5), y], width, height);
    if (!at || Math.abs(at[1] - before) < 14) continue;
    before = at[1];
    context.fillStyle = slab === state.slab ? COLOUR.ink : "#8793a0";
    context.fillText(slab, at[0] - 9, at[1]);
    context.fillRect(at[0] - 6, at[1], 4, 1);
  }
}

// Every how many slabs there is a number: about 20 of them.
function labelStep() {
  const wanted = (shown.last - shown.first + 1) / 20;
  const unit = 10 ** Math.floor(Math.log10(Math.max(wanted, 1)));
  return [1, 2, 5, 10].map((each) => each * unit).find((each) => each >= wanted);
}

// -- pointer ------------------------------------------------------------------------------------

// The box that is seen at the pointer, or -1.
function spaceHit(event) {
  const bounds = space.canvas.getBoundingClientRect();
  const x = ((event.clientX - bounds.left) / bounds.width) * 2 - 1;
  const y = 1 - ((event.clientY - bounds.top) / bounds.height) * 2;
  const [eye, ray] = [camera.eye(), camera.ray(x, y)];
  let [best, nearest, enter, leave] = [-1, Infinity, 0, 0];
  const cut = (axis, low, high) => {
    const a = (low - eye[axis]) / ray[axis];
    const b = (high - eye[axis]) / ray[axis];
    enter = Math.max(enter, Math.min(a, b));
    leave = Math.min(leave, Math.max(a, b));
  };
  for (const i of shown.boxes) {
    enter = 0;
    leave = nearest;
    cut(0, box.x[i], box.x[i] + box.w[i]);
    cut(1, lowOf(i), highOf(i));
    cut(2, box.y[i], box.y[i] + box.d[i]);
    if (enter < leave) {
      best = i;
      nearest = enter;
    }
  }
  return best;
}

space.canvas.addEventListener("pointermove", (event) => {
  const hit = event.buttons || !painter ? -1 : spaceHit(event);
  if (hit >= 0) showTip(event, ...boxStory(hit, state.slab));
  else hideTip();
});
space.canvas.addEventListener("pointerleave", hideTip);
space.canvas.addEventListener("contextmenu", (event) => event.preventDefault());
onDrag(
  space.canvas,
  (event, dx, dy) => {
    if (event.shiftKey || event.buttons === 2) camera.pan(dx, dy, space.height);
    else camera.orbit(dx, dy);
    changed();
  },
  (event) => {
    const hit = painter ? spaceHit(event) : -1;
    if (hit < 0) return selectNothing();
    const [title, detail, op] = boxStory(hit, state.slab);
    selectOp(op, `${title}: ${detail}`);
    goTo(within(state.slab, Math.floor(box.low[hit]), Math.ceil(box.high[hit]) - 1));
  },
);
space.canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  camera.distance /= wheelFactor(event);
  changed();
}, { passive: false });

onChange(drawSpace);
