// Sentences about patches, joint measurements and places.

const tile = (x, y) => `(${x},${y})`;

function patchName(p) {
  if (col.patchName[p] >= 0) return data.names[col.patchName[p]];
  if (col.patchStart[p] >= 4) return "magic state";
  const name = `patch ${tile(col.patchX[p], col.patchY[p])}`;
  const at = factoryAt(col.patchX[p], col.patchY[p]);
  return at < 0 ? name : `${name} of ${data.factories[at].name}`;
}

function factoryAt(x, y) {
  return data.factories.findIndex(({ tile: [fx, fy], size: [w, h] }) =>
    x >= fx && x < fx + w && y >= fy && y < fy + h);
}

// X·Z of the terms, with the names of their patches.
function product(j) {
  const parts = [];
  for (let t = col.joinTerm[j]; t < col.joinTerm[j + 1]; t++) {
    parts.push(`${LETTER[col.termLetter[t]]}(${patchName(col.termPatch[t])})`);
  }
  return parts.join(" · ");
}

function joinText(j) {
  const result = col.joinResult[j] < 0 ? "" : ` → ${data.names[col.joinResult[j]]}`;
  return `measure ${product(j)}${result}`;
}

function endText(p) {
  const result = col.patchResult[p] < 0 ? "" : ` → ${data.names[col.patchResult[p]]}`;
  return `measure ${patchName(p)} in ${ENDS[col.patchEnd[p]]}${result}`;
}

function startText(p) {
  const start = col.patchStart[p];
  return start ? `prepare ${patchName(p)} ${STARTS[start]}` : `${patchName(p)} enters`;
}

// What happens in a slab: sentences with the operation that each is part of.
function eventsAt(slab) {
  const events = [];
  const patches = patchesAt(slab);
  for (const p of patches) {
    if (col.patchFirst[p] === slab) events.push({ op: col.patchBeginOp[p], text: startText(p) });
  }
  const [begin, end] = joinsAt(slab);
  for (let j = begin; j < end; j++) events.push({ op: col.joinOp[j], text: joinText(j) });
  for (const p of patches) {
    const ends = col.patchLast[p] === slab && col.patchEnd[p];
    if (ends) events.push({ op: col.patchEndOp[p], text: endText(p) });
  }
  return events;
}

function placeText(place) {
  if (place < 0) return "";
  return `${data.files[col.placeFile[place]].name}:${col.placeLine[place]}:${col.placeColumn[place]}`;
}

// The text of each file as lines.
const sourceLines = data.files.map(({ text }) => (text ? text.split("\n") : []));

function lineText(place) {
  if (place < 0) return "";
  return sourceLines[col.placeFile[place]][col.placeLine[place] - 1] ?? "";
}

// -- the tip at the pointer ---------------------------------------------------------------------

const tip = byId("tip");

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function showTip(event, title, detail, op) {
  const place = op < 0 ? -1 : col.opPlace[op];
  tip.replaceChildren(element("p", title));
  if (detail) tip.append(element("p", detail));
  if (place >= 0) {
    tip.append(element("p", placeText(place), "where"));
    tip.append(element("code", lineText(place).slice(0, 200).trim()));
  }
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${within(event.clientX + 14, 4, innerWidth - width - 4)}px`;
  tip.style.top = `${within(event.clientY + 16, 4, innerHeight - height - 4)}px`;
}

function hideTip() {
  tip.hidden = true;
}

// What a tile with a patch is doing in a slab: a title, a detail and the operation.
function patchStory(p, j, slab) {
  const title = col.patchName[p] < 0 ? patchName(p)
    : `${patchName(p)} on tile ${tile(col.patchX[p], col.patchY[p])}`;
  if (j >= 0) return [title, joinText(j), col.joinOp[j]];
  if (col.patchFirst[p] === slab) return [title, startText(p), col.patchBeginOp[p]];
  if (col.patchLast[p] === slab && col.patchEnd[p]) return [title, endText(p), col.patchEndOp[p]];
  return [title, `idle in slab ${slab}`, -1];
}
