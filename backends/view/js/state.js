// What is looked at.  Every view draws itself anew when something of it has changed.

const state = {
  slab: 0,
  first: 0, // the slabs of the timeline and of the blocks
  last: SLABS - 1,
  chosen: new Uint8Array(OPS), // operations that are selected
  count: 0, // of them
  version: 0, // of the selection
  place: -1, // the place in the source that was selected
  note: "",
  tab: "slab",
};

const views = [];
let waiting = false;

function onChange(draw) {
  views.push(draw);
}

function changed() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    for (const draw of views) draw();
  });
}

const within = (value, low, high) => Math.min(Math.max(value, low), high);

function goTo(slab) {
  state.slab = within(Math.round(slab), 0, SLABS - 1);
  const size = state.last - state.first;
  if (state.slab < state.first) state.first = state.slab;
  else if (state.slab > state.last) state.first = state.slab - size;
  state.last = state.first + size;
  changed();
}

// Show so many slabs, with the slab `around` at the same place in them as before.
function showSlabs(count, around) {
  const before = state.last - state.first + 1;
  const size = within(Math.round(count), Math.min(4, SLABS), SLABS);
  const part = (around - state.first) / before;
  state.first = within(Math.round(around - part * size), 0, SLABS - size);
  state.last = state.first + size - 1;
  changed();
}

function selectNothing() {
  state.chosen.fill(0);
  state.count = 0;
  state.place = -1;
  state.note = "";
  state.version++;
  changed();
}

function selectOp(op, note) {
  selectNothing();
  if (op < 0) return;
  state.chosen[op] = 1;
  state.count = 1;
  state.place = col.opPlace[op];
  state.note = note;
}

// All operations that come from a line, also by way of a macro or an include.
function selectLine(file, line) {
  selectNothing();
  const places = col.placeLine.length;
  const on = new Uint8Array(places);
  for (let p = 0; p < places; p++) {
    for (let at = p; at >= 0 && !on[p]; at = col.placeParent[at]) {
      on[p] = col.placeFile[at] === file && col.placeLine[at] === line ? 1 : 0;
      if (on[p] && state.place < 0) state.place = at;
    }
  }
  for (let op = 0; op < OPS; op++) {
    if (col.opPlace[op] >= 0 && on[col.opPlace[op]]) {
      state.chosen[op] = 1;
      state.count++;
    }
  }
  const slab = firstSlabChosen();
  if (slab >= 0) goTo(slab);
  state.note = `line ${line}: ${counted(state.count, "operation")}`;
}

function firstSlabChosen() {
  for (let j = 0; j < JOINS; j++) if (state.chosen[col.joinOp[j]]) return col.joinSlab[j];
  for (let p = 0; p < PATCHES; p++) {
    if (state.chosen[col.patchBeginOp[p]]) return col.patchFirst[p];
    if (state.chosen[col.patchEndOp[p]]) return col.patchLast[p];
  }
  return -1;
}

function counted(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}
