"""The command by which the daemon that collects reads its configuration again.

lock of the database ──► process ──► its service of systemd, or none ──► command
"""

from daemon.errors import StoreError
from daemon.store.database.locking_process import SystemdService, is_marginwatch, service_of
from daemon.store.database.running_daemon import running_daemon

START = "systemctl start marginwatch, or marginwatch run: no daemon is collecting"
EITHER = "systemctl reload marginwatch, or kill -HUP PID if it is no service"


def reload_command(url: str) -> str:
    """The command for the daemon of this database; where it is not known, both that there are."""
    try:
        daemon = running_daemon(url)
    except StoreError:
        return EITHER
    if daemon is None:
        return START
    if daemon.host or not is_marginwatch(daemon.pid):
        # A number of another machine or container: SIGHUP would end a stranger that has it here.
        return EITHER
    return command_for(daemon.pid, service_of(daemon.pid))


def command_for(pid: str, service: SystemdService | None) -> str:
    """The command for a process on this machine, and the service that it is, if any."""
    if service is None:
        return f"kill -HUP {pid}"
    manager = "systemctl --user" if service.of_user else "systemctl"
    return f"{manager} reload {service.name}"
