"""A browser that tests click and type in: headless Chromium over its DevTools protocol, where it is installed.

`python tests/chromium.py _build/html` looks at every page of a rendered book: no error may reach the console, no page
may be wider than its window, and axe-core may find nothing that keeps anybody from reading it.
"""

import asyncio
import base64
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import aiohttp

from acp_lib.book.printed import BROWSERS

STATIC = Path(__file__).resolve().parents[1] / "book/_static"
THEME = [Path(find_spec(name).origin).parent / f"theme/{name}/static/styles/{name.replace('_', '-')}.css"
         for name in ("pydata_sphinx_theme", "sphinx_book_theme")]
WIDTHS = (360, 390, 768, 1280)
HEIGHT = 900
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
KEYS = {"Tab": 9, "Enter": 13, " ": 32, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "End": 35,
        "Home": 36, "Escape": 27}
TEXTS = {"Enter": "\r", " ": " "}
TEXTS_OF_DRAWINGS = """(() => {
  const box = e => e.getBoundingClientRect(), shown = e => box(e).width > 0;
  return [...document.querySelectorAll("svg")].flatMap(svg => {
    const whole = box(svg), name = svg.parentElement.id, hair = 2;
    const texts = [...svg.querySelectorAll("g[id^=text_]")].filter(shown);
    const outside = texts.filter(e => box(e).left < whole.left - hair || box(e).right > whole.right + hair ||
                                      box(e).top < whole.top - hair || box(e).bottom > whole.bottom + hair);
    const rows = [...svg.querySelectorAll("g[id^=matplotlib\\\\.axis_]")].flatMap(axis => {
      const boxes = [...axis.querySelectorAll("g[id^=ytick_] g[id^=text_]")].filter(shown).map(box);
      boxes.sort((a, b) => a.top - b.top);
      return boxes.slice(1).filter((b, k) => b.top < boxes[k].bottom - hair);
    });
    return [...outside.map(e => `${name}: ${e.id} lies outside`), ...rows.map(() => `${name}: names of rows overlap`)];
  });
})()"""
COLOURS = "color-contrast", "link-in-text-block"  # the rules of axe-core that the theme has a say in
DRAWN = "new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))"
"""Until a page is drawn anew."""
PATIENCE = 120  # seconds; axe-core takes some on a long page


class Browser:
    """One window. What a page writes to the console as an error, or throws, is collected in `errors`."""

    def __init__(self, folder: Path):
        self.errors, self._replies, self._number = [], {}, 0
        # crash reports and the like are no part of it; the sandbox is not to be had in containers
        self._process = subprocess.Popen(
            [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--remote-debugging-port=0", f"--user-data-dir={folder}", "--autoplay-policy=no-user-gesture-required",
             "--hide-scrollbars", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        self._loop = asyncio.new_event_loop()
        try:
            port = self._port(folder / "DevToolsActivePort")
            self._run(self._connect(port))
        except BaseException:
            self.close()
            raise

    def _port(self, file: Path) -> str:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self._process.poll() is None:
            if file.exists() and (lines := file.read_text().split()):
                return lines[0]
            time.sleep(0.05)
        raise RuntimeError(f"{CHROMIUM} opened no port within {PATIENCE} s")

    async def _connect(self, port: str) -> None:
        self._session = aiohttp.ClientSession()
        async with self._session.get(f"http://127.0.0.1:{port}/json/list") as answer:
            pages = [target for target in await answer.json() if target["type"] == "page"]
        self._socket = await self._session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0)
        for domain in ("Page", "Runtime", "Log"):
            await self._send(f"{domain}.enable")

    def _run(self, waited):
        return self._loop.run_until_complete(asyncio.wait_for(waited, PATIENCE))

    async def _send(self, method: str, **params):
        self._number += 1
        number = self._number
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while True:
            told = await self._next()
            if told.get("id") == number:
                if "error" in told:
                    raise RuntimeError(f"{method}: {told['error']['message']}")
                return told["result"]

    async def _next(self) -> dict:
        told = json.loads((await self._socket.receive()).data)
        params, method = told.get("params", {}), told.get("method")
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] == "error":
            self.errors.append(" ".join(str(a.get("value", a.get("description"))) for a in params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
        elif method == "Page.loadEventFired":
            self._loaded = True
        return told

    def send(self, method: str, **params):
        """A command of the DevTools protocol, and what it answers."""
        return self._run(self._send(method, **params))

    def open(self, file: Path, width: int = 1280, dark: bool = False) -> None:
        """Show a file in a window of this width, in colours for the light or the dark, and wait until it is there."""
        self.errors.clear()
        self.colours(dark)
        self.resize(width)

        async def load():
            self._loaded = False
            await self._send("Page.navigate", url=file.resolve().as_uri())
            while not self._loaded:
                await self._next()

        self._run(load())

    def colours(self, dark: bool) -> None:
        """Ask the page for its colours for the light or the dark, as a reader's system does in the evening, and wait
        until a page that follows it has.
        """
        theme = "dark" if dark else "light"
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        self.value(f"""(async () => {{
            const page = document.documentElement.dataset;
            while (page.mode === "auto" && page.theme !== "{theme}") await new Promise(done => setTimeout(done, 10));
            await {DRAWN};
        }})()""")

    def resize(self, width: int) -> None:
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=HEIGHT, deviceScaleFactor=1,
                  mobile=width < 600)
        self.value(DRAWN)

    def value(self, expression: str):
        """What an expression of JavaScript gives, as JSON can hold it."""
        told = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in told:
            raise RuntimeError(told["exceptionDetails"].get("exception", {}).get("description"))
        return told["result"].get("value")

    def text(self, selector: str) -> str:
        return self.value(f"document.querySelector({json.dumps(selector)}).innerText")

    def click(self, selector: str, number: int = 0) -> None:
        """Press the mouse in the middle of the element; whatever lies there gets it."""
        x, y = self.value(f"""(() => {{
            const e = document.querySelectorAll({json.dumps(selector)})[{number}];
            e.scrollIntoView({{block: "center", behavior: "instant"}});
            const r = e.getBoundingClientRect();
            return [r.x + r.width / 2, r.y + r.height / 2];
        }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key: str, times: int = 1) -> None:
        """A key on the keyboard, for what has the focus."""
        about = {"key": key, "code": {" ": "Space"}.get(key, key), "windowsVirtualKeyCode": KEYS[key]}
        for _ in range(times):
            typed = {"text": TEXTS[key]} if key in TEXTS else {}
            self.send("Input.dispatchKeyEvent", type="keyDown", **about, **typed)
            self.send("Input.dispatchKeyEvent", type="keyUp", **about)

    def wide(self) -> list[str]:
        """What sticks out of the window to the right, if the page can be scrolled that way; what is in a box is not."""
        return self.value("""(() => {
            const most = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= most) return [];
            const held = e => e && (getComputedStyle(e).overflowX !== "visible" || held(e.parentElement));
            const all = [...document.querySelectorAll("body *")].filter(e => !held(e.parentElement.closest("body *")));
            const out = all.filter(e => e.getBoundingClientRect().right > most + 1);
            return ["page", ...out.filter(e => !out.some(o => o !== e && e.contains(o))).slice(0, 5).map(e =>
              `${e.tagName.toLowerCase()}.${e.getAttribute("class") ?? ""}`)];
        })()""")

    def faint(self) -> list[str]:
        """Texts of live figures, cards and dialogs that stand out less than 4.5 to 1, what WCAG 2 asks for."""
        return self.value("""(() => {
            const parts = text => {
                const n = text.match(/-?[0-9.]+/g).map(Number), unit = text.startsWith("color(") ? 255 : 1;
                return [...n.slice(0, 3).map(v => v * unit), n[3] ?? 1];
            };
            const over = (top, under) => top.slice(0, 3).map((v, k) => v * top[3] + under[k] * (1 - top[3]));
            const behind = e => {
                const layers = [];
                for (; e; e = e.parentElement) layers.push(parts(getComputedStyle(e).backgroundColor));
                return layers.reduceRight((under, layer) => over(layer, under), [255, 255, 255]);
            };
            const light = rgb => rgb.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
                .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
            const said = e => e.tagName !== "SCRIPT" && e.checkVisibility()
                && [...e.childNodes].some(c => c.nodeType === 3 && c.textContent.trim());
            return [...document.querySelectorAll(":is(.acp-live,.acp-dialog,.acp-cards) *")].filter(said).flatMap(e => {
                const under = behind(e), own = over(parts(getComputedStyle(e).color), under);
                const [low, high] = [light(under), light(own)].sort((a, b) => a - b);
                const ratio = (high + 0.05) / (low + 0.05);
                return ratio < 4.5 ? [`${e.tagName} ${e.textContent.slice(0, 20)}: ${ratio.toFixed(1)}`] : [];
            });
        })()""")

    def barriers(self, rules: Sequence[str] = ()) -> list[str]:
        """What keeps some from reading the page or working it, by axe-core: contrast, labels, names, roles, order.

        rules : those to ask for, by their names; all if none is named
        """
        self.value(files("axe_core_python").joinpath("axe.min.js").read_text("utf8") + "; 0")
        self.value("""(async () => {  // what still moves has no colours of its own yet
            const still = document.createElement("style");
            still.textContent = "*, *::before, *::after { transition: none !important; animation: none !important; }";
            document.head.append(still);
            await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
        })()""")
        asked = {"resultTypes": ["violations"], **({"runOnly": {"type": "rule", "values": rules}} if rules else {})}
        found = self.value(f"axe.run({json.dumps(asked)})" """.then(({violations}) => violations.flatMap(v =>
            v.nodes.map(n => `${v.help} (${v.id}): ${n.html.slice(0, 120)}`)))""")
        return sorted(set(found))

    def fold(self) -> None:
        """Make plain text of each word of code that looks like one before it: its classes, those of all it lies in, and
        whether it is shown are the same. Of thousands some dozens are left, for which axe-core takes half the time.
        """
        self.value("""(() => {
            const kind = e => e ? `${e.className} < ${kind(e.parentElement)}` : "";
            const plain = e => !e.children.length && [...e.attributes].every(a => a.name === "class");
            const words = [...document.querySelectorAll("pre span")].filter(plain).map(e =>
                [e, `${e.checkVisibility()} ${kind(e)}`]);
            const known = new Set();  // a page that is changed is laid out anew, so all is asked for before
            for (const [e, looks] of words) known.has(looks) ? e.replaceWith(e.textContent) : known.add(looks);
        })()""")

    def seen(self) -> str:
        """The elements that are shown, by what all rules but those on colours are about: their names, and what they are
        called and good for. In the order of these words: a drawing for the dark stands beside the one for the light.
        """
        return self.value("""[...document.querySelectorAll("body *")].filter(e => e.checkVisibility()).map(e =>
            e.tagName + [...e.attributes].filter(a => /^(alt|aria-|for$|href|name|role|tab|title|type)/.test(a.name))
                .map(a => ` ${a.name}=${a.value}`).join("")).sort().join("; ")""")

    def hidden(self) -> list[str]:
        """Tables of which a part lies outside their box, and has to be scrolled for."""
        return self.value("""[...document.querySelectorAll(".bd-article table")].filter(t => t.checkVisibility() &&
            t.getBoundingClientRect().right > t.parentElement.getBoundingClientRect().right + 1).map(t =>
            t.id || t.closest("[id]")?.id || t.textContent.trim().slice(0, 20))""")

    def picture(self, file: Path) -> None:
        """The whole page as a PNG."""
        told = self.send("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(told["data"]))

    @property
    def ended(self) -> bool:
        """Whether the browser answers no more."""
        try:
            return self.value("1") != 1
        except (OSError, TypeError):  # what a closed connection gives is no text
            return True

    def close(self) -> None:
        try:
            if hasattr(self, "_socket") and not self.ended:
                self.send("Browser.close")
            else:
                self._process.terminate()
            if hasattr(self, "_session"):
                self._run(self._session.close())
            self._process.wait(PATIENCE)
        except (OSError, subprocess.TimeoutExpired):  # a TimeoutError, too
            self._process.kill()
            self._process.wait()
        finally:
            self._loop.close()


def problems(browser: Browser, file: Path, widths=WIDTHS) -> list[str]:
    """What is wrong with a page as it is drawn: errors on the console, widths at which it is wider than its window or
    hides a part of a table, and what is hard to read or to work, by day or by night.
    """
    found, by_day = [], ""
    browser.open(file, widths[0])
    for width in widths:
        browser.resize(width)
        if wide := browser.wide():
            found.append(f"{file.name}: wider than {width} px: {', '.join(wide)}")
        if tables := browser.hidden():
            found.append(f"{file.name}: of {', '.join(tables)} a part is hidden at {width} px")
    browser.fold()
    for theme in ("light", "dark"):
        browser.colours(theme == "dark")
        seen = browser.seen()  # where it is the same, the theme changes nothing but colours
        told = browser.faint() + browser.barriers(COLOURS if seen == by_day else ())
        by_day = seen
        found += [f"{file.name}: {text}, {theme}" for text in told]
    return found + [f"{file.name}: {error}" for error in browser.errors]


def drawn(root: Path) -> list[Path]:
    """The drawings of a rendered book, without those for the dark, which differ in their colours."""
    return [path for path in sorted(root.glob("_images/*.svg")) if not path.stem.endswith("-night")]


def drawings(browser: Browser, root: Path, folder: Path, at_once: int = 20) -> list[str]:
    """What cannot be read in the drawings of a rendered book: texts outside of them, and names of rows that overlap.

    folder : for the pages that hold them
    """
    files, found = drawn(root), []
    for k in range(0, len(files), at_once):
        page = folder / "drawings.html"
        held = (f'<div id="{p.name}">{p.read_text("utf8")}</div>' for p in files[k:k + at_once])
        page.write_text("<!doctype html><meta charset=utf-8><title>Drawings</title>" + "".join(held), "utf8")
        browser.open(page)
        found += browser.value(TEXTS_OF_DRAWINGS)
    return found


def framed(html: str, theme: str = "light") -> str:
    """A page that holds HTML of live figures as a cell's output, and loads what the book would.

    theme : light or dark
    """
    names = ["acp", *sorted(p.stem for p in STATIC.glob("*.js") if f'data-figure="{p.stem}"' in html)]
    scripts = "".join(f'<script defer src="{(STATIC / name).as_uri()}.js"></script>' for name in names)
    styles = "".join(f'<link rel="stylesheet" href="{path.as_uri()}">' for path in (*THEME, STATIC / "acp.css"))
    return (f'<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>A page</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{styles}{scripts}</head>'
            '<body><main class="bd-content"><article class="bd-article"><h1>A page</h1><h2>A part</h2>'
            f'<div class="cell_output"><div class="output text_html">{html}</div></div></article></main></body></html>')


def computed(figure: str, expression: str):
    """What an expression of JavaScript gives by a figure's script, without a page; node is asked."""
    code = [(STATIC / f"{name}.js").read_text("utf8") for name in ("acp", figure)]
    script = "\n".join([*code, f"console.log(JSON.stringify({expression}))"])
    return json.loads(subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True).stdout)


def pages(root: Path) -> list[Path]:
    """The pages of a rendered book, in order; its first file only leads on, and is gone before it can be looked at."""
    found = (page for page in sorted(root.rglob("*.html")) if "_static" not in page.relative_to(root).parts)
    return [page for page in found if 'http-equiv="refresh"' not in page.read_text("utf8").lower()]


def main(root: Path) -> int:
    if not CHROMIUM:
        print("chromium is not installed; nothing was looked at")
        return 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        window = Browser(Path(folder))
        try:
            found = [line for page in pages(root) for line in problems(window, page)]
            found += drawings(window, root, Path(folder)) or ([] if list(pages(root)) else [f"no page below {root}"])
        finally:
            window.close()
    looked = f"{len(list(pages(root)))} pages and {len(drawn(root))} drawings"
    print("\n".join(found) or f"{looked}: all fit and can be read, and no page says anything on the console")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "_build/html")))
