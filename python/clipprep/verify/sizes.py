"""Width and height after resizing, as single image processors of transformers compute them."""

from __future__ import annotations

#: Height and width.
Size = tuple[int, int]


def _bridgetower(to: Size, width: int, height: int) -> tuple[int, int]:
    shorter = to[0]
    scale = shorter / min(height, width)
    sides: tuple[float, float] = (
        (shorter, scale * height) if height >= width else (scale * width, shorter)
    )
    longer = int(1333 / 800 * shorter)
    if max(sides) > longer:
        scale = longer / max(sides)
        sides = scale * sides[0], scale * sides[1]
    return int(sides[0] + 0.5) // 32 * 32, int(sides[1] + 0.5) // 32 * 32


def _janus(to: Size, width: int, height: int) -> tuple[int, int]:
    to_width, to_height = _deepseek_ocr(to, width, height)
    return max(to_width, 14), max(to_height, 14)


def _deepseek_ocr(to: Size, width: int, height: int) -> tuple[int, int]:
    scale = to[0] / max(height, width)
    return round(width * scale), round(height * scale)


def _tvp(to: Size, width: int, height: int) -> tuple[int, int]:
    longer = to[0]
    if height >= width:
        return int(longer * (width / height)), longer
    return longer, int(longer * (height / width))


def _pp_lcnet(to: Size, width: int, height: int) -> tuple[int, int]:
    scale = to[0] / min(height, width)
    return round(width * scale), round(height * scale)


def _detr(to: Size, width: int, height: int) -> tuple[int, int]:
    shortest, longest = to
    exact: float = shortest
    if max(width, height) / min(width, height) * shortest > longest:
        exact = longest * min(width, height) / max(width, height)
        shortest = round(exact)
    if min(width, height) == shortest:
        return width, height
    if width < height:
        return shortest, int(exact * height / width)
    return int(exact * width / height), shortest


def _fit(to: Size, width: int, height: int) -> tuple[int, int]:
    scale = min(to[0] / height, to[1] / width)
    return int(width * scale), int(height * scale)


def _sam(to: Size, width: int, height: int) -> tuple[int, int]:
    scale = to[0] / max(height, width)
    return int(width * scale + 0.5), int(height * scale + 0.5)


def _aria(to: Size, width: int, height: int) -> tuple[int, int]:
    scale = to[0] / max(height, width)
    if width >= height:
        return to[0], max(int(height * scale), 336)
    return max(int(width * scale), 336), to[0]


def _donut(to: Size, width: int, height: int) -> tuple[int, int]:
    to_height, to_width = min(height, to[0]), min(width, to[1])
    if (to_width, to_height) != (width, height):
        if height > width:
            to_width = int(width * to_height / height)
        elif width > height:
            to_height = int(height * to_width / width)
    return to_width, to_height


#: Width and height after resizing, as single image processors of transformers compute them.
OF_MODELS = {
    "bridgetower": _bridgetower,
    "janus": _janus,
    "tvp": _tvp,
    "pp-lcnet": _pp_lcnet,
    "detr": _detr,
    "fit": _fit,
    "sam": _sam,
    "aria": _aria,
    "deepseek-ocr": _deepseek_ocr,
    "donut": _donut,
}
#: Those whose padding begins with half of it rounded down.
LESS_BEFORE = ("janus", "deepseek-ocr", "donut")
