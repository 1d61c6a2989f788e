// The shapes of joint measurements.

const tileKey = (x, y) => (y - NORTH) * (EAST - WEST) + (x - WEST);

// By tile: a bit for each side (north, east, south, west) that is merged.
function mergedSides(j) {
  const sides = new Map();
  const add = (x, y, side) => {
    sides.set(tileKey(x, y), (sides.get(tileKey(x, y)) ?? 0) | (1 << side));
  };
  for (let e = col.joinEdge[j]; e < col.joinEdge[j + 1]; e++) {
    const [x, y, level] = [col.edgeX[e], col.edgeY[e], (col.edgeKind[e] & 3) === EAST_SIDE];
    add(x, y, level ? 1 : 2);
    add(x + (level ? 1 : 0), y + (level ? 0 : 1), level ? 3 : 0);
  }
  return sides;
}

// The letter carried across an edge: that of a route tile there, else of the side of a patch.
function carriedAcross(j, x, y, level) {
  for (let r = col.joinRoute[j]; r < col.joinRoute[j + 1]; r++) {
    if (col.routeX[r] === x && col.routeY[r] === y) return col.routeLetter[r];
  }
  for (let r = col.joinRoute[j]; r < col.joinRoute[j + 1]; r++) {
    const [fx, fy] = [x + (level ? 1 : 0), y + (level ? 0 : 1)];
    if (col.routeX[r] === fx && col.routeY[r] === fy) return col.routeLetter[r];
  }
  return level ? 1 : 2;
}

function letterIn(j, p) {
  for (let t = col.joinTerm[j]; t < col.joinTerm[j + 1]; t++) {
    if (col.termPatch[t] === p) return col.termLetter[t];
  }
  return 0;
}

// Crossings at which a mixed edge ends and all four edges are merged; (x, y) is a tile's corner.
function twistsOf(j) {
  let hasY = false;
  for (let t = col.joinTerm[j]; t < col.joinTerm[j + 1]; t++) hasY ||= col.termLetter[t] === 3;
  if (!hasY) return [];
  const sides = mergedSides(j);
  const has = (x, y, side) => ((sides.get(tileKey(x, y)) ?? 0) >> side) & 1;
  const found = [];
  for (let e = col.joinEdge[j]; e < col.joinEdge[j + 1]; e++) {
    if (col.edgeKind[e] < 4) continue;
    const [x, y, level] = [col.edgeX[e], col.edgeY[e], (col.edgeKind[e] & 3) === EAST_SIDE];
    const ends = [[x + (level ? 1 : 0), y + (level ? 0 : 1)], [x + 1, y + 1]];
    for (const [cx, cy] of ends) {
      if (has(cx - 1, cy - 1, 1) && has(cx - 1, cy, 1) && has(cx - 1, cy, 0) && has(cx, cy, 0)) {
        found.push([cx, cy]);
      }
    }
  }
  return found;
}
