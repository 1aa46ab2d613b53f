"""nginx with deploy/nginx/nginx.conf.template, in front of an API on this machine."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

TEMPLATE = Path(settings.BASE_DIR) / "deploy" / "nginx" / "nginx.conf.template"


class NginxMissing(Exception):
    """A sentence that says what to install."""


@dataclass(frozen=True, slots=True)
class Edge:
    """`listen`, `keeper` and `api` are host:port; nginx writes below `directory` alone."""

    listen: str
    keeper: str
    api: str
    directory: Path

    def configuration(self) -> str:
        values = {
            "FUNNEL_LISTEN": self.listen,
            "FUNNEL_KEEPER": self.keeper,
            "FUNNEL_API": self.api,
            "FUNNEL_RUN": str(self.directory),
            "FUNNEL_STATIC": str(settings.STATIC_ROOT),
            "FUNNEL_RESOLVER": "127.0.0.1",
        }
        text = TEMPLATE.read_text()
        for name, value in values.items():
            text = text.replace(f"${{{name}}}", value)
        return text

    def command(self) -> list[str]:
        """Writes the configuration; the command line that runs nginx with it in the foreground.

        Raises NginxMissing.
        """
        program = nginx()
        self.directory.mkdir(parents=True, exist_ok=True)
        file = self.directory / "nginx.conf"
        file.write_text(self.configuration())
        # A master that is root gives its workers another account, which cannot write here.
        account = "user root; " if os.geteuid() == 0 else ""
        return [program, "-e", "stderr", "-c", str(file), "-g", f"{account}daemon off;"]


def nginx() -> str:
    """Where it is. Raises NginxMissing."""
    # Debian's is in /usr/sbin, which is not everybody's PATH.
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise NginxMissing("nginx is not installed: apt-get install nginx-light, or make demo.")
    return found
