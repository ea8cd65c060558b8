"""Buttons for the notebook beside a page: download it, or open it on another computer.

Where it can be opened follows from one setting, `repository: url:` in _config.yml. While that is
empty no page has such a button, and a page without a notebook never has.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import yaml
from sphinx.errors import ConfigError


@dataclass(frozen=True)
class Repository:
    """Where the book is kept: `url` ("" when it is not said), `branch`, `hub` (a JupyterHub)."""

    url: str
    branch: str
    hub: str

    def source(self, path: str) -> str:
        """Address at which a file can be read."""
        return f"{self.url}/blob/{self.branch}/{path}"

    def launchers(self, notebook: str) -> list[dict[str, str]]:
        """Name, picture and address of every place that opens `notebook` (path in the repository).

        Colab reads from GitHub only; Binder reads any repository, and opens it in JupyterLab.
        """
        if not self.url:
            return []
        host, name = urlsplit(self.url).netloc, urlsplit(self.url).path.strip("/")
        places = []
        if host == "github.com":
            file = quote(f"{self.branch}/{notebook}")
            url = f"https://colab.research.google.com/github/{name}/blob/{file}"
            places.append(("Google Colab", "logo_colab.png", url))
        known = {"github.com": f"gh/{name}", "gitlab.com": f"gl/{quote(name, safe='')}"}
        book = known.get(host, f"git/{quote(self.url, safe='')}")
        path, branch = quote(f"lab/tree/{notebook}", safe=""), quote(self.branch, safe="")
        url = f"https://mybinder.org/v2/{book}/{branch}?urlpath={path}"
        places.append(("JupyterLab on Binder", "logo_binder.svg", url))
        if self.hub:
            path = f"lab/tree/{name.rpartition('/')[2]}/{notebook}"
            asked = urlencode({"repo": self.url, "branch": self.branch, "urlpath": path})
            url = f"{self.hub}/hub/user-redirect/git-pull?{asked}"
            places.append(("JupyterLab on our hub", "logo_jupyterhub.svg", url))
        return [
            {"text": text, "icon": f"_static/images/{icon}", "url": url}
            for text, icon, url in places
        ]


def repository(root: Path) -> Repository:
    """The setting in `root`/_config.yml; raises ConfigError for an address that is none."""
    told = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    given = told.get("repository") or {}
    url = str(given.get("url") or "").strip().rstrip("/").removesuffix(".git")
    parts = urlsplit(url)
    if url and not (parts.scheme == "https" and parts.netloc and parts.path.count("/") >= 2):
        raise ConfigError(
            f"repository: url: {url!r} in _config.yml must look like https://host/owner/name, "
            "or be empty"
        )
    hub = str((told.get("launch_buttons") or {}).get("jupyterhub_url") or "").strip().rstrip("/")
    return Repository(url, str(given.get("branch") or "main"), hub)


def add_buttons(app, pagename: str, _template: str, context: dict, _doctree) -> None:
    """Put the notebook into the menu of downloads, and the places that open it into one beside."""
    notebook = Path(app.srcdir, f"{pagename}.ipynb")
    if not notebook.is_file():
        return
    copy = Path(app.outdir, "_sources", f"{pagename}.ipynb")
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(notebook, copy)
    download = {
        "type": "link", "text": ".ipynb", "icon": "fas fa-code", "tooltip": "Download the notebook",
        "label": "download-notebook-button",
        "url": context["pathto"](f"_sources/{pagename}.ipynb", 1),
    }  # fmt: skip
    for group in context["header_buttons"]:
        if group.get("label") == "download-buttons":
            group["buttons"].insert(0, download)
    places = repository(Path(app.srcdir)).launchers(f"{pagename}.ipynb")
    if places:
        buttons = [
            {"type": "link", "tooltip": f"Open the notebook: {place['text']}"} | place
            for place in places
        ]
        menu = {"type": "group", "label": "launch-buttons", "icon": "fas fa-rocket"}
        menu |= {"tooltip": "Run the notebook elsewhere", "buttons": buttons}
        context["header_buttons"].insert(0, menu)


def setup(app) -> dict:
    """Register with Sphinx; the theme's own buttons come at 501."""
    app.connect("html-page-context", add_buttons, priority=502)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
