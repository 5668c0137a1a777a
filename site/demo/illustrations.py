"""Draws the demo's pictures, one for each subject.

    python -m demo.illustrations

Run again only after a change here; the pictures are kept in images/.
"""

from __future__ import annotations

import itertools
import math
import random
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageColor, ImageDraw

from demo.linocut import (
    HEIGHT,
    INK,
    PAPER,
    PETROL,
    RED,
    SCALE,
    WIDTH,
    Draw,
    arm,
    box,
    cuts,
    disc,
    line,
    polygon,
)


def assemblea(draw: Draw, rng: random.Random) -> None:
    box(draw, 0, 0, WIDTH, HEIGHT, PAPER)
    box(draw, 0, 0, WIDTH, 96, RED)
    cuts(draw, rng, (20, 14, 900, 84), 26)
    for x, top, fill, lean in (
        (110, 210, PETROL, 8),
        (250, 150, INK, -6),
        (395, 230, RED, 4),
        (535, 140, INK, 10),
        (680, 215, PETROL, -8),
        (830, 165, INK, -4),
    ):
        arm(draw, x, top, fill, lean)
    box(draw, 0, 490, WIDTH, 50, INK)
    for x, radius in ((40, 52), (180, 58), (325, 54), (465, 60), (610, 54), (755, 60), (910, 54)):
        disc(draw, x, 492, radius, INK)
        for bend in (0.55, 0.75):
            draw.arc(
                [
                    (x - radius * bend) * SCALE,
                    (492 - radius * bend) * SCALE,
                    (x + radius * bend) * SCALE,
                    (492 + radius * bend) * SCALE,
                ],
                200,
                300,
                fill=PAPER,
                width=2 * SCALE,
            )


def contratto(draw: Draw, rng: random.Random) -> None:
    box(draw, 0, 0, WIDTH, HEIGHT, PETROL)
    cuts(draw, rng, (10, 20, 900, 520), 60)
    polygon(draw, [(252, 62), (694, 34), (722, 520), (280, 548)], INK)
    polygon(draw, [(236, 46), (678, 18), (706, 504), (264, 532)], PAPER)
    polygon(draw, [(280, 84), (480, 71), (483, 100), (282, 113)], RED)
    for row in range(7):
        y, end = 148 + row * 32, (636, 622, 640, 600, 634, 618, 480)[row]
        line(draw, [(284 + row * 1.6, y), (end, y - (end - 284) * 0.063)], INK, 7)
    line(draw, [(300, 448), (352, 408), (364, 452), (402, 412), (418, 442), (474, 430)], PETROL, 6)
    line(draw, [(300, 470), (560, 454)], INK, 3)
    polygon(draw, [(474, 432), (500, 388), (528, 410)], INK)
    polygon(draw, [(500, 388), (742, 150), (776, 180), (528, 410)], RED)
    polygon(draw, [(742, 150), (776, 118), (808, 150), (776, 180)], INK)
    line(draw, [(528, 382), (742, 172)], PAPER, 4)


def casco(draw: Draw, rng: random.Random) -> None:
    box(draw, 0, 0, WIDTH, HEIGHT, PAPER)
    box(draw, 0, 408, WIDTH, 132, INK)
    for x in range(-120, WIDTH + 120, 120):
        polygon(draw, [(x, 520), (x + 60, 520), (x + 120, 430), (x + 60, 430)], PAPER)
    draw.pieslice([270 * SCALE, 76 * SCALE, 690 * SCALE, 636 * SCALE], 180, 360, fill=RED)
    polygon(draw, [(232, 340), (728, 340), (770, 384), (190, 384)], INK)
    polygon(draw, [(446, 62), (514, 62), (530, 340), (430, 340)], INK)
    polygon(draw, [(462, 80), (498, 80), (508, 326), (452, 326)], RED)
    for bend in range(3):
        draw.arc(
            [
                (302 + bend * 22) * SCALE,
                (112 + bend * 26) * SCALE,
                (640 - bend * 22) * SCALE,
                (600 - bend * 26) * SCALE,
            ],
            192,
            236 - bend * 6,
            fill=PAPER,
            width=5 * SCALE,
        )
    cuts(draw, rng, (560, 190, 640, 320), 9)
    for turn in range(-70, 71, 20):
        angle = math.radians(turn - 90)
        start, end = 318, 356 + 14 * (turn % 40 == 10)
        line(
            draw,
            [
                (480 + start * math.cos(angle), 356 + start * math.sin(angle)),
                (480 + end * math.cos(angle), 356 + end * math.sin(angle)),
            ],
            PETROL,
            9,
        )


def casa(draw: Draw, rng: random.Random) -> None:
    box(draw, 0, 0, WIDTH, HEIGHT, INK)
    cuts(draw, rng, (10, 20, 900, 330), 46, PETROL)
    disc(draw, 800, 110, 56, PAPER)
    disc(draw, 776, 98, 50, INK)
    box(draw, 0, 456, WIDTH, 84, PETROL)
    box(draw, 250, 216, 460, 280, PAPER)
    polygon(draw, [(206, 236), (480, 46), (754, 236), (718, 252), (480, 92), (242, 252)], RED)
    polygon(draw, [(250, 250), (480, 92), (710, 250)], PAPER)
    box(draw, 600, 74, 46, 80, RED)
    box(draw, 300, 262, 250, 176, INK)
    box(draw, 312, 274, 226, 152, RED)
    disc(draw, 388, 336, 27, INK)
    polygon(draw, [(340, 426), (352, 376), (388, 364), (424, 376), (438, 426)], INK)
    polygon(draw, [(446, 404), (462, 342), (516, 342), (504, 404)], PAPER)
    box(draw, 432, 404, 88, 10, PAPER)
    box(draw, 596, 320, 76, 176, PETROL)
    disc(draw, 658, 410, 6, PAPER)
    for y in (296, 340, 384, 428, 472):
        line(draw, [(262, y), (284, y)], INK, 3)
        line(draw, [(690, y - 20), (706, y - 20)], INK, 3)
    cuts(draw, rng, (20, 470, 880, 530), 26)


def occhio(draw: Draw, rng: random.Random) -> None:
    box(draw, 0, 0, WIDTH, HEIGHT, RED)
    cuts(draw, rng, (10, 14, 900, 120), 22, INK)
    cuts(draw, rng, (10, 430, 900, 530), 22, INK)
    outline = [
        (480 + 400 * math.cos(step), 270 - 205 * math.sin(step)) for step in _steps(0, math.pi)
    ]
    outline += [
        (480 - 400 * math.cos(step), 270 + 165 * math.sin(step)) for step in _steps(0, math.pi)
    ]
    polygon(draw, [(480 + (x - 480) * 1.06, 270 + (y - 270) * 1.12) for x, y in outline], INK)
    polygon(draw, outline, PAPER)
    disc(draw, 480, 264, 146, PETROL)
    for turn in range(0, 360, 12):
        angle = math.radians(turn)
        line(
            draw,
            [
                (480 + 92 * math.cos(angle), 264 + 92 * math.sin(angle)),
                (480 + 136 * math.cos(angle), 264 + 136 * math.sin(angle)),
            ],
            PAPER,
            4,
        )
    disc(draw, 480, 264, 76, INK)
    disc(draw, 510, 232, 20, PAPER)
    for x in range(80, WIDTH, 160):
        box(draw, x - 9, 0, 18, HEIGHT, INK)


def ingranaggio(draw: Draw, rng: random.Random) -> None:
    box(draw, 0, 0, WIDTH, HEIGHT, PAPER)
    for y in range(90, 451, 60):
        line(draw, [(0, y), (340, y)], PETROL, 8)
        line(draw, [(WIDTH - 340, y), (WIDTH, y)], PETROL, 8)
        disc(draw, 70 + y % 100, y, 12, RED)
        disc(draw, WIDTH - 70 - y % 80, y, 12, RED)
    for turn in range(0, 360, 30):
        corners = ((-6, 250), (6, 250), (9, 196), (-9, 196))
        polygon(
            draw,
            [
                (
                    480 + radius * math.cos(math.radians(turn + side)),
                    270 + radius * math.sin(math.radians(turn + side)),
                )
                for side, radius in corners
            ],
            INK,
        )
    disc(draw, 480, 270, 206, INK)
    cuts(draw, rng, (330, 110, 600, 170), 14)
    cuts(draw, rng, (350, 392, 580, 440), 10)
    box(draw, 384, 174, 192, 192, PAPER)
    box(draw, 398, 188, 164, 164, RED)
    for step in range(5):
        for side in (-1, 1):
            box(draw, 404 + step * 34, 270 + side * 106 - 9, 14, 18, PAPER)
            box(draw, 480 + side * 106 - 9, 194 + step * 34, 18, 14, PAPER)
    line(draw, [(420, 230), (470, 230), (500, 260), (540, 260)], PAPER, 6)
    line(draw, [(420, 310), (460, 310), (486, 284), (486, 214)], PAPER, 6)
    for x, y in ((420, 230), (540, 260), (420, 310), (486, 214), (532, 318)):
        disc(draw, x, y, 10, PAPER)


def corteo(draw: Draw, rng: random.Random) -> None:
    box(draw, 0, 0, WIDTH, HEIGHT, PAPER)
    for x, height in (
        (0, 150),
        (120, 210),
        (230, 130),
        (340, 180),
        (600, 140),
        (700, 220),
        (840, 160),
    ):
        box(draw, x, 430 - height, 100, height, PETROL)
        for row in range(height // 46):
            for column in range(3):
                box(draw, x + 16 + column * 26, 444 - height + row * 42, 14, 20, PAPER)
    for x, fill, top in ((250, RED, 40), (610, INK, 70)):
        line(draw, [(x, 470), (x, top)], INK, 9)
        wave = [(x + step * 2.5, top + 12 * math.sin(step / 16)) for step in range(0, 101, 4)]
        polygon(draw, wave + [(px, py + 130) for px, py in reversed(wave)], fill)
        cuts(draw, rng, (x + 20, top + 30, x + 190, top + 112), 16)
    for index, x in enumerate(range(-10, WIDTH + 40, 62)):
        y = 402 + (index * 37) % 34
        fill = (INK, RED, INK, PETROL, INK)[index % 5]
        disc(draw, x, y, 23, INK)
        polygon(
            draw,
            [(x - 36, HEIGHT), (x - 30, y + 32), (x, y + 22), (x + 30, y + 32), (x + 36, HEIGHT)],
            fill,
        )
    box(draw, 0, 516, WIDTH, 24, INK)
    cuts(draw, rng, (0, 522, 920, 536), 22)


def albero(draw: Draw, rng: random.Random) -> None:
    box(draw, 0, 0, WIDTH, HEIGHT, PAPER)
    disc(draw, 640, 250, 150, RED)
    for y in range(150, 400, 22):
        line(draw, [(480, y), (820, y)], PAPER, 4)
    box(draw, 0, 380, WIDTH, 160, INK)
    polygon(draw, [(446, 392), (462, 220), (498, 220), (514, 392)], INK)
    for x, y, radius in (
        (480, 130, 96),
        (380, 186, 74),
        (580, 182, 76),
        (424, 104, 66),
        (540, 98, 68),
        (480, 206, 78),
    ):
        disc(draw, x, y, radius, PETROL)
    for x, y in ((400, 170), (560, 165), (445, 110), (515, 105)):
        line(draw, [(480, 250), (x, y)], INK, 7)
    cuts(draw, rng, (340, 80, 600, 230), 40)
    for lean in (-2.6, -1.5, -0.6, 0.6, 1.5, 2.6):
        root = [
            (480 + lean * 22 + lean * step * 26, 384 + step * 26 + 5 * math.sin(step * 2 + lean))
            for step in range(6)
        ]
        line(draw, root, PAPER, 7 - abs(lean))
    cuts(draw, rng, (20, 400, 300, 520), 12, PETROL)
    cuts(draw, rng, (660, 400, 900, 520), 12, PETROL)


def orologio(draw: Draw, rng: random.Random) -> None:
    box(draw, 0, 0, WIDTH, HEIGHT, PAPER)
    polygon(draw, [(0, 540), (0, 330), (960, 330), (960, 540)], PETROL)
    polygon(draw, [(560, 330), (610, 330), (900, 540), (330, 540)], INK)
    for near, far in ((540, 486), (462, 424), (408, 382), (370, 352)):
        half = (near - 318) / 20
        polygon(
            draw,
            [
                (590 - half, near),
                (590 + half, near),
                (587 + half * 0.7, far),
                (587 - half * 0.7, far),
            ],
            PAPER,
        )
    for x, height in ((690, 60), (760, 100), (850, 76)):
        polygon(draw, [(x, 330), (x + 32, 330 - height), (x + 64, 330)], INK)
    cuts(draw, rng, (640, 60, 900, 180), 16, PETROL)
    cuts(draw, rng, (20, 360, 300, 520), 16)
    cuts(draw, rng, (800, 360, 920, 450), 8)
    box(draw, 226, 330, 28, 210, INK)
    disc(draw, 240, 210, 176, INK)
    disc(draw, 240, 210, 152, PAPER)
    for hour in range(12):
        angle = math.radians(hour * 30)
        inner = 112 if hour % 3 == 0 else 124
        line(
            draw,
            [
                (240 + inner * math.cos(angle), 210 + inner * math.sin(angle)),
                (240 + 142 * math.cos(angle), 210 + 142 * math.sin(angle)),
            ],
            INK,
            12 if hour % 3 == 0 else 7,
        )
    line(draw, [(240, 210), (182, 138)], INK, 14)
    line(draw, [(240, 210), (330, 158)], RED, 10)
    disc(draw, 240, 210, 15, RED)


PICTURES: tuple[Callable[[Draw, random.Random], None], ...] = (
    assemblea, contratto, casco, casa, occhio, ingranaggio, corteo, albero, orologio,
)  # fmt: skip


def inks() -> Image.Image:
    """A palette of the four inks and, for smooth edges, the colours halfway between two of them."""
    pure = [ImageColor.getrgb(ink)[:3] for ink in (INK, RED, PETROL, PAPER)]
    halves = [
        tuple((one + other) // 2 for one, other in zip(*pair, strict=True))
        for pair in itertools.combinations(pure, 2)
    ]
    palette = Image.new("P", (1, 1))
    palette.putpalette([value for colour in (*pure, *halves) for value in colour])
    return palette


def main() -> int:
    folder = Path(__file__).parent / "images"
    for picture in PICTURES:
        image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), PAPER)
        # Seeded by name: drawing again gives the same picture.
        picture(ImageDraw.Draw(image), random.Random(picture.__name__))
        small = image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).quantize(
            palette=inks(), dither=Image.Dither.NONE
        )
        path = folder / f"{picture.__name__}.png"
        small.save(path, optimize=True)
        sys.stdout.write(f"{path.name}: {path.stat().st_size / 1024:.1f} KB\n")
    return 0


def _steps(start: float, end: float, number: int = 60) -> list[float]:
    return [start + (end - start) * step / number for step in range(number + 1)]


if __name__ == "__main__":
    sys.exit(main())
