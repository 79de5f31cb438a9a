"""The clock of all measurements: real time, or, on a machine busy with other work, processor time.

The parent says which by the environment variable `MULTIKERAS_BENCH_CLOCK`; processor time adds up
over threads, so its numbers compare contenders only.
"""

import os
import time

VARIABLE = "MULTIKERAS_BENCH_CLOCK"
CLOCKS = {"real": time.perf_counter, "cpu": time.process_time}
now = CLOCKS[os.environ.get(VARIABLE, "real")]
