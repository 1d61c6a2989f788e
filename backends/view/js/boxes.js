// The program as boxes in space and time: pieces of patches, route tiles, and pipes across edges.

// Colours of faces are numbers of this palette.
const FACES = [COLOUR.patch, COLOUR.x, COLOUR.z, COLOUR.y, COLOUR.mixed, COLOUR.magic, COLOUR.open,
  COLOUR.tile];
const [PLAIN, MIXED, MAGIC, OPEN, GROUND] = [0, 4, 5, 6, 7];
const MARGIN = 0.18; // of a tile, around a box
const PAUSE = 0.05; // of a slab, before and after a box

const TERMS = col.termPatch.length;
const MOST = 2 * PATCHES + 2 * TERMS + col.routeX.length + col.edgeX.length;
const box = {
  count: 0,
  x: new Float32Array(MOST), y: new Float32Array(MOST), // the north-west corner, in tiles
  w: new Float32Array(MOST), d: new Float32Array(MOST),
  low: new Float64Array(MOST), high: new Float64Array(MOST), // in slabs
  colour: new Uint32Array(MOST), // a byte each: east and west, north and south, bottom, top
  op: new Int32Array(MOST), // the operations that it is part of, or -1
  opToo: new Int32Array(MOST),
  patch: new Int32Array(MOST), join: new Int32Array(MOST), // what it shows, or -1
};

function addBox(x, y, w, d, low, high, faces, op, opToo, patch, join) {
  const i = box.count++;
  box.x[i] = x;
  box.y[i] = y;
  box.w[i] = w;
  box.d[i] = d;
  box.low[i] = low;
  box.high[i] = high;
  box.colour[i] = faces[0] | (faces[1] << 8) | (faces[2] << 16) | (faces[3] << 24);
  box.op[i] = op;
  box.opToo[i] = opToo;
  box.patch[i] = patch;
  box.join[i] = join;
}

// A piece of a patch's life, from one slab to another; `j` is a join in it, or -1.
function addPiece(p, from, to, j) {
  const begins = from === col.patchFirst[p];
  const ends = to === col.patchLast[p];
  const start = col.patchStart[p];
  const end = col.patchEnd[p];
  const faces = [2, 1, PLAIN, PLAIN];
  if (begins) faces[2] = start >= 4 ? MAGIC : start || OPEN;
  if (ends) faces[3] = end === 4 ? 3 : end || OPEN;
  if (begins && start >= 4) faces[0] = faces[1] = MAGIC;
  const op = j >= 0 ? col.joinOp[j] : begins ? col.patchBeginOp[p] : -1;
  addBox(col.patchX[p] + MARGIN, col.patchY[p] + MARGIN, 1 - 2 * MARGIN, 1 - 2 * MARGIN,
    from + (begins ? PAUSE : 0), to + 1 - (ends ? PAUSE : 0), faces,
    op, ends && end ? col.patchEndOp[p] : -1, p, j);
}

function addPatches() {
  const next = Int32Array.from(col.patchFirst); // where each patch's next piece begins
  const magicFirst = (p) => {
    if (col.patchStart[p] >= 4 && next[p] === col.patchFirst[p] && next[p] < col.patchLast[p]) {
      addPiece(p, next[p], next[p]++, -1);
    }
  };
  for (let j = 0; j < JOINS; j++) {
    for (let t = col.joinTerm[j]; t < col.joinTerm[j + 1]; t++) {
      const p = col.termPatch[t];
      const slab = col.joinSlab[j];
      if (next[p] < slab) magicFirst(p);
      if (next[p] < slab) addPiece(p, next[p], slab - 1, -1);
      addPiece(p, slab, slab, j);
      next[p] = slab + 1;
    }
  }
  for (let p = 0; p < PATCHES; p++) {
    magicFirst(p);
    if (next[p] <= col.patchLast[p]) addPiece(p, next[p], col.patchLast[p], -1);
  }
}

function addJoins() {
  for (let j = 0; j < JOINS; j++) {
    const [low, high, op] = [col.joinSlab[j] + PAUSE, col.joinSlab[j] + 1 - PAUSE, col.joinOp[j]];
    const size = 1 - 2 * MARGIN;
    for (let r = col.joinRoute[j]; r < col.joinRoute[j + 1]; r++) {
      const rim = col.routeLetter[r];
      const faces = [rim, rim, 3 - rim, 3 - rim];
      addBox(col.routeX[r] + MARGIN, col.routeY[r] + MARGIN, size, size, low, high, faces, op, -1,
        -1, j);
    }
    for (let e = col.joinEdge[j]; e < col.joinEdge[j + 1]; e++) {
      const [x, y, level] = [col.edgeX[e], col.edgeY[e], (col.edgeKind[e] & 3) === EAST_SIDE];
      const rim = carriedAcross(j, x, y, level);
      const faces = col.edgeKind[e] >= 4 ? [MIXED, MIXED, MIXED, MIXED]
        : [rim, rim, 3 - rim, 3 - rim];
      if (level) {
        addBox(x + 1 - MARGIN, y + MARGIN, 2 * MARGIN, size, low, high, faces, op, -1, -1, j);
      } else {
        addBox(x + MARGIN, y + 1 - MARGIN, size, 2 * MARGIN, low, high, faces, op, -1, -1, j);
      }
    }
  }
}

addPatches();
addJoins();

// What a box is about: a title, a detail and the operation.
function boxStory(i, slab) {
  const [p, j] = [box.patch[i], box.join[i]];
  if (p >= 0) {
    const at = within(slab, Math.floor(box.low[i]), Math.ceil(box.high[i]) - 1);
    const story = patchStory(p, j, at);
    return story[2] >= 0 ? story : [story[0], story[1], col.patchBeginOp[p]];
  }
  return [`route in slab ${col.joinSlab[j]}`, joinText(j), col.joinOp[j]];
}
