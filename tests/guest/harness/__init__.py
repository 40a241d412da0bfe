# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Boots guests and asks them, and oscope about them. Python 3.11, standard library only."""

from .agent import Agent
from .events import Events
from .guest import BUILD, CACHE, OSCOPE, ROOT, CommandFailed, Guest, GuestError, boot_command, \
    qemu_version
from .qmp import Qmp

__all__ = ["Agent", "BUILD", "CACHE", "CommandFailed", "Events", "Guest", "GuestError", "OSCOPE", "Qmp",
           "ROOT", "boot_command", "qemu_version"]
