// A camera that looks at a point from an azimuth and an elevation.  Vectors are [x, y, z], y up;
// matrices are columns, as WebGL takes them.

const minus = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const plus = (a, b, factor) => a.map((value, i) => value + factor * b[i]);
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0]];
const unit = (a) => a.map((value) => value / Math.hypot(...a));

class Camera {
  constructor() {
    this.azimuth = 0.62;
    this.elevation = 0.5;
    this.distance = 10;
    this.target = [0, 0, 0];
    this.tangent = Math.tan(0.26); // of half the angle of view
    this.aspect = 1;
  }

  // The direction to the camera, and those to the right and up in the picture.
  axes() {
    const flat = Math.cos(this.elevation);
    const back = [flat * Math.sin(this.azimuth), Math.sin(this.elevation),
      flat * Math.cos(this.azimuth)];
    const right = [Math.cos(this.azimuth), 0, -Math.sin(this.azimuth)];
    return { back, right, up: cross(back, right) };
  }

  eye() {
    return plus(this.target, this.axes().back, this.distance);
  }

  // Let a box fill the picture, and then its middle be that of the picture.
  fit(low, high) {
    const { back, right, up } = this.axes();
    this.target = low.map((value, i) => (value + high[i]) / 2);
    for (let pass = 0; pass < 3; pass++) {
      const points = [0, 1, 2, 3, 4, 5, 6, 7].map((corner) =>
        minus(low.map((value, i) => (corner & (1 << i) ? high[i] : value)), this.target));
      this.distance = Math.max(...points.map((point) => {
        const across = Math.abs(dot(point, right)) / this.aspect;
        return (Math.max(across, Math.abs(dot(point, up))) * 1.06) / this.tangent
          + dot(point, back);
      }));
      for (const axis of [right, up]) {
        const seen = points.map((point) => dot(point, axis) / (this.distance - dot(point, back)));
        const middle = (Math.min(...seen) + Math.max(...seen)) / 2;
        this.target = plus(this.target, axis, middle * this.distance);
      }
    }
  }

  orbit(dx, dy) {
    this.azimuth -= dx * 0.008;
    this.elevation = within(this.elevation + dy * 0.008, -1.5, 1.5);
  }

  pan(dx, dy, height) {
    const { right, up } = this.axes();
    const unitsPerPixel = (2 * this.tangent * this.distance) / height;
    this.target = plus(plus(this.target, right, -dx * unitsPerPixel), up, dy * unitsPerPixel);
  }

  // From the world to the picture.
  matrix(reach) {
    const { back, right, up } = this.axes();
    const eye = this.eye();
    const far = this.distance + reach;
    const near = Math.max(this.distance - reach, far / 2000);
    const [sx, sy] = [1 / (this.tangent * this.aspect), 1 / this.tangent];
    const a = -(far + near) / (far - near);
    const b = (-2 * far * near) / (far - near);
    const columns = [];
    for (let i = 0; i < 3; i++) columns.push(sx * right[i], sy * up[i], a * back[i], -back[i]);
    const [x, y, z] = [-dot(right, eye), -dot(up, eye), -dot(back, eye)];
    columns.push(sx * x, sy * y, a * z + b, -z);
    return new Float32Array(columns);
  }

  // The direction of sight at a point of the picture, x and y from -1 to 1.
  ray(x, y) {
    const { back, right, up } = this.axes();
    const ahead = plus([0, 0, 0], back, -1);
    return unit(plus(plus(ahead, right, x * this.tangent * this.aspect), up, y * this.tangent));
  }
}

// Where a point is in a picture of a size; null behind the camera.
function project(matrix, [x, y, z], width, height) {
  const at = (row) => matrix[row] * x + matrix[4 + row] * y + matrix[8 + row] * z + matrix[12 + row];
  const w = at(3);
  return w <= 0 ? null : [((at(0) / w + 1) / 2) * width, ((1 - at(1) / w) / 2) * height];
}
