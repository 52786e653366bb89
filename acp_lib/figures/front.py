"""The figure of the first page: what can be reached without comparing the halves of a pair, by how pairs are drawn.

It is SVG of its own, with text as text, so that it is legible on a phone and takes the colours of the page.

Chapter: the first page.
"""

from collections.abc import Mapping

from acp_lib.figures.style import FALSE, TRUE

ROW, TOP, LEFT, RIGHT = 27, 26, 112, 350  # pixels; 360 is the whole width
LOWEST, HIGHEST = 45.0, 90.0  # per cent at LEFT and RIGHT


def scorers(one_sided: Mapping[str, float], adding: Mapping[str, float], reported: float) -> str:
    """For each protocol of pairs the best one-sided baseline (a dot, red where it passes what the paper reports) and
    the best additive scorer (a circle).

    one_sided, adding : accuracy in per cent by protocol; reported : the paper's
    """
    at = _x(reported)
    bottom = TOP + ROW * len(one_sided) + 2
    said = "; ".join(f"{_name(p)} {v:.1f} and {adding[p]:.1f}" for p, v in one_sided.items())
    parts = [f'<line x1="{at}" x2="{at}" y1="{TOP - 6}" y2="{bottom}" stroke="currentColor" stroke-dasharray="4 3"/>',
             f'<text x="{at}" y="{TOP - 12}" text-anchor="middle">ACP-Net in the paper: {reported} %</text>']
    for k, (protocol, value) in enumerate(one_sided.items()):
        parts += _row(TOP + ROW * k, _name(protocol), value, adding[protocol], FALSE if value > reported else TRUE)
    return (f'<svg class="acp-front" viewBox="0 0 360 {bottom}" role="img" font-size="13" fill="currentColor" '
            f'xmlns="http://www.w3.org/2000/svg" aria-label="Accuracies in per cent of the best one-sided baseline and '
            f'the best additive scorer: {said}; ACP-Net in the paper: {reported}.">{"".join(parts)}</svg>')


def _row(y: float, name: str, value: float, added: float, fill: str) -> list[str]:
    line = y + ROW / 2
    return [f'<text x="0" y="{line + 4}" font-weight="600">{name}</text>',
            f'<line x1="{LEFT}" x2="{RIGHT}" y1="{line}" y2="{line}" stroke="currentColor" opacity="0.25"/>',
            f'<circle cx="{_x(value)}" cy="{line}" r="6" fill="{fill}"/>',
            f'<text x="{_x(value) + 10}" y="{line - 3}">{value:.1f}</text>',
            f'<circle cx="{_x(added)}" cy="{line}" r="5.5" fill="none" stroke="currentColor" stroke-width="1.5"/>',
            f'<text x="{_x(added) - 9}" y="{line - 3}" text-anchor="end">{added:.1f}</text>']


def _x(value: float) -> float:
    return round(LEFT + (RIGHT - LEFT) * (value - LOWEST) / (HIGHEST - LOWEST), 1)


def _name(protocol: str) -> str:
    return protocol.replace("_", "-")
