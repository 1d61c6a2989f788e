// Tables: what happens in the slab, the resources, the sources of errors, the rival machines.

const info = byId("info");
const MOST_EVENTS = 500;
let infoKey = "";

function row(cells, className = "") {
  const made = element("tr", "", className);
  cells.forEach((cell, i) => {
    const isNumber = typeof cell === "number";
    const text = isNumber ? numberText(cell) : cell;
    made.append(element(i === 0 ? "th" : "td", text, isNumber ? "number" : ""));
  });
  return made;
}

// A key as words.
function nameOf(key) {
  return key.replace(".", ": ").replaceAll("_", " ").replace(/^t /, "T ").replace(/y$/, "Y");
}

function numberText(value) {
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return value === 0 ? "0" : value.toExponential(1).replace("-", "\u2011"); // does not break
}

function table(head, rows) {
  const made = document.createElement("table");
  if (head.length) {
    const top = document.createElement("thead");
    top.append(row(head));
    made.append(top);
  }
  const body = document.createElement("tbody");
  body.append(...rows);
  made.append(body);
  return made;
}

function slabTab() {
  const events = eventsAt(state.slab);
  if (!events.length) return [element("p", `All patches idle in slab ${state.slab}.`, "empty")];
  const rows = events.slice(0, MOST_EVENTS).map(({ op, text }) => {
    const place = col.opPlace[op];
    const where = place < 0 ? "" : `${col.placeLine[place]}:${col.placeColumn[place]}`;
    const made = row([text, where], state.chosen[op] ? "event chosen" : "event");
    made.addEventListener("click", () => selectOp(op, text));
    return made;
  });
  const more = events.length - rows.length;
  const rest = more > 0 ? [element("p", `and ${counted(more, "event")} more`, "empty")] : [];
  return [table([], rows), ...rest];
}

function figuresTab() {
  return [table([], Object.entries(data.figures).map(([name, value]) =>
    row([nameOf(name), value])))];
}

const PART_COLOURS = [COLOUR.z, COLOUR.magic, COLOUR.mixed, COLOUR.y];

function errorsTab() {
  const parts = Object.entries(data.errors);
  const total = parts.reduce((sum, [, value]) => sum + value, 0);
  if (!total) return [element("p", "No errors are counted: there are no rates.", "empty")];
  const bar = element("div", "", "parts");
  const rows = parts.map(([name, value], i) => {
    const part = document.createElement("div");
    part.style.flex = `${value / total} 0 0`;
    part.style.background = PART_COLOURS[i % 4];
    part.title = name;
    bar.append(part);
    const made = row([name, value, `${((100 * value) / total).toFixed(1)} %`]);
    const swatch = element("span", "", "swatch");
    swatch.style.background = PART_COLOURS[i % 4];
    made.firstChild.prepend(swatch);
    return made;
  });
  rows.push(row(["together, at most", Math.min(total, 1), ""]));
  return [bar, table([], rows)];
}

function machinesTab() {
  if (!data.pareto.length) {
    return [element("p", "With --error-budget, the machines that no other one beats in qubits and "
      + "rounds are listed here.", "empty")];
  }
  const head = ["machine", "d", "qubits", "rounds", "error"];
  const factories = (each) => (each.factories ? `, ${each.factories} × ${each.factory}` : "");
  const rows = data.pareto.map((each) => row([each.floor_plan + factories(each), each.distance, each.qubits, each.rounds, each.error], isThis(each) ? "chosen" : ""));
  return [paretoChart(), table(head, rows)];
}

// Whether a machine is the one that the program has been compiled for.
function isThis({ distance, slabs, factories }) {
  const { figures } = data;
  return distance === figures.distance && slabs === figures.slabs
    && factories === figures.factories;
}

const svg = (name, attributes, text = "") => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
};

// Qubits across, rounds up, both logarithmic.
function paretoChart() {
  const [wide, high, margin] = [320, 150, 34];
  const scale = (values, from, to) => {
    const logs = values.map((value) => Math.log(Math.max(value, 1)));
    const [low, span] = [Math.min(...logs), Math.max(...logs) - Math.min(...logs)];
    return logs.map((log) => from + ((to - from) * (span ? (log - low) / span : 0.5)));
  };
  const xs = scale(data.pareto.map(({ qubits }) => qubits), margin + 10, wide - 20);
  const ys = scale(data.pareto.map(({ rounds }) => rounds), high - margin, 16);
  const chart = svg("svg", { viewBox: `0 0 ${wide} ${high}`, role: "img" });
  const axis = `M${margin} 8V${high - 24}H${wide - 8}`;
  chart.append(svg("path", { d: axis, fill: "none", stroke: "#98a4b0" }));
  const line = xs.map((x, i) => `${i ? "L" : "M"}${x} ${ys[i]}`).join("");
  chart.append(svg("path", { d: line, fill: "none", stroke: COLOUR.z, "stroke-dasharray": "3 3" }));
  xs.forEach((x, i) => {
    const here = isThis(data.pareto[i]);
    chart.append(svg("circle", { cx: x, cy: ys[i], r: 4, fill: here ? COLOUR.x : COLOUR.z }));
  });
  chart.append(svg("text", { x: wide - 10, y: high - 10, "text-anchor": "end", "font-size": 11 },
    "qubits (log)"));
  chart.append(svg("text", { x: 12, y: high / 2, "font-size": 11, "text-anchor": "middle",
    transform: `rotate(-90 12 ${high / 2})` }, "rounds (log)"));
  return chart;
}

const TABS = { slab: slabTab, figures: figuresTab, errors: errorsTab, machines: machinesTab };

function drawInfo() {
  for (const button of document.querySelectorAll("[role=tab]")) {
    button.setAttribute("aria-selected", button.dataset.tab === state.tab);
  }
  const key = state.tab === "slab" ? `${state.slab} ${state.version}` : state.tab;
  if (key === infoKey) return;
  infoKey = key;
  info.replaceChildren(...TABS[state.tab]());
}

for (const button of document.querySelectorAll("[role=tab]")) {
  button.addEventListener("click", () => {
    state.tab = button.dataset.tab;
    changed();
  });
}
onChange(drawInfo);
