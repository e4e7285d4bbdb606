"""Pages in headless Chromium: what a reader would see of each, at a width."""

from __future__ import annotations

import http.server
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
from functools import partial
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

#: Opens each page in a frame of the given width and sends home what is wrong with it.
MEASURE = """<!doctype html><meta charset="utf-8"><body><script>
const [width, pages] = %s;
const scrolls = node => {
  for (; node && node.tagName !== "BODY"; node = node.parentElement)
    if (node.ownerDocument.defaultView.getComputedStyle(node).overflowX !== "visible") return true;
  return false;
};
const faults = inside => {
  const root = inside.documentElement, found = [];
  if (root.scrollWidth > width) found.push(`is ${root.scrollWidth} pixels wide`);
  for (const image of inside.querySelectorAll("article img"))
    if (!image.complete || !image.naturalWidth) found.push(`shows no picture ${image.src}`);
  for (const node of inside.querySelectorAll("article *"))
    if (node.getBoundingClientRect().right > width + 1 && !scrolls(node))
      found.push(`runs over the edge: ${node.tagName} ${node.textContent.slice(0, 40)}`);
  if (!inside.querySelector("article h1")) found.push("has no heading");
  return found;
};
const open = page => new Promise(done => {
  const frame = document.createElement("iframe");
  frame.style = `width: ${width}px; height: 900px; border: 0`;
  frame.onload = () => setTimeout(() => {
    done([page, faults(frame.contentDocument)]);
    frame.remove();
  }, 200);
  frame.src = page;
  document.body.append(frame);
});
(async () => {
  const result = {};
  for (const page of pages) { const [name, found] = await open(page); result[name] = found; }
  await fetch("/result", {method: "POST", body: JSON.stringify(result)});
})();
</script>"""


def program() -> str | None:
    """Where Chromium is, if it is installed."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a site, the page that measures it, and takes what that has found."""

    def __init__(self, *args: Any, measure: str, found: queue.Queue[Any], **kwargs: Any) -> None:
        self.measure, self.found = measure, found
        super().__init__(*args, **kwargs)

    def do_GET(self) -> None:
        if self.path != "/measure.html":
            return super().do_GET()
        body = self.measure.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None

    def do_POST(self) -> None:
        self.found.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


def faults(site: Path, width: int, profile: Path, timeout: float = 120) -> dict[str, list[str]]:
    """The faults of each page of a site at a width in pixels: an empty list for a good page."""
    pages = sorted(page.relative_to(site).as_posix() for page in site.rglob("*.html"))
    measure = MEASURE % json.dumps([width, [page for page in pages if page != "404.html"]])
    found: dict[str, list[str]] = result(site, measure, profile, timeout)
    return found


def result(site: Path, measure: str, profile: Path, timeout: float = 120) -> Any:
    """The JSON that a page beside those of a site sends to `/result`."""
    found: queue.Queue[Any] = queue.Queue()
    handler = partial(Handler, directory=str(site), measure=measure, found=found)
    executable = program()
    assert executable is not None
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = subprocess.Popen(
            [
                executable,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--window-size=1400,1000",
                f"--user-data-dir={profile}",
                f"http://127.0.0.1:{server.server_port}/measure.html",
                "--remote-debugging-port=0",  # keeps it open until it is ended
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "TMPDIR": folder},
        )
        try:
            return found.get(timeout=timeout)
        finally:
            browser.terminate()
            browser.wait()
            server.shutdown()
