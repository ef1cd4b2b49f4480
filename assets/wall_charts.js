/* Small charts for walls, drawn as SVG from numbers: no library, no text of others in them.
 *
 * They fill the box that they are put in; lines keep their width whatever its shape. Zero is the
 * baseline of every bar. A missing value is a gap, never nought.
 */
"use strict";

(() => {
  const { part } = window.lawang.live;
  const SVG = "http://www.w3.org/2000/svg";

  function shape(tag, attributes, children = []) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined) element.setAttribute(name, value);
    }
    element.append(...[].concat(children));
    return element;
  }

  function frame(className, children, label) {
    return shape(
      "svg",
      {
        class: `chart ${className}`,
        viewBox: "0 0 100 100",
        preserveAspectRatio: "none",
        role: "img",
        "aria-label": label,
      },
      children,
    );
  }

  function isKnown(value) {
    return typeof value === "number" && Number.isFinite(value);
  }

  /** [[x, y], …] or [y, …] as points; unknown ones stay as gaps. */
  function pointsOf(values) {
    return values.map((each, index) => (Array.isArray(each) ? each : [index, each]));
  }

  function scaleOf(points, extra, fromZero) {
    const xs = points.map(([x]) => x);
    const ys = [...points.map(([, y]) => y), ...extra].filter(isKnown);
    const least = fromZero ? Math.min(0, ...ys) : Math.min(...ys);
    const most = Math.max(...ys);
    const high = most - least || Math.abs(most) || 1;
    const left = Math.min(...xs);
    const wide = Math.max(...xs) - left || 1;
    return {
      x: (x) => (100 * (x - left)) / wide,
      y: (y) => 96 - (92 * (y - least)) / high,
    };
  }

  function path(points, { x, y }) {
    let pen = "M";
    let text = "";
    for (const [at, value] of points) {
      if (!isKnown(value)) pen = "M";
      else {
        text += `${pen}${x(at).toFixed(2)} ${y(value).toFixed(2)}`;
        pen = "L";
      }
    }
    return text;
  }

  /** A course with its last point. `marks` are values drawn as level lines. */
  function spark(values, { marks = [], label, className = "" } = {}) {
    const points = pointsOf(values);
    const known = points.filter(([, y]) => isKnown(y));
    if (known.length < 2) return part("span", { class: "chart-none" });
    const scale = scaleOf(points, marks);
    const [lastX, lastY] = known[known.length - 1];
    const drawn = [];
    for (const mark of marks.filter(isKnown))
      drawn.push(
        shape("line", { class: "chart-mark", x1: 0, x2: 100, y1: scale.y(mark), y2: scale.y(mark) }),
      );
    drawn.push(shape("path", { class: "chart-line", d: path(points, scale) }));
    // A point is a line of no length with round ends: it stays round in any box.
    const end = `M${scale.x(lastX).toFixed(2)} ${scale.y(lastY).toFixed(2)}h0`;
    drawn.push(shape("path", { class: "chart-end", d: end }));
    return frame(`spark ${className}`, drawn, label);
  }

  /** A lying bar of a share 0 to 1 with a tick at what was due. Parts: [{share, className}]. */
  function bullet(share, { due, parts, className = "" } = {}) {
    const clip = (value) => `${Math.max(0, Math.min(1, value)) * 100}%`;
    const fills = parts || (isKnown(share) ? [{ share, className: "bullet-fill" }] : []);
    const children = fills.map((each) =>
      part("i", { class: each.className, style: `width: ${clip(each.share)}` }),
    );
    if (isKnown(due)) children.push(part("b", { class: "bullet-due", style: `left: ${clip(due)}` }));
    return part("span", { class: `bullet ${className}`.trim() }, children);
  }

  /** What was reached beside what was due over a year: [[day, value, due], …]; forecast at the end. */
  function course(points, { forecast, target, label, className = "" } = {}) {
    const at = (day) => Date.parse(day) / 864e5;
    const real = points.map(([day, value]) => [at(day), value]);
    const due = points.map(([day, , wish]) => [at(day), wish]);
    if (real.filter(([, y]) => isKnown(y)).length < 2) return part("span", { class: "chart-none" });
    const [lastX, lastY] = real.filter(([, y]) => isKnown(y)).at(-1);
    const year = new Date(points.at(-1)[0]).getUTCFullYear();
    const end = Date.UTC(year, 11, 31) / 864e5;
    const begin = Date.UTC(year, 0, 1) / 864e5;
    const all = [...real, ...due, [begin, 0], [end, 0]];
    const scale = scaleOf(all, [target, forecast && forecast.high, forecast && forecast.value], true);
    const drawn = [
      shape("path", { class: "chart-due", d: path([...due, ...(isKnown(target) ? [[end, target]] : [])], scale) }),
      shape("path", { class: "chart-line", d: path(real, scale) }),
    ];
    if (forecast && isKnown(forecast.value)) {
      if (isKnown(forecast.low) && isKnown(forecast.high))
        drawn.unshift(
          shape("path", {
            class: "chart-cone",
            d: `${path([[lastX, lastY], [end, forecast.high], [end, forecast.low]], scale)}Z`,
          }),
        );
      drawn.push(
        shape("path", {
          class: "chart-forecast",
          d: path([[lastX, lastY], [end, forecast.value]], scale),
        }),
      );
    }
    const dot = `M${scale.x(lastX).toFixed(2)} ${scale.y(lastY).toFixed(2)}h0`;
    drawn.push(shape("path", { class: "chart-end", d: dot }));
    return frame(`course ${className}`, drawn, label);
  }

  window.lawang.wall.charts = { spark, bullet, course };
})();
