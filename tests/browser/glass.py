"""What a wall must never show: cut, overlapping or too small words, tiles outside their cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from tests.browser.screen import Screen

#: Show one scene on the whole glass without loading the page anew, as the address would.
_SHOW = """([scene, filters]) => {
  const wall = window.lawang.wall;
  Object.assign(wall.settings(), { scene: "", filters });
  wall.show([]);
  for (const cell of wall.cells.values()) cell.key = "";
  wall.settings().scene = scene;
  wall.resume();
}"""
#: Every tile has been heard and carries its age, and the scene has stopped fading in.
_READY = """(scene) => {
  const shown = document.querySelector(`.scene-${scene}`);
  const ages = shown ? [...shown.querySelectorAll('[data-live-age], [data-source-age]')] : [];
  return ages.length && ages.every((age) => /\\d/.test(age.textContent))
    && shown.getAnimations({ subtree: true }).every((each) => each.playState !== 'running')
    && document.fonts.status === 'loaded';
}"""
#: Faults as lists of texts by what is wrong. Texts are judged by the boxes of their own lines: an
#: element may be larger than its words. What is drawn in a map is judged by its own tests.
FAULTS = r"""(least) => {
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  // Names that others gave may be shortened; numbers, states and titles may not.
  const NAMES = '.event-text, .event-place, .event-category, .rank-name, .clinic-name, .stock-name,'
    + ' .fin-name, .gauge-name, .route-name, .warning-head, .warning-note, .promise-name,'
    + ' .chip-name, .chip-opd, .pagi-name, .pagi-owner, .alarm-text, .source-names, .scene-name,'
    + ' .cam-name, .cam-page, .map-credits, .name';
  const found = { scrolls: [], outside: [], cut: [], overlap: [], small: [], ages: [], empty: [] };
  const page = document.scrollingElement;
  if (page.scrollHeight > innerHeight || page.scrollWidth > innerWidth)
    found.scrolls.push(`${page.scrollWidth} x ${page.scrollHeight}`);
  const shown = (each) => each.checkVisibility({ visibilityProperty: true })
    && !each.closest('.visually-hidden, .leaflet-container, .unknown-screen');
  const name = (each) =>
    `${each.tagName.toLowerCase()}.${each.className.baseVal ?? each.className}`;
  const inside = (box, frame, slack) => box.left >= frame.left - 1 && box.right <= frame.right + 1
    && box.top >= frame.top - slack && box.bottom <= frame.bottom + slack;
  const glass = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };

  const tiles = [...document.querySelectorAll('.tile, .source-chip, .sum-totals')].filter(shown);
  for (const tile of tiles) {
    const box = tile.getBoundingClientRect();
    const frame = tile.closest('.cell-scene').getBoundingClientRect();
    if (!inside(box, frame, 1)) found.outside.push(name(tile));
    if (box.width < 4 * rem || box.height < 2 * rem)
      found.outside.push(`too small: ${name(tile)}`);
    const age = tile.querySelector('[data-live-age]');
    const heard = age && /\d/.test(age.textContent) && age.dataset.health !== 'never';
    if (tile.matches('.tile') && !heard)
      found.ages.push(`${name(tile)}: ${age ? age.textContent : 'none'}`);
    const body = tile.querySelector('.tile-body');
    if (body && !body.innerText.trim() && !body.querySelector('canvas, img, video, .map-slot'))
      found.empty.push(name(tile));
    for (const other of tiles) {
      if (other === tile || tile.contains(other) || other.contains(tile)) continue;
      const its = other.getBoundingClientRect();
      const wide = Math.min(box.right, its.right) - Math.max(box.left, its.left);
      const high = Math.min(box.bottom, its.bottom) - Math.max(box.top, its.top);
      if (wide > 1 && high > 1 && name(tile) < name(other))
        found.overlap.push(`${name(tile)} and ${name(other)}`);
    }
  }

  const lines = [];
  const walker = document.createTreeWalker(document.querySelector('.wall'), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode;
    const owner = text.parentElement;
    if (!text.textContent.trim() || !shown(owner)) continue;
    const style = getComputedStyle(owner);
    const size = parseFloat(style.fontSize);
    const said = `${name(owner)}: ${text.textContent.trim().slice(0, 50)}`;
    if (size < least * rem - 0.01) found.small.push(`${size} px ${said}`);
    const range = document.createRange();
    range.selectNodeContents(text);
    const boxes = [...range.getClientRects()].filter((each) => each.width > 0.5);
    // What a line's box has above and below its letters may stand out.
    const slack = Math.max(2, size / 4);
    let shortened = false;
    for (let each = owner; each; each = each.parentElement) {
      const clips = getComputedStyle(each);
      if (clips.overflowX === 'visible' && clips.overflowY === 'visible') continue;
      const frame = each.getBoundingClientRect();
      if (boxes.every((box) => inside(box, frame, slack))) continue;
      if (clips.textOverflow === 'ellipsis' && each.closest(NAMES)
        && boxes.every((box) => inside({ ...box.toJSON(), left: frame.left, right: frame.right },
          frame, slack))) {
        shortened = true;
        break;
      }
      found.cut.push(`${said} in ${name(each)}`);
      break;
    }
    if (!shortened && !boxes.every((box) => inside(box, glass, slack))) found.outside.push(said);
    const tile = owner.closest('.tile, .source-chip, .alarm-brief, .foot, .topbar');
    const own = tile && tile.getBoundingClientRect();
    if (own && !shortened && !boxes.every((box) => inside(box, own, slack)))
      found.outside.push(`${said} of ${name(tile)}`);
    for (const box of boxes) {
      let right = box.right;
      for (let each = owner; each && each !== tile; each = each.parentElement)
        if (getComputedStyle(each).overflowX !== 'visible')
          right = Math.min(right, each.getBoundingClientRect().right);
      const air = box.height * 0.22;
      lines.push({
        text, tile, said, left: box.left, right, top: box.top + air, bottom: box.bottom - air,
      });
    }
  }
  lines.forEach((one, index) => {
    for (const other of lines.slice(index + 1)) {
      if (one.tile !== other.tile || one.text === other.text) continue;
      const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const high = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      if (wide > 2 && high > 2) found.overlap.push(`${one.said} / ${other.said}`);
    }
  });
  return found;
}"""

#: Put items into the programme that the page has heard, as if the centre had sent them. They stay:
#: later changes are merged into it, and the tests' own screens never turn.
_FOLLOW = """
  const follow = (items) => {
    const wall = window.lawang.wall;
    wall.show([]);
    for (const cell of wall.cells.values()) cell.key = '';
    wall.settings().scene = '';
    window.lawang.live.panel('programme').screens[wall.screen()].items = items;
    wall.resume();
  };
"""
#: Show scenes in the cells of a video wall, from left to right.
_SHOW_THIRDS = f"""(scenes) => {{
  {_FOLLOW}
  const cells = ['kiri', 'tengah', 'kanan'];
  follow(scenes.map((scene, index) =>
    ({{ cell: cells[index], scene, filters: {{}}, why: 'playlist', cause: '' }})));
}}"""
#: Show a scene beside the open alarm that has most to say, as an interrupt does.
_SHOW_INTERRUPT = f"""(scene) => {{
  {_FOLLOW}
  const length = (alarm) => JSON.stringify(alarm).length;
  const open = window.lawang.wall.worstFirst(window.lawang.live.panel('alarms'));
  const longest = open.sort((one, other) => length(other) - length(one))[0];
  const cause = longest ? longest.id : '-';
  follow([{{ cell: '', scene, filters: {{}}, why: 'interrupt', cause }}]);
}}"""
#: Leave of every panel but its frame, as in a city whose departments have told nothing yet: tables
#: and lists are empty, the other sections are not there.
_TELL_NOTHING = """() => {
  // Those of the wall itself, and those that have every row in them from the start.
  const FRAMES = ['programme', 'walls', 'sources', 'indicators', 'incidents', 'regions', 'ranking',
    'counters'];
  const isObject = (each) => each && typeof each === 'object';
  // What changes from now on is not told either: a patch is of what was there before.
  const parse = JSON.parse;
  JSON.parse = (text) => {
    const found = parse(text);
    if (found && found.patches) found.patches = [];
    return found;
  };
  for (const name of window.lawang.live.config().panels) {
    if (FRAMES.includes(name)) continue;
    const panel = window.lawang.live.panel(name) || {};
    for (const [key, value] of Object.entries(panel)) {
      if (key === 'sources' || !isObject(value)) continue;
      if (Array.isArray(value)) panel[key] = [];
      else if (Object.values(value).every(isObject)) panel[key] = {};
      else delete panel[key];
    }
  }
}"""
#: What an age says when most is wrong, from a source that is polled rarely.
_LONGEST_AGE = {
    "id": "3\u00a0dari\u00a06\u00a0terlambat · 22\u00a0Nov\u00a006:17 · 59\u00a0mnt",
    "en": "3\u00a0of\u00a06\u00a0refused · 22\u00a0Nov\u00a006:17 · 59\u00a0min",
}

#: The smallest text of a wall in rem; layouts and the test of the sight rule hold the same.
LEAST_REM = 1.375


def show_scene(screen: Screen, scene: str, **filters: Any) -> None:
    """Show a scene on the whole glass and wait until each of its tiles has an age."""
    screen.script(_SHOW, [scene, filters])
    screen.wait(_READY, argument=scene)


def faults(screen: Screen) -> dict[str, list[str]]:
    """What is wrong with what is shown now: scrolls, outside, cut, overlap, small, ages, empty."""
    found = cast("dict[str, list[str]]", screen.script(FAULTS, LEAST_REM))
    return {kind: texts for kind, texts in found.items() if texts}


def show_thirds(screen: Screen, scenes: Sequence[str]) -> None:
    """Show up to three scenes side by side, once each of their tiles has an age."""
    screen.script(_SHOW_THIRDS, list(scenes))
    for scene in scenes:
        screen.wait(_READY, argument=scene)


def show_interrupt(screen: Screen, scene: str) -> None:
    """Show a scene with an alarm beside it, once each of its tiles has an age."""
    screen.script(_SHOW_INTERRUPT, scene)
    screen.wait(_READY, argument=scene)


def tell_nothing(screen: Screen) -> None:
    """Empty the lists and tables of all panels that the page has heard, for good."""
    screen.script(_TELL_NOTHING)


def with_longest_ages(screen: Screen) -> dict[str, list[str]]:
    """What is wrong while every tile says the longest that an age can be."""
    # The page writes its own ages again every second, and may do so just before one looks; lists
    # are drawn anew a frame after their room has changed. What is wrong is wrong each time.
    found = screen.script(
        f"""async ([texts, least]) => {{
          const text = texts[document.documentElement.lang] || texts.id;
          const write = () => {{
            for (const age of document.querySelectorAll('.scene .age')) age.textContent = text;
          }};
          let found = {{}};
          for (let look = 0; look < 3; look += 1) {{
            for (let frame = 0; frame < 3; frame += 1) {{
              write();
              await new Promise((done) => requestAnimationFrame(done));
            }}
            write();
            found = ({FAULTS})(least);
            if (Object.values(found).every((texts) => !texts.length)) break;
          }}
          return found;
        }}""",
        [_LONGEST_AGE, LEAST_REM],
    )
    return {kind: texts for kind, texts in found.items() if texts}
