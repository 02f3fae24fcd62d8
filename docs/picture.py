"""Draws docs/platform.svg from the plan, so that the picture cannot say anything else than the program builds.

Run: .venv/bin/python -m docs.picture   (a test fails while the committed picture differs)
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

import config
from components.plan import addressing
from components.plan.flows import BALANCERS
from components.plan.records import endpoint
from components.plan.spec import PRIMARY, PRODUCTS, Cloud, Platform, Product
from config.files import settings

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "platform.svg"

_WIDTH, _COLUMN, _GAP, _TOP = 1120, 352, 16, 76
_ROW, _ZONE = 44, 104
_COLORS: dict[Product, str] = {"consul": "#e03875", "vault": "#c79a00", "nomad": "#0f9d6b", "boundary": "#d9534f"}
_TITLES: dict[Cloud, str] = {"aws": "AWS", "azure": "Azure", "gcp": "Google Cloud"}
_STYLE = """
text { font-family: ui-sans-serif, system-ui, sans-serif; fill: #1f2933; }
.title { font-size: 17px; font-weight: 700; } .small { font-size: 11.5px; fill: #52606d; }
.label { font-size: 13px; font-weight: 600; } .count { font-size: 12px; fill: #fff; font-weight: 600; }
.region { fill: #f7f9fb; stroke: #9fb3c8; } .zone { fill: #fff; stroke: #d9e2ec; stroke-dasharray: 3 3; }
@media (prefers-color-scheme: dark) { svg { background: #fff; } }
"""


def platform() -> Platform:
    """The platform of the committed settings, as the primary's stack sees it."""
    return config.parse(settings(ROOT, ROOT / f"Pulumi.{PRIMARY}.yaml")).platform


def _text(x: float, y: float, text: str, style: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" class="{style}" text-anchor="{anchor}">{escape(text)}</text>'


def _box(x: float, y: float, width: float, height: float, attributes: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" {attributes}/>'


def _servers(plan: Platform, cloud: Cloud, product: Product, x: float, y: float) -> list[str]:
    parts = []
    for zone in range(addressing.ZONES):
        here = [s for s in addressing.servers(plan, cloud, product) if s.zone == zone]
        for index, server in enumerate(here):
            left = x + 8 + zone * (_ZONE + 6) + 4 + index * 48
            parts.append(_box(left, y, 44, 24, f'fill="{_COLORS[product]}"'))
            parts.append(_text(left + 22, y + 16, "." + server.address.split(".", 2)[2], "count", "middle"))
    return parts


def _region(plan: Platform, cloud: Cloud, column: int) -> list[str]:
    region = plan.regions[cloud]
    x = _GAP + column * (_COLUMN + _GAP)
    height = 96 + len(PRODUCTS) * (_ROW + 22) + 62
    primary = ", primary" if cloud == plan.primary else ""
    parts = [
        _box(x, _TOP, _COLUMN, height, 'class="region"'),
        _text(x + 14, _TOP + 26, f"{_TITLES[cloud]} {region.name}{primary}", "title"),
        _text(x + 14, _TOP + 46, f"{region.cidr} · seal keys also answer in {region.recovery}", "small"),
    ]
    for zone, name in enumerate(region.zones):
        left = x + 8 + zone * (_ZONE + 6)
        parts.append(_box(left, _TOP + 58, _ZONE, height - 68, 'class="zone"'))
        parts.append(_text(left + _ZONE / 2, _TOP + 74, f"zone {name}", "small", "middle"))
    y = _TOP + 84
    for product in PRODUCTS:
        parts.append(_text(x + 14, y + 14, f"{product.capitalize()} {plan.versions[product]}", "label"))
        where = (
            endpoint(plan, cloud, product).removeprefix("https://").replace(f".{plan.domain}", "")
            if product in BALANCERS
            else "workers"
        )
        parts.append(_text(x + _COLUMN - 14, y + 14, where, "small", "end"))
        parts += _servers(plan, cloud, product, x, y + 22)
        y += _ROW + 22
    clients = f"{plan.clients.minimum}-{plan.clients.maximum} Nomad clients, autoscaled over the zones"
    parts.append(_box(x + 12, y + 6, _COLUMN - 24, 26, 'fill="#d6f0e5" stroke="#0f9d6b"'))
    parts.append(_text(x + _COLUMN / 2, y + 23, clients, "small", "middle"))
    parts.append(_text(x + 14, y + 52, "secret store · seal, keyring and disk keys · private zone", "small"))
    return parts


def draw(plan: Platform) -> str:
    """The picture: one column a region, one row a product, each box a server at its planned address."""
    height = _TOP + 96 + len(PRODUCTS) * (_ROW + 22) + 62 + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"<title>The platform {escape(plan.domain)}</title>",
        f"<style>{_STYLE}</style>",
        _box(0, 0, _WIDTH, height, 'fill="#fff"'),
        _text(_GAP, 30, "One stack a region, one private zone everywhere", "title"),
        _text(
            _GAP,
            52,
            f"{plan.domain}: the primary makes the certificate authority, gossip keys and tokens; every region keeps "
            "what its rebuild needs.",
            "small",
        ),
    ]
    for column, cloud in enumerate(plan.clouds):
        parts += _region(plan, cloud, column)
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(draw(platform()), encoding="utf-8")
