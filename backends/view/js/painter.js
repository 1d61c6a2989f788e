// Draws boxes by WebGL 2: one cube, many instances.

const VERTEX = `#version 300 es
precision highp float;
layout(location = 0) in vec3 corner;
layout(location = 1) in vec3 normal;
layout(location = 2) in vec3 low;
layout(location = 3) in vec3 size;
layout(location = 4) in uvec4 faces;
layout(location = 5) in uint mark;
uniform mat4 matrix;
uniform vec3 palette[8];
uniform uint pass;
out vec3 colour;
out vec2 place;
out vec2 extent;
flat out uint kind;
void main() {
  kind = mark;
  bool solid = mark <= 1u;
  gl_Position = matrix * vec4(low + corner * size, 1.0);
  if (solid != (pass == 0u)) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
  uint face = normal.x != 0.0 ? faces.x : normal.z != 0.0 ? faces.y
    : normal.y < 0.0 ? faces.z : faces.w;
  float light = normal.x != 0.0 ? 0.9 : normal.z != 0.0 ? 0.98 : normal.y > 0.0 ? 1.0 : 0.8;
  colour = palette[face] * light;
  vec3 along = corner * size;
  place = normal.x != 0.0 ? along.yz : normal.y != 0.0 ? along.xz : along.xy;
  extent = normal.x != 0.0 ? size.yz : normal.y != 0.0 ? size.xz : size.xy;
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec3 colour;
in vec2 place;
in vec2 extent;
flat in uint kind;
uniform float edge;
out vec4 result;
void main() {
  vec2 pixels = min(place, extent - place) / max(fwidth(place), 1e-6);
  float inside = smoothstep(edge * 0.2, edge * 0.2 + 1.0, min(pixels.x, pixels.y));
  float alpha = kind == 2u ? 0.13 : kind == 3u ? 0.1 : 1.0;
  vec3 line = kind == 1u ? vec3(0.1, 0.08, 0.0) : colour * 0.5;
  if (kind == 2u) alpha = mix(0.25, alpha, inside);
  if (kind == 3u) alpha = mix(0.45, alpha, inside);
  result = vec4(mix(line, colour, inside) * alpha, alpha);
}`;

// Marks of boxes: drawn as usual, selected, faint because others are selected, the slab's plane.
const [USUAL, SELECTED, FAINT, PLANE] = [0, 1, 2, 3];

class Painter {
  constructor(gl) {
    this.gl = gl;
    this.program = this.link();
    gl.useProgram(this.program);
    [this.corners, this.triangles] = this.cube();
    gl.uniform3fv(this.uniform("palette"), FACES.flatMap((each) => rgb(each).map((v) => v / 255)));
    gl.enable(gl.DEPTH_TEST);
    gl.enable(gl.CULL_FACE);
    gl.depthFunc(gl.LEQUAL);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.clearColor(0, 0, 0, 0);
  }

  uniform(name) {
    return this.gl.getUniformLocation(this.program, name);
  }

  link() {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
      throw new Error(gl.getProgramInfoLog(program));
    }
    return program;
  }

  // Four corners with their normal for each face, and the triangles that they make.
  cube() {
    const { gl } = this;
    const values = [];
    const triangles = [];
    for (const axis of [0, 1, 2]) {
      for (const end of [0, 1]) {
        const first = values.length / 6;
        for (const [u, v] of [[0, 0], [1, 0], [1, 1], [0, 1]]) {
          const corner = [0, 0, 0];
          corner[axis] = end;
          corner[(axis + 1) % 3] = end ? u : v; // counterclockwise as seen from outside
          corner[(axis + 2) % 3] = end ? v : u;
          const normal = [0, 0, 0];
          normal[axis] = 2 * end - 1;
          values.push(...corner, ...normal);
        }
        triangles.push(...[0, 1, 2, 0, 2, 3].map((each) => first + each));
      }
    }
    const buffers = [gl.createBuffer(), gl.createBuffer()];
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[0]);
    gl.bufferData(gl.ARRAY_BUFFER, new Int8Array(values), gl.STATIC_DRAW);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffers[1]);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, new Uint8Array(triangles), gl.STATIC_DRAW);
    return buffers;
  }

  // Some boxes that are loaded together.
  batch() {
    const { gl } = this;
    const made = { count: 0, faint: false, array: gl.createVertexArray(), buffers: [] };
    gl.bindVertexArray(made.array);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.triangles);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.corners);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 3, gl.BYTE, false, 6, 0);
    gl.enableVertexAttribArray(1);
    gl.vertexAttribPointer(1, 3, gl.BYTE, false, 6, 3);
    const perInstance = (place, buffer) => {
      made.buffers[buffer] ??= gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, made.buffers[buffer]);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribDivisor(place, 1);
    };
    perInstance(2, 0);
    gl.vertexAttribPointer(2, 3, gl.FLOAT, false, 24, 0);
    perInstance(3, 0);
    gl.vertexAttribPointer(3, 3, gl.FLOAT, false, 24, 12);
    perInstance(4, 1);
    gl.vertexAttribIPointer(4, 4, gl.UNSIGNED_BYTE, 0, 0);
    perInstance(5, 2);
    gl.vertexAttribIPointer(5, 1, gl.UNSIGNED_BYTE, 0, 0);
    return made;
  }

  // Six numbers, four colours and a mark for each box.
  load(batch, shapes, colours, marks) {
    const { gl } = this;
    [shapes, colours, marks].forEach((values, i) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, batch.buffers[i]);
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
    });
    batch.count = marks.length;
    batch.faint = marks.some((mark) => mark >= FAINT);
  }

  // What is solid first, then what one sees through.
  paint(batches, matrix, ratio) {
    const { gl } = this;
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.uniformMatrix4fv(this.uniform("matrix"), false, matrix);
    gl.uniform1f(this.uniform("edge"), ratio);
    for (const pass of [0, 1]) {
      gl.uniform1ui(this.uniform("pass"), pass);
      if (pass) gl.enable(gl.BLEND);
      else gl.disable(gl.BLEND);
      gl.depthMask(pass === 0);
      for (const { array, count, faint } of batches) {
        if (pass && !faint) continue;
        gl.bindVertexArray(array);
        gl.drawElementsInstanced(gl.TRIANGLES, 36, gl.UNSIGNED_BYTE, 0, count);
      }
    }
    gl.depthMask(true);
  }
}
