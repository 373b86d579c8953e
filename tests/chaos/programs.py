"""`python -m tests.chaos.programs`: the job and the API as a demo runs them, until SIGTERM.

Apart from the servers, because only these two reach ClickHouse through the proxy.
"""

from dataclasses import replace

from lib import conf
from lib.errors import exit_on_error
from lib.waiting import until
from local import stack
from local.__main__ import ends_stack
from local.supervisor import Supervisor

NAMES = ("job", "api")


@exit_on_error()
def main() -> None:
    config = conf.load()
    supervisor = Supervisor(config.data_dir)
    # Killed on purpose a minute after its start, it is to start again without a growing pause.
    programs = [replace(each, steady_seconds=5) for each in stack.programs(config)]
    with ends_stack(supervisor) as signals:
        supervisor.launch([each for each in programs if each.name in NAMES], attached=True)
        assert until(supervisor.is_running, 60)
        for name in NAMES:
            supervisor.start(name)
        signals.listen()
        print("running", flush=True)
        signals.wait()


if __name__ == "__main__":
    main()
