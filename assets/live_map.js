/* How the map is drawn: styles and marks for dash-leaflet, all on canvas, no citizen's text in any. */
"use strict";

window.lawang = window.lawang || {};

window.lawang.map = (() => {
  const OPEN = "#8fe3ff";
  const LATE = "#ffb454";
  let map = null;
  let ClusterMark = null;

  function regionStyle(feature, context) {
    map = (context && context.map) || map;
    const { open = {}, steps = [] } = (context && context.hideout) || {};
    const value = open[feature.properties.code];
    const step = steps.find((each) => value <= each.to) || steps[steps.length - 1];
    return {
      color: "#3f6b82",
      weight: 1.5,
      opacity: 0.9,
      fillColor: value === undefined ? "#0e1a24" : step.colour,
      fillOpacity: value === undefined ? 0.6 : 0.85,
    };
  }

  function kelurahanStyle() {
    return { color: "#22394a", weight: 0.6, opacity: 0.8, fill: false };
  }

  function riverStyle() {
    return { color: "#0a1826", weight: scale(8), opacity: 1, lineCap: "round", fill: false };
  }

  /** Sizes follow the screen: one layout unit is 1/16 of the page's rem. */
  function scale(size) {
    return (size * parseFloat(getComputedStyle(document.documentElement).fontSize)) / 16;
  }

  function incidentMark(feature, latlng) {
    const radius = scale(feature.properties.late ? 6 : 4.5);
    return L.circleMarker(latlng, { radius, pane: "incidents", interactive: false });
  }

  /** The look of a mark or a cluster: past due is a ring, so that it differs by shape as well. */
  function markStyle(feature) {
    if (feature.properties.cluster)
      return {
        color: OPEN,
        weight: scale(1.2),
        opacity: 1,
        fillColor: "#0c3247",
        fillOpacity: 0.92,
      };
    return feature.properties.late
      ? { color: LATE, weight: scale(2.6), opacity: 1, fillColor: "#2a1804", fillOpacity: 1 }
      : { color: "#06121b", weight: scale(1), opacity: 1, fillColor: OPEN, fillOpacity: 1 };
  }

  /** A circle with a count, drawn on the same canvas as all marks: no element per cluster. */
  function clusterClass() {
    return L.CircleMarker.extend({
      _updatePath() {
        this._renderer._updateCircle(this);
        const context = this._renderer._ctx;
        if (!context || !this._renderer._drawing || this._empty()) return;
        context.globalAlpha = 1;
        context.fillStyle = "#e8f6fc";
        context.font = `700 ${scale(13)}px B612, sans-serif`;
        context.textAlign = "center";
        context.textBaseline = "middle";
        context.fillText(this.options.count, this._point.x, this._point.y + scale(0.5));
      },
    });
  }

  function clusterMark(feature, latlng) {
    ClusterMark = ClusterMark || clusterClass();
    const count = Number(feature.properties.point_count) || 0;
    return new ClusterMark(latlng, {
      radius: scale(11 + 3.2 * Math.log2(Math.max(1, count / 3))),
      count: String(count),
      pane: "incidents",
      interactive: false,
    });
  }

  /** The default would bind properties named popup and tooltip as HTML. */
  function noPopups() {}

  /** A ring where something new was reported; it ends by itself. */
  function pulse(latitude, longitude) {
    if (!map) return;
    const icon = L.divIcon({ className: "map-pulse", iconSize: [0, 0] });
    const mark = L.marker([latitude, longitude], { icon, interactive: false, keyboard: false });
    mark.addTo(map);
    setTimeout(() => mark.remove(), 14000);
  }

  return {
    regionStyle,
    kelurahanStyle,
    riverStyle,
    incidentMark,
    clusterMark,
    markStyle,
    noPopups,
    pulse,
  };
})();
