"""What holds for all tests."""

from __future__ import annotations

import contextlib
import signal

with contextlib.suppress(ImportError):  # some environments have no property tests
    from hypothesis import HealthCheck, settings

    # How long an example takes is no property of what is tested: machines are busy.
    settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("unhurried")

# What a script runs in the background is deaf to Ctrl-C, and so are its children: tests send it to them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
