// Canvases that keep the size of their box, in device pixels.

function makeSurface(id) {
  const canvas = byId(id);
  const surface = { canvas, context: null, width: 0, height: 0, ratio: 1 };
  const measure = () => {
    const box = canvas.getBoundingClientRect();
    surface.ratio = window.devicePixelRatio || 1;
    surface.width = Math.max(box.width, 1);
    surface.height = Math.max(box.height, 1);
    canvas.width = Math.round(surface.width * surface.ratio);
    canvas.height = Math.round(surface.height * surface.ratio);
    changed();
  };
  new ResizeObserver(measure).observe(canvas);
  return surface;
}

// A surface for 2D drawing, in CSS pixels.
function makeDrawing(id) {
  const surface = makeSurface(id);
  surface.context = surface.canvas.getContext("2d");
  surface.clear = () => {
    surface.context.setTransform(surface.ratio, 0, 0, surface.ratio, 0, 0);
    surface.context.clearRect(0, 0, surface.width, surface.height);
  };
  return surface;
}

// Calls `drag(event, dx, dy)` while the pointer is down, and `click(event)` if it has not moved.
function onDrag(canvas, drag, click) {
  let moved = 0;
  let down = false;
  canvas.addEventListener("pointerdown", (event) => {
    down = true;
    moved = 0;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!down) return;
    moved += Math.abs(event.movementX) + Math.abs(event.movementY);
    if (moved > 3) drag(event, event.movementX, event.movementY);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (down && moved <= 3 && click) click(event);
    down = false;
  });
  canvas.addEventListener("pointercancel", () => {
    down = false;
  });
}

// How much a turn of the wheel magnifies.
function wheelFactor(event) {
  return Math.exp(-within(event.deltaY, -200, 200) * 0.002);
}

function mixed(colour, other, part) {
  const [a, b] = [rgb(colour), rgb(other)];
  return `rgb(${a.map((value, i) => Math.round(value + (b[i] - value) * part)).join(" ")})`;
}

function rgb(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}
