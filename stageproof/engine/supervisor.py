"""The process that keeps the private engine up; nobody's child, so it outlives the command that started it.

Run as `python -m stageproof.engine.supervisor FOLDER`. It leaves at SIGTERM, or when dockerd ends again and again.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from ipaddress import IPv4Network
from pathlib import Path

from stageproof.engine import network, processes
from stageproof.engine.home import Home

MOST_DEATHS = 5
"""So many within WINDOW_SECONDS, and the supervisor gives up."""
WINDOW_SECONDS = 60.0
LONGEST_PAUSE = 5.0
INSIDE = Path("/engine")
"""The engine's folder as seen from its root file system: short, since paths of sockets must be."""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


class Supervisor:
    """Keeps one dockerd running until it is told to stop."""

    def __init__(self, home: Home, pool: IPv4Network) -> None:
        self.home = home
        self.pool = pool
        self.stopping = threading.Event()
        self.daemon: subprocess.Popen[bytes] | None = None
        self.deaths: list[float] = []

    def stop(self, *_: object) -> None:
        """End dockerd, which ends its containers first."""
        self.stopping.set()
        if self.daemon is not None:
            self.daemon.terminate()

    def run(self) -> int:
        """Keep dockerd up; give 0 if told to stop, 1 if it could not be kept up."""
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        holder = None
        try:
            network.make_bridge(self.home, self.pool)
            network.add_rules(self.home, self.pool)
            holder = hold_namespace(self.home)
            while not self.stopping.is_set() and len(self.deaths) < MOST_DEATHS:
                self.keep(holder.pid)
        except network.NetworkError as error:
            say(f"the network could not be made: {error}")
            return 1
        finally:
            if holder is not None:
                processes.end(self.home)
                holder.wait()
            network.remove_rules(self.home)
            network.remove_bridges(self.home, self.pool)
            processes.clear_cgroups(self.home)
        return 0 if self.stopping.is_set() else 1

    def keep(self, holder: int) -> None:
        """Run dockerd once, until it ends."""
        # A dockerd that was killed leaves containerd and containers; the next one would wait 10 s for each,
        # and 10 s for the process that containerd's file names.
        processes.end(self.home, but=holder)
        shutil.rmtree(self.home.folder / "exec", ignore_errors=True)
        for name in ("dockerd.pid", "docker.sock"):
            (self.home.run / name).unlink(missing_ok=True)
        self.daemon = start_daemon(holder)
        if self.stopping.is_set():
            self.daemon.terminate()
        code = self.daemon.wait()
        if self.stopping.is_set():
            say(f"dockerd was stopped and ended with code {code}")
            return
        now = time.monotonic()
        self.deaths = [one for one in self.deaths if now - one < WINDOW_SECONDS] + [now]
        pause = min(LONGEST_PAUSE, 0.2 * 2 ** (len(self.deaths) - 1))
        if len(self.deaths) < MOST_DEATHS:
            say(f"dockerd ended with code {code}; it starts again in {pause:.1f} s")
            self.stopping.wait(pause)
        else:
            say(f"dockerd ended {MOST_DEATHS} times within {WINDOW_SECONDS:.0f} s, last with {code}: given up")


def hold_namespace(home: Home) -> subprocess.Popen[bytes]:
    """Make the mount namespace, and the process that keeps it open while dockerd is restarted."""
    script = Path(__file__).with_name("namespace.sh")
    holder = subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "sh", str(script), str(home.root), str(home.folder)],
        stdout=subprocess.PIPE,
        env={"PATH": PATH},
    )
    assert holder.stdout is not None  # noqa: S101 -- it was asked for two lines above
    if holder.stdout.readline() != b"ready\n":
        message = f"the mount namespace could not be made: code {holder.wait()}"
        raise network.NetworkError(message)
    holder.stdout.close()
    return holder


def start_daemon(holder: int) -> subprocess.Popen[bytes]:
    """Start dockerd inside; it ends by itself if this process is killed, so two of them never share one folder."""
    proxies = {name: value for name in PROXIES if (value := os.environ.get(name))}
    return subprocess.Popen(
        [
            *("nsenter", f"--mount=/proc/{holder}/ns/mnt", "--", "setpriv", "--pdeathsig", "TERM"),
            *("dockerd", "--config-file", str(INSIDE / "run/daemon.json")),
        ],
        env={"PATH": PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", **proxies},
    )


def daemon_settings(home: Home, pool: IPv4Network, store: str) -> dict[str, object]:
    """Give dockerd's settings.

    It makes no firewall rules: its chains have the same names as another dockerd's, and each deletes the other's.
    """
    return {
        "bridge": home.bridge,
        "cgroup-parent": f"/{home.cgroup}",
        "data-root": str(INSIDE / "data"),
        "default-address-pools": [{"base": str(pool), "size": 24}],
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "exec-root": str(INSIDE / "exec"),
        "features": {"containerd-snapshotter": store == "containerd"},
        "group": "root",
        "hosts": [f"unix://{INSIDE}/run/docker.sock"],
        "ip6tables": False,
        "iptables": False,
        "pidfile": str(INSIDE / "run/dockerd.pid"),
        "shutdown-timeout": 10,
    }


def say(text: str) -> None:
    """Write a line into the engine's log, which is this process's standard error."""
    sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} supervisor: {text}\n")
    sys.stderr.flush()


def main(folder: str) -> int:
    """Leave the caller's session, write down the process number, and supervise."""
    home = Home(Path(folder))
    settings = json.loads((home.run / "settings.json").read_text())
    child = os.fork()
    if child:
        (home.run / "supervisor.pid").write_text(str(child))
        return 0
    os.setsid()
    say(f"started as process {os.getpid()}")
    code = Supervisor(home, IPv4Network(settings["pool"])).run()
    say("ended")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
