/* What a map is drawn on and with: a canvas sheet in a pane of its own, and the shapes of marks.
 *
 * A sheet is drawn anew in the next frame after something asked for it, once for all that did.
 * Shapes are paths in a box from -1 to 1; canvas and legend (SVG) draw the same ones.
 */
"use strict";

(() => {
  const own = window.lawang.map;
  const SVG = "http://www.w3.org/2000/svg";

  /** By what a report is about: the difference is the shape, never the colour alone. */
  const SHAPES = {
    fire: "M0-1.05 1 .85H-1Z",
    water: "M0-1.15C.55-.45.85-.05.85.35A.85.8 0 0 1-.85.35C-.85-.05-.55-.45 0-1.15Z",
    tree: "M0-1.1A.72.72 0 0 1 .55.15H.2V1H-.2V.15H-.55A.72.72 0 0 1 0-1.1Z",
    road: "M-.85-.85H.85V.85H-.85Z",
    medical: "M-.38-1H.38V-.38H1V.38H.38V1H-.38V.38H-1V-.38H-.38Z",
    other: "M0-.85A.85.85 0 0 1 0 .85 .85.85 0 0 1 0-.85Z",
    diamond: "M0-1.1 1.1 0 0 1.1-1.1 0Z",
    gauge: "M-.45-1.1H.45V1.1H-.45ZM-.45-.6H.05V-.42H-.45ZM-.45-.1H.05V.08H-.45ZM-.45.4H.05V.58H-.45Z",
    ring: "M0-.8A.8.8 0 0 1 0 .8 .8.8 0 0 1 0-.8ZM0-.45A.45.45 0 0 0 0 .45 .45.45 0 0 0 0-.45Z",
    camera: "M-1-.6H.35V-.2L1-.6V.6L.35.2V.6H-1Z",
    bus: "M-.7-1H.7V1H-.7ZM-.45-.7V-.25H.45V-.7Z",
    arrow: "M0-1.1.8.9 0 .45-.8.9Z",
  };
  const paths = {};

  function path(shape) {
    return (paths[shape] = paths[shape] || new Path2D(SHAPES[shape] || SHAPES.other));
  }

  /** One shape at a place, with an outline so that it stands off any ground. */
  function draw(context, shape, x, y, radius, { fill, stroke, width = 0, turn = 0 }) {
    context.save();
    context.translate(x, y);
    if (turn) context.rotate(turn);
    context.scale(radius, radius);
    if (stroke) {
      context.strokeStyle = stroke;
      context.lineWidth = (2 * width) / radius;
      context.lineJoin = "round";
      context.stroke(path(shape));
    }
    if (fill) {
      context.fillStyle = fill;
      context.fill(path(shape), "evenodd");
    }
    context.restore();
  }

  /** The same shape for a legend. */
  function sign(shape, className) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "-1.3 -1.3 2.6 2.6");
    svg.setAttribute("class", `map-sign ${className || ""}`);
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS(SVG, "path");
    line.setAttribute("d", SHAPES[shape] || SHAPES.other);
    svg.append(line);
    return svg;
  }

  /** Letters with a dark edge, so that they can be read on any ground. */
  function write(context, text, x, y, { size, weight = 400, colour, align = "center" }) {
    context.font = `${weight} ${size}px B612, sans-serif`;
    context.textAlign = align;
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = size / 4;
    context.strokeStyle = own.tone("map-edge-dark");
    context.strokeText(text, x, y);
    context.fillStyle = colour;
    context.fillText(text, x, y);
  }

  // --- from degrees to pixels --------------------------------------------------------------------

  const units = new WeakMap();

  /** A place in the unit square of Web Mercator; kept with the feature, which parts of the stream
   * that did not change share. */
  function unit(feature, place) {
    let found = units.get(feature);
    if (!found) units.set(feature, (found = unitOf(place)));
    return found;
  }

  function unitOf([longitude, latitude]) {
    const sine = Math.sin((latitude * Math.PI) / 180);
    return [longitude / 360 + 0.5, 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)];
  }

  /** The map's present view: pixel = unit * size - origin. */
  function view(map) {
    const origin = map.getPixelBounds().min;
    return { size: 256 * 2 ** map.getZoom(), left: origin.x, top: origin.y };
  }

  // --- a sheet -----------------------------------------------------------------------------------

  /** `paint(context, view, width, height)` draws all of it, in CSS pixels of the map's corner. */
  function sheet(board, name, height, paint) {
    const known = board.sheets[name];
    if (known) {
      known.paint = paint;
      known.ask();
      return known;
    }
    const { map } = board;
    const pane = map.createPane(`sheet-${name}`);
    pane.style.zIndex = height;
    pane.style.pointerEvents = "none";
    const canvas = document.createElement("canvas");
    canvas.className = "map-sheet";
    canvas.dataset.sheet = name;
    pane.append(canvas);
    const context = canvas.getContext("2d");
    const made = { paint, canvas, asked: false, drawn: 0 };

    made.ask = () => {
      if (made.asked) return;
      made.asked = true;
      requestAnimationFrame(() => {
        made.asked = false;
        made.now();
      });
    };
    made.now = () => {
      // It may have been asked before it was cleared.
      if (!made.paint) return;
      const size = map.getSize();
      const ratio = window.devicePixelRatio || 1;
      const [wide, high] = [Math.round(size.x * ratio), Math.round(size.y * ratio)];
      if (canvas.width !== wide || canvas.height !== high) {
        canvas.width = wide;
        canvas.height = high;
        canvas.style.width = `${size.x}px`;
        canvas.style.height = `${size.y}px`;
      }
      L.DomUtil.setPosition(canvas, map.containerPointToLayerPoint([0, 0]));
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, size.x, size.y);
      made.paint(context, view(map), size.x, size.y);
      made.drawn += 1;
    };
    /** Nothing of it is kept: a sheet that is not shown costs no memory. */
    made.clear = () => {
      made.paint = null;
      canvas.width = canvas.height = 0;
    };
    map.on("moveend resize viewreset", () => made.paint && made.ask());
    board.sheets[name] = made;
    made.ask();
    return made;
  }

  Object.assign(own, { SHAPES, draw, sign, write, unit, unitOf, view, sheet });
})();
