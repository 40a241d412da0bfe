# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Boots guests and asks them, and oscope about them. Python 3.11, standard library only."""

from .agent import Agent
from .events import Events
from .guest import BUILD, CACHE, DISK, OSCOPE, ROOT, CommandFailed, Guest, GuestError, \
    boot_command, qemu_version
from .prometheus import Prometheus, scrape, total
from .qmp import Qmp
from .recording import record
from .screen import Screen
from .waiting import try_again, wait_until
from .web import Browser, Web, number
from .wire import Talk, Wire, frame

__all__ = ["Agent", "BUILD", "Browser", "CACHE", "CommandFailed", "DISK", "Events", "Guest", "GuestError",
           "OSCOPE", "Prometheus", "Qmp", "ROOT", "Screen", "Talk", "Web", "Wire", "boot_command", "frame",
           "number", "qemu_version", "record", "scrape", "total", "try_again", "wait_until"]
