"""Draws docs/mesh.svg from the plan, and the table of tunnels in docs/mesh.md.

Run: .venv/bin/python -m docs.mesh_picture   (a test fails while the committed ones differ)
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from math import atan2, degrees

from components.plan.mesh import Pair, Tunnel, pairs
from components.plan.spec import Cloud, Platform
from docs.picture import ROOT, platform

PICTURE = ROOT / "docs" / "mesh.svg"
PAGE = ROOT / "docs" / "mesh.md"

_Point = tuple[float, float]

_WIDTH, _HEIGHT = 1120, 690
_BOXES: Mapping[Cloud, tuple[float, float, float, float]] = {
    "aws": (16, 84, 330, 200),
    "azure": (774, 84, 330, 200),
    "gcp": (330, 520, 460, 150),
}
_EDGES: Mapping[tuple[Cloud, Cloud], tuple[_Point, _Point]] = {
    ("aws", "azure"): ((346, 104), (346, 264)),
    ("azure", "aws"): ((774, 134), (774, 234)),
    ("aws", "gcp"): ((56, 284), (306, 284)),
    ("gcp", "aws"): ((352, 520), (472, 520)),
    ("azure", "gcp"): ((850, 284), (1030, 284)),
    ("gcp", "azure"): ((540, 520), (768, 520)),
}
"""By (region, peer): where the first and the last gateway address towards the peer stand on the region's edge."""
_GATEWAYS: Mapping[Cloud, tuple[str, ...]] = {
    "aws": (
        "One transit gateway. Each tunnel has an",
        "address of its own; two make a connection",
        "to one address of the peer.",
    ),
    "azure": (
        "One gateway of two active instances,",
        "each with one address for both pairs.",
        "Hands on what it learns.",
    ),
    "gcp": ("HA VPN gateways of two addresses, one Cloud Router.", "One gateway towards AWS, two towards Azure."),
}
_TITLES: Mapping[Cloud, str] = {"aws": "AWS", "azure": "Azure", "gcp": "Google Cloud"}
_COLORS = ("#c2620a", "#1266b5", "#1d7f4f")
_STYLE = """
text { font-family: ui-sans-serif, system-ui, sans-serif; fill: #1f2933; font-size: 12px; }
.title { font-size: 17px; font-weight: 700; } .small { fill: #52606d; } .port { font-size: 11px; font-weight: 700; }
.inside { font-size: 11.5px; paint-order: stroke; stroke: #fff; stroke-width: 4px; }
.region { fill: #f7f9fb; stroke: #9fb3c8; }
"""


def _text(at: _Point, text: str, style: str = "", more: str = "") -> str:
    return f'<text x="{at[0]:g}" y="{at[1]:g}" class="{style}"{more}>{escape(text)}</text>'


def _port(pair: Pair, cloud: Cloud, gateway: int) -> _Point:
    """Where a gateway address stands."""
    (left, top), (right, bottom) = _EDGES[cloud, pair.peer(cloud)]
    share = gateway / (pair.addresses(cloud) - 1)
    return left + share * (right - left), top + share * (bottom - top)


def _region(plan: Platform, cloud: Cloud) -> list[str]:
    x, y, width, height = _BOXES[cloud]
    region = plan.regions[cloud]
    lines = (f"{region.cidr} · AS {plan.asns[cloud]}", *_GATEWAYS[cloud])
    left = x + (24 if cloud != "azure" else 44)
    return [
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" class="region"/>',
        _text((left, y + 62), f"{_TITLES[cloud]} {region.name}", "title"),
        *(_text((left, y + 84 + 18 * row), line, "small") for row, line in enumerate(lines)),
    ]


def _tunnel(pair: Pair, tunnel: Tunnel, color: str) -> list[str]:
    start, end = (_port(pair, side.cloud, side.gateway) for side in tunnel.ends)
    across, down = end[0] - start[0], end[1] - start[1]
    # Labels stand apart along the lines, or those of neighbours would cover each other.
    share = 0.3 + 0.13 * tunnel.index
    at = (start[0] + share * across, start[1] + share * down)
    angle = degrees(atan2(down, across))
    turned = angle - 180 if angle > 90 else angle
    label = f"{tunnel.index}: {tunnel.inside}"
    return [
        f'<path d="M {start[0]:g} {start[1]:g} L {end[0]:g} {end[1]:g}" stroke="{color}" stroke-width="2"/>',
        _text(
            at,
            label,
            "inside",
            f' text-anchor="middle" dy="-3" transform="rotate({turned:.1f} {at[0]:.1f} {at[1]:.1f})"',
        ),
    ]


def _ports(pair: Pair, cloud: Cloud, color: str) -> list[str]:
    parts: list[str] = []
    upright = _EDGES[cloud, pair.peer(cloud)][0][0] == _EDGES[cloud, pair.peer(cloud)][1][0]
    x, y, _, _ = _BOXES[cloud]
    for gateway in range(pair.addresses(cloud)):
        port = _port(pair, cloud, gateway)
        inward = (-14, 4) if upright and port[0] > x else (14, 4) if upright else (0, 20) if port[1] == y else (0, -10)
        parts.append(f'<circle cx="{port[0]:g}" cy="{port[1]:g}" r="5" fill="{color}"/>')
        parts.append(_text((port[0] + inward[0], port[1] + inward[1]), str(gateway), "port", ' text-anchor="middle"'))
    return parts


def draw(plan: Platform) -> str:
    """The picture: a box a region, a dot a gateway address, a line a tunnel with its inside range."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        "<title>The mesh: three pairs of regions, four tunnels each</title>",
        f"<style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        _text((16, 30), "Four tunnels a pair, no two on the same two addresses", "title"),
        _text((16, 52), "A dot is a gateway address, a line a tunnel with its number and inside range.", "small"),
        *(part for cloud in plan.clouds for part in _region(plan, cloud)),
    ]
    for pair, color in zip(pairs(plan), _COLORS, strict=False):
        drawn = [_tunnel(pair, tunnel, color) for tunnel in pair.tunnels]
        # All lines before all labels: a label is never crossed out.
        parts += [line for line, _ in drawn] + [label for _, label in drawn]
        for cloud in (pair.a, pair.b):
            parts += _ports(pair, cloud, color)
    return "\n".join([*parts, "</svg>", ""])


def table(plan: Platform) -> str:
    """The tunnels as a table: what to look for when one is down."""
    rows = [
        "| Tunnel | Inside range | BGP speakers | Gateway addresses | Key |",
        "|---|---|---|---|---|",
    ]
    for pair in pairs(plan):
        for tunnel in pair.tunnels:
            one, other = tunnel.ends
            rows.append(
                f"| `{pair.name}-{tunnel.index}` | `{tunnel.inside}` "
                f"| {one.cloud} `{one.address}` (AS {pair.asns[one.cloud]}), "
                f"{other.cloud} `{other.address}` (AS {pair.asns[other.cloud]}) "
                f"| {one.cloud} {one.gateway}, {other.cloud} {other.gateway} | `{tunnel.key}` |"
            )
    return "\n".join([*rows, ""])


if __name__ == "__main__":
    PICTURE.write_text(draw(platform()), encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition("| Tunnel |")
    _, _, tail = rest.partition("\n\n")
    PAGE.write_text(f"{head}{table(platform())}\n{tail}", encoding="utf-8")
