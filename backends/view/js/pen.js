// Draws tiles, patches and regions onto the floor plan.

const GLOW = "#ffdc73";
const INSET = 0.13; // of a tile, between a patch and its edge

class PlanPen {
  constructor(context, frame) {
    this.context = context;
    this.frame = frame;
    this.inset = INSET * frame.size;
    this.rim = within(frame.size * 0.06, 1, 5);
  }

  at(x, y) {
    return [this.frame.left + x * this.frame.size, this.frame.top + y * this.frame.size];
  }

  tiles() {
    const { context, frame } = this;
    const [left, top] = this.at(WEST, NORTH);
    const [right, bottom] = this.at(EAST, SOUTH);
    context.fillStyle = COLOUR.tile;
    context.fillRect(left, top, right - left, bottom - top);
    if (frame.size < 5) return;
    context.strokeStyle = COLOUR.line;
    context.lineWidth = 1;
    context.beginPath();
    for (let x = WEST; x <= EAST; x++) this.line(...this.at(x, NORTH), ...this.at(x, SOUTH));
    for (let y = NORTH; y <= SOUTH; y++) this.line(...this.at(WEST, y), ...this.at(EAST, y));
    context.stroke();
    this.text(this.step(), left, top);
  }

  line(x0, y0, x1, y1) {
    this.context.moveTo(x0, y0);
    this.context.lineTo(x1, y1);
  }

  // Every how many tiles there is room for a coordinate.
  step() {
    return [1, 2, 5, 10, 20, 50, 100, 500].find((each) => each * this.frame.size > 24) ?? 1000;
  }

  text(step, left, top) {
    const { context, frame } = this;
    context.fillStyle = "#7d8995";
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (let x = Math.ceil(WEST / step) * step; x < EAST; x += step) {
      context.fillText(x, this.at(x, 0)[0] + frame.size / 2, Math.max(top - 11, 9));
    }
    for (let y = Math.ceil(NORTH / step) * step; y < SOUTH; y += step) {
      context.fillText(y, Math.max(left - 13, 9), this.at(0, y)[1] + frame.size / 2);
    }
  }

  factory({ name, tile: [x, y], size: [w, h], port }) {
    const { context, frame } = this;
    const [left, top] = this.at(x, y);
    const gap = frame.size * 0.04;
    const box = [left + gap, top + gap, w * frame.size - 2 * gap, h * frame.size - 2 * gap];
    context.fillStyle = mixed(COLOUR.tile, COLOUR.magic, 0.09);
    context.fillRect(...box);
    context.setLineDash([4, 3]);
    context.strokeStyle = COLOUR.magic;
    context.lineWidth = 1.2;
    context.strokeRect(...box);
    context.setLineDash([]);
    const [px, py] = this.at(port[0] + 0.5, port[1]);
    context.fillStyle = COLOUR.magic;
    context.beginPath();
    context.moveTo(px, py - gap);
    context.lineTo(px + 3 * gap, py + 2 * gap);
    context.lineTo(px - 3 * gap, py + 2 * gap);
    context.fill();
  }

  // The name of a factory, on its southern edge.
  factoryName({ name, tile: [x, y], size: [w, h] }) {
    const { context, frame } = this;
    context.fillStyle = COLOUR.magic;
    context.strokeStyle = "#fff";
    context.lineWidth = 4;
    const [middle, bottom] = this.at(x + w / 2, y + h);
    this.fit(name, middle, bottom - frame.size * 0.04, w, 0.12, "", true);
  }

  // Text about (x, y) that is at most `tiles` wide.
  fit(text, x, y, tiles, part, weight = "", halo = false) {
    const { context, frame } = this;
    let size = Math.min(frame.size * part, 15);
    if (size < 5) return;
    context.font = `${weight} ${size}px system-ui, sans-serif`;
    const room = (frame.size * tiles * 0.86) / Math.max(context.measureText(text).width, 1);
    if (room < 1) size *= room;
    if (size < 5) return;
    context.font = `${weight} ${size}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    if (halo) context.strokeText(text, x, y);
    context.fillText(text, x, y);
  }

  square(x, y, fill) {
    const { context, frame, inset } = this;
    const [left, top] = this.at(x, y);
    context.fillStyle = fill;
    context.fillRect(left + inset, top + inset, frame.size - 2 * inset, frame.size - 2 * inset);
  }

  // The rim of a tile's region: colours of its north, east, south and west side, "" for none.
  rims(x, y, colours) {
    const { context, frame, inset, rim } = this;
    if (frame.size < 6) return;
    const [left, top] = this.at(x, y);
    const [low, high] = [inset, frame.size - inset];
    const corners = [[low, low], [high, low], [high, high], [low, high]];
    context.lineWidth = rim;
    colours.forEach((colour, side) => {
      if (!colour) return;
      const [a, b] = [corners[side], corners[(side + 1) % 4]];
      context.strokeStyle = colour;
      context.setLineDash(colour === COLOUR.z && frame.size > 18 ? [rim * 2, rim * 0.8] : []);
      context.beginPath();
      this.line(left + a[0], top + a[1], left + b[0], top + b[1]);
      context.stroke();
    });
    context.setLineDash([]);
  }

  hides(x, y) {
    const [left, top] = this.at(x, y);
    const { size } = this.frame;
    return left + size < 0 || top + size < 0 || left > plan.width || top > plan.height;
  }

  patch(p) {
    const [x, y] = [col.patchX[p], col.patchY[p]];
    if (this.hides(x, y)) return;
    const magic = col.patchStart[p] >= 4;
    this.square(x, y, magic ? mixed(COLOUR.patch, COLOUR.magic, 0.3) : COLOUR.patch);
    this.rims(x, y, [COLOUR.x, COLOUR.z, COLOUR.x, COLOUR.z]);
  }

  // A glow around the tiles of what is selected.
  glowOfPatch(p) {
    const begins = col.patchFirst[p] === state.slab && state.chosen[col.patchBeginOp[p]];
    const ends = col.patchLast[p] === state.slab && state.chosen[col.patchEndOp[p]];
    if (begins || ends) this.glow(col.patchX[p], col.patchY[p]);
  }

  glowOfJoin(j) {
    if (!state.chosen[col.joinOp[j]]) return;
    for (let r = col.joinRoute[j]; r < col.joinRoute[j + 1]; r++) {
      this.glow(col.routeX[r], col.routeY[r]);
    }
    for (let t = col.joinTerm[j]; t < col.joinTerm[j + 1]; t++) {
      this.glow(col.patchX[col.termPatch[t]], col.patchY[col.termPatch[t]]);
    }
  }

  glow(x, y) {
    const { context, frame } = this;
    context.fillStyle = GLOW;
    context.fillRect(...this.at(x, y), frame.size, frame.size);
  }

  // Bars across the merged edges of a region, its route tiles, and the twists of its Y letters.
  join(j) {
    const { context, frame, inset } = this;
    const merged = mergedSides(j);
    for (let r = col.joinRoute[j]; r < col.joinRoute[j + 1]; r++) {
      const [x, y] = [col.routeX[r], col.routeY[r]];
      const colour = LETTER_COLOUR[col.routeLetter[r]];
      this.square(x, y, mixed(COLOUR.patch, colour, 0.25));
      const open = merged.get(tileKey(x, y)) ?? 0;
      this.rims(x, y, [0, 1, 2, 3].map((side) => (open & (1 << side) ? "" : colour)));
    }
    for (let e = col.joinEdge[j]; e < col.joinEdge[j + 1]; e++) this.edge(j, e);
    for (const [cx, cy] of twistsOf(j)) {
      context.fillStyle = COLOUR.y;
      context.beginPath();
      context.arc(...this.at(cx, cy), within(inset * 0.75, 2, 11), 0, 7);
      context.fill();
      context.fillStyle = "#fff";
      this.fit("Y", ...this.at(cx, cy), 0.2, 0.13, "bold");
    }
  }

  edge(j, e) {
    const { context, frame, inset, rim } = this;
    const side = col.edgeKind[e] & 3;
    const isMixed = col.edgeKind[e] >= 4;
    const [x, y] = [col.edgeX[e], col.edgeY[e]];
    const level = side === EAST_SIDE;
    const [left, top] = this.at(x + (level ? 1 : 0), y + (level ? 0 : 1));
    const long = frame.size - 2 * inset;
    const half = inset + rim * 0.5;
    const [u, v, w, h] = level ? [left - half, top + inset, 2 * half, long]
      : [left + inset, top - half, long, 2 * half];
    const carried = carriedAcross(j, x, y, level);
    context.fillStyle = isMixed ? COLOUR.mixed : mixed(COLOUR.patch, LETTER_COLOUR[carried], 0.25);
    context.fillRect(u, v, w, h);
    context.strokeStyle = isMixed ? mixed(COLOUR.mixed, COLOUR.ink, 0.35) : LETTER_COLOUR[carried];
    context.lineWidth = isMixed ? 1 : rim;
    context.setLineDash(carried === 2 && !isMixed && frame.size > 18 ? [rim * 2, rim * 0.8] : []);
    context.beginPath();
    if (level) {
      this.line(u, v, u + w, v);
      this.line(u, v + h, u + w, v + h);
    } else {
      this.line(u, v, u, v + h);
      this.line(u + w, v, u + w, v + h);
    }
    context.stroke();
    context.setLineDash([]);
  }

  // The name of a patch, and what happens to it.
  label(p) {
    const { context, frame } = this;
    if (frame.size < 12 || this.hides(col.patchX[p], col.patchY[p])) return;
    const [x, y] = this.at(col.patchX[p] + 0.5, col.patchY[p] + 0.5);
    const magic = col.patchStart[p] >= 4;
    const j = planItems.onTile.get(tileKey(col.patchX[p], col.patchY[p]))[1];
    const letter = j < 0 ? 0 : letterIn(j, p);
    const name = col.patchName[p] >= 0 ? patchName(p) : magic ? STARTS[col.patchStart[p]][5] : "";
    context.fillStyle = magic ? COLOUR.magic : COLOUR.ink;
    this.fit(name, x, y - (letter ? frame.size * 0.1 : 0), 0.68, 0.2, "600");
    if (letter) {
      context.fillStyle = LETTER_COLOUR[letter];
      this.fit(LETTER[letter], x, y + frame.size * (name ? 0.13 : 0), 0.5, 0.2, "bold");
    }
    if (col.patchFirst[p] === state.slab && col.patchStart[p] < 4) {
      this.badge(x - frame.size * 0.26, y + frame.size * 0.26, col.patchStart[p], true);
    }
    if (col.patchLast[p] === state.slab && col.patchEnd[p]) {
      this.badge(x + frame.size * 0.26, y - frame.size * 0.26, col.patchEnd[p], false);
    }
  }

  // A letter: in a disc where a patch is prepared, in a ring where it is measured.
  badge(x, y, letter, starts) {
    const { context, frame } = this;
    const radius = Math.min(frame.size * 0.08, 9);
    if (radius < 3) return;
    const colour = letter === 4 ? COLOUR.y : LETTER_COLOUR[letter];
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.fillStyle = starts ? colour : "#fff";
    context.fill();
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.stroke();
    context.fillStyle = starts ? "#fff" : colour;
    this.fit(letter === 4 ? "?" : LETTER[letter], x, y + 0.5, 0.16, 0.12, "bold");
  }
}
