// The program's text.  Only the lines that are in sight are elements of the page.

const LINE_HEIGHT = 18;
const MOST_CHARACTERS = 1000; // of a line that is shown
const pane = byId("source");
const fileChoice = byId("files");
let file = 0;
let shownPlace = -1;

// By file: the lines that operations come from, also by way of macros and includes.
const working = data.files.map(() => new Set());
for (let p = 0; p < col.placeLine.length; p++) {
  working[col.placeFile[p]].add(col.placeLine[p]);
}

data.files.forEach(({ name }, i) => {
  const option = element("option", name);
  option.value = i;
  fileChoice.append(option);
});
fileChoice.hidden = data.files.length < 2;
fileChoice.addEventListener("change", () => {
  file = Number(fileChoice.value);
  pane.scrollTop = 0;
  changed();
});

// Lines of the file with a selected operation.
function chosenLines() {
  const lines = new Set();
  if (!state.count) return lines;
  for (let op = 0; op < OPS; op++) {
    if (!state.chosen[op]) continue;
    for (let at = col.opPlace[op]; at >= 0; at = col.placeParent[at]) {
      if (col.placeFile[at] === file) lines.add(col.placeLine[at]);
    }
  }
  return lines;
}

function drawSource() {
  if (state.place !== shownPlace) revealPlace();
  const lines = sourceLines[file] ?? [];
  const spacer = byId("spacer");
  const holder = byId("lines");
  spacer.style.height = `${lines.length * LINE_HEIGHT}px`;
  if (!lines.length) {
    const name = data.files[file]?.name ?? "the program";
    holder.replaceChildren(element("p", `The text of ${name} is not known here.`, "empty"));
    return;
  }
  const first = Math.max(Math.floor(pane.scrollTop / LINE_HEIGHT) - 5, 0);
  const last = Math.min(first + Math.ceil(pane.clientHeight / LINE_HEIGHT) + 10, lines.length);
  holder.style.transform = `translateY(${first * LINE_HEIGHT}px)`;
  const chosen = chosenLines();
  const made = [];
  for (let i = first; i < last; i++) made.push(lineElement(lines[i], i + 1, chosen.has(i + 1)));
  holder.replaceChildren(...made);
}

function lineElement(text, number, chosen) {
  const line = element("div", "", "line");
  line.append(element("span", number, "number"));
  const code = element("span", "");
  const shown = text.slice(0, MOST_CHARACTERS);
  const place = state.place;
  if (place >= 0 && col.placeFile[place] === file && col.placeLine[place] === number) {
    const [from, to] = [col.placeColumn[place] - 1, col.placeEnd[place] - 1];
    code.append(shown.slice(0, from), element("mark", shown.slice(from, to)), shown.slice(to));
  } else {
    code.textContent = shown;
  }
  line.append(code);
  if (working[file].has(number)) {
    line.classList.add("works");
    line.addEventListener("click", () => selectLine(file, number));
  }
  if (chosen) line.classList.add("chosen");
  return line;
}

// Scroll to a place that has been selected elsewhere.
function revealPlace() {
  shownPlace = state.place;
  if (state.place < 0) return;
  file = col.placeFile[state.place];
  fileChoice.value = file;
  const top = (col.placeLine[state.place] - 1) * LINE_HEIGHT;
  byId("spacer").style.height = `${sourceLines[file].length * LINE_HEIGHT}px`;
  if (top < pane.scrollTop || top > pane.scrollTop + pane.clientHeight - 2 * LINE_HEIGHT) {
    pane.scrollTop = top - pane.clientHeight / 3;
  }
}

pane.addEventListener("scroll", changed);
onChange(drawSource);
