"""What children of `test_lost` do: in a file of little, which each of them imports."""

import os
import signal
import time
from pathlib import Path


def waits(channel, sign=None):
    if sign is not None:
        if sign != signal.SIGKILL:
            signal.signal(sign, signal.SIG_DFL)  # under nohup one is ignored
        os.kill(os.getpid(), sign)
    channel.recv()


def says(channel, *names):
    channel.send({name: os.environ.get(name) for name in names})
    channel.recv()


def computes(channel):
    channel.send("first")
    time.sleep(600)


def is_done(channel):
    channel.send("first")
    channel.close()
    time.sleep(0.3)
    Path(os.environ["DONE"]).touch()
