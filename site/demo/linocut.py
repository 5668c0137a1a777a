"""Flat shapes in the bulletin's four inks, as if cut in linoleum."""

from __future__ import annotations

import random

from PIL import ImageDraw

INK, RED, PETROL, PAPER = "#1B1A17", "#B21F1F", "#0B5D5E", "#FAF6EE"
WIDTH, HEIGHT = 960, 540
SCALE = 3  # drawn larger and brought down, for smooth edges

Draw = ImageDraw.ImageDraw
Point = tuple[float, float]


def polygon(draw: Draw, points: list[Point], fill: str) -> None:
    draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=fill)


def box(draw: Draw, x: float, y: float, width: float, height: float, fill: str) -> None:
    polygon(draw, [(x, y), (x + width, y), (x + width, y + height), (x, y + height)], fill)


def disc(draw: Draw, x: float, y: float, radius: float, fill: str) -> None:
    draw.ellipse(
        [(x - radius) * SCALE, (y - radius) * SCALE, (x + radius) * SCALE, (y + radius) * SCALE],
        fill=fill,
    )


def line(draw: Draw, points: list[Point], fill: str, width: float) -> None:
    draw.line(
        [(x * SCALE, y * SCALE) for x, y in points],
        fill=fill,
        width=round(width * SCALE),
        joint="curve",
    )


def cuts(
    draw: Draw, rng: random.Random, area: tuple[int, int, int, int], number: int, fill: str = PAPER
) -> None:
    """Short gouge marks, all leaning the same way."""
    for _ in range(number):
        x, y, length = (
            rng.randint(area[0], area[2]),
            rng.randint(area[1], area[3]),
            rng.randint(14, 40),
        )
        polygon(
            draw,
            [(x, y), (x + length * 0.5, y - 3), (x + length, y - 1), (x + length * 0.5, y + 2)],
            fill,
        )


def arm(draw: Draw, x: float, top: float, fill: str, lean: float) -> None:
    """A sleeve and an open hand, from the lower edge up to `top`."""
    polygon(
        draw,
        [(x - 30, HEIGHT), (x - 20 + lean, top + 86), (x + 20 + lean, top + 86), (x + 34, HEIGHT)],
        fill,
    )
    box(draw, x - 24 + lean, top + 78, 48, 12, PAPER)
    polygon(
        draw,
        [
            (x - 22 + lean, top + 76),
            (x - 26 + lean, top + 34),
            (x + 26 + lean, top + 34),
            (x + 20 + lean, top + 76),
        ],
        fill,
    )
    for finger, height in ((-20, 8), (-7, 0), (7, 3), (20, 14)):
        line(
            draw,
            [(x + finger + lean, top + 40), (x + finger * 1.15 + lean, top + height)],
            fill,
            11,
        )
        disc(draw, x + finger * 1.15 + lean, top + height, 5.5, fill)
    line(draw, [(x + 20 + lean, top + 66), (x + 42 + lean, top + 40)], fill, 12)
    disc(draw, x + 42 + lean, top + 40, 6, fill)
