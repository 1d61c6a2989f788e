// The page's data: text columns become typed arrays.

const byId = (id) => document.getElementById(id);

const KINDS = { u1: Uint8Array, u2: Uint16Array, i4: Int32Array };

function decode({ type, data }) {
  const text = atob(data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new KINDS[type](bytes.buffer);
}

const data = JSON.parse(byId("data").textContent);
const col = {};
for (const [name, column] of Object.entries(data.columns)) col[name] = decode(column);

const [WEST, NORTH, EAST, SOUTH] = data.box;
const SLABS = Math.max(data.slabs, 1);
const PATCHES = col.patchX.length;
const JOINS = col.joinSlab.length;
const OPS = col.opPlace.length;
const COLOUR = data.palette;

// Letters are numbers: 1 for X, 2 for Z, 3 for Y; a route that carries X starts and ends in Z.
const LETTER = ["", "X", "Z", "Y"];
const LETTER_COLOUR = [COLOUR.open, COLOUR.x, COLOUR.z, COLOUR.y];
const STARTS = ["open", "in X", "in Z", "in Y", "as a T state", "as a T† state"];
const ENDS = ["", "X", "Z", "Y", "X or Y"];
const EAST_SIDE = 1;

// The first index of a sorted column whose value is at least `value`.
function lowerBound(column, value) {
  let low = 0;
  let high = column.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (column[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

// [begin, end) of the joins in a slab.
function joinsAt(slab) {
  return [lowerBound(col.joinSlab, slab), lowerBound(col.joinSlab, slab + 1)];
}

// The patches on the chip in a slab.
function patchesAt(slab) {
  const found = [];
  const end = lowerBound(col.patchFirst, slab + 1);
  for (let p = 0; p < end; p++) if (col.patchLast[p] >= slab) found.push(p);
  return found;
}
