"""Draws docs/backups.svg from the plan: where every backup lies, and who may touch it.

Run: .venv/bin/python -m docs.backups_picture   (a test fails while the committed picture differs)
"""

from __future__ import annotations

from html import escape

from components.backup import sets
from components.plan.backup import SETS, retention
from components.plan.spec import Cloud, Platform, Stack
from docs.picture import ROOT, platform

PICTURE = ROOT / "docs" / "backups.svg"

_COLUMN, _GAP, _TOP = 352, 24, 70
_MACHINES, _BUCKET = _TOP + 40, _TOP + 250
_MACHINES_HEIGHT = 34 + 18 * len(SETS)
_COLORS: dict[Cloud, str] = {"aws": "#c2620a", "azure": "#1266b5", "gcp": "#1d7f4f"}
_STYLE = """
text { font-family: ui-sans-serif, system-ui, sans-serif; fill: #1f2933; font-size: 12px; }
.title { font-size: 17px; font-weight: 700; } .head { font-size: 13px; font-weight: 700; } .small { fill: #52606d; }
.region { fill: #f7f9fb; stroke: #9fb3c8; } .part { fill: #fff; stroke-width: 1.5; }
"""


def _text(x: float, y: float, text: str, style: str = "") -> str:
    return f'<text x="{x}" y="{y}" class="{style}">{escape(text)}</text>'


def _box(x: float, y: float, width: float, height: float, attributes: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" {attributes}/>'


def _left(plan: Platform, cloud: Cloud) -> float:
    return _GAP + plan.clouds.index(cloud) * (_COLUMN + _GAP)


def _often(minutes: int) -> str:
    if minutes % 60:
        return f"every {minutes} min"
    return "daily" if minutes == 24 * 60 else f"every {minutes // 60} h"


def _region(plan: Platform, cloud: Cloud) -> list[str]:
    x, region, color = _left(plan, cloud), plan.regions[cloud], _COLORS[cloud]
    kept = retention(plan.backup)
    saved = list(sets(Stack(plan, cloud, "", "", ())))
    guests = [source for source, target in plan.backup.copies.items() if target == cloud]
    lines = [f"{each.saved}: {_often(each.interval_minutes)}, on {each.role}s' leader" for each in saved]
    lock = "nobody, not even the account's owner," if plan.backup.lock == "compliance" else "only an administrator"
    return [
        _box(x, _TOP, _COLUMN, 440, 'class="region"'),
        _text(x + 14, _TOP + 26, f"{cloud} {region.name}", "title"),
        _box(x + 14, _MACHINES, _COLUMN - 28, _MACHINES_HEIGHT, f'class="part" stroke="{color}"'),
        _text(x + 26, _MACHINES + 20, "Snapshots, verified before they leave", "head"),
        *(_text(x + 26, _MACHINES + 40 + 18 * row, line, "small") for row, line in enumerate(lines)),
        _box(x + 14, _BUCKET, _COLUMN - 28, 116, f'class="part" stroke="{color}"'),
        _text(x + 26, _BUCKET + 20, "Bucket, encrypted by a key of its own", "head"),
        _text(x + 26, _BUCKET + 40, f"holds {', '.join([cloud, *guests])}; replica in {region.recovery}", "small"),
        _text(x + 26, _BUCKET + 58, f"for {kept.lock_days} days {lock}", "small"),
        _text(x + 26, _BUCKET + 74, "can change or delete an object", "small"),
        _text(x + 26, _BUCKET + 94, f"then deleted after {kept.expire_days} days", "small"),
        _text(x + 26, _BUCKET + 140, "May create, below their own names only:", "head"),
        _text(
            x + 26, _BUCKET + 157, f"servers of {' and '.join([cloud, *guests])}, by the machine's identity", "small"
        ),
        _text(x + 26, _BUCKET + 177, "May read: the restorer, whom no machine is", "small"),
    ]


def _copies(plan: Platform) -> list[str]:
    parts: list[str] = []
    foot = _MACHINES + _MACHINES_HEIGHT
    for cloud in plan.clouds:
        x = _left(plan, cloud) + 60
        parts.append(_arrow(cloud, f"M {x} {foot} L {x} {_BUCKET}", ""))
        if target := plan.backup.copies.get(cloud):
            start, end = _left(plan, cloud) + 160, _left(plan, target) + 240
            bend = (foot + _BUCKET) / 2 + 10 * (plan.clouds.index(cloud) - 1)
            parts.append(
                _arrow(
                    cloud,
                    f"M {start} {foot} L {start} {bend} L {end} {bend} L {end} {_BUCKET}",
                    ' stroke-dasharray="6 4"',
                )
            )
    return parts


def _arrow(cloud: Cloud, path: str, dash: str) -> str:
    return f'<path d="{path}" fill="none" stroke="{_COLORS[cloud]}" stroke-width="2"{dash} marker-end="url(#{cloud})"/>'


def draw(plan: Platform) -> str:
    """The picture: one column a region; solid lines stay in a cloud, dashed ones are the copies in a second cloud."""
    width, height = _GAP + len(plan.clouds) * (_COLUMN + _GAP), _TOP + 470
    heads = [
        f'<marker id="{cloud}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M 0 0 L 8 4 L 0 8 z" fill="{color}"/></marker>'
        for cloud, color in _COLORS.items()
    ]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        "<title>Where every backup lies and who may touch it</title>",
        f"<style>{_STYLE}</style>",
        f"<defs>{''.join(heads)}</defs>",
        _box(0, 0, width, height, 'fill="#fff"'),
        _text(_GAP, 30, "Every backup in two clouds, and in two regions of each", "title"),
        _text(
            _GAP,
            52,
            "Dashed: the copy in a second cloud, written by the same machine through workload identity.",
            "small",
        ),
    ]
    for cloud in plan.clouds:
        parts += _region(plan, cloud)
    return "\n".join([*parts, *_copies(plan), "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(draw(platform()), encoding="utf-8")
