"""A severity has one sign, wherever a wall shows it, and no other severity has the same."""

from __future__ import annotations

import pytest

from tests.browser.conftest import OpenScreen
from tests.browser.wall_site import WallSite

pytestmark = pytest.mark.browser

#: As docs/operator.id.md tells the operator.
SIGNS = {"critical": "◆", "major": "▲", "minor": "●", "info": "○"}
#: A gauge above a mark of each severity, and one above none.
_GAUGES = """(severities) => {
  const at = new Date(lawang.live.now() * 1000).toISOString();
  const gauge = (mark) => ({ n: mark, v: 1, at, mark });
  Object.assign(lawang.live.panel('water'), {
    marks: severities.map((each) => ({ rule: each, severity: each, over: 0 })),
    gauges: Object.fromEntries([...severities, 'none'].map((each) => [each, gauge(each)])),
  });
}"""
_GAUGE_SIGNS = """(count) => {
  const rows = [...document.querySelectorAll('.ben-water .gauge')];
  return rows.length === count && Object.fromEntries(rows.map((row) => [
    row.querySelector('.gauge-name').textContent, row.querySelector('.gauge-sign').textContent]));
}"""
_RING_SIGNS = """(severities) => Object.fromEntries(severities.map((severity) => {
  const ring = document.createElement('div');
  ring.className = 'map-alarm';
  ring.dataset.severity = severity;
  document.querySelector('.wall').append(ring);
  const { content } = getComputedStyle(ring, '::after');
  ring.remove();
  return [severity, content.replaceAll('"', '')];
}))"""
_LINE_SIGN = """(severity) => document.querySelector('#alarm-line').dataset.severity === severity
  && document.querySelector('#alarm-line .alarm-sign').textContent"""


def test_a_severity_has_the_same_sign_everywhere(
    wall_site: WallSite, open_screen: OpenScreen
) -> None:
    wall = open_screen(wall_site, "/wall/operator?thumb=1&scene=bencana")
    wall.wait("() => document.querySelector('.ben-water') && lawang.live.panel('water')")
    wall.script(_GAUGES, list(SIGNS))
    shown = wall.catch(_GAUGE_SIGNS, argument=len(SIGNS) + 1)
    assert shown.pop("none") not in SIGNS.values()
    assert shown == SIGNS
    assert wall.script(_RING_SIGNS, list(SIGNS)) == SIGNS
    try:
        for severity, sign in reversed(SIGNS.items()):
            wall_site.raise_alarm(severity, severity)
            assert wall.catch(_LINE_SIGN, argument=severity) == sign
    finally:
        wall_site.clear()
